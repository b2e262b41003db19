"""The server behind a port for scrapes.

The standard library's, made fit to stand in the open: threads that hold up no exit, as many as
there are scrapes and no more, a client that says nothing is left, and TLS is agreed upon on the
thread of the connection.
"""

import socket
import ssl
import threading
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.endpoint import ScrapeWSGIApp

_AT_ONCE: Final = 8
"""Connections that are served; more are closed. Prometheus opens one a scrape."""
_LAST: Final = 65_535
_SECONDS: Final = 10.0
"""For a client to go on."""


def checked_port(port: object) -> int:
    """Give a port back: the system would take another number for one that is near to it.

    Raises:
        ConfigError: there is no such port.
    """
    if not isinstance(port, int) or not 0 <= port <= _LAST:
        raise ConfigError(
            f"port={port!r} is no port: use a number from 0 to {_LAST}, such as 9464, in code or in"
            " OTEL_EXPORTER_PROMETHEUS_PORT."
        )
    return port


def listening(host: str, port: int, context: ssl.SSLContext | None) -> "Server":
    """Listen on a port; nothing is answered yet.

    Raises:
        ConfigError: the port cannot be had, or there is none of that number.
    """
    checked_port(port)
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        kind = type("_FamilyServer", (Server,), {"address_family": family})
        server: Server = kind((address[0], address[1]), _Handler)
    except OSError as error:
        raise ConfigError(
            f"Prometheus cannot scrape {host}:{port}: {error}. Choose another port"
            " (OTEL_EXPORTER_PROMETHEUS_PORT), or serve the metrics from the app."
        ) from error
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    return server


def tls_context(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    """Read a certificate and its key; without either there is no TLS.

    Raises:
        ConfigError: one of them cannot be used, or there is a key alone.
    """
    if not certificate:
        if key:
            raise ConfigError(
                f"There is a key ({key}) and no certificate, so there would be no TLS: give the"
                " path of its certificate, a PEM file, too."
            )
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise ConfigError(
            f"The certificate {certificate} or its key cannot be used: {error}. Give PEM files."
        ) from error
    return context


class Server(ThreadingMixIn, WSGIServer):
    """Serves each connection on a thread of its own."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self._left: Final = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(*arguments)

    def server_bind(self) -> None:
        """Listen, and ask nobody for the name of this machine, which may take seconds."""
        self.server_name = "localhost"
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_port = self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, if there are not too many."""
        if self._left.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, on its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._left.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client is gone, or does not speak TLS."""


class _Handler(WSGIRequestHandler):
    timeout = _SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
        """Say nothing of scrapes."""


class Routed:
    """Shows the endpoint at /metrics alone, and says so elsewhere."""

    def __init__(self, scrape: ScrapeWSGIApp) -> None:
        self._scrape: Final = scrape

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Serve one request."""
        if environ.get("PATH_INFO") == "/metrics":
            return self._scrape(environ, start_response)
        body = b"The metrics are at /metrics\n"
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("404 Not Found", headers)
        return [body]
