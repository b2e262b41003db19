"""The entry point `har` of `opentelemetry_traces_exporter`."""

from otel_apimetrics.exporters.har.exporter import HarFileExporter
from otel_apimetrics.exporters.quiet import ByName


class HarByName(ByName, HarFileExporter):
    """Made without arguments; off, with one log line, where the file is not given."""
