"""Private providers that export OTLP over HTTP, as an app's own set-up would."""

from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

# The stock queue of 2,048 drops silently what an in-process driver makes faster than one
# thread encodes: a dropped span would look like a cheap one.
_QUEUE = 65_536
_NEVER = 3_600_000
"""Milliseconds. Metrics go out when a block is flushed, once, and not by the clock."""


class Telemetry:
    """A tracer and a meter provider.

    Args:
        endpoint: base URL of the sink; `None` keeps the spans in memory, in `spans`.
        sampled: False drops every span at its start.
    """

    def __init__(self, endpoint: str | None, *, sampled: bool) -> None:
        resource = Resource.create({"service.name": "benchmark"})
        self.memory = InMemorySpanExporter()
        self.tracer_provider = TracerProvider(
            sampler=ALWAYS_ON if sampled else ALWAYS_OFF, resource=resource
        )
        readers: list[Any] = []
        if endpoint is None:
            self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.memory))
        else:
            exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
            self.tracer_provider.add_span_processor(
                BatchSpanProcessor(exporter, max_queue_size=_QUEUE)
            )
            readers.append(
                PeriodicExportingMetricReader(
                    OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics"),
                    export_interval_millis=_NEVER,
                )
            )
        self.meter_provider = MeterProvider(readers, resource=resource)

    @property
    def providers(self) -> dict[str, Any]:
        """The keyword arguments that hand both providers over."""
        return {"tracer_provider": self.tracer_provider, "meter_provider": self.meter_provider}

    def flush(self) -> None:
        """Export what is queued."""
        self.tracer_provider.force_flush()
        self.meter_provider.force_flush()

    def shutdown(self) -> None:
        """Stop the exporting threads."""
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()
