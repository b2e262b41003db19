"""The SERVER span of a request: whose it is."""

import weakref
from contextvars import ContextVar
from enum import Enum, auto

from opentelemetry import trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import StatusCode

from otel_apimetrics import span_lock


class Owner(Enum):
    """Who makes the SERVER span of a request. Decided once, before the app runs."""

    OURS = auto()
    """Nobody else will: we start it."""
    CURRENT = auto()
    """Somebody outside us has: we adopt it."""
    INSIDE = auto()
    """Somebody inside us will: we wait for it in `on_start`."""
    NOBODY = auto()
    """Somebody outside us decided against one (sampled out): there is none."""
    UNDECIDED = auto()
    """Seen only further inside: FastAPI may start one after our entry."""


def decide(*, instrumented_inside: bool) -> Owner:
    """Tell who owns the span of the request that begins here.

    Args:
        instrumented_inside: another instrumentation was found inside the app.
    """
    if not is_instrumentation_enabled():
        return Owner.NOBODY
    current = trace.get_current_span()
    if is_local(current):
        if not current.is_recording():
            return Owner.NOBODY
        return Owner.OURS if outer_server(current) is None else Owner.CURRENT
    return Owner.INSIDE if instrumented_inside else Owner.OURS


_outer: ContextVar["weakref.ref[Span] | None"] = ContextVar("otel_apimetrics_outer", default=None)


def note_outer(span: Span) -> None:
    """Remember a SERVER span that starts where no request of ours is open."""
    _outer.set(weakref.ref(span))


def outer_server(current: trace.Span) -> trace.Span | None:
    """Give the SERVER span around us: the current one, or one above a middleware's span."""
    if is_server(current):
        return current
    noted = _outer.get()
    span = None if noted is None else noted()
    if span is None or not span.is_recording() or span_lock.is_held(span):
        return None
    same_trace = span.get_span_context().trace_id == current.get_span_context().trace_id
    return span if same_trace else None


def is_local(span: trace.Span) -> bool:
    """Tell whether a span is of this process and not over, be it sampled or not."""
    if span is trace.INVALID_SPAN:
        return False
    context = span.get_span_context()
    if not context.is_valid or context.is_remote:
        return False
    # One that is over was left behind in this thread by somebody who did not detach it.
    return not (isinstance(span, ReadableSpan) and span.end_time is not None)


def is_server(span: trace.Span) -> bool:
    """Tell whether a span is a SERVER span."""
    return getattr(span, "kind", None) is trace.SpanKind.SERVER


def limits(span: trace.Span) -> tuple[int, int | None]:
    """Give a span's limits: attributes, and characters of one value (`None`: no limit)."""
    held = getattr(span, "_limits", None)
    count = getattr(held, "max_span_attributes", None)
    return (128 if count is None else count), getattr(held, "max_span_attribute_length", None)


def has_event(span: trace.Span, name: str) -> bool:
    """Tell whether the span has an event of this name."""
    return isinstance(span, ReadableSpan) and any(event.name == name for event in span.events)


def has_resource_attribute(span: trace.Span, name: str) -> bool:
    """Tell whether the provider's resource has an attribute: it cannot be given one any more."""
    return isinstance(span, ReadableSpan) and name in span.resource.attributes


def is_status_unset(span: trace.Span) -> bool:
    """Tell whether nobody has said how the span's work went."""
    return isinstance(span, ReadableSpan) and span.status.status_code is StatusCode.UNSET
