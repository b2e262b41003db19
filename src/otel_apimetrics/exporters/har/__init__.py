"""HTTP Archives (HAR 1.2): one entry of an exchange, and a file of them."""

from otel_apimetrics.exporters.har.exporter import HarFileExporter

__all__ = ["HarFileExporter"]
