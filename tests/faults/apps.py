"""The apps that faults are put under: each does what gives the plugin most to do."""

from typing import Any

from opentelemetry import _logs, trace

from otel_apimetrics import add_label, add_metadata, set_consumer

CANARY = "c4n4ryS3cr3tV4lu3"
"""Is in places that redaction masks; in what leaves the process it is a leak."""


def say(tracer: trace.Tracer) -> None:
    """Do what apps and other instrumentations do during a request."""
    set_consumer("acme", name="Acme", group="gold", company="c-1", session="s-1")
    add_label("plan", "gold")
    add_metadata("password", CANARY)
    add_metadata("cart", {"items": 2})
    with tracer.start_as_current_span("inner") as span:
        span.set_attribute("url.query", f"token={CANARY}")
        span.add_event("exception", {"exception.message": f"password={CANARY}"})
        span.add_link(span.get_span_context(), {"url.query": f"token={CANARY}"})
        span.set_status(trace.StatusCode.ERROR, f"password={CANARY}")
    _logs.get_logger("app").emit(
        body="said", attributes={"exception.message": f"password={CANARY}"}
    )


def fail() -> None:
    raise ValueError(f"password={CANARY}")


def flask(tracer: trace.Tracer) -> Any:
    from flask import Flask, Response, g, request

    app = Flask("faults")

    @app.post("/items/<int:number>")
    def item(number: int) -> Any:
        g.consumer_identifier = "from g"
        say(tracer)
        return {"number": number, "got": request.get_json()}, 201, {"X-Number": str(number)}

    @app.get("/boom")
    def boom() -> Any:
        say(tracer)
        fail()

    @app.get("/stream")
    def stream() -> Any:
        return Response((f"data: {index}\n\n" for index in range(3)), mimetype="text/event-stream")

    return app


def wsgi(tracer: trace.Tracer) -> Any:
    class Closing(list):  # type: ignore[type-arg]
        def close(self) -> None:
            if self == [b"closing"]:
                fail()

    def app(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        say(tracer)
        environ["wsgi.input"].read(3)
        environ["wsgi.input"].readline()
        list(environ["wsgi.input"])
        if path == "/boom":
            fail()
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        if path == "/write":
            write(b"written")
        elif path == "/handled":
            try:
                fail()
            except ValueError:
                import sys

                start_response("500 Sorry", [("X-Handled", "yes")], sys.exc_info())
        elif path == "/file":
            return environ["wsgi.file_wrapper"](environ["wsgi.input"])
        elif path == "/late":
            return late()
        return Closing([b"closing"] if path == "/close" else [b"two ", b"chunks"])

    def late() -> Any:
        yield b"one"
        fail()

    return app


def starlette(tracer: trace.Tracer) -> Any:
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, StreamingResponse
    from starlette.routing import Mount, Route, WebSocketRoute

    async def item(request: Any) -> Any:
        say(tracer)
        request.state.consumer = "from state"
        return JSONResponse({"got": await request.json()}, 201, {"x-number": "7"})

    async def boom(request: Any) -> Any:
        say(tracer)
        fail()

    async def stream(request: Any) -> Any:
        async def events() -> Any:
            for index in range(3):
                yield f"data: {index}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def socket(websocket: Any) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text.upper())
            if text == "boom":
                fail()
        await websocket.close()

    routes = [
        Route("/items/{number:int}", item, methods=["POST"]),
        Route("/boom", boom),
        Route("/stream", stream),
        WebSocketRoute("/ws", socket),
    ]
    return Starlette(routes=[*routes, Mount("/inner", routes=routes)])


def fastapi(tracer: trace.Tracer, **native: Any) -> Any:
    from fastapi import FastAPI

    app = FastAPI(**native)

    @app.post("/items/{number}", status_code=201)
    async def item(number: int, body: dict[str, int]) -> Any:
        say(tracer)
        return {"number": number}

    return app


def asgi(tracer: trace.Tracer) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        say(tracer)
        await receive()
        if scope["path"] == "/boom":
            fail()
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == "/file":
            await send({"type": "http.response.pathsend", "path": "/dev/null"})
            return
        await send({"type": "http.response.body", "body": b"on", "more_body": True})
        await send({"type": "http.response.body", "body": b"e!"})

    return app


def django(*, asynchronous: bool) -> Any:
    from tests.frameworks import django_project

    django_project.configure()
    if asynchronous:
        from django.core.handlers.asgi import ASGIHandler

        return ASGIHandler()
    from django.core.handlers.wsgi import WSGIHandler

    return WSGIHandler()
