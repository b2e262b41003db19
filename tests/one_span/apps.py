"""The same tiny app in each framework: /items/7, /stream, /boom and /broken-stream.

Every handler makes a child span, and every stream one before each chunk: that they belong
to the SERVER span is what the matrix asks.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from opentelemetry import trace

CHUNKS = (b"first,", b"last")
PAUSE = 0.003
"""Seconds between two chunks: longer than what the clocks of a span may be apart."""


def note_child(name: str) -> None:
    trace.get_tracer("app").start_span(name).end()


def handle() -> bytes:
    note_child("handler")
    return b"seven"


def fail() -> None:
    note_child("handler")
    raise RuntimeError("boom")


def stream(*, broken: bool = False) -> Iterator[bytes]:
    for position, chunk in enumerate(CHUNKS):
        if position:
            time.sleep(PAUSE)
            if broken:
                raise RuntimeError("broken stream")
        note_child("streaming")
        yield chunk


async def astream(*, broken: bool = False) -> AsyncIterator[bytes]:
    import asyncio

    for position, chunk in enumerate(CHUNKS):
        if position:
            await asyncio.sleep(PAUSE)
            if broken:
                raise RuntimeError("broken stream")
        note_child("streaming")
        yield chunk


def make_wsgi() -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if path == "/boom":
            fail()
        if path.startswith("/items/"):
            body = [handle()]
        else:
            note_child("handler")
            body = stream(broken=path == "/broken-stream")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    return app


def make_flask() -> Any:
    import flask

    app = flask.Flask("one_span")

    @app.post("/items/<int:item>")
    def items(item: int):
        flask.request.get_data()
        return flask.Response(handle(), mimetype="text/plain")

    @app.get("/boom")
    def boom():
        fail()

    @app.get("/stream")
    def streamed():
        note_child("handler")
        return flask.Response(stream(), mimetype="text/plain")

    @app.get("/broken-stream")
    def broken_stream():
        note_child("handler")
        body = flask.stream_with_context(stream(broken=True))
        return flask.Response(body, mimetype="text/plain")

    return app


async def _send_all(send: Any, body: AsyncIterator[bytes]) -> None:
    async for chunk in body:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def make_asgi() -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        await receive()
        start = {"type": "http.response.start", "status": 200, "headers": []}
        if path == "/boom":
            fail()
        if path.startswith("/items/"):
            body = handle()
            await send(start)
            await send({"type": "http.response.body", "body": body})
            return
        note_child("handler")
        await send(start)
        await _send_all(send, astream(broken=path == "/broken-stream"))

    return app


def make_starlette() -> Any:
    from starlette import applications
    from starlette.responses import PlainTextResponse, StreamingResponse
    from starlette.routing import Route

    async def items(request: Any) -> Any:
        await request.body()
        return PlainTextResponse(handle())

    async def boom(request: Any) -> None:
        fail()

    async def streamed(request: Any) -> Any:
        note_child("handler")
        return StreamingResponse(astream())

    async def broken_stream(request: Any) -> Any:
        note_child("handler")
        return StreamingResponse(astream(broken=True))

    return applications.Starlette(
        routes=[
            Route("/items/{item}", items, methods=["POST"]),
            Route("/boom", boom),
            Route("/stream", streamed),
            Route("/broken-stream", broken_stream),
        ]
    )


def make_fastapi(**options: Any) -> Any:
    """Make the FastAPI app: its endpoints and streams are sync, and run in threads."""
    import fastapi
    from fastapi.responses import PlainTextResponse, StreamingResponse

    app = fastapi.FastAPI(**options)

    @app.post("/items/{item}")
    def items(item: int, body: dict[str, str]):
        return PlainTextResponse(handle())

    @app.get("/boom")
    def boom():
        fail()

    @app.get("/stream")
    def streamed():
        note_child("handler")
        return StreamingResponse(stream())

    @app.get("/broken-stream")
    def broken_stream():
        note_child("handler")
        return StreamingResponse(stream(broken=True))

    return app


def configure_django() -> None:
    from django.conf import settings

    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="none",
        MIDDLEWARE=[],
        LOGGING_CONFIG=None,
    )


def make_django(*, asynchronous: bool) -> Any:
    """Make Django's handler. Its views are sync in both; the stream is of the handler's kind."""
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse, StreamingHttpResponse
    from django.urls import path

    make_stream = astream if asynchronous else stream

    def items(request: Any, item: int) -> Any:
        assert request.body
        return HttpResponse(handle(), content_type="text/plain")

    def boom(request: Any) -> None:
        fail()

    def streamed(request: Any) -> Any:
        note_child("handler")
        return StreamingHttpResponse(make_stream())

    def broken_stream(request: Any) -> Any:
        note_child("handler")
        return StreamingHttpResponse(make_stream(broken=True))

    global urlpatterns
    urlpatterns = [
        path("items/<int:item>", items),
        path("boom", boom),
        path("stream", streamed),
        path("broken-stream", broken_stream),
    ]
    return get_asgi_application() if asynchronous else get_wsgi_application()


urlpatterns: list[Any] = []
