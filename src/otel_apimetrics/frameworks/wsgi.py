"""WSGI: the tee around an app.

We copy what the app itself reads and sends, and never read `wsgi.input` of our own
accord. PEP 3333 is kept to the letter: `write`, `exc_info`, `close`, the number of items.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from otel_apimetrics import _guard, open_requests
from otel_apimetrics.frameworks.adapter import Adapter
from otel_apimetrics.frameworks.entry import MARK, begin, left_out, served_before
from otel_apimetrics.frameworks.headers import BODILESS_METHODS, declared_length
from otel_apimetrics.frameworks.replacing import replace
from otel_apimetrics.frameworks.response_hooks import added_headers
from otel_apimetrics.frameworks.wsgi_chunks import note_chunk
from otel_apimetrics.frameworks.wsgi_governed import govern_wsgi
from otel_apimetrics.frameworks.wsgi_input import hand_over, tee_input
from otel_apimetrics.frameworks.wsgi_request import read_request
from otel_apimetrics.frameworks.wsgi_response import tee_response
from otel_apimetrics.open_requests import LeftOut
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.recording import Recording

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]
WSGIApp: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]


class Call:
    """One call of a WSGI app under a recording.

    Args:
        recording: just begun.
        on_response: called when the response starts, while the framework's request is
            still there; notes what only the framework knows.
    """

    __slots__ = ("_on_response", "_recording", "_start_response")

    def __init__(
        self,
        recording: Recording,
        start_response: StartResponse,
        on_response: Callable[[Recording], None] | None,
    ) -> None:
        self._recording = recording
        self._start_response = start_response
        self._on_response = on_response

    def serve(self, app: WSGIApp, environ: Environ) -> Iterable[bytes]:
        """Call the app; what it raises passes through, after the record is made."""
        recording = self._recording
        before = open_requests.outside()
        try:
            try:
                recording.enter()
                iterable = app(environ, self.start_response)
            finally:
                recording.leave(before)
            return tee_response(iterable, recording, environ)
        except BaseException as error:
            recording.leave(before)  # again: a signal handler may have raised in it
            try:
                recording.note_failure(error, self._on_response)
            finally:
                recording.end()
            raise

    def start_response(self, status: str, headers: Any, *rest: Any, **named: Any) -> Any:
        """Note the status and the headers, then hand them on, with what hooks add."""
        recording = self._recording
        iterated = type(headers) is not list and isinstance(headers, Iterator)
        if iterated:
            headers = list(headers)  # it is read once, and that is the server's
        try:
            _note_response(recording, status, headers or (), *rest, **named)
            recording.server_span.notice_current()
            if self._on_response is not None:
                self._on_response(recording)
            if recording.pipeline.response_hooks:
                headers = [*(headers or ()), *added_headers(recording)]
        except Exception as error:
            _guard.swallow("wsgi.start_response", error)
        if iterated:  # still one: wsgiref, for one, refuses it
            headers = iter(headers)
        write = self._start_response(status, headers, *rest, **named)
        if write is None:
            return None
        return _WriteTee(write, recording)


class _WriteTee:
    """The `write` callable of `start_response`."""

    __slots__ = ("_recording", "_write")

    def __init__(self, write: Callable[[bytes], Any], recording: Recording) -> None:
        self._write = write
        self._recording = recording

    def __call__(self, data: bytes) -> Any:
        result = self._write(data)
        note_chunk(self._recording, data)
        return result


def _note_response(
    recording: Recording,
    status: str,
    headers: Any,
    exc_info: Any = None,
    *_rest: Any,
    **_named: Any,
) -> None:
    recording.status = int(status[:3])
    recording.response_headers = tuple((name.lower(), value) for name, value in headers)
    if exc_info:
        # PEP 3333: the app caught an error and answers it.
        recording.note_exception(exc_info[1])


def call_wsgi(
    app: WSGIApp,
    environ: Environ,
    start_response: StartResponse,
    pipeline: Pipeline,
    adapter: Adapter,
    instance: Any,
) -> Iterable[bytes]:
    """Call a WSGI app under a recording, or plainly where there is none to make.

    Args:
        app: called exactly once, with this environ.
        environ: of the request.
        start_response: of the server.
        pipeline: of the app's configuration.
        adapter: of the app's framework.
        instance: the object that the adapter knows: a Flask app, a handler, or `app` itself.
    """
    recording = None
    try:
        recording = _enter(environ, pipeline, adapter, instance)
    except Exception as error:
        _guard.swallow("wsgi.begin", error)
    if isinstance(recording, LeftOut):
        with recording:
            return app(environ, start_response)
    if recording is None:
        return app(environ, start_response)
    if pipeline.governors:
        app = govern_wsgi(app, recording, adapter.on_response)
    return Call(recording, start_response, adapter.on_response).serve(app, environ)


def wsgi_entry(
    pipeline_of: Callable[[Any], Pipeline | None], adapter: Adapter
) -> Callable[[Any], Any]:
    """Make the wrap of a framework's WSGI method, for `MethodWraps.wrap`.

    Args:
        pipeline_of: returns the pipeline of an app, `None` where it is not recorded.
        adapter: of the framework.
    """

    def make(original: Any) -> Any:
        def wrapped(self: Any, environ: Environ, start_response: StartResponse) -> Any:
            pipeline = pipeline_of(self)
            if pipeline is None:
                return original(self, environ, start_response)
            app = functools.partial(original, self)
            return call_wsgi(app, environ, start_response, pipeline, adapter, self)

        functools.update_wrapper(wrapped, original)
        return wrapped

    return make


def _note_inner(environ: Environ) -> None:
    """Point the recording at the environ of the innermost app, which knows the route."""
    recording = open_requests.current.get()
    if isinstance(recording, Recording) and recording.source is not environ:
        recording.source = environ


def _enter(
    environ: Environ, pipeline: Pipeline, adapter: Adapter, instance: Any
) -> Recording | LeftOut | None:
    """Give the recording of this call, or what stands for none; `None` further inside."""
    mark = environ.get(MARK)
    if mark is None:
        return _begin(environ, pipeline, adapter, instance)
    first = served_before(mark)
    if first is None:
        _note_inner(environ)
        return None
    second = None if first.settled else replace(first, pipeline, adapter, instance, environ)
    if second is None:
        return _begin(environ, pipeline, adapter, instance)
    if not hand_over(environ, first, second):
        _tee_input(environ, second)
    return second


def _begin(
    environ: Environ, pipeline: Pipeline, adapter: Adapter, instance: Any
) -> Recording | LeftOut:
    environ[MARK] = True
    request = read_request(environ, pipeline.addresses)
    excluded = left_out(pipeline, request)
    if excluded is not None:
        return excluded
    recording = begin(pipeline, adapter, instance, request, environ)
    _tee_input(environ, recording)
    return recording


def _tee_input(environ: Environ, recording: Recording) -> None:
    try:
        length = recording.content_length = declared_length(recording.request.headers)
        in_chunks = "HTTP_TRANSFER_ENCODING" in environ
        # A body of HTTP/2 needs neither word.
        untold = length is None and not environ.get("SERVER_PROTOCOL", "HTTP/1.1").startswith(
            "HTTP/1"
        )
        bodiless = recording.request.method in BODILESS_METHODS
        recording.request_ended = not (length or in_chunks or (untold and not bodiless))
        # A body of known length that nobody captures needs no tee: its size is told.
        if in_chunks or untold or (length and recording.pipeline.kept_request_bytes):
            tee_input(environ, recording)
    except Exception as error:
        _guard.swallow("wsgi.input", error)
