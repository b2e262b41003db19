"""The class of the entry point `moesif`."""

from typing import Any

from otel_apimetrics import _guard
from otel_apimetrics.exporters.loading import behind_spans
from otel_apimetrics.exporters.moesif.exporter import MoesifSpanExporter
from otel_apimetrics.exporters.quiet import ByName


class MoesifByName(ByName, MoesifSpanExporter):
    """What `OTEL_APIMETRICS_EXPORTERS=moesif` and `OTEL_TRACES_EXPORTER=moesif` make.

    The second stands behind a span processor, where no response can be reached any more: options
    that are about responses do nothing there, which one log line says. Where both name it, it is
    there alone.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.disabled or self.name not in behind_spans():
            return
        idle = {
            "OTEL_EXPORTER_MOESIF_GOVERNANCE": self.governor,
            "OTEL_EXPORTER_MOESIF_TRANSACTION_ID_HEADER": self.response_hook,
        }
        names = [variable for variable, follows in idle.items() if follows is not None]
        if names:
            _guard.warn_once(
                "moesif.idle",
                "Where moesif is in OTEL_TRACES_EXPORTER there is no effect of %s. Take it out"
                " there, and put it into OTEL_APIMETRICS_EXPORTERS.",
                " and ".join(names),
            )
