"""Apitally: https://apitally.io, with a write token (SDK 1.x) or a client id (SDK 0.x)."""

from otel_apimetrics.exporters.apitally.exporter import ApitallySpanExporter

__all__ = ["ApitallySpanExporter"]
