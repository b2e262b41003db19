"""prometheus-fastapi-instrumentator's public names, on OpenTelemetry metrics.

    from otel_apimetrics.compat.prometheus_fastapi_instrumentator import Instrumentator

    Instrumentator().instrument(app).expose(app)

The metrics, their labels and their text are those of that package's version 8.1.0.
"""

from otel_apimetrics.compat.prometheus_fastapi_instrumentator import metrics, middleware
from otel_apimetrics.compat.prometheus_fastapi_instrumentator.instrumentation import (
    PrometheusFastApiInstrumentator,
)

__all__ = ["Instrumentator", "PrometheusFastApiInstrumentator", "metrics", "middleware"]
__version__ = "8.1.0"

Instrumentator = PrometheusFastApiInstrumentator
