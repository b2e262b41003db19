"""An ASGI app whose answer may be another's: a middleware directly around the app."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, TypeAlias

from otel_apimetrics.exchange import Headers
from otel_apimetrics.frameworks.governing import Answer, Governed
from otel_apimetrics.recording import Recording

_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
_App: TypeAlias = Callable[[MutableMapping[str, Any], _Receive, _Send], Awaitable[Any]]

_PATIENCE = 16
"""Parts of a replaced body that are dropped before the app is told, in `send` too, that its client
is gone: short streams end, and run their background tasks, as if they had been sent."""
_DEPTH = 16
"""Causes of an exception that are looked through."""


def govern_asgi(
    app: _App, recording: Recording, on_response: Callable[[Recording], None] | None
) -> _App:
    """Put an app under the governors of its pipeline, for one HTTP request.

    Args:
        app: any ASGI 3 callable.
        recording: of the request.
        on_response: notes what only the framework knows.
    """

    async def governed(scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> Any:
        call = _Call(Governed(recording, on_response), receive, send)
        return await call.serve(app, scope)

    return governed


def with_lines(message: _Message, added: Headers) -> _Message:
    """Put lines behind those of a message that starts a response."""
    if not added:
        return message
    lines = [(name.encode(), value.encode()) for name, value in added]
    return {**message, "headers": [*(message.get("headers") or ()), *lines]}


class _Call:
    """One call of the app. What is seen of its response is what the client gets."""

    __slots__ = ("_dropped", "_gone", "_governed", "_is_replaced", "_receive", "_send", "_started")

    def __init__(self, governed: Governed, receive: _Receive, send: _Send) -> None:
        self._governed = governed
        self._receive = receive
        self._send = send
        self._started = self._is_replaced = False
        self._dropped = 0
        self._gone: OSError | None = None

    async def serve(self, app: _App, scope: MutableMapping[str, Any]) -> Any:
        """Call the app, unless it is answered for."""
        answer = self._governed.before()
        if answer is not None:
            await self._answer(answer)
            return None
        try:
            return await app(scope, self.receive, self.send)
        except Exception as error:
            # The app passes on that its client is gone, as we told it: all was said.
            if self._gone is None or not _stems_from(error, self._gone, _DEPTH):
                raise
            return None
        finally:
            # Its traceback leads to the app's stream, which ends when nobody holds it.
            self._gone = None

    async def receive(self) -> _Message:
        """Hand on what the app asks for; the client of a replaced response is gone for it."""
        return {"type": "http.disconnect"} if self._is_replaced else await self._receive()

    async def send(self, message: _Message) -> None:
        """Hand on what the app says, with lines added, or what is said in its place.

        Raises:
            OSError: the app goes on streaming what nobody gets; so servers say that a client is
                gone (ASGI HTTP specification, 2.4), or an endless stream would never end.
        """
        if self._is_replaced:
            self._dropped += 1
            if self._dropped > _PATIENCE and message.get("more_body"):
                self._gone = self._gone or OSError("the response was replaced")
                raise self._gone
            return
        if not self._started and message.get("type") == "http.response.start":
            self._started = True
            message = _with_lasting_headers(message)
            said = self._governed.starting()
            if isinstance(said, Answer):
                self._is_replaced = True
                await self._answer(said)
                return
            message = with_lines(message, said)
        await self._send(message)

    async def _answer(self, answer: Answer) -> None:
        headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        await self._send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )
        await self._send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _with_lasting_headers(message: _Message) -> _Message:
    headers = message.get("headers")
    return {**message, "headers": list(headers)} if isinstance(headers, Iterator) else message


def _stems_from(error: BaseException | None, origin: BaseException, depth: int) -> bool:
    """Tell whether an exception is another, or was raised because of it."""
    if error is None or depth == 0:
        return False
    if error is origin:
        return True
    inner = (error.__cause__, error.__context__, *getattr(error, "exceptions", ()))
    return any(_stems_from(one, origin, depth - 1) for one in inner)
