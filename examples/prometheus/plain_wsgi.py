"""No framework routes the scrapes: Werkzeug's dispatcher puts the endpoint beside the app."""

from collections.abc import Iterable
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics.prometheus import PrometheusReader, ScrapeWSGIApp


def greet(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    known = environ["PATH_INFO"] == "/greeting"
    start_response("200 OK" if known else "404 Not Found", [("Content-Type", "text/plain")])
    return [b"hello\n" if known else b"nothing here\n"]


reader = PrometheusReader()
instrumented = ApiMetricsInstrumentor().instrument_app(
    greet, meter_provider=MeterProvider([reader])
)
app = DispatcherMiddleware(instrumented, {"/metrics": ScrapeWSGIApp(reader)})
