"""Metlo: traces of API calls for its collector (https://github.com/metlo-labs/metlo)."""

from otel_apimetrics.exporters.metlo.exporter import MetloSpanExporter

__all__ = ["MetloSpanExporter"]
