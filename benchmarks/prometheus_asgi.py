"""ASGI apps with the metrics of either package, and what serves them.

Imports nothing of ours: the environment of the packages themselves runs it too.
"""

import asyncio
from collections.abc import Callable
from typing import Any

_SCOPE: dict[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/items/7",
    "raw_path": b"/items/7",
    "query_string": b"",
    "root_path": "",
    "client": ("203.0.113.7", 51234),
    "server": ("127.0.0.1", 8000),
    "headers": [
        (b"host", b"shop.example"),
        (b"user-agent", b"curl/8.5.0"),
        (b"accept", b"*/*"),
        (b"accept-encoding", b"gzip, br"),
        (b"x-request-id", b"0b0c5a0e"),
    ],
}


def instrumentator(name: str, module: Any) -> Callable[[int], None]:
    """Make what serves a number of requests to an app of FastAPI."""
    from fastapi import FastAPI
    from prometheus_client import CollectorRegistry

    app = FastAPI()

    @app.get("/items/{item}")
    async def items(item: str) -> str:
        return item

    if name != "bare":
        module.Instrumentator(registry=CollectorRegistry()).instrument(app)
    return _serving(app)


def exporter(name: str, module: Any) -> Callable[[int], None]:
    """Make what serves a number of requests to an app of Starlette."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def items(request: Any) -> PlainTextResponse:
        return PlainTextResponse(request.path_params["item"])

    app = Starlette(routes=[Route("/items/{item}", items)])
    if name != "bare":
        app.add_middleware(module.PrometheusMiddleware)
    return _serving(app)


def _serving(app: Any) -> Callable[[int], None]:
    loop = asyncio.new_event_loop()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"the app answered {message['status']}")

    async def one() -> None:
        await app({**_SCOPE, "state": {}, "headers": list(_SCOPE["headers"])}, receive, send)

    async def all_of(requests: int) -> None:
        for _ in range(requests):
            await asyncio.create_task(one())

    return lambda requests: loop.run_until_complete(all_of(requests))
