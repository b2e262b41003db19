"""The reader by its name: `OTEL_METRICS_EXPORTER=apimetrics_prometheus`."""

import atexit
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.reader import (
    DIRECTORIES,
    Directory,
    PrometheusReader,
    can_meet,
    named_directory,
)
from otel_apimetrics.prometheus.server import ScrapeServer

if TYPE_CHECKING:
    from otel_apimetrics.prometheus.workers import Workers

_logger = logging.getLogger("otel_apimetrics")
_PORT = 9464
_PREFIX = "otel-apimetrics-"


class PrometheusByName(PrometheusReader):
    """Listens where `OTEL_EXPORTER_PROMETHEUS_HOST` and `_PORT` say: localhost, 9464.

    It meets the readers of its children in a directory that it makes for them, where none is
    named. What it cannot do is one line in the log, and the app runs on.
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
            if self.server.is_listening:
                _logger.info("Prometheus may scrape %s", self.server.url)

    def _join(self, directory: Directory | None) -> "Workers | None":
        try:
            if directory or named_directory() or not can_meet():
                return super()._join(directory)
            workers = super()._join(_made())
            assert workers is not None  # noqa: S101  it has a directory
            workers.is_plain_alone = True
        except (ConfigError, OSError) as error:
            _logger.error("otel-apimetrics: %s", error)  # noqa: TRY400  the remedy, no traceback
            return None
        else:
            return workers

    def shutdown(self, timeout_millis: float = 30_000, **named: Any) -> None:
        """Listen no more."""
        super().shutdown(timeout_millis, **named)
        if self.server is not None:
            self.server.close()


def _made() -> str:
    """Make a directory for this process and those that it starts.

    It is taken away at the end, or by the next one that is made: a signal may end us, and uWSGI
    runs no handlers in its master.
    """
    from otel_apimetrics.prometheus.place import was_left

    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if was_left(left):
            shutil.rmtree(left, ignore_errors=True)
    path = tempfile.mkdtemp(prefix=_PREFIX)
    os.environ[DIRECTORIES[0]] = path
    pid = os.getpid()

    def remove() -> None:
        if os.getpid() == pid and was_left(Path(path)):
            shutil.rmtree(path, ignore_errors=True)

    atexit.register(remove)
    return path


def _port(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ConfigError(
            f"OTEL_EXPORTER_PROMETHEUS_PORT={value!r} is no port: use a number, such as 9464."
        ) from None
