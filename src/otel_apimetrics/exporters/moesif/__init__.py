"""Moesif: events of API calls, with who called (https://www.moesif.com/docs/api)."""

from otel_apimetrics.exporters.moesif.exporter import MoesifSpanExporter

__all__ = ["MoesifSpanExporter"]
