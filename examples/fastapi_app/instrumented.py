"""The shop with OpenTelemetry set up in code; README.md shows how to run it.

The exporters read `OTEL_EXPORTER_OTLP_ENDPOINT`, the providers `OTEL_SERVICE_NAME`.
"""

import app as shop
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_apimetrics import ApiMetricsInstrumentor

tracer_provider = TracerProvider()
tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(tracer_provider)
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))

app = ApiMetricsInstrumentor().instrument_app(
    shop.app, identify="header:x-client", capture_body="all"
)
