"""In-process servers: what a PEP 3333 or an ASGI server sees of an app, as plain data."""

import asyncio
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


def make_environ(
    method: str = "GET",
    path: str = "/",
    *,
    query: str = "",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Make the environ of one request, as gunicorn would."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.77",
        "REMOTE_PORT": "51234",
        "HTTP_HOST": "api.example:8000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        plain = {"CONTENT_TYPE", "CONTENT_LENGTH"}
        environ[key if key in plain else f"HTTP_{key}"] = value
    environ.update(extra)
    return environ


@dataclass
class Served:
    """What the server saw, in order."""

    events: list[tuple[Any, ...]] = field(default_factory=list)
    length: int | None = None
    iterable: Any = None
    error: BaseException | None = None

    @property
    def status(self) -> int:
        """The last status that the app gave."""
        return int([event[1] for event in self.events if event[0] == "start"][-1][:3])

    @property
    def body(self) -> bytes:
        """All that was written or yielded."""
        return b"".join(e[1] for e in self.events if e[0] in {"chunk", "write"})

    @property
    def closes(self) -> int:
        """How often the server called `close`."""
        return sum(event[0] == "close" for event in self.events)


def serve_wsgi(app: Any, environ: dict[str, Any], *, items: int | None = None) -> Served:
    """Serve one request as PEP 3333 says.

    Args:
        app: the WSGI callable.
        environ: of the request.
        items: how many chunks the client takes before it is gone; `None`: all.
    """
    seen = Served()

    def write(data: bytes) -> None:
        seen.events.append(("write", data))

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        seen.events.append(("start", status, tuple(headers), exc_info is not None))
        return write

    try:
        iterable = seen.iterable = app(environ, start_response)
    except BaseException as error:
        seen.error = error
        return seen
    try:
        seen.length = len(iterable) if hasattr(iterable, "__len__") else None
        iterator = iter(iterable) if items != 0 else iter(())
        for taken, chunk in enumerate(iterator, 1):
            seen.events.append(("chunk", chunk))
            if taken == items:
                break
    except BaseException as error:
        seen.error = error
    finally:
        if hasattr(iterable, "close"):
            try:
                iterable.close()
            except BaseException as error:
                seen.error = error
            seen.events.append(("close",))
    return seen


def make_scope(
    method: str = "GET",
    path: str = "/",
    *,
    query: bytes = b"",
    headers: Iterable[tuple[bytes, bytes]] = (),
    **extra: Any,
) -> dict[str, Any]:
    """Make the scope of one request, as uvicorn would."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": [(b"host", b"api.example:8000"), *headers],
        "client": ("192.0.2.77", 51234),
        "server": ("127.0.0.1", 8000),
        **extra,
    }


@dataclass
class Conversation:
    """What went over the two channels of an ASGI call."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    received: int = 0
    error: BaseException | None = None

    @property
    def status(self) -> int:
        """The status that the app started its response with."""
        (start,) = [m for m in self.sent if m["type"] == "http.response.start"]
        return start["status"]

    @property
    def body(self) -> bytes:
        """All body bytes that the app sent."""
        return b"".join(m.get("body", b"") for m in self.sent)


def request_messages(*chunks: bytes) -> list[dict[str, Any]]:
    """Make the messages of a request body."""
    last = len(chunks) - 1
    return [
        {"type": "http.request", "body": chunk, "more_body": index < last}
        for index, chunk in enumerate(chunks or (b"",))
    ] or [{"type": "http.request", "body": b"", "more_body": False}]


async def converse(
    app: Any,
    scope: dict[str, Any],
    incoming: Iterable[dict[str, Any]] | None = None,
    *,
    gone_after: int | None = None,
) -> Conversation:
    """Serve one connection.

    Args:
        app: the ASGI callable.
        scope: of the connection.
        incoming: what the server has to say; after it, it waits for the end of the response
            and says that the client is gone.
        gone_after: number of messages after which `send` raises `OSError`.
    """
    seen = Conversation()
    waiting = list(request_messages() if incoming is None else incoming)
    over = asyncio.Event()

    async def receive() -> dict[str, Any]:
        seen.received += 1
        if waiting:
            return waiting.pop(0)
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if gone_after is not None and len(seen.sent) >= gone_after:
            over.set()
            raise OSError("client is gone")
        seen.sent.append(dict(message))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            over.set()

    try:
        await app(scope, receive, send)
    except BaseException as error:
        seen.error = error
    return seen


def serve_asgi(app: Any, scope: dict[str, Any], *args: Any, **named: Any) -> Conversation:
    """Serve one connection in an event loop of its own."""
    return asyncio.run(converse(app, scope, *args, **named))
