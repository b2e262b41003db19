"""A second answer to one request: a WSGI middleware has thrown the first away unsent."""

from time import time_ns
from typing import Any

from otel_apimetrics import _guard
from otel_apimetrics.frameworks.adapter import Adapter
from otel_apimetrics.frameworks.entry import MARK, Mark
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.recording import Recording
from otel_apimetrics.spans import Owner

_SAID_OF_THE_CALLER = ("company", "consumer", "labels", "metadata", "session", "skipped")


def replace(
    first: Recording, pipeline: Pipeline, adapter: Adapter, app: Any, environ: dict[str, Any]
) -> Recording | None:
    """Go on with a request in a recording for its second answer; `None`: the first is recorded.

    The request stays what the client sent and began when it began, whatever path the
    middleware asks for now.

    Args:
        first: of the answer that nobody will get.
        pipeline: of the app that is called now.
        adapter: of its framework.
        app: what is about to be called.
        environ: of the request.
    """
    if not first.give_way():
        return None
    second = Recording(pipeline, first.request, adapter.name, environ)
    try:
        environ[MARK] = Mark(second)
        second.started, second.started_ns = first.started, first.started_ns
        second.content_length = first.content_length
        for name in _SAID_OF_THE_CALLER:
            setattr(second, name, getattr(first, name))
        _replace_span(first, second, inside=adapter.instrumented_inside(app))
    except Exception as error:
        _guard.swallow("wsgi.replace", error)
    return second


def _replace_span(first: Recording, second: Recording, *, inside: bool) -> None:
    span = first.server_span
    if span.owner is Owner.INSIDE:
        # Whoever made it for the first call will make another for this one.
        span.release(time_ns())
        span.close()
        second.begin_span(instrumented_inside=inside)
    else:
        second.server_span = span
