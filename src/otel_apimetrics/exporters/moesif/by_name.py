"""The class of the entry point `moesif`."""

from otel_apimetrics.exporters.moesif.exporter import MoesifSpanExporter
from otel_apimetrics.exporters.quiet import ByName


class MoesifByName(ByName, MoesifSpanExporter):
    """What `OTEL_APIMETRICS_EXPORTERS=moesif` and `OTEL_TRACES_EXPORTER=moesif` make."""
