"""Runs every scenario under every sampler in a process of its own, and prints what it saw.

`python -m tests.one_span.driver FRAMEWORK INSTRUMENTATION`: contrib patches globally, and
the global providers can be set only once.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import secrets
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)

from otel_apimetrics import _guard, open_requests
from tests.one_span import servers, variants

PATHS = {
    "plain": "/items/7",
    "streamed": "/stream",
    "error-before": "/boom",
    "error-in-body": "/broken-stream",
    "gone-at-start": "/stream",
    "gone-halfway": "/stream",
    "never-closed": "/stream",
    "gone-silent": "/stream",
    "cancelled": "/stream",
}
_COMMON = ("plain", "streamed", "error-before", "error-in-body", "gone-at-start", "gone-halfway")
SCENARIOS = {
    "wsgi": (*_COMMON, "never-closed"),
    "asgi": (*_COMMON, "gone-silent", "cancelled"),
}
SAMPLINGS: dict[str, tuple[Sampler, str, str]] = {
    "on": (ALWAYS_ON, "0", "01"),
    "off": (ALWAYS_OFF, "0", "01"),
    "ratio-in": (TraceIdRatioBased(0.5), "0", "01"),
    "ratio-out": (TraceIdRatioBased(0.5), "f", "01"),
    "parent-in": (ParentBased(ALWAYS_OFF), "0", "01"),
    "parent-out": (ParentBased(ALWAYS_ON), "0", "00"),
}
"""The sampler; the digit that decides about a ratio (bit 63 of the trace id); the flags sent."""
KEPT = ("on", "ratio-in", "parent-in")


class SwitchedSampler(Sampler):
    """Asks the sampler of the moment: a provider keeps its sampler for life."""

    inner: Sampler = ALWAYS_ON

    def should_sample(self, *arguments: Any, **named: Any) -> SamplingResult:
        return self.inner.should_sample(*arguments, **named)

    def get_description(self) -> str:
        return "switched"


class Counting(SpanProcessor):
    """Counts spans that start and spans that end."""

    def __init__(self) -> None:
        self.started = self.ended = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.started += 1

    def on_end(self, span: ReadableSpan) -> None:
        self.ended += 1


class Logged(logging.Handler):
    """Keeps what OpenTelemetry and the plugin complain about."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")


class Process:
    """The global telemetry of this process, and what it took up since the last look."""

    def __init__(self) -> None:
        self.sampler = SwitchedSampler()
        self.exporter = InMemorySpanExporter()
        self.counting = Counting()
        self.reader = InMemoryMetricReader()
        self.logged = Logged()
        self.swallowed: list[str] = []
        provider = TracerProvider(sampler=self.sampler, shutdown_on_exit=False)
        provider.add_span_processor(self.counting)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        trace.set_tracer_provider(provider)
        metrics.set_meter_provider(MeterProvider([self.reader], shutdown_on_exit=False))
        for name in ("opentelemetry", "otel_apimetrics"):
            logging.getLogger(name).addHandler(self.logged)
        _guard.observers.append(lambda place, error: self.swallowed.append(f"{place}: {error!r}"))
        self._requests = 0

    def forget(self) -> None:
        self.exporter.clear()
        self.logged.lines.clear()
        self.swallowed.clear()
        self.counting.started = self.counting.ended = 0
        self.take_requests()

    def take_requests(self) -> int:
        """Give the requests counted since the last call."""
        data = self.reader.get_metrics_data()
        total = 0
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == "apimetrics.requests":
                        total += sum(point.value for point in metric.data.data_points)
        taken, self._requests = total - self._requests, total
        return taken


def run_cell(process: Process, serve: Callable[..., Any], scenario: str, sampling: str) -> Any:
    """Serve one request and give all that is to be seen of it."""
    process.sampler.inner, decisive, flags = SAMPLINGS[sampling]
    trace_id = secrets.token_hex(8) + decisive + secrets.token_hex(8)[1:]
    parent = "1" + secrets.token_hex(8)[1:]
    process.forget()
    client = scenario.replace("-", "_")
    client = "stays" if scenario in _COMMON[:4] else client
    headers = {"traceparent": f"00-{trace_id}-{parent}-{flags}"}
    served = serve(PATHS[scenario], headers, client)
    gc.collect()
    open_requests.finish_postponed()
    return {
        **asdict(served),
        "trace": trace_id,
        "parent": parent,
        "requests": process.take_requests(),
        "started": process.counting.started,
        "ended": process.counting.ended,
        "spans": [describe(span) for span in process.exporter.get_finished_spans()],
        "logged": list(process.logged.lines),
        "swallowed": list(process.swallowed),
    }


def describe(span: ReadableSpan) -> dict[str, Any]:
    return {
        "name": span.name,
        "kind": span.kind.name,
        "trace": f"{span.context.trace_id:032x}",
        "id": f"{span.context.span_id:016x}",
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "scope": span.instrumentation_scope.name,
        "attributes": dict(span.attributes),
        "events": [event.name for event in span.events],
        "status": span.status.status_code.name,
        "start": span.start_time,
        "end": span.end_time,
    }


def main(framework: str, instrumentation: str) -> None:
    process = Process()
    app = variants.build(framework, instrumentation)
    loop = asyncio.new_event_loop()
    # What is there by now stays: each cell's collection looks at that cell's garbage only.
    gc.freeze()

    def serve(path: str, headers: dict[str, str], client: str) -> servers.Served:
        if framework in variants.WSGI:
            return servers.serve_wsgi(app, path, headers, client)
        return servers.serve_asgi(loop, app, path, headers, client)

    interface = "wsgi" if framework in variants.WSGI else "asgi"
    cells = {
        f"{scenario}/{sampling}": run_cell(process, serve, scenario, sampling)
        for scenario in SCENARIOS[interface]
        for sampling in SAMPLINGS
    }
    loop.close()
    json.dump(cells, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
