"""The one mutable object of a request: what was seen so far, until it becomes an `Exchange`."""

import secrets
from time import monotonic, perf_counter_ns, time_ns
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter

from otel_apimetrics import _guard, open_requests, semconv, spans
from otel_apimetrics.attributes import request_attributes
from otel_apimetrics.content import BodyBuffer
from otel_apimetrics.exceptions import describe
from otel_apimetrics.exchange import (
    Company,
    Consumer,
    ExceptionInfo,
    Exchange,
    Headers,
    Request,
    ValidationError,
    WebSocket,
)
from otel_apimetrics.identity import clean_id
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.snapshot import BODILESS, snapshot
from otel_apimetrics.spans import Owner


class Recording:
    """What is seen of one request while it is served.

    A request can finish only once, whoever calls and from whichever thread. All else is
    written by the thread or task that serves the request at that moment.
    """

    __slots__ = (
        "_context", "_settled", "company", "consumer", "content_length", "error", "exception",
        "framework", "id", "labels", "metadata", "moved", "owner", "pipeline", "request",
        "request_body", "request_ended", "response_body", "response_ended", "response_headers",
        "route", "safe_line", "session", "size_told", "skipped", "source", "span", "started",
        "started_ns", "status", "validation_errors", "websocket",
    )  # fmt: skip

    def __init__(  # noqa: PLR0915  one line a slot
        self, pipeline: Pipeline, request: Request, framework: str, source: Any
    ) -> None:
        self.id = secrets.token_hex(16)
        self.pipeline = pipeline
        self.request = request
        self.framework = framework
        self.source = source
        """The environ or scope that the innermost known framework was called with."""
        self.started_ns = time_ns()
        self.started = perf_counter_ns()
        self.moved = monotonic()
        self.request_body = BodyBuffer(pipeline.kept_bytes)
        self.response_body = BodyBuffer(pipeline.kept_bytes)
        self.content_length: int | None = None
        """What the request declared: its size where the app read less."""
        self.size_told: int | None = None
        """What the response declared, where its bytes do not pass through us (sendfile)."""
        self.request_ended = False
        """The app has read the whole request body."""
        self.response_ended = False
        """The app has said the whole response body."""
        self.status: int | None = None
        self.response_headers: Headers = ()
        self.route: str | None = None
        self.consumer: Consumer | None = None
        self.company: Company | None = None
        self.session: str | None = None
        self.labels: dict[str, str] | None = None
        self.metadata: dict[str, Any] | None = None
        self.skipped = False
        self.error: str | None = None
        self.exception: ExceptionInfo | None = None
        self.validation_errors: tuple[ValidationError, ...] = ()
        self.websocket: WebSocket | None = None
        self.owner = Owner.NOBODY
        self.span: trace.Span | None = None
        self.safe_line: tuple[str, str] | None = None
        """Path and query as redacted at the start, where a span of ours needed them."""
        self._context: Context | None = None
        self._settled = False
        open_requests.add(self)
        if pipeline.metrics.counts_active:
            self._count_active(1)

    # -- the span ---------------------------------------------------------------------

    def begin_span(self, owner: Owner, carrier: Any, getter: Getter[Any]) -> None:
        """Start, adopt or await the SERVER span, as was decided at entry."""
        self.owner = owner
        if owner is Owner.OURS:
            self._start_span(carrier, getter)
        elif owner is Owner.CURRENT:
            self.bind(trace.get_current_span())

    def _start_span(self, carrier: Any, getter: Getter[Any]) -> None:
        parent = None
        if not spans.is_local(trace.get_current_span()):
            # None where no propagator is configured (`OTEL_PROPAGATORS=none`).
            parent = propagate.extract(carrier, getter=getter)
        if parent is None:
            parent = otel_context.get_current()
        safe = self.pipeline.masking.redact_line(self.request)
        self.safe_line = safe.path, safe.query
        method = self.request.method
        span = self.pipeline.tracer().start_span(
            method if method in semconv.KNOWN_METHODS else "HTTP",
            context=parent,
            kind=trace.SpanKind.SERVER,
            attributes=request_attributes(safe),
            start_time=self.started_ns,
        )
        self._context = trace.set_span_in_context(span, parent)
        if span.is_recording() and spans.hold(span):
            self.span = span

    def span_ids(self) -> tuple[int, int, int]:
        """Give the ids of the trace, the span and its parent; 0 where there is none."""
        if self._context is None:
            return 0, 0, 0
        span = trace.get_current_span(self._context)
        context = span.get_span_context()
        parent = getattr(span, "parent", None)
        return context.trace_id, context.span_id, 0 if parent is None else parent.span_id

    def awaits_span(self) -> bool:
        """Tell whether a SERVER span from inside the app is still to come."""
        return self.owner is Owner.INSIDE and self._context is None and not self._settled

    def bind(self, span: trace.Span) -> None:
        """Adopt a recording span: it stays open until this recording finishes."""
        if not spans.is_held(span) and spans.hold(span):
            self.span = span
        self._context = trace.set_span_in_context(span, otel_context.get_current())

    def notice_start(self, span: trace.Span) -> None:
        """Adopt a SERVER span that starts inside the app, if this request waits for one."""
        if self.awaits_span():
            self.bind(span)

    def notice_current_span(self) -> None:
        """Adopt the current span if `on_start` did not see it come.

        `ConcurrentMultiSpanProcessor` calls `on_start` in threads of its own, and contrib
        may have a provider of its own: neither shows us the span, but here it is current.
        """
        if not self.awaits_span():
            return
        span = trace.get_current_span()
        if not spans.is_local(span):
            return
        if not span.is_recording():
            self._context = otel_context.get_current()
        elif spans.is_server(span):
            spans.guard(span, self.pipeline.redactor)
            self.bind(span)

    # -- the context ------------------------------------------------------------------

    def enter(self) -> tuple[Any, Any]:
        """Make this recording, and its span, current. Pair with `leave`."""
        holder = open_requests.current.set(self)
        token = None
        if self._context is not None and (
            self.owner is Owner.OURS or not spans.is_local(trace.get_current_span())
        ):
            token = otel_context.attach(self._context)
        return holder, token

    @staticmethod
    def leave(tokens: tuple[Any, Any]) -> None:
        """Undo `enter`, in the same thread or task."""
        holder, token = tokens
        if token is not None:
            otel_context.detach(token)
        open_requests.current.reset(holder)

    # -- what happens meanwhile ---------------------------------------------------------

    def touch(self) -> None:
        """Note that a byte moved: the request is alive."""
        self.moved = monotonic()

    def note_exception(self, error: BaseException) -> None:
        """Note an exception that left the app's handler. The first one counts."""
        if self.exception is None and not self._settled:
            self.exception = describe(error)

    def note_consumer(self, found: Any) -> None:
        """Note a consumer that a framework's own place holds: a `Consumer`, or an id."""
        if self._settled or found is None:
            return
        if isinstance(found, Consumer):
            self.consumer = found
        elif (cleaned := clean_id(str(found))) is not None:
            self.consumer = Consumer(id=cleaned)

    def is_bodiless(self) -> bool:
        """Tell whether this response has no content, whatever the app says (RFC 9110, 6.4.1)."""
        status = self.status
        return self.request.method == "HEAD" or (
            status is not None and (status in BODILESS or status < 200)  # noqa: PLR2004
        )

    # -- the end ----------------------------------------------------------------------

    @property
    def settled(self) -> bool:
        """True once the record is made; nothing changes it any more."""
        return self._settled

    def finish(self) -> None:
        """Make the record, once. Later calls do nothing. Never raises."""
        if not open_requests.take(self):
            return
        duration = self._stop()
        try:
            if not self.skipped:
                self._conclude(self.pipeline.judge(snapshot(self, duration)))
        except Exception as error:
            _guard.swallow("recording.finish", error)
        finally:
            self._end(duration)

    async def finish_async(self) -> None:
        """Do what `finish` does, awaiting hooks that are `async`."""
        if not self.pipeline.has_async_hooks:
            self.finish()
            return
        if not open_requests.take(self):
            return
        duration = self._stop()
        try:
            if not self.skipped:
                self._conclude(await self.pipeline.judge_async(snapshot(self, duration)))
        except Exception as error:
            _guard.swallow("recording.finish", error)
        finally:
            self._end(duration)

    def abandon(self) -> None:
        """Make the record of a request that nobody will end any more."""
        if self.error is None and not self.response_ended:
            self.error = "abandoned"
        self.finish()

    def _stop(self) -> int:
        self._settled = True
        return perf_counter_ns() - self.started

    def _conclude(self, exchange: Exchange | None) -> None:
        if exchange is not None:
            self.pipeline.conclude(
                exchange,
                self.span,
                context=self._context,
                owned=self.owner is Owner.OURS,
                safe_line=self.safe_line,
            )

    def _end(self, duration: int) -> None:
        # The environ holds the tee of its input, and that holds this recording.
        self.source = None
        if self.pipeline.metrics.counts_active:
            self._count_active(-1)
        if self.span is not None:
            try:
                spans.release(self.span, self.started_ns + duration)
            except Exception as error:
                _guard.swallow("recording.end", error)

    def _count_active(self, change: int) -> None:
        try:
            self.pipeline.metrics.active(change, self.request.method)
        except Exception as error:
            _guard.swallow("recording.active", error)
