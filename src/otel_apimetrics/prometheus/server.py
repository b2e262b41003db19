"""`/metrics` on a port of its own, which one of an app's processes holds."""

import os
import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from otel_apimetrics import _guard, forked
from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.endpoint import Authorize, Scraped, ScrapeWSGIApp
from otel_apimetrics.prometheus.listening import (
    Routed,
    Server,
    checked_port,
    listening,
    tls_context,
)

if TYPE_CHECKING:
    from otel_apimetrics.prometheus.place import Place

_AGAIN: Final = 1.0
"""Seconds between two looks whether the process that has the port has ended."""


class ScrapeServer:
    """Serves scrapes from threads of its own, whatever the app does.

    Where the reader has a directory, the processes that meet there share the port: one of them
    listens, for all of them, and when it ends another one does. In the others it waits.

    Args:
        reader: a `PrometheusReader`.
        port: to listen on; 0 lets the system choose.
        host: to listen on. By default the loopback: metrics tell more than most would publish.
        authorize: tells whether a scrape may read; without it each one may.
        certificate: path of a PEM file, for TLS.
        key: path of the certificate's private key; without it in the same file.

    Raises:
        ConfigError: the port is taken or is none, the certificate cannot be read, or there is a
            key alone.
    """

    def __init__(
        self,
        reader: Scraped,
        port: int = 9464,
        host: str = "127.0.0.1",
        *,
        authorize: Authorize | None = None,
        certificate: str | None = None,
        key: str | None = None,
    ) -> None:
        self._context: Final = tls_context(certificate, key)
        self._app: Final = Routed(ScrapeWSGIApp(reader, authorize=authorize))
        self._host: Final = host
        self.port: int = checked_port(port)
        self._place: Final[Place | None] = getattr(reader, "place", None) if port else None
        self._pid = 0
        self._server: Server | None = None
        self._claim: int | None = None
        self._thread: threading.Thread | None = None
        self._begin()
        self.url: Final = f"{'https' if certificate else 'http'}://{host}:{self.port}/metrics"
        _all.add(self)
        if self._place is not None:
            forked.at_begin.append(self._begin_again)

    @property
    def is_listening(self) -> bool:
        """Tell whether this process has the port; another one may have."""
        return self._server is not None

    def close(self) -> None:
        """Listen no more."""
        with suppress(ValueError):
            forked.at_begin.remove(self._begin_again)
        with self._lock:
            self._closing.set()
        if self._pid == os.getpid():
            if self._server is not None:
                self._server.shutdown()
            if self._thread is not None:
                self._thread.join()
            self._release()

    def leave_to_parent(self) -> None:
        """Close, in a child, what its parent listens on: it would keep the port after its end."""
        server, self._server = self._server, None
        if server is not None:
            server.socket.close()
        claim, self._claim = self._claim, None
        if claim is not None:
            os.close(claim)

    def _begin_again(self) -> None:
        """Serve from a process that was forked, unless another one does."""
        if self._pid != os.getpid():
            self.leave_to_parent()
            try:
                self._begin()
            except ConfigError as error:
                _guard.swallow("prometheus.port", error, reveal=True)

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        if self._place is not None:
            if not forked.may_have_thread():
                return
            self._server = self._taken()
        else:
            self._server = listening(self._host, self.port, self._context)
        if self._server is not None:
            self._server.set_app(self._app)
            self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._run, name="otel-apimetrics-scrapes", daemon=True
        )
        self._thread.start()

    def _taken(self) -> Server | None:
        """Take the port, unless another process of the app has it.

        Raises:
            ConfigError: somebody else has it.
        """
        assert self._place is not None  # noqa: S101  asked where there is one
        claim = self._place.claim(f"port-{self.port}")
        if claim is None:
            return None
        try:
            server = listening(self._host, self.port, self._context)
        except ConfigError:
            os.close(claim)
            raise
        self._claim = claim
        return server

    def _run(self) -> None:
        while self._server is None:
            if self._closing.wait(_AGAIN):
                return
            self._take_over()
        self._server.serve_forever()

    def _take_over(self) -> None:
        with self._lock:
            try:
                server = None if self._closing.is_set() else self._taken()
            except Exception as error:
                _guard.swallow("prometheus.port", error, reveal=True)
                return
            if server is not None:
                server.set_app(self._app)
                self._server = server

    def _release(self) -> None:
        if self._server is not None:
            self._server.server_close()
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None


_all: "weakref.WeakSet[ScrapeServer]" = weakref.WeakSet()


def _leave_to_parent() -> None:
    for server in tuple(_all):
        server.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
