"""The SERVER span of one request: started, adopted or awaited, and let go at the last byte."""

from contextlib import suppress

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from otel_apimetrics import _guard, semconv, span_attributes, span_lock, spans
from otel_apimetrics.attributes import Attributes, request_attributes
from otel_apimetrics.caller import sent_context
from otel_apimetrics.exchange import Request
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.span_start import start_server
from otel_apimetrics.spans import Owner


class ServerSpan:
    """What a recording knows of its request's span."""

    __slots__ = (
        "_aside", "_pipeline", "_settled", "context", "given", "owner", "safe_line", "span",
    )  # fmt: skip

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._settled = False
        self._aside: Context | None = None
        """What was current in the app when it was left; of our own span, from its start."""
        self.owner = Owner.NOBODY
        self.span: trace.Span | None = None
        """The recording span that the record goes on; `None` where there is none."""
        self.context: Context | None = None
        """A context with the request's span, sampled or not; `None` while it is unknown."""
        self.given: Attributes | None = None
        """The attributes that a span of ours was started with."""
        self.safe_line: Request | None = None
        """The request as redacted at the start, where a span of ours needed it."""

    def begin(self, owner: Owner, request: Request, started_ns: int) -> None:
        """Start, adopt or await the span, as was decided at entry."""
        self.owner = owner
        if owner is Owner.OURS:
            self._start(request, started_ns)
        elif owner is Owner.CURRENT:
            current = trace.get_current_span()
            self._bind(spans.outer_server(current) or current)

    def _start(self, request: Request, started_ns: int) -> None:
        parent = None
        if not spans.is_local(trace.get_current_span()):
            parent = sent_context(request.headers)
        if parent is None:
            parent = otel_context.get_current()
        safe = self.safe_line = self._pipeline.masking.redact_line(request)
        self.given = request_attributes(safe)
        method = request.method
        span = start_server(
            self._pipeline.tracer(),
            method if method in semconv.KNOWN_METHODS else "HTTP",
            parent,
            self.given,
            started_ns,
        )
        self.context = self._aside = trace.set_span_in_context(span, parent)
        if span.is_recording():
            span_lock.take(span, self._pipeline.redactor)
            self.span = span

    def _bind(self, span: trace.Span) -> None:
        """Adopt a recording span: it stays open until `release`."""
        # A span from outside may have started before our processor was there.
        span_lock.guard(span, self._pipeline.redactor)
        if not span_lock.is_held(span) and span_lock.hold(span):
            self.span = span
        self.context = trace.set_span_in_context(span, otel_context.get_current())

    def awaited(self) -> bool:
        """Tell whether a SERVER span from inside the app is still to come."""
        return self.owner is Owner.INSIDE and self.context is None and not self._settled

    def notice_start(self, span: trace.Span) -> None:
        """Adopt a SERVER span that starts inside the app, if this request waits for one."""
        if self.awaited():
            self._bind(span)

    def notice_current(self) -> None:
        """Adopt the current span if `on_start` did not see it come.

        `ConcurrentMultiSpanProcessor` calls `on_start` in threads of its own, and contrib
        may have a provider of its own: neither shows us the span, but here it is current.
        """
        if not self.awaited():
            return
        span = trace.get_current_span()
        if not spans.is_local(span):
            return
        if not span.is_recording():
            self.context = otel_context.get_current()
        elif spans.is_server(span):
            self._bind(span)

    def attach(self) -> None:
        """Make current what the app had left so, and the span where nobody else has made one so.

        Never raises.
        """
        aside = self._aside
        if aside is not None:
            otel_context.attach(aside)
            # Where the span is ours, the app has chosen what stands in its place.
            if aside is self.context or self.owner is Owner.OURS:
                return
        if self.context is not None:
            try:
                self._make_current(self.context)
            except Exception as error:
                _guard.swallow("server_span.attach", error)

    def _make_current(self, context: Context) -> None:
        if self.owner is Owner.OURS:
            otel_context.attach(context)
        elif not spans.is_local(trace.get_current_span()):
            if self._aside is not None:
                context = trace.set_span_in_context(trace.get_current_span(context), self._aside)
            otel_context.attach(context)

    def set_aside(self, outside: Context) -> None:
        """Take what the app has made current out of the thread, until it runs again.

        Args:
            outside: what was current around the app, and is so again.
        """
        inside = otel_context.get_current()
        if inside is not outside:
            self._aside = inside
            otel_context.attach(outside)
        elif self._aside is not None:
            self._aside = None

    def ids(self) -> tuple[int, int, int]:
        """Give the ids of the trace, the span and its parent; 0 where there is none."""
        if self.context is None:
            return 0, 0, 0
        span = trace.get_current_span(self.context) if self.span is None else self.span
        context = span.get_span_context()
        parent = getattr(span, "parent", None)
        return context.trace_id, context.span_id, 0 if parent is None else parent.span_id

    def settle(self) -> None:
        """Adopt nothing any more: the record is being made."""
        self._settled = True

    def release(self, end_time: int) -> None:
        """Let the span end, at `end_time` (nanoseconds since the epoch). Never raises."""
        if self.span is not None:
            try:
                span_lock.release(self.span, end_time, at_once=self.owner is Owner.OURS)
            except Exception as error:
                _guard.swallow("server_span.release", error)

    def free_locks(self) -> None:
        """Have the span wait for no lock that an interrupted step has left held."""
        if self.span is not None:
            with suppress(Exception):  # a span of a foreign kind keeps its own
                span_attributes.free_locks(self.span)

    def close(self, *, outside: bool = False) -> None:
        """End the span if its owner is inside the app; `outside`: whoever owns it.

        Never raises.
        """
        if self.span is not None and (outside or self.owner is not Owner.CURRENT):
            try:
                span_lock.close(self.span)
            except Exception as error:
                _guard.swallow("server_span.close", error)
