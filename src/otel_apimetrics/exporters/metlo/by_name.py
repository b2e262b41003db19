"""The class of the entry point `metlo`."""

from otel_apimetrics.exporters.metlo.exporter import MetloSpanExporter
from otel_apimetrics.exporters.quiet import ByName


class MetloByName(ByName, MetloSpanExporter):
    """What `OTEL_APIMETRICS_EXPORTERS=metlo` and `OTEL_TRACES_EXPORTER=metlo` make."""
