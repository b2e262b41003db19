"""Requests to the apps, and what their servers saw."""

import asyncio
import gc
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from wsgiref.util import FileWrapper

from opentelemetry import trace

from tests.faults import apps, measured
from tests.faults.apps import CANARY
from tests.in_process import make_environ, make_scope, request_messages, serve_asgi, serve_wsgi

BODY = json.dumps({"query": "query Q { a }", "password": CANARY}).encode()
QUERY = f"token={CANARY}"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HEADERS = {
    "content-type": "application/json",
    "authorization": f"Bearer {CANARY}",
    "cookie": f"session={CANARY}",
    "traceparent": TRACE,
    "tracestate": "vendor=token:eyJhbGciOiJIUzI1NiJ9",
}
RAW_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


@dataclass(frozen=True)
class Scenario:
    """An app, and all the requests that it gets."""

    name: str
    make: Callable[[trace.Tracer], Any]
    talk: Callable[[Any], list[Any]]
    asynchronous: bool = False
    globally: bool = False
    """Instrumented with the process, not by itself."""
    native: bool = False
    """FastAPI's own telemetry makes the span."""
    async_hooks: bool = False


def wsgi(app: Any, method: str, path: str, items: int | None = None, **extra: Any) -> Any:
    environ = make_environ(
        method, path, query=QUERY, body=BODY, headers=HEADERS,
        **{"wsgi.file_wrapper": FileWrapper, **extra},
    )  # fmt: skip
    seen = serve_wsgi(app, environ, items=items)
    return [path, repr(seen.events), seen.length, repr(seen.error), type(seen.error).__name__]


def asgi(app: Any, method: str, path: str, gone_after: int | None = None) -> Any:
    scope = make_scope(method, path, query=QUERY.encode(), headers=RAW_HEADERS)
    seen = serve_asgi(app, scope, request_messages(BODY[:5], BODY[5:]), gone_after=gone_after)
    return [path, repr(seen.sent), seen.received, repr(seen.error)]


def websocket(app: Any, *texts: str) -> Any:
    scope = make_scope(path="/ws", query=QUERY.encode(), headers=RAW_HEADERS)
    scope.update(type="websocket", scheme="ws", subprotocols=[])
    incoming = [
        {"type": "websocket.connect"},
        *({"type": "websocket.receive", "text": text} for text in texts),
        {"type": "websocket.disconnect", "code": 1001},
    ]
    seen = serve_asgi(app, scope, incoming)
    return [texts, repr(seen.sent), seen.received, repr(seen.error)]


def lifespan(app: Any) -> Any:
    sent: list[Any] = []
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    error = None
    try:
        asyncio.run(app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send))
    except Exception as raised:
        error = raised
    return ["lifespan", repr(sent), repr(error)]


def unread(app: Any) -> Any:
    """A server that forgets the iterable."""
    iterable = app(make_environ("GET", "/write", headers=HEADERS), lambda *_: lambda data: None)
    chunk = next(iter(iterable))
    del iterable
    gc.collect()
    return ["unread", repr(chunk)]


def again(app: Any) -> Any:
    """A middleware that asks once more, and has not closed the first answer."""

    def twice(environ: Any, start_response: Any) -> Any:
        first = app(environ, lambda *_: lambda data: None)
        environ["PATH_INFO"] = "/write"
        yield from app(environ, start_response)
        first.close()

    return wsgi(twice, "POST", "/")


def thrown_away(app: Any) -> Any:
    """A coroutine that nobody finishes."""

    async def main() -> Any:
        async def receive() -> Any:
            return {"type": "http.request", "body": BODY}

        async def send(message: Any) -> None:
            await asyncio.sleep(0)

        coroutine = app(make_scope("GET", "/", headers=RAW_HEADERS), receive, send)
        coroutine.send(None)
        coroutine.close()
        return ["thrown away"]

    return asyncio.run(main())


def flask_talk(app: Any) -> list[Any]:
    return [
        wsgi(app, "POST", "/items/7"),
        wsgi(app, "GET", "/boom"),
        wsgi(app, "GET", "/stream"),
        wsgi(app, "GET", "/stream", items=1),
        wsgi(app, "GET", "/missing"),
        wsgi(app, "x" * 10_000, "/items/7"),
    ]


def wsgi_talk(app: Any) -> list[Any]:
    paths = ["/", "/boom", "/write", "/handled", "/file", "/late", "/close"]
    return [*(wsgi(app, "POST", path) for path in paths), unread(app), again(app)]


def starlette_talk(app: Any) -> list[Any]:
    return [
        asgi(app, "POST", "/items/7"),
        asgi(app, "POST", "/inner/items/7"),
        asgi(app, "GET", "/boom"),
        asgi(app, "GET", "/stream"),
        asgi(app, "GET", "/stream", gone_after=2),
        asgi(app, "GET", "/missing"),
        websocket(app, "a", "b"),
        websocket(app, "boom"),
    ]


def fastapi_talk(app: Any) -> list[Any]:
    return [asgi(app, "POST", "/items/7"), asgi(app, "POST", "/items/x")]


def asgi_talk(app: Any) -> list[Any]:
    return [
        *(asgi(app, "POST", path) for path in ("/", "/boom", "/file")),
        thrown_away(app),
        lifespan(app),
    ]


def django_talk(app: Any) -> list[Any]:
    return [wsgi(app, "GET", path) for path in ("/items/7/", "/boom/", "/stream/", "/none/")]


def django_asgi_talk(app: Any) -> list[Any]:
    paths = ("/items-async/7/", "/boom-async/", "/stream-async/")
    return [asgi(app, "GET", path) for path in paths]


def measured_flask_talk(app: Any) -> list[Any]:
    return [*flask_talk(app), wsgi(app, "GET", "/told"), wsgi(app, "GET", "/untold")]


def measured_asgi_talk(app: Any) -> list[Any]:
    return [
        asgi(app, "GET", "/told/7"),
        asgi(app, "GET", "/told/x"),
        asgi(app, "GET", "/untold"),
        asgi(app, "GET", "/stream"),
        asgi(app, "GET", "/missing"),
    ]


SCENARIOS = [
    Scenario("flask", apps.flask, flask_talk),
    Scenario("flask, all of the process", apps.flask, flask_talk, globally=True),
    Scenario("wsgi", apps.wsgi, wsgi_talk),
    Scenario("django", lambda _: apps.django(asynchronous=False), django_talk),
    Scenario("starlette", apps.starlette, starlette_talk, asynchronous=True),
    Scenario(
        "starlette, async hooks", apps.starlette, starlette_talk,
        asynchronous=True, async_hooks=True,
    ),
    Scenario("fastapi", apps.fastapi, fastapi_talk, asynchronous=True),
    Scenario("fastapi, its telemetry", apps.fastapi, fastapi_talk, asynchronous=True, native=True),
    Scenario("asgi", apps.asgi, asgi_talk, asynchronous=True),
    Scenario(
        "django, asgi", lambda _: apps.django(asynchronous=True), django_asgi_talk,
        asynchronous=True,
    ),
    Scenario("flask, measured", measured.flask, measured_flask_talk),
    Scenario("asgi, decorated", measured.decorated, measured_asgi_talk, asynchronous=True),
    Scenario("instrumentator", measured.instrumentator, measured_asgi_talk, asynchronous=True),
    Scenario(
        "starlette_exporter", measured.starlette_exporter, measured_asgi_talk, asynchronous=True
    ),
]  # fmt: skip
