"""starlette_exporter's public names, on OpenTelemetry metrics.

    from otel_apimetrics.compat.starlette_exporter import PrometheusMiddleware, handle_metrics

    app.add_middleware(PrometheusMiddleware)
    app.add_route("/metrics", handle_metrics)

The metrics, their labels and their text are those of that package's version 0.24.0.
"""

from otel_apimetrics.compat.starlette_exporter import optional_metrics
from otel_apimetrics.compat.starlette_exporter.handlers import handle_metrics, handle_openmetrics
from otel_apimetrics.compat.starlette_exporter.labels import from_header, from_response_header
from otel_apimetrics.compat.starlette_exporter.middleware import PrometheusMiddleware

__all__ = [
    "PrometheusMiddleware",
    "from_header",
    "from_response_header",
    "handle_metrics",
    "handle_openmetrics",
    "optional_metrics",
]
