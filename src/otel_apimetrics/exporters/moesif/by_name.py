"""The entry point `moesif` of `opentelemetry_traces_exporter`."""

from otel_apimetrics.exporters.moesif.exporter import MoesifSpanExporter
from otel_apimetrics.exporters.quiet import ByName


class MoesifByName(ByName, MoesifSpanExporter):
    """Made without arguments; off, with one log line, where the key is missing."""
