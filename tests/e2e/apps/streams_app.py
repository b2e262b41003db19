"""WebSockets, server-sent events and long polls: in Starlette, and bare as Channels' consumers.

Recorded where the environment names a file for the spans: `STREAMS_SPANS`.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from otel_apimetrics import ApiMetricsInstrumentor

HEADERS = [(b"x-room", b"lobby")]
LARGE = "large " * 40_000


class Gate:
    """Holds one request until another one has asked to let it go on."""

    def __init__(self) -> None:
        self._held = asyncio.Event()
        self._open = asyncio.Event()

    async def wait(self) -> None:
        self._held.set()
        await self._open.wait()
        self._open.clear()

    async def open(self) -> None:
        await self._held.wait()
        self._held.clear()
        self._open.set()


gate = Gate()


class Consumer:
    """One connection, as a consumer of Django Channels: a task reads, another one answers."""

    def __init__(self, scope: Any, send: Any) -> None:
        self.path = scope["path"].rpartition("/")[2]
        self.scope = scope
        self.send = send

    async def dispatch(self, message: Any) -> bool:
        """Answer a message; False ends the consumer."""
        name = message["type"].rpartition(".")[2]
        return bool(await getattr(self, name)(message))

    async def connect(self, _message: Any) -> bool:
        if self.path == "refuse":
            await self.send({"type": "websocket.close"})
            return False
        if self.path == "deny":
            await self.send(
                {"type": "websocket.http.response.start", "status": 401, "headers": HEADERS}
            )
            await self.send({"type": "websocket.http.response.body", "body": b"who are you?"})
            return False
        offered = self.scope["subprotocols"]
        await self.send(
            {
                "type": "websocket.accept",
                "subprotocol": offered[0] if offered else None,
                "headers": HEADERS,
            }
        )
        return True

    async def receive(self, message: Any) -> bool:
        text, data = message.get("text"), message.get("bytes")
        if text == "boom":
            raise ValueError("boom")
        if text == "close":
            await self.send({"type": "websocket.close", "code": 4001, "reason": "over"})
            return False
        if text == "many":
            for index in range(100):
                await self.send({"type": "websocket.send", "text": f"{index}"})
            await self.send({"type": "websocket.send", "text": LARGE})
        elif text is not None:
            await self.send({"type": "websocket.send", "text": text.upper()})
        else:
            await self.send({"type": "websocket.send", "bytes": data[::-1]})
        return True

    async def disconnect(self, _message: Any) -> bool:
        return False


async def bare_socket(scope: Any, receive: Any, send: Any) -> None:
    waiting: asyncio.Queue[Any] = asyncio.Queue()

    async def read() -> None:
        while True:
            message = await receive()
            await waiting.put(message)
            if message["type"] == "websocket.disconnect":
                return

    reader = asyncio.create_task(read())
    consumer = Consumer(scope, send)
    try:
        while await consumer.dispatch(await waiting.get()):
            pass
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


async def bare(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await bare_socket(scope, receive, send)
        return
    name = scope["path"].rpartition("/")[2]
    kind = b"text/event-stream" if name == "events" else b"text/plain"
    if name == "events":
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]}
        )
        first = {"type": "http.response.body", "body": b"data: first\n\n", "more_body": True}
        await send(first)
        await gate.wait()
        await send({"type": "http.response.body", "body": b"data: second\n\n"})
        return
    await gate.wait()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": b"news"})


async def socket(websocket: WebSocket) -> None:
    name = websocket.url.path.rpartition("/")[2]
    if name == "refuse":
        await websocket.close()
        return
    if name == "deny":
        denial = PlainTextResponse("who are you?", 401, {"x-room": "lobby"})
        await websocket.send_denial_response(denial)
        return
    offered = websocket.scope["subprotocols"]
    await websocket.accept(offered[0] if offered else None, HEADERS)
    try:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await answer(websocket, message)
    except (WebSocketDisconnect, StopAsyncIteration):
        return


async def answer(websocket: WebSocket, message: Any) -> None:
    text, data = message.get("text"), message.get("bytes")
    if text == "boom":
        raise ValueError("boom")
    if text == "close":
        await websocket.close(4001, "over")
        raise StopAsyncIteration
    if text == "many":
        for index in range(100):
            await websocket.send_text(f"{index}")
        await websocket.send_text(LARGE)
    elif text is not None:
        await websocket.send_text(text.upper())
    else:
        await websocket.send_bytes(data[::-1])


async def events(_request: Request) -> Response:

    async def said() -> Any:
        yield "data: first\n\n"
        await gate.wait()
        yield "data: second\n\n"

    return StreamingResponse(said(), media_type="text/event-stream")


async def poll(_request: Request) -> Response:
    await gate.wait()
    return PlainTextResponse("news")


starlette: Any = Starlette(
    routes=[
        WebSocketRoute("/starlette/{name}", socket),
        Route("/starlette/events", events),
        Route("/starlette/poll", poll),
    ]
)


class FileExporter(SpanExporter):
    """Writes each span as a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def export(self, spans: Any) -> SpanExportResult:
        with self._path.open("a") as lines:
            for span in spans:
                if isinstance(span, ReadableSpan):
                    lines.write(span.to_json(indent=None) + "\n")  # type: ignore[arg-type]
        return SpanExportResult.SUCCESS


if "STREAMS_SPANS" in os.environ:
    provider = TracerProvider()
    provider.add_span_processor(
        SimpleSpanProcessor(FileExporter(Path(os.environ["STREAMS_SPANS"])))
    )
    options: dict[str, Any] = {"tracer_provider": provider, "capture_body": "all"}
    bare = ApiMetricsInstrumentor().instrument_app(bare, **options)
    starlette = ApiMetricsInstrumentor().instrument_app(starlette, **options)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve both apps, and what lets them go on."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["path"] == "/go":
        await gate.open()
        await JSONResponse({})(scope, receive, send)
    elif scope["path"].startswith("/bare/"):
        await bare(scope, receive, send)
    else:
        await starlette(scope, receive, send)
