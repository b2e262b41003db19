"""ASGI: the tee around an app. We never call `receive` of our own accord."""

import functools
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

from otel_apimetrics import _guard, forked, open_requests
from otel_apimetrics.frameworks.adapter import Adapter
from otel_apimetrics.frameworks.asgi_governed import govern_asgi, with_lines
from otel_apimetrics.frameworks.asgi_lifespan import call_lifespan
from otel_apimetrics.frameworks.asgi_request import is_announced, read_headers, read_request
from otel_apimetrics.frameworks.asgi_websocket import WebSocketCall
from otel_apimetrics.frameworks.entry import MARK, begin, left_out, served_before
from otel_apimetrics.frameworks.headers import declared_length
from otel_apimetrics.frameworks.response_hooks import added_headers
from otel_apimetrics.open_requests import LeftOut
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.recording import Recording
from otel_apimetrics.snapshot import CLIENT_DISCONNECT
from otel_apimetrics.spans import Owner

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[Any]]

_SERVER_ERROR = 500


class Call:
    """One HTTP request of an ASGI app under a recording: one object a request, no shared state."""

    __slots__ = ("_on_response", "_receive", "_recording", "_send", "_trailers")

    def __init__(
        self,
        recording: Recording,
        receive: Receive,
        send: Send,
        on_response: Callable[[Recording], None] | None,
    ) -> None:
        self._recording = recording
        self._receive = receive
        self._send = send
        self._on_response = on_response
        self._trailers = False

    async def serve(self, app: ASGIApp, scope: Scope) -> Any:
        """Call the app; what it raises or returns passes through, after the record is made."""
        recording = self._recording
        before = open_requests.outside()
        try:
            recording.enter()
            result: Any = await app(scope, self.receive, self.send)
            recording.leave(before)
        except GeneratorExit:
            # The coroutine is thrown away, perhaps from another context: nothing may be
            # awaited, and what is current there is none of our business.
            recording.leave_if_here(before)
            recording.abandon()
            raise
        except BaseException as error:
            recording.leave(before)
            if not recording.settled:
                recording.note_failure(error, self._on_response)
            # What cancels or ends the app waits for nobody.
            await recording.end_async(wait=isinstance(error, Exception))
            raise
        await recording.end_async()
        return result

    async def receive(self) -> Message:
        """Hand on what the app asks for, and copy the body."""
        message = await self._receive()
        if not self._recording.settled:
            try:
                _note_received(self._recording, message)
            except Exception as error:
                _guard.swallow("asgi.receive", error)
        return message

    async def send(self, message: Message) -> None:
        """Hand on what the app says, and copy it; the last message ends the record."""
        recording = self._recording
        if recording.settled:
            await self._send(message)
            return
        kind = self._note_coming(message) if isinstance(message, dict) else ""
        if kind == "http.response.start":
            message = self._note_start(_with_lasting_headers(message))
        # Taken before it is sent: a middleware outside, such as Starlette's GZip, may put its
        # own body into the same message.
        body = message.get("body") if kind == "http.response.body" else None
        try:
            await self._send(message)
        except OSError:
            # How a server says, from ASGI 2.4 on, that the client is gone.
            recording.response_ended = False
            recording.error = CLIENT_DISCONNECT
            raise
        try:
            self._note_sent(kind, body)
        except Exception as error:
            _guard.swallow("asgi.send", error)
            return
        if recording.response_ended:
            recording.finish_aside()
        elif recording.server_span.owner is Owner.INSIDE:
            # What an instrumentation inside has detached already (Django's does, before a
            # streamed body) is current again while the app makes the next chunk.
            recording.server_span.attach()

    def _note_start(self, message: Message) -> Message:
        """Give the message as it is, or with the headers that hooks add."""
        recording = self._recording
        try:
            recording.status = message["status"]
            recording.response_headers = read_headers(message.get("headers") or ())
            self._trailers = bool(message.get("trailers"))
            if recording.status is not None and recording.status >= _SERVER_ERROR:
                # Error handlers send their response while they handle the exception.
                handled = sys.exc_info()[1]
                if handled is not None:
                    recording.note_exception(handled)
            recording.server_span.notice_current()
            if self._on_response is not None:
                self._on_response(recording)
            if recording.pipeline.response_hooks:
                return with_lines(message, added_headers(recording))
        except Exception as error:
            _guard.swallow("asgi.start", error)
        return message

    def _note_coming(self, message: Message) -> str:
        """Give the type of a message, and note the last one. Not all that is told is ASGI's."""
        kind: str = message.get("type", "")
        try:
            if kind != "http.response.start" and self._is_last(kind, message):
                # Before it is sent: Hypercorn says "disconnect" while it sends.
                self._recording.response_ended = True
        except Exception as error:
            _guard.swallow("asgi.message", error)
        return kind

    def _is_last(self, kind: str, message: Message) -> bool:
        """Tell the message that ends a response; there are four ways."""
        if kind in {"http.response.body", "http.response.zerocopysend"}:
            return not message.get("more_body") and not self._trailers
        if kind == "http.response.trailers":
            return not message.get("more_trailers")
        return kind == "http.response.pathsend"

    def _note_sent(self, kind: str, body: Any) -> None:
        """Note a message that went out, and the part of the body in it."""
        recording = self._recording
        recording.touch()
        if body:
            recording.response_body.write(body)
        elif kind in {"http.response.pathsend", "http.response.zerocopysend"}:
            recording.size_told = declared_length(recording.response_headers)


def _with_lasting_headers(message: Message) -> Message:
    """Keep headers that are an iterator: it is read once, and that is the server's."""
    headers = message.get("headers")
    return {**message, "headers": list(headers)} if isinstance(headers, Iterator) else message


async def call_asgi(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    pipeline: Pipeline,
    adapter: Adapter,
    instance: Any,
) -> Any:
    """Call an ASGI app under a recording, or plainly where there is none to make.

    Args:
        app: called exactly once, with this scope.
        scope: of the connection; "lifespan" and unknown types pass through unrecorded.
        receive: of the server.
        send: of the server.
        pipeline: of the app's configuration.
        adapter: of the app's framework.
        instance: the object that the adapter knows: a Starlette app, or `app` itself.
    """
    recording = None
    kind = scope["type"]
    if kind in {"http", "websocket"}:
        try:
            mark = scope.get(MARK)
            if (mark is not None and served_before(mark) is None) or _is_served(scope):
                note_inner(scope)
            else:
                recording = _begin(scope, pipeline, adapter, instance)
        except Exception as error:
            _guard.swallow("asgi.begin", error)
    elif kind == "lifespan" and MARK not in scope:
        _mark(scope)
        forked.begin_process()  # what the app counts while it starts is this process's own
        may_raise = adapter.raises_at_lifespan
        return await call_lifespan(app, scope, receive, send, pipeline, may_raise=may_raise)
    if isinstance(recording, LeftOut):
        with recording:
            return await app(scope, receive, send)
    if recording is None:
        return await app(scope, receive, send)
    if pipeline.governors and kind == "http":
        app = govern_asgi(app, recording, adapter.on_response)
    call = Call if kind == "http" else WebSocketCall
    return await call(recording, receive, send, adapter.on_response).serve(app, scope)


def asgi_entry(
    pipeline_of: Callable[[Any], Pipeline | None], adapter: Adapter
) -> Callable[[Any], Any]:
    """Make the wrap of a framework's `__call__`, for `MethodWraps.wrap`.

    Args:
        pipeline_of: returns the pipeline of an app, `None` where it is not recorded.
        adapter: of the framework.
    """

    def make(original: Any) -> Any:
        # `async def`: uvicorn takes a plain `def` for ASGI 2.
        async def __call__(  # noqa: N807
            self: Any, scope: Scope, receive: Receive, send: Send
        ) -> Any:
            pipeline = pipeline_of(self)
            if pipeline is None:
                return await original(self, scope, receive, send)
            app = functools.partial(original, self)
            return await call_asgi(app, scope, receive, send, pipeline, adapter, self)

        functools.update_wrapper(__call__, original)
        return __call__

    return make


def _mark(scope: Scope) -> None:
    """Have an app inside know that the call is recorded; a scope may be one that nobody changes."""
    with suppress(TypeError):
        scope[MARK] = True


def _is_served(scope: Scope) -> bool:
    """Tell whether the request that is current came with this very scope."""
    recording = open_requests.current.get()
    return isinstance(recording, Recording) and recording.source is scope


def note_inner(scope: Scope) -> None:
    """Point the recording at the scope of the innermost app, which knows the route."""
    recording = open_requests.current.get()
    if isinstance(recording, Recording) and recording.source is not scope:
        recording.source = scope


def _begin(
    scope: Scope, pipeline: Pipeline, adapter: Adapter, instance: Any
) -> Recording | LeftOut:
    _mark(scope)
    headers = scope.get("headers")
    if isinstance(headers, Iterator):
        # It is read once, and that is the app's.
        scope["headers"] = list(headers)
    request = read_request(scope, pipeline.addresses)
    excluded = left_out(pipeline, request)
    if excluded is not None:
        return excluded
    recording = begin(pipeline, adapter, instance, request, scope)
    try:
        length = recording.content_length = declared_length(request.headers)
        recording.request_ended = not length and not is_announced(request)
    except Exception as error:
        _guard.swallow("asgi.length", error)
    return recording


def _note_received(recording: Recording, message: Message) -> None:
    kind = message["type"]
    if kind == "http.request":
        body = message.get("body")
        if body:
            recording.request_body.write(body)
        recording.touch()
        recording.request_ended = not message.get("more_body")
    elif kind == "http.disconnect" and not recording.response_ended:
        recording.error = CLIENT_DISCONNECT
