"""`/metrics` on a port of its own."""

from typing import Final

from otel_apimetrics.prometheus.app_server import AppServer
from otel_apimetrics.prometheus.endpoint import Authorize, Scraped, ScrapeWSGIApp
from otel_apimetrics.prometheus.listening import Routed


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
        app = Routed(ScrapeWSGIApp(reader, authorize=authorize))
        super().__init__(app, port, host, certificate=certificate, key=key)
        self.url: Final = f"{'https' if certificate else 'http'}://{host}:{self.port}/metrics"
