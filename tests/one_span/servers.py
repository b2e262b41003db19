"""A WSGI and an ASGI server in their smallest form, and clients that leave early."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import trace

from otel_apimetrics import open_requests

BODY = json.dumps({"a": "b"}).encode()


@dataclass
class Served:
    """What a server saw of one request."""

    status: int | None = None
    size: int = 0
    last_byte: int = 0
    """When the server took the last bytes, nanoseconds since the epoch."""
    raised: str | None = None
    left_current: list[str] = field(default_factory=list)
    """What is still current in the thread or task that served it."""

    def take(self, data: bytes) -> None:
        self.size += len(data)
        self.last_byte = time.time_ns()

    def look_around(self) -> None:
        if trace.get_current_span() is not trace.INVALID_SPAN:
            self.left_current.append("a span")
        if open_requests.current.get() is not None:
            self.left_current.append("a recording")


def serve_wsgi(app: Any, path: str, headers: dict[str, str], client: str) -> Served:
    """Serve one request in a thread of its own.

    Args:
        app: a WSGI app.
        path: asked for; `/items/` with POST.
        headers: of the request.
        client: "stays"; "gone_at_start" closes before the first `next`; "gone_halfway" after
            the first chunk; "never_closed" then drops the iterable.
    """
    served = Served()

    def work() -> None:
        try:
            call_wsgi(app, make_environ(path, headers), served, client)
        except Exception as error:
            served.raised = type(error).__name__
        served.look_around()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return served


def make_environ(path: str, headers: dict[str, str]) -> dict[str, Any]:
    body = BODY if path.startswith("/items/") else b""
    return {
        "REQUEST_METHOD": "POST" if body else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "testserver",
        "CONTENT_TYPE": "application/json" if body else "",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }


def call_wsgi(app: Any, environ: dict[str, Any], served: Served, client: str) -> None:
    """Call an app as PEP 3333 asks a server to, in the thread that asks."""

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        served.status = int(status[:3])
        return lambda data: None

    iterable = app(environ, start_response)
    try:
        if client == "gone_at_start":
            return
        for chunk in iterable:
            served.take(chunk)
            if client in {"gone_halfway", "never_closed"}:
                return
    finally:
        if client != "never_closed" and hasattr(iterable, "close"):
            iterable.close()


class AsgiServer:
    """One request of an ASGI server, with the client's part in it."""

    def __init__(self, path: str, headers: dict[str, str], client: str) -> None:
        self.client = client
        self.served = Served()
        self._gone = asyncio.Event()
        self._body = BODY if path.startswith("/items/") else b""
        self._asked = False
        self._cancelled = False
        # From 2.4 on a server says with OSError that the client is gone, before only with
        # `http.disconnect`.
        spec = "2.3" if client == "gone_silent" else "2.4"
        self.scope = self.scope_of(path, headers, spec)

    @staticmethod
    def scope_of(path: str, headers: dict[str, str], spec: str = "2.4") -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": spec},
            "http_version": "1.1",
            "method": "POST" if path.startswith("/items/") else "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"host", b"testserver"),
                (b"content-type", b"application/json"),
                *((name.encode(), value.encode()) for name, value in headers.items()),
            ],
            "client": ("127.0.0.1", 50_000),
            "server": ("testserver", 80),
        }

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if self.client == "gone_at_start":
            self._gone.set()
        if self._gone.is_set() and self.client != "gone_silent":
            raise OSError("the client is gone")
        if message["type"] == "http.response.start":
            self.served.status = message["status"]
            return
        if self._cancelled:
            # Django goes on in a task that its own cancellation does not reach.
            await self._gone.wait()
            return
        self.served.take(message.get("body", b""))
        if self.client == "cancelled":
            self._cancelled = True
            self._task.cancel()
        elif self.client != "stays" or not message.get("more_body"):
            self._gone.set()

    def leave(self) -> None:
        """Let whoever still listens know that the client is gone."""
        self._gone.set()

    async def run(self, app: Any) -> Served:
        self._task = asyncio.current_task()
        try:
            await app(self.scope, self.receive, self.send)
        except (Exception, asyncio.CancelledError) as error:
            self.served.raised = type(error).__name__
        self.served.look_around()
        return self.served


def serve_asgi(
    loop: asyncio.AbstractEventLoop, app: Any, path: str, headers: dict[str, str], client: str
) -> Served:
    """Serve one request in a task of its own.

    Args:
        loop: does nothing else meanwhile.
        app: an ASGI 3 app.
        path: asked for; `/items/` with POST.
        headers: of the request.
        client: "stays"; "gone_at_start" and "gone_halfway" make `send` raise from then on;
            "gone_silent" tells only `receive`; "cancelled": the server cancels the task.
    """

    async def main() -> Served:
        server = AsgiServer(path, headers, client)
        served = await asyncio.create_task(server.run(app))
        # Django leaves tasks behind when its own is cancelled.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            server.leave()
            await asyncio.wait(left)
        return served

    return loop.run_until_complete(main())
