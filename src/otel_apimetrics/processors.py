"""The span processor that sees SERVER spans start, and puts the lock on every span."""

import weakref
from threading import Lock
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from otel_apimetrics import _guard, open_requests, spans
from otel_apimetrics.recording import Recording
from otel_apimetrics.redaction import Redactor

_attached: "weakref.WeakKeyDictionary[Any, ApiMetricsSpanProcessor]" = weakref.WeakKeyDictionary()
_lock = Lock()


class ApiMetricsSpanProcessor(SpanProcessor):
    """Binds a request's SERVER span to its recording, and guards what any span says.

    `on_start` runs on the thread that starts the span; it does not block and never raises.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor: Redactor | None = redactor

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        """Guard the span, and bind it where a request waits for one."""
        redactor = self._redactor
        if redactor is None:
            return
        try:
            spans.guard(span, redactor)
            recording = open_requests.current.get()
            if span.kind is not trace.SpanKind.SERVER:
                return
            if isinstance(recording, Recording):
                recording.server_span.notice_start(span)
            else:
                spans.note_outer(span)
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
        """Work again, after `detach`."""
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


def is_attached(provider: trace.TracerProvider) -> bool:
    """Tell whether a provider has our processor."""
    return provider in _attached


def detach_all() -> None:
    """Make every processor inert."""
    with _lock:
        for processor in _attached.values():
            processor.detach()
