"""The lock on a span: when it ends, and what it says then.

A span that has ended cannot be changed (opentelemetry-python issue 5614), and contrib's
instrumentations end theirs before the response's last byte. So the class of a span is
swapped for a subclass whose `end` waits for the recording, and which redacts in place
what other instrumentations wrote.
"""

from collections.abc import Mapping
from typing import Any, cast

from opentelemetry import trace
from opentelemetry.sdk.trace import Span
from opentelemetry.trace import Status, StatusCode

from otel_apimetrics import _guard, semconv
from otel_apimetrics.redaction import ADDRESSES, FAILED, Redactor
from otel_apimetrics.span_attributes import is_of_sdk, put, says_only

_EXCEPTION = semconv.EXCEPTION_EVENT
_OPEN = "_apimetrics_open"
"""In a span's `__dict__` while a recording holds it; True once its owner asked for the end."""
_END_TIME = "_apimetrics_end_time"
"""In a span's `__dict__` once the recording is made: the last byte's time."""
_CLEAN = "_apimetrics_clean"
"""In a span's `__dict__`: the attributes of our record, redacted already."""
_NOTHING: Mapping[str, Any] = {}
_SERVED = frozenset({trace.SpanKind.SERVER, trace.SpanKind.INTERNAL})
"""Kinds of spans whose peer is a client; the peer of others is whom this process calls."""
_ADDRESS = "_apimetrics_address"
"""In a span's `__dict__`: the client's address as the record tells it."""
_FINAL = "_apimetrics_final"
"""In a span's `__dict__`: an attribute that others may not overwrite."""

_REDACTOR = "_apimetrics_redactor"
"""In a span's `__dict__`: what redacts it."""

_guarded_classes: dict[type[Span], type[Span]] = {}


def hold(span: trace.Span) -> bool:
    """Keep a span open until `release`, whoever ends it. False where its class refuses."""
    if not is_of_sdk(span):
        return False
    span.__dict__[_OPEN] = False
    return True


def release(span: trace.Span, end_time: int, *, at_once: bool) -> None:
    """Let a held span end, at `end_time` (nanoseconds since the epoch).

    It ends now if its owner has asked for that, or `at_once`. Else it ends when the owner
    asks: FastAPI and contrib write on theirs after the last message went out.
    """
    held = getattr(span, "__dict__", None)
    if held is None:  # a foreign class; only one that we started comes here
        span.end(end_time)
        return
    asked = held.pop(_OPEN, None)
    held[_END_TIME] = end_time
    if asked or at_once:
        span.end(end_time)


def write(
    span: trace.Span,
    attributes: Mapping[str, Any],
    clean: Mapping[str, Any],
    client_address: str | None,
) -> None:
    """Put a record on a span.

    Args:
        span: recording.
        attributes: redacted.
        clean: all attributes known to be redacted; the lock at the span's end need not read
            them again.
        client_address: as it is recorded. It is written over every attribute that holds an
            address of the client's or the peer's, because `client_ip` is about all of them.
    """
    if not put(span, attributes):
        span.set_attributes(attributes)
    if is_of_sdk(span):
        span.__dict__[_CLEAN] = clean
        span.__dict__[_ADDRESS] = client_address or ""


def insist(span: trace.Span, name: str, value: str) -> None:
    """Have an attribute keep its value when the span ends, whoever sets it until then."""
    if is_of_sdk(span):
        span.__dict__[_FINAL] = name, value


def close(span: trace.Span) -> None:
    """End a released span whose owner will not ask any more."""
    if span.is_recording():
        span.end()


def is_guarded(span: trace.Span) -> bool:
    """Tell whether the lock is on a span already."""
    return _REDACTOR in getattr(span, "__dict__", ())


def is_held(span: trace.Span) -> bool:
    """Tell whether a recording already holds this span."""
    return _OPEN in getattr(span, "__dict__", ())


def guard(span: trace.Span, redactor: Redactor) -> None:
    """Put the lock on a recording span. A span of a foreign class stays as it is."""
    if not is_of_sdk(span):
        return
    cls: type[Span] = type(span)
    guarded = _guarded_classes.get(cls)
    if guarded is None:
        if cls in _guarded_classes.values():
            return
        guarded = _guarded_classes[cls] = _guarded(cls)
    span.__dict__[_REDACTOR] = redactor
    span.__class__ = guarded


def take(span: trace.Span, redactor: Redactor) -> None:
    """Guard and hold a span that was just started for a recording, whoever has guarded it."""
    guard(span, redactor)
    if hold(span):
        span.__dict__[_REDACTOR] = redactor


def _guarded(cls: type[Span]) -> type[Span]:
    """Make the subclass of one span class.

    A subclass and not functions on the instance: those would tie each span into a
    reference cycle, and a busy server would pay for it in garbage collections.
    """

    class Guarded(cls):  # type: ignore[valid-type, misc]
        def end(self, end_time: int | None = None) -> None:
            held = self.__dict__
            if _OPEN in held:
                held[_OPEN] = True
                return
            last_byte = held.get(_END_TIME)
            if last_byte is not None and not self.is_recording():
                return  # its owner asks, after `close` has ended it
            _finish(self)
            super().end(last_byte or end_time)

        def add_event(
            self,
            name: str,
            attributes: Mapping[str, Any] | None = None,
            timestamp: int | None = None,
        ) -> None:
            if name == _EXCEPTION and attributes and _has_exception(self, attributes):
                return
            super().add_event(_text(self, name), _redacted(self, attributes), timestamp)

        def add_link(
            self, context: trace.SpanContext, attributes: Mapping[str, Any] | None = None
        ) -> None:
            super().add_link(context, _redacted(self, attributes))

        def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
            super().set_status(*_redacted_status(self, status, description))

    Guarded.__name__, Guarded.__qualname__ = cls.__name__, cls.__qualname__
    Guarded.__module__ = cls.__module__
    return Guarded


def _finish(span: Span) -> None:
    """Do what must be done to a live span just before it ends."""
    _redact_in_place(span)
    _redact_name(span)
    _redact_trace_state(span)
    final = span.__dict__.get(_FINAL)
    if final is not None:
        span.set_attribute(*final)


def _text(span: Span, text: str) -> str:
    redactor: Redactor = span.__dict__[_REDACTOR]
    try:
        return redactor.text(text)
    except Exception as error:
        _guard.swallow("spans.redact", error)
        return FAILED


def _redact_name(span: Span) -> None:
    """Redact the name: contrib's WSGI and ASGI middlewares name their spans by the path."""
    told = span.name
    redactor: Redactor = span.__dict__[_REDACTOR]
    if told in redactor.unchanged:
        return
    name = _text(span, told)
    if name != told:
        span.update_name(name)


def _redact_trace_state(span: Span) -> None:
    """Redact what callers wrote into the trace state, as it is exported; it is passed on as is."""
    context = span.get_span_context()
    if context.trace_state is trace.DEFAULT_TRACE_STATE or not context.trace_state:
        return
    redactor: Redactor = span.__dict__[_REDACTOR]
    try:
        entries = [(key, redactor.text(value)) for key, value in context.trace_state.items()]
        state = trace.TraceState(entries)
    except Exception as error:
        _guard.swallow("spans.redact", error)
        state = trace.TraceState()
    if state != context.trace_state:
        span._context = trace.SpanContext(  # noqa: SLF001  no public way
            context.trace_id, context.span_id, context.is_remote, context.trace_flags, state
        )


def _redact_in_place(span: Span) -> None:
    """Redact on a live span the attributes that any instrumentation may have set."""
    clean = span.__dict__.get(_CLEAN, _NOTHING)
    if says_only(span, clean):
        return
    attributes = span.attributes
    if attributes:
        # A copy in one step: each look into the span's own mapping goes through a proxy.
        _redact_others(span, cast("Any", attributes).copy(), clean)


def _redact_others(span: Span, attributes: Mapping[str, Any], clean: Mapping[str, Any]) -> None:
    held = span.__dict__
    redactor: Redactor = held[_REDACTOR]
    address = held.get(_ADDRESS)
    guarded = redactor.guarded_keys
    for key, value in attributes.items():
        if clean.get(key) is value or not guarded[key]:
            continue
        if key in ADDRESSES and (address is not None or span.kind not in _SERVED):
            if address is not None and value != address:
                span.set_attribute(key, address)
            continue
        if clean.get(key) == value:  # the SDK copies sequences
            continue
        redacted = _attribute(redactor, key, value)
        if redacted is not value:
            span.set_attribute(key, redacted)


def _attribute(redactor: Redactor, key: str, value: Any) -> Any:
    try:
        return redactor.attribute(key, value)
    except Exception as error:
        _guard.swallow("spans.redact", error)
        return FAILED


def _redacted(span: Span, attributes: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if not attributes:
        return attributes
    redactor: Redactor = span.__dict__[_REDACTOR]
    return {key: _attribute(redactor, key, value) for key, value in attributes.items()}


def _redacted_status(
    span: Span, status: Status | StatusCode, description: str | None
) -> tuple[Status | StatusCode, str | None]:
    redactor: Redactor = span.__dict__[_REDACTOR]
    try:
        if description is not None:
            description = redactor.text(description)
        if isinstance(status, Status) and status.description is not None:
            status = Status(status.status_code, redactor.text(status.description))
    except Exception as error:
        _guard.swallow("spans.redact", error)
        return (status.status_code if isinstance(status, Status) else status), None
    return status, description


def _has_exception(span: Span, attributes: Mapping[str, Any]) -> bool:
    """Tell whether the record, already on this span, has told of this exception.

    The same one passes us and then an instrumentation outside, which records it again.
    """
    if _END_TIME not in span.__dict__:
        return False
    told = attributes.get(semconv.EXCEPTION_TYPE)
    return any(
        (event.attributes or {}).get(semconv.EXCEPTION_TYPE) == told for event in span.events
    )
