"""The span processor that sees SERVER spans start, and puts the lock on every span."""

import weakref
from collections.abc import Collection
from threading import Lock
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from otel_apimetrics import _guard, open_requests, semconv, span_lock, span_start, spans
from otel_apimetrics.recording import Recording
from otel_apimetrics.redaction import RedactionPolicy, Redactor


class RedactingSpanProcessor(SpanProcessor):
    """Redacts what any instrumentation says on any span, without recording requests.

    For providers that are built by hand, in processes that `ApiMetricsInstrumentor` does not
    instrument: workers, batch jobs. Add it first, before the processors that export::

        provider.add_span_processor(RedactingSpanProcessor())
        provider.add_span_processor(BatchSpanProcessor(exporter))

    Attributes, events, links, names and status descriptions are redacted on the live span: a
    span that has ended cannot be changed. On a span that `ApiMetricsInstrumentor` guards its
    policy holds. `on_start` does not block and never raises.

    Args:
        policy: what to mask beyond the built-in rules.
    """

    def __init__(self, policy: RedactionPolicy | None = None) -> None:
        self._redactor = Redactor() if policy is None else Redactor(policy)

    @span_start.reads_no_attribute
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        """Guard the span until it ends."""
        try:
            if not span_lock.is_guarded(span):
                span_lock.guard(span, self._redactor)
        except Exception as error:
            _guard.swallow("processors.redact", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Do nothing: an ended span cannot be changed."""

    def shutdown(self) -> None:
        """Do nothing: nothing is held here."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002
        """Return at once: nothing is held here."""
        return True


_attached: "weakref.WeakKeyDictionary[Any, ApiMetricsSpanProcessor]" = weakref.WeakKeyDictionary()
_lock = Lock()
_last: Any = None


class ApiMetricsSpanProcessor(SpanProcessor):
    """Binds a request's SERVER span to its recording, and guards what any span says.

    `on_start` runs on the thread that starts the span; it does not block and never raises.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor: Redactor | None = redactor

    @span_start.reads_no_attribute
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        """Guard the span, and bind it where a request waits for one."""
        redactor = self._redactor
        if redactor is None:
            return
        try:
            scope = span.instrumentation_scope
            if scope is not None and scope.name == semconv.SCOPE:
                # Those who start a span of ours bind it; other processors may speak on it before.
                span_lock.guard(span, redactor)
                return
            recording = open_requests.current.get()
            is_server = span.kind is trace.SpanKind.SERVER
            if isinstance(recording, Recording):
                # Two apps on one provider: each one's policy is about its own requests.
                span_lock.guard(span, recording.pipeline.redactor)
                if is_server:
                    recording.server_span.notice_start(span)
            else:
                span_lock.guard(span, redactor)
                if is_server:
                    spans.note_outer(span)
                    if isinstance(recording, open_requests.LeftOut):
                        span.set_attribute(semconv.SKIPPED, True)
        except Exception as error:
            _guard.swallow("processors.on_start", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Do nothing: an ended span cannot be changed."""

    def shutdown(self) -> None:
        """Stop guarding: a provider that has shut down exports nothing."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002
        """Return at once: nothing is held here."""
        return True

    def detach(self) -> None:
        """Become inert. A processor cannot be taken from its provider."""
        self._redactor = None

    def reattach(self, redactor: Redactor) -> None:
        """Work again, after `detach`. The first redactor stays: see `on_start`."""
        if self._redactor is None:
            self._redactor = redactor


def attach(provider: trace.TracerProvider, redactor: Redactor) -> None:
    """Give a provider our processor, once; a provider that takes none stays as it is."""
    with _lock:
        processor = _attached.get(provider)
        if processor is not None:
            processor.reattach(redactor)
            return
        add = getattr(provider, "add_span_processor", None)
        if add is not None:
            processor = _attached[provider] = ApiMetricsSpanProcessor(redactor)
            add(processor)


def ensure(provider: trace.TracerProvider, redactor: Redactor) -> None:
    """Attach our processor to the provider of this moment, once a provider. Never raises.

    The global one may be set after `instrument()`, and after the first requests.
    """
    global _last  # noqa: PLW0603  spares the look-up at each request
    if provider is _last:
        return
    try:
        attach(provider, redactor)
    except Exception as error:  # a foreign provider that cannot be weakly referenced, say
        _guard.swallow("processors.attach", error)
    _last = provider


def detach_all(but: Collection[trace.TracerProvider] = ()) -> None:
    """Make every processor inert, until `attach` or `ensure`.

    Args:
        but: providers whose processor stays as it is.
    """
    global _last  # noqa: PLW0603  the next request must attach again
    with _lock:
        _last = None
        for provider, processor in _attached.items():
            if not any(provider is kept for kept in but):
                processor.detach()
