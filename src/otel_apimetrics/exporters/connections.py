"""Connections whose attempts end: by the time that an attempt has, and when the process does.

A timeout of `requests` is that of each read: a backend that sends a byte a second is within it for
as long as it likes, and an attempt that has begun knows nothing of the end of its process.
"""

import io
import socket
from time import monotonic
from typing import Any, Final

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from otel_apimetrics.exporters.patience import Patience

LEAST: Final = 0.2
"""Seconds that an attempt gets at the end of a process, whatever is left."""
_SLICE: Final = 0.25
"""Seconds after which who waits for a byte looks whether it still may."""


class Limit:
    """When the attempt that is being made on a session is over. For one thread."""

    def __init__(self) -> None:
        self._patience = Patience()
        self._seconds = float("inf")
        self._until = self._least = float("inf")

    def begin(self, seconds: float, patience: Patience) -> None:
        """Begin an attempt.

        Args:
            seconds: to send it, and again for the whole answer.
            patience: that may be shortened meanwhile.
        """
        self._patience, self._seconds = patience, seconds
        self._least = monotonic() + LEAST
        self.go_on()

    def go_on(self) -> None:
        """Begin the next step of the attempt: it is connected, or sent."""
        self._until = monotonic() + self._seconds

    def left(self) -> float:
        """Give the seconds that are left, 0 or less where none are."""
        now = monotonic()
        return min(self._until - now, max(self._patience.left(), self._least - now))


class _Socket:
    """A socket that sends and reads within a limit; in all else the one that it stands for."""

    def __init__(self, inner: Any, limit: Limit) -> None:
        self._inner: Final = inner
        self._limit: Final = limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        # As `socket.socket` does for "rb", the only mode that an HTTP client asks for.
        raw: Any = socket.SocketIO(self, "r")  # type: ignore[arg-type]
        self._inner._io_refs += 1  # noqa: SLF001  or closing one of us would close the other
        return io.BufferedReader(raw)

    def recv_into(self, *arguments: Any) -> int:
        return int(self._within(self._inner.recv_into, *arguments))

    def sendall(self, data: Any, *flags: int) -> None:
        with memoryview(data) as view, view.cast("B") as rest:
            sent = 0
            while sent < len(rest):
                sent += self._within(self._inner.send, rest[sent:], *flags)
        self._limit.go_on()

    def _within(self, call: Any, *arguments: Any) -> Any:
        before = self._inner.gettimeout()
        try:
            while (left := self._limit.left()) > 0:
                self._inner.settimeout(min(left, _SLICE))
                try:
                    return call(*arguments)
                except TimeoutError:
                    continue
        finally:
            self._inner.settimeout(before)
        raise TimeoutError("the attempt has no time left")


def session(limit: Limit) -> Session:
    """Make a session whose attempts keep within a limit."""
    made = Session()
    adapter = _adapter(limit)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


def beginning(response: Any, limit: Limit, most: int, piece: int = 16 * 1024) -> bytes:
    """Read an answer's body as far as it comes in time; its status is known without it.

    Args:
        response: that streams.
        limit: of the attempt.
        most: bytes that are read.
        piece: bytes that are read at once.

    Raises:
        Exception: the connection broke, or what was asked for with GET has not come in time.
    """
    body = b""
    try:
        for each in response.iter_content(piece):
            body += each
            if len(body) >= most:
                response.close()
                break
    except Exception:
        if limit.left() > 0 or response.request.method == "GET":
            raise
    return body[:most]


def _adapter(limit: Limit) -> HTTPAdapter:
    pools = {
        "http": _pool(HTTPConnectionPool, HTTPConnection, limit),
        "https": _pool(HTTPSConnectionPool, HTTPSConnection, limit),
    }

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **options: Any) -> Any:
            super().init_poolmanager(*arguments, **options)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
            manager: Any = super().proxy_manager_for(*arguments, **options)
            manager.pool_classes_by_scheme = pools
            return manager

    return Adapter()


def _pool(pool: Any, connection: Any, limit: Limit) -> Any:
    def connect(self: Any) -> None:
        super(made, self).connect()
        # A tunnel through TLS to a proxy, say, is no socket: it has the timeout of each read.
        if isinstance(self.sock, socket.socket):
            self.sock = _Socket(self.sock, limit)
        limit.go_on()

    made: Any = type(connection.__name__, (connection,), {"connect": connect})
    return type(pool.__name__, (pool,), {"ConnectionCls": made})
