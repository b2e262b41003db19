"""OpenTelemetry metrics as Prometheus scrapes them."""

from otel_apimetrics.prometheus.endpoint import ScrapeASGIApp, ScrapeWSGIApp
from otel_apimetrics.prometheus.flask_route import add_route
from otel_apimetrics.prometheus.reader import PrometheusReader
from otel_apimetrics.prometheus.server import ScrapeServer

__all__ = ["PrometheusReader", "ScrapeASGIApp", "ScrapeServer", "ScrapeWSGIApp", "add_route"]
