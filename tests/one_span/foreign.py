"""A tracer provider that is not the SDK's: its spans take only what the API promises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

_ids = RandomIdGenerator()


class ForeignSpan(trace.Span):
    """A recording span whose class takes no attribute and no subclass of ours."""

    __slots__ = ("_context", "attributes", "ended", "kind", "name")

    def __init__(self, name: str, kind: trace.SpanKind) -> None:
        self.name = name
        self.kind = kind
        self.ended = 0
        self.attributes: dict[str, Any] = {}
        self._context = trace.SpanContext(
            _ids.generate_trace_id(),
            _ids.generate_span_id(),
            is_remote=False,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )

    def end(self, end_time: int | None = None) -> None:
        self.ended += 1

    def get_span_context(self) -> trace.SpanContext:
        return self._context

    def set_attributes(self, attributes: Any) -> None:
        self.attributes.update(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Keep no events."""

    def update_name(self, name: str) -> None:
        self.name = name

    def is_recording(self) -> bool:
        return not self.ended

    def set_status(self, status: Any, description: str | None = None) -> None:
        """Keep no status."""

    def record_exception(self, *arguments: Any, **named: Any) -> None:
        """Keep no exceptions."""


class ForeignTracer(trace.Tracer):
    """Makes foreign spans."""

    def __init__(self, spans: list[ForeignSpan]) -> None:
        self._spans = spans

    def start_span(
        self,
        name: str,
        context: Any = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        *arguments: Any,
        **named: Any,
    ) -> ForeignSpan:
        span = ForeignSpan(name, kind)
        self._spans.append(span)
        return span

    @contextmanager
    def start_as_current_span(self, name: str, *arguments: Any, **named: Any) -> Iterator[Any]:
        with trace.use_span(self.start_span(name), end_on_exit=True) as span:
            yield span


class ForeignProvider(trace.TracerProvider):
    """Takes no span processor."""

    def __init__(self) -> None:
        self.spans: list[ForeignSpan] = []

    def get_tracer(self, *arguments: Any, **named: Any) -> ForeignTracer:
        return ForeignTracer(self.spans)
