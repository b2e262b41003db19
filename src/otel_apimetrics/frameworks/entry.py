"""The entry of a request: decided here, before the app runs, and never revised."""

from contextlib import suppress
from typing import Any

from opentelemetry import trace

from otel_apimetrics import (
    _guard,
    ending,
    forked,
    open_requests,
    processors,
    semconv,
    span_lock,
    spans,
)
from otel_apimetrics.exchange import Request
from otel_apimetrics.frameworks.adapter import Adapter
from otel_apimetrics.frameworks.startup import announce
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.recording import Recording

MARK = "otel_apimetrics.seen"
"""Key in an environ or scope: what is called with it is served already, by an app outside.

The value is a `Mark` where that is recorded, else `True`.
"""


class Mark:
    """Leads to the recording of an environ or scope, and is plainly `True` in a copy of it."""

    __slots__ = ("recording",)

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def __reduce_ex__(self, _protocol: Any) -> Any:
        return bool, (True,)


def served_before(mark: Any) -> Recording | None:
    """Give the recording of an earlier serving, where this one is not inside of it.

    A middleware outside of the app may serve one environ or scope again: it tries once more,
    or asks for the page of an error.
    """
    first = mark.recording if type(mark) is Mark else None
    if first is None or first is open_requests.current.get():
        return None
    return None if first.running and not first.settled else first


def left_out(pipeline: Pipeline, request: Request) -> open_requests.LeftOut | None:
    """Give what stands for a request that leaves no span and no metric of ours, else `None`.

    The spans of other instrumentations say so: the one around us here, the one inside when it
    starts while what is given is entered.
    """
    if not _is_excluded(pipeline, request):
        return None
    processors.ensure(pipeline.tracer_provider(), pipeline.redactor)
    current = trace.get_current_span()
    outer = spans.outer_server(current) if spans.is_local(current) else None
    # A held one is another request's, which calls this app in its own process.
    if outer is not None and not span_lock.is_held(outer):
        outer.set_attribute(semconv.SKIPPED, True)
    return open_requests.LeftOut()


def _is_excluded(pipeline: Pipeline, request: Request) -> bool:
    config = pipeline.config
    if config.excluded_paths:
        authority = request.host if request.port is None else f"{request.host}:{request.port}"
        url = f"{request.scheme}://{authority}{request.path}"
        if config.excludes(request.path, f"{url}?{request.query}" if request.query else url):
            return True
    if config.excluded_user_agents:
        return config.excludes_user_agent(request.user_agent)
    return False


def begin(
    pipeline: Pipeline,
    adapter: Adapter,
    app: Any,
    request: Request,
    source: Any,
) -> Recording:
    """Open the recording of a request and decide about its span.

    Args:
        pipeline: of the app's configuration.
        adapter: of the app's framework.
        app: what is about to be called.
        request: as read from the environ or scope.
        source: that environ or scope.
    """
    forked.begin_process()
    ending.arm_process()
    processors.ensure(pipeline.tracer_provider(), pipeline.redactor)
    announce(pipeline, adapter, app)
    recording = Recording(pipeline, request, adapter.name, source)
    with suppress(TypeError):  # one that cannot be changed
        source[MARK] = Mark(recording)
    # From here on the request is registered: it is counted whatever becomes of its span.
    try:
        if adapter.decides_later(app):
            recording.server_span.owner = spans.Owner.UNDECIDED
        else:
            recording.begin_span(instrumented_inside=adapter.instrumented_inside(app))
    except Exception as error:
        _guard.swallow("entry.span", error)
    return recording
