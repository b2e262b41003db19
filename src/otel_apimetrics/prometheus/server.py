"""`/metrics` on a port of its own.

The standard library's server, made fit to stand in the open: threads that hold up no exit, as many
as there are scrapes and no more, a client that says nothing is left, and TLS is agreed upon on the
thread of the connection.
"""

import socket
import ssl
import threading
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.endpoint import Authorize, Scraped, ScrapeWSGIApp

_AT_ONCE: Final = 8
"""Connections that are served; more are closed. Prometheus opens one a scrape."""
_SECONDS: Final = 10.0
"""For a client to go on."""


class AppServer:
    """Serves a WSGI app from threads of its own, which hold up no exit.

    Args:
        app: any WSGI callable (PEP 3333).
        port: to listen on; 0 lets the system choose.
        host: to listen on.
        certificate: path of a PEM file, for TLS.
        key: path of the certificate's private key; without it in the same file.

    Raises:
        ConfigError: the port is taken, or the certificate cannot be read.
    """

    def __init__(
        self, app: Any, port: int, host: str, *, certificate: str | None, key: str | None
    ) -> None:
        context = _tls(certificate, key) if certificate else None
        self._server: Final = _listening(host, port, context)
        self._server.set_app(app)
        self.port: Final[int] = self._server.server_port
        self.url: Final = f"{'https' if certificate else 'http'}://{host}:{self.port}/metrics"
        self._thread: Final = threading.Thread(
            target=self._server.serve_forever, name="otel-apimetrics-scrapes", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class ScrapeServer(AppServer):
    """Serves scrapes from threads of its own, whatever the app does.

    Args:
        reader: a `PrometheusReader`.
        port: to listen on; 0 lets the system choose.
        host: to listen on. By default the loopback: metrics tell more than most would publish.
        authorize: tells whether a scrape may read; without it each one may.
        certificate: path of a PEM file, for TLS.
        key: path of the certificate's private key; without it in the same file.

    Raises:
        ConfigError: the port is taken, or the certificate cannot be read.
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
        app = _Routed(ScrapeWSGIApp(reader, authorize=authorize))
        super().__init__(app, port, host, certificate=certificate, key=key)


def _listening(host: str, port: int, context: ssl.SSLContext | None) -> "_Server":
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        kind = type("_FamilyServer", (_Server,), {"address_family": family})
        server: _Server = kind((address[0], address[1]), _Handler)
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


def _tls(certificate: str, key: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise ConfigError(
            f"The certificate {certificate} or its key cannot be used: {error}. Give PEM files."
        ) from error
    return context


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self._left: Final = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(*arguments)

    def server_bind(self) -> None:
        # The name of this machine is asked for otherwise, which may take seconds.
        self.server_name = "localhost"
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_port = self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._left.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
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


class _Routed:
    """Shows the endpoint at /metrics alone, and says so elsewhere."""

    def __init__(self, scrape: ScrapeWSGIApp) -> None:
        self._scrape: Final = scrape

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO") == "/metrics":
            return self._scrape(environ, start_response)
        body = b"The metrics are at /metrics\n"
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("404 Not Found", headers)
        return [body]
