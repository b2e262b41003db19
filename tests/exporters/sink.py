"""A backend that takes what exporters send, over real HTTP on loopback."""

import gzip
import json
import ssl
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event
from typing import Any


@dataclass
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    status: int = 0
    """What was answered."""

    @property
    def body(self) -> bytes:
        """The content-coding removed."""
        coded = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.raw) if coded else self.raw

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What a sink answers to one request."""

    status: int = 200
    """0: the connection is closed without an answer."""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    until: Event | None = None
    """Answer once this is set."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # else a client that left, or trusts us not
            super().handle_error(request, client_address)


class Sink:
    """Answers with what was planned, and then with `otherwise`.

    Args:
        tls: with a certificate; without it the sink speaks plain HTTP.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.planned: deque[Reply] = deque()
        self.by_path: dict[str, Reply] = {}
        """Answers by the beginning of the path; they go before the planned ones."""
        self.otherwise = Reply()
        self._changed = Condition()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two writes

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Received(self.command, self.path, headers, self.rfile.read(length))
                reply = sink.reply_to(request)
                if reply.until is not None:
                    reply.until.wait(60)
                if not reply.status:
                    self.close_connection = True
                    return
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    self.wfile.write(reply.body)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST
            do_PUT = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            # The handshake is the business of a connection's own thread.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_port
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def reply_to(self, request: Received) -> Reply:
        with self._changed:
            reply = self._reply(request)
            request.status = reply.status
            self.received.append(request)
            self._changed.notify_all()
        return reply

    def _reply(self, request: Received) -> Reply:
        for path, reply in self.by_path.items():
            if request.path.startswith(path):
                return reply
        return self.planned.popleft() if self.planned else self.otherwise

    def wait_for(self, number: int, seconds: float = 20.0) -> list[Received]:
        """Give the requests, once there are so many."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.received) >= number, seconds)
        assert came, f"{len(self.received)} requests of {number} came"
        return self.received

    def until(self, done: Callable[[], bool], seconds: float = 20.0) -> bool:
        """Tell whether it is done at last, looking again at each request."""
        with self._changed:
            return self._changed.wait_for(done, seconds)

    def wait_for_more(self, seconds: float) -> None:
        """Wait until another request comes, at most so long."""
        with self._changed:
            number = len(self.received)
            self._changed.wait_for(lambda: len(self.received) > number, seconds)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@contextmanager
def sink(tls: ssl.SSLContext | None = None) -> Iterator[Sink]:
    made = Sink(tls)
    try:
        yield made
    finally:
        made.close()
