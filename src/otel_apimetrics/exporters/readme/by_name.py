"""The entry point `readme` of `opentelemetry_traces_exporter`."""

from otel_apimetrics.exporters.quiet import ByName
from otel_apimetrics.exporters.readme.exporter import ReadMeSpanExporter


class ReadMeByName(ByName, ReadMeSpanExporter):
    """Made without arguments; off, with one log line, where the key is missing."""
