"""The reader by its name: `OTEL_METRICS_EXPORTER=apimetrics_prometheus`."""

import logging
import os
from typing import Any

from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.reader import PrometheusReader
from otel_apimetrics.prometheus.server import ScrapeServer

_logger = logging.getLogger("otel_apimetrics")
_PORT = 9464


class PrometheusByName(PrometheusReader):
    """Listens where `OTEL_EXPORTER_PROMETHEUS_HOST` and `_PORT` say: localhost, 9464.

    What it cannot do is one line in the log, and the app runs on.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.server: ScrapeServer | None = None
        host = os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST") or "localhost"
        port = os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT") or str(_PORT)
        try:
            self.server = ScrapeServer(self, _port(port), host)
        except ConfigError as error:
            _logger.error("otel-apimetrics: %s", error)  # noqa: TRY400  the remedy, no traceback
        else:
            _logger.info("Prometheus may scrape %s", self.server.url)

    def shutdown(self, timeout_millis: float = 30_000, **named: Any) -> None:
        """Listen no more."""
        super().shutdown(timeout_millis, **named)
        if self.server is not None:
            self.server.close()


def _port(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ConfigError(
            f"OTEL_EXPORTER_PROMETHEUS_PORT={value!r} is no port: use a number, such as 9464."
        ) from None
