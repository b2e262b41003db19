"""How OpenTelemetry and `OTEL_APIMETRICS_EXPORTERS` make an exporter: by its name alone."""

import logging
import os
from collections.abc import Sequence
from typing import Any, ClassVar

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_apimetrics.config import ConfigError
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.vendor import tell_idle

_logger = logging.getLogger("otel_apimetrics")


def behind_spans() -> set[str]:
    """Give the names of the exporters that the SDK's variable puts behind a span processor."""
    return {name.strip() for name in os.environ.get("OTEL_TRACES_EXPORTER", "").split(",")}


class ByName(SpanExporter):
    """Stands before an exporter in the bases of an entry point's class.

    Whoever makes an exporter by its name cannot catch an error: it would take the SDK's whole
    configuration down. A missing key is one log line, and the exporter is off.
    """

    name: ClassVar[str]
    disabled = False

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ConfigError as error:
            self.disabled = True
            _logger.error("The exporter %s is off. %s", self.name, error)  # noqa: TRY400  no trace
            return
        beside_requests = getattr(self, "beside_requests", None)
        if beside_requests is not None and self.name in behind_spans():
            tell_idle(self.name, beside_requests())

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export, unless it is off."""
        return SpanExportResult.SUCCESS if self.disabled else super().export(spans)

    def export_exchanges(
        self, exchanges: Sequence[Exchange], patience: Patience | None = None
    ) -> bool:
        """Export, unless it is off."""
        if self.disabled:
            return True
        door: Any = super()
        return bool(door.export_exchanges(exchanges, patience))

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush, unless it is off."""
        return self.disabled or super().force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Shut down, unless it is off."""
        if not self.disabled:
            super().shutdown()
