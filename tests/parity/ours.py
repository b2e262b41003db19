"""Our exporter behind an app, through either door."""

from importlib import import_module
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_apimetrics import ApiMetricsInstrumentor


def install(app: Any, vendor: str, way: str, url: str) -> Any:
    """Instrument the app.

    Args:
        app: Flask or FastAPI.
        vendor: whose exporter.
        way: "exchanges": every request, from our queue; "spans": from a batch processor.
        url: of the backend.
    """
    settings = import_module(f"tests.parity.vendors.{vendor}")
    exporter = settings.exporter(url)
    options = {"identify": "header:X-Consumer", "client_ip": "full", **settings.OPTIONS}
    provider = TracerProvider()
    if way == "spans":
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=200))
        options |= {"capture_body": "all", "capture_headers": "all"}
    else:
        options["exporters"] = [exporter]
    return ApiMetricsInstrumentor().instrument_app(app, tracer_provider=provider, **options)
