"""WebSocket connections: one record each, no message bodies."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from otel_apimetrics import _guard, open_requests
from otel_apimetrics.exchange import WebSocket
from otel_apimetrics.recording import Recording
from otel_apimetrics.snapshot import CLIENT_DISCONNECT

Message = MutableMapping[str, Any]

_SWITCHING = 101
_REFUSED = 403
"""What a server answers where the app closes before it accepts (ASGI, WebSocket "Close")."""


class WebSocketCall:
    """One WebSocket connection of an ASGI app under a recording."""

    __slots__ = (
        "_bytes_received", "_bytes_sent", "_close_code", "_messages_received", "_messages_sent",
        "_on_response", "_receive", "_recording", "_send",
    )  # fmt: skip

    def __init__(
        self,
        recording: Recording,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
        on_response: Callable[[Recording], None] | None,
    ) -> None:
        self._recording = recording
        self._receive = receive
        self._send = send
        self._on_response = on_response
        self._close_code: int | None = None
        self._messages_received = self._messages_sent = 0
        self._bytes_received = self._bytes_sent = 0

    async def serve(
        self, app: Callable[..., Awaitable[Any]], scope: MutableMapping[str, Any]
    ) -> Any:
        """Call the app; what it raises or returns passes through, after the record is made."""
        recording = self._recording
        recording.websocket = WebSocket()
        # Never given up for silence: pings do not pass through us.
        recording.moved = float("inf")
        before = open_requests.outside()
        try:
            recording.enter()
            result: Any = await app(scope, self.receive, self.send)
            recording.leave(before)
        except GeneratorExit:
            self._note_traffic()
            recording.leave_if_here(before)
            recording.abandon()
            raise
        except BaseException as error:
            recording.leave(before)
            recording.note_failure(error)
            self._note_traffic()
            # What cancels or ends the app waits for nobody.
            await recording.end_async(wait=isinstance(error, Exception))
            raise
        self._note_traffic()
        await recording.end_async()
        return result

    async def receive(self) -> Message:
        """Hand on what the app asks for, and count it."""
        message = await self._receive()
        try:
            kind = message["type"]
            if kind == "websocket.receive":
                self._messages_received += 1
                self._bytes_received += _size(message)
            elif kind == "websocket.disconnect":
                self._note_disconnect(message)
        except Exception as error:
            _guard.swallow("asgi.websocket", error)
        return message

    async def send(self, message: Message) -> None:
        """Hand on what the app says, and count it."""
        try:
            await self._send(message)
        except OSError:
            # How a server says, from ASGI 2.4 on, that the client is gone.
            self._recording.error = self._recording.error or CLIENT_DISCONNECT
            raise
        try:
            self._note_sent(message["type"], message)
        except Exception as error:
            _guard.swallow("asgi.websocket", error)

    def _note_disconnect(self, message: Message) -> None:
        if self._close_code is None:
            self._close_code = message.get("code")
        if self._recording.status is None:  # neither accepted nor refused
            self._recording.error = CLIENT_DISCONNECT

    def _note_sent(self, kind: str, message: Message) -> None:
        recording = self._recording
        if kind == "websocket.send":
            self._messages_sent += 1
            self._bytes_sent += _size(message)
        elif kind == "websocket.accept":
            self._started(_SWITCHING)
        elif kind == "websocket.close":
            if recording.status is None:
                self._started(_REFUSED)
            self._close_code = message.get("code", 1000)
        elif kind == "websocket.http.response.start":
            self._started(message["status"])

    def _started(self, status: int) -> None:
        recording = self._recording
        recording.status = status
        recording.server_span.notice_current()
        if self._on_response is not None:
            self._on_response(recording)

    def _note_traffic(self) -> None:
        self._recording.websocket = WebSocket(
            close_code=self._close_code,
            messages_received=self._messages_received,
            messages_sent=self._messages_sent,
            bytes_received=self._bytes_received,
            bytes_sent=self._bytes_sent,
        )


def _size(message: Message) -> int:
    """Bytes of a message's payload; text counts as the UTF-8 that goes over the wire."""
    data = message.get("bytes")
    if data is not None:
        return len(data)
    text = message.get("text") or ""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
