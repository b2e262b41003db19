"""prometheus-flask-exporter's public names, on OpenTelemetry metrics.

    from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics

    metrics = PrometheusMetrics(app)

The metrics, their labels and their text are those of that package's version 0.23.2.
"""

from otel_apimetrics.compat.prometheus_flask_exporter.integrations import (
    ConnexionPrometheusMetrics,
    RESTfulPrometheusMetrics,
)
from otel_apimetrics.compat.prometheus_flask_exporter.metrics import VERSION, PrometheusMetrics
from otel_apimetrics.prometheus.flask_options import NO_PREFIX

__all__ = [
    "NO_PREFIX",
    "ConnexionPrometheusMetrics",
    "PrometheusMetrics",
    "RESTfulPrometheusMetrics",
]
__version__ = VERSION
