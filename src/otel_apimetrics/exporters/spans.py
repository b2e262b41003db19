"""An exchange as the ended span that any OpenTelemetry span exporter takes."""

import random

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from otel_apimetrics import semconv
from otel_apimetrics.attributes import encode
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.version import __version__

_SCOPE = InstrumentationScope(semconv.SCOPE, __version__, semconv.SCHEMA_URL)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SERVER_ERROR = 500


def as_span(exchange: Exchange, resource: Resource) -> ReadableSpan:
    """Build the span of an exchange: SERVER, or CLIENT where it is outgoing.

    Its ids are the real ones. It is marked as sampled whatever the trace sampler said: the
    exporter was chosen to get every exchange.

    Args:
        exchange: redacted.
        resource: of the provider whose pipeline this exporter stands beside.
    """
    trace_id = exchange.trace_id or random.getrandbits(128)
    parent = None
    if exchange.parent_span_id:
        parent = SpanContext(trace_id, exchange.parent_span_id, is_remote=True)
    span_id = exchange.span_id or random.getrandbits(64)
    request = exchange.request
    method = request.method if request.method in semconv.KNOWN_METHODS else "HTTP"
    return ReadableSpan(
        name=method if request.route is None else f"{method} {request.route}",
        context=SpanContext(trace_id, span_id, is_remote=False, trace_flags=_SAMPLED),
        parent=parent,
        resource=resource,
        attributes=encode(exchange),
        events=_events(exchange),
        kind=SpanKind.CLIENT if exchange.direction == "outgoing" else SpanKind.SERVER,
        status=_status(exchange),
        start_time=exchange.started_ns,
        end_time=exchange.started_ns + exchange.duration_ns,
        instrumentation_scope=_SCOPE,
    )


def _events(exchange: Exchange) -> list[Event]:
    exception = exchange.exception
    if exception is None:
        return []
    return [
        Event(
            semconv.EXCEPTION_EVENT,
            {
                semconv.EXCEPTION_TYPE: exception.type,
                semconv.EXCEPTION_MESSAGE: exception.message,
                semconv.EXCEPTION_STACKTRACE: exception.stacktrace,
            },
            exchange.started_ns + exchange.duration_ns,
        )
    ]


def _status(exchange: Exchange) -> Status:
    response = exchange.response
    failed = exchange.exception is not None or (
        response is not None and response.status >= _SERVER_ERROR
    )
    return Status(StatusCode.ERROR) if failed else Status()
