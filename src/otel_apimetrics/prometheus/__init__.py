"""OpenTelemetry metrics as Prometheus scrapes them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from otel_apimetrics.prometheus.endpoint import ScrapeASGIApp, ScrapeWSGIApp
from otel_apimetrics.prometheus.flask_route import add_route
from otel_apimetrics.prometheus.reader import PrometheusReader
from otel_apimetrics.prometheus.server import ScrapeServer

if TYPE_CHECKING:
    from otel_apimetrics.prometheus.flask_metrics import FlaskMetrics

__all__ = [
    "FlaskMetrics",
    "PrometheusReader",
    "ScrapeASGIApp",
    "ScrapeServer",
    "ScrapeWSGIApp",
    "add_route",
]


def __getattr__(name: str) -> Any:
    # Flask is imported where its metrics are asked for.
    if name != "FlaskMetrics":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.flask_metrics").FlaskMetrics
