"""OpenTelemetry metrics as Prometheus scrapes them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from otel_apimetrics.prometheus.endpoint import ScrapeASGIApp, ScrapeWSGIApp
from otel_apimetrics.prometheus.flask_route import add_route
from otel_apimetrics.prometheus.reader import PrometheusReader
from otel_apimetrics.prometheus.server import ScrapeServer

if TYPE_CHECKING:
    from otel_apimetrics.prometheus.asgi_metrics import ASGIMetrics
    from otel_apimetrics.prometheus.asgi_served import current_request
    from otel_apimetrics.prometheus.flask_metrics import FlaskMetrics

__all__ = [
    "ASGIMetrics",
    "FlaskMetrics",
    "PrometheusReader",
    "ScrapeASGIApp",
    "ScrapeServer",
    "ScrapeWSGIApp",
    "add_route",
    "current_request",
]
_MODULES = {
    "ASGIMetrics": "asgi_metrics",
    "FlaskMetrics": "flask_metrics",
    "current_request": "asgi_served",
}


def __getattr__(name: str) -> Any:
    # A framework is imported where its metrics are asked for.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
