"""In-process servers: each request gets the objects that a real server makes for it."""

import asyncio
from collections.abc import Callable
from io import BytesIO
from typing import Any

from benchmarks.payloads import PATH, PAYLOADS, QUERY, headers

CREATED = 201


def make(framework: str, app: Any, payload: str) -> Callable[[int], None]:
    """Make what serves a number of requests, one after the other.

    Raises:
        RuntimeError: while serving: the app answered with another status, or with nothing.
    """
    body = PAYLOADS[payload]
    return _wsgi(app, body) if framework == "flask" else _asgi(app, body)


def _check(status: int, size: int) -> None:
    if status != CREATED or size < len(PAYLOADS["secret"]):
        raise RuntimeError(f"the app answered {status} with {size} bytes")


def _wsgi(app: Any, body: bytes) -> Callable[[int], None]:
    template: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": PATH,
        "RAW_URI": f"{PATH}?{QUERY}",
        "QUERY_STRING": QUERY,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
        "REMOTE_PORT": "51234",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in headers(body):
        key = name.upper().replace("-", "_")
        template[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    seen: list[str] = []

    def start_response(status: str, _headers: Any, _exc_info: Any = None) -> Any:
        seen.append(status)
        return lambda _data: None

    def serve(requests: int) -> None:
        for _ in range(requests):
            seen.clear()
            iterable = app({**template, "wsgi.input": BytesIO(body)}, start_response)
            try:
                size = sum(map(len, iterable))
            finally:
                if hasattr(iterable, "close"):
                    iterable.close()
            _check(int(seen[0][:3]), size)

    return serve


def _asgi(app: Any, body: bytes) -> Callable[[int], None]:
    lines = [(name.encode(), value.encode()) for name, value in headers(body)]
    loop = asyncio.new_event_loop()

    async def one() -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": QUERY.encode(),
            "root_path": "",
            "headers": list(lines),
            "client": ("203.0.113.7", 51234),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, send)
        _check(sent[0]["status"], sum(len(message.get("body", b"")) for message in sent))

    async def many(requests: int) -> None:
        for _ in range(requests):
            # A task a request, as servers do: context variables do not leak to the next one.
            await loop.create_task(one())

    return lambda requests: loop.run_until_complete(many(requests))
