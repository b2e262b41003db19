"""`/metrics` on a port of its own."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.endpoint import Authorize, Scraped, ScrapeWSGIApp

_THREADS: Final = 2
"""Scrapes at a time: collecting takes turns anyway, and a slow client shall not hold the others."""


class ScrapeServer:
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
        ImportError: cheroot is not installed.
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
        from cheroot.wsgi import Server

        app = _Routed(ScrapeWSGIApp(reader, authorize=authorize))
        self._server: Final[Server] = Server(_free(host, port), app, numthreads=_THREADS)
        scheme = "https" if certificate else "http"
        if certificate:
            self._server.ssl_adapter = _tls(certificate, key or certificate)
        with _without_socket_activation():
            self._server.prepare()
        self.port: Final[int] = self._server.bind_addr[1]
        self.url: Final = f"{scheme}://{host}:{self.port}/metrics"
        self._thread: Final = threading.Thread(
            target=self._server.serve, name="otel-apimetrics-scrapes", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no more; a scrape that is being served is finished."""
        self._server.stop()
        self._thread.join()


def _free(host: str, port: int) -> tuple[str, int]:
    """Resolve an address, and tell whether one may listen there."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.create_server(address[:2], family=family) as tried:
            numeric, free = tried.getsockname()[:2]
    except OSError as error:
        raise ConfigError(
            f"Prometheus cannot scrape {host}:{port}: {error}. Choose another port"
            " (OTEL_EXPORTER_PROMETHEUS_PORT), or serve the metrics from the app."
        ) from error
    return str(numeric), int(free)


def _tls(certificate: str, key: str) -> Any:
    from cheroot.ssl.builtin import BuiltinSSLAdapter

    try:
        return BuiltinSSLAdapter(certificate, key)
    except OSError as error:
        raise ConfigError(
            f"The certificate {certificate} with the key {key} cannot be used: {error}. Both are"
            " PEM files."
        ) from error


@contextmanager
def _without_socket_activation() -> Iterator[None]:
    """Keep cheroot from the socket that systemd has opened for the app's own server."""
    given = os.environ.pop("LISTEN_PID", None)
    try:
        yield
    finally:
        if given is not None:
            os.environ["LISTEN_PID"] = given


class _Routed:
    """Shows the endpoint at /metrics alone, and says so at /."""

    def __init__(self, scrape: ScrapeWSGIApp) -> None:
        self._scrape: Final = scrape

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO") == "/metrics":
            return self._scrape(environ, start_response)
        body = b"The metrics are at /metrics\n"
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("404 Not Found", headers)
        return [body]
