"""A row in-process: the app is called as a server calls it, and everything is written down."""

from __future__ import annotations

import asyncio
import gc
import io
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from tests.frameworks.cases.apps.answers import log
from tests.frameworks.cases.row import WSGI, Leaves, Request, Row

EXTENSIONS: dict[str, Any] = {
    f"http.response.{name}": {}
    for name in ("early_hint", "push", "trailers", "pathsend", "zerocopysend", "debug")
} | {"websocket.http.response": {}}


@dataclass
class Served:
    """What a server saw of one request, in order, and what the app noted in between."""

    events: list[tuple[Any, ...]] = field(default_factory=list)
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        self.error = error
        self.events.append(("raised", type(error).__name__, str(error)))


def serve(app: Any, framework: str, row: Row) -> list[Served]:
    """Do a row in-process, one request after the other.

    Returns:
        What was seen of each request. `Date` is left out.
    """
    serve_one = _serve_wsgi if framework in WSGI else _serve_asgi
    served: list[Served] = []
    for index, request in enumerate(row.requests):
        seen = Served()
        log[:] = []
        # One list for all: the order among server and app is a part of what is compared.
        seen.events = log  # type: ignore[assignment]
        left = request.target.endswith("/endless")
        with collecting_at_the_end() if left else nullcontext():
            serve_one(app, row, index, request, seen)
        seen.events = list(log)
        served.append(seen)
    return served


@contextmanager
def collecting_at_the_end() -> Iterator[None]:
    """Collect garbage once: what is left of a stream is closed now, not whenever it is found."""
    gc.collect()  # what others have left is theirs
    log[:] = []
    gc.disable()
    try:
        yield
        gc.collect()
    finally:
        gc.enable()


def _without_date(lines: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in lines if name.lower() != "date")


# -- WSGI -------------------------------------------------------------------------------


class Input(io.BytesIO):
    """`wsgi.input`, which writes down who reads it and how."""

    def read(self, *size: Any) -> bytes:
        log.append(("read", size))
        return super().read(*size)

    def readline(self, *size: Any) -> bytes:
        log.append(("readline", size))
        return super().readline(*size)

    def readlines(self, *hint: Any) -> list[bytes]:
        log.append(("readlines", hint))
        return super().readlines(*hint)

    def readinto(self, buffer: Any) -> int:
        log.append(("readinto", len(buffer)))
        return super().readinto(buffer)


class FileWrapper:
    """The server's own file object."""

    def __init__(self, file: Any, size: int = 8192) -> None:
        self.file, self.size = file, size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(self.size), b"")

    def close(self) -> None:
        log.append(("file closed", None))
        self.file.close()


def make_environ(row: Row, index: int, request: Request) -> dict[str, Any]:
    """Make the environ that gunicorn makes of a request."""
    path, _, query = request.target.partition("?")
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": Input(request.payload),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.early_hints": lambda headers: log.append(("hints", list(headers))),
    }
    for name, value in (*request.lines, row.traceparent(index)):
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ | dict(row.environ)


def _serve_wsgi(app: Any, row: Row, index: int, request: Request, seen: Served) -> None:
    environ = make_environ(row, index, request)
    out = False

    def write(data: bytes) -> None:
        nonlocal out
        out = True
        seen.events.append(("write", data))
        seen.body += data

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        if exc_info and out:
            raise exc_info[1].with_traceback(exc_info[2])
        seen.status, seen.headers = int(status[:3]), _without_date(headers)
        seen.events.append(("start", status, seen.headers, bool(exc_info)))
        return write

    try:
        iterable = app(environ, start_response)
    except BaseException as error:
        seen.fail(error)
        return
    seen.events.append(("is file", isinstance(iterable, FileWrapper)))
    seen.events.append(("length", len(iterable) if hasattr(iterable, "__len__") else None))
    try:
        for chunk in iterable:
            if chunk:
                out = True
            seen.events.append(("chunk", chunk))
            seen.body += chunk
            if row.leaves is Leaves.IN_RESPONSE:
                break
    except BaseException as error:
        seen.fail(error)
    try:
        if hasattr(iterable, "close"):
            iterable.close()
    except BaseException as error:
        seen.fail(error)
    if request.method == "HEAD" or seen.status in {204, 304}:
        seen.body = b""  # a server does not send it


# -- ASGI -------------------------------------------------------------------------------


def make_scope(row: Row, index: int, request: Request) -> dict[str, Any]:
    """Make the scope that uvicorn makes of a request."""
    raw, _, query = request.target.partition("?")
    path = raw
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    lines = (*request.lines, row.traceparent(index))
    scope = {
        "type": "websocket" if row.is_web_socket else "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": request.version,
        "method": request.method,
        "scheme": "http",
        "path": unquote_to_bytes(path).decode("utf-8", "surrogateescape"),
        "raw_path": raw.encode("latin-1"),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": [(name.lower().encode("latin-1"), value) for name, value in lines],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
        "extensions": dict(EXTENSIONS),
        "state": {},
    }
    if row.is_web_socket:
        scope = {**scope, "scheme": "ws", "subprotocols": []}
        del scope["method"]
    return {**scope, **row.scope}


def _messages(row: Row, request: Request) -> list[dict[str, Any]]:
    if row.incoming is not None:
        return [dict(message) for message in row.incoming]
    pieces = list(request.chunks or ())
    pieces = [*pieces, b""] if pieces else [request.body]
    last = len(pieces) - 1
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": number < last}
        for number, piece in enumerate(pieces)
    ]
    if row.leaves is Leaves.IN_REQUEST:
        messages[-1]["more_body"] = True
        messages.append({"type": "http.disconnect"})
    return messages


class _Connection:
    """The two channels of an ASGI call."""

    def __init__(self, row: Row, request: Request, seen: Served) -> None:
        self._row, self._seen = row, seen
        self._waiting = _messages(row, request)
        self._over = asyncio.Event()
        self._gone = False

    async def receive(self) -> dict[str, Any]:
        self._seen.events.append(("receive",))
        if self._waiting:
            return self._waiting.pop(0)
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        seen, kind = self._seen, message["type"]
        if self._gone:
            self._over.set()
            seen.events.append(("refused", kind))
            raise OSError("the client is gone")
        if kind.endswith(".start") and seen.status is not None:
            raise RuntimeError("started already")
        message = dict(message)
        if "headers" in message:
            message["headers"] = _without_date(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message["headers"]
            )
        seen.events.append(("send", message))
        if kind.endswith("response.start"):
            seen.status, seen.headers = message["status"], message["headers"]
        elif kind == "websocket.accept":
            seen.status = 101
        elif kind == "http.response.pathsend":
            seen.body += _content(message["path"])
            self._over.set()
        else:
            seen.body += message.get("body", b"")
            if not message.get("more_body"):
                self._over.set()
            elif self._row.leaves is Leaves.IN_RESPONSE:
                self._gone = True


def _content(path: str) -> bytes:
    return Path(path).read_bytes()


def _serve_asgi(app: Any, row: Row, index: int, request: Request, seen: Served) -> None:
    async def main() -> None:
        connection = _Connection(row, request, seen)
        scope = make_scope(row, index, request)
        try:
            await app(scope, connection.receive, connection.send)
        except BaseException as error:
            seen.fail(error)
        connection._over.set()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            await asyncio.wait(left, timeout=10)
        if request.method == "HEAD" or seen.status in {204, 304}:
            seen.body = b""

    asyncio.run(main())
