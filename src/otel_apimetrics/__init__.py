"""API metrics on OpenTelemetry: who calls your API, how often, how slowly, with what payloads.

    from otel_apimetrics import ApiMetricsInstrumentor

    ApiMetricsInstrumentor().instrument_app(app, identify="header:x-api-key")

Names are loaded when they are used: `import otel_apimetrics` loads no framework, no
exporter and no HTTP client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from otel_apimetrics.version import __version__

if TYPE_CHECKING:
    from otel_apimetrics.api import add_label, add_metadata, set_consumer, skip_request
    from otel_apimetrics.config import Config, ConfigError
    from otel_apimetrics.exchange import Company, Consumer, Exchange
    from otel_apimetrics.instrumentor import ApiMetricsInstrumentor
    from otel_apimetrics.middleware import ApiMetricsASGIMiddleware, ApiMetricsWSGIMiddleware
    from otel_apimetrics.processors import RedactingSpanProcessor
    from otel_apimetrics.redaction import RedactionPolicy

_HOMES = {
    "ApiMetricsASGIMiddleware": "middleware",
    "ApiMetricsInstrumentor": "instrumentor",
    "ApiMetricsWSGIMiddleware": "middleware",
    "Company": "exchange",
    "Config": "config",
    "ConfigError": "config",
    "Consumer": "exchange",
    "Exchange": "exchange",
    "RedactingSpanProcessor": "processors",
    "RedactionPolicy": "redaction",
    "add_label": "api",
    "add_metadata": "api",
    "set_consumer": "api",
    "skip_request": "api",
}

__all__ = [
    "ApiMetricsASGIMiddleware",
    "ApiMetricsInstrumentor",
    "ApiMetricsWSGIMiddleware",
    "Company",
    "Config",
    "ConfigError",
    "Consumer",
    "Exchange",
    "RedactingSpanProcessor",
    "RedactionPolicy",
    "__version__",
    "add_label",
    "add_metadata",
    "set_consumer",
    "skip_request",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
