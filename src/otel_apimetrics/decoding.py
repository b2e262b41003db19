"""An ended span as the exchange that it tells of: the way back of `attributes.encode`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from otel_apimetrics import _guard, semconv
from otel_apimetrics.exchange import (
    Body,
    Company,
    Consumer,
    Direction,
    ExceptionInfo,
    Exchange,
    Headers,
    Request,
    Response,
    ValidationError,
    WebSocket,
)

_KINDS = frozenset({SpanKind.SERVER, SpanKind.CLIENT})
_OLD_METHOD = "http.method"
_SOCKET = ("close_code", "messages_received", "messages_sent", "bytes_received", "bytes_sent")

Attributes = Mapping[str, Any]


def decode(span: ReadableSpan) -> Exchange | None:
    """Read the exchange that a span tells of.

    A span that this package wrote gives back what was written. One of another HTTP
    instrumentation, in the stable semantic conventions or the older ones, gives what it says.

    Args:
        span: ended. It is redacted by whoever wrote it; this function copies what is there.

    Returns:
        The exchange, or `None` where the span is not about an HTTP request, or about one that
        was skipped.
    """
    said: Attributes = span.attributes or {}
    if said.get(semconv.SKIPPED):
        return None
    known = semconv.EXCHANGE_ID in said
    if not known and (span.kind not in _KINDS or not _method(said)):
        return None
    context, parent = span.get_span_context(), span.parent
    trace_id = 0 if context is None else context.trace_id
    span_id = 0 if context is None else context.span_id
    started = span.start_time or 0
    return Exchange(
        # The ids of a span stay the same when its delivery is tried again.
        id=str(said[semconv.EXCHANGE_ID]) if known else _id(trace_id, span_id),
        request=_request(said),
        response=_response(said),
        direction=_direction(said, span.kind),
        started_ns=started,
        duration_ns=max((span.end_time or started) - started, 0),
        consumer=_consumer(said),
        company=_company(said),
        session=_text(said, semconv.SESSION_ID),
        labels=_labels(said),
        metadata=_document(said, semconv.METADATA, {}),
        error=_text(said, semconv.ERROR_TYPE),
        exception=_exception(span),
        validation_errors=_validation_errors(said),
        websocket=_websocket(said),
        framework=_text(said, semconv.FRAMEWORK) or "",
        weight=float(said.get(semconv.WEIGHT, 1.0)),
        blocked_by=_text(said, semconv.BLOCKED_BY),
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=0 if parent is None else parent.span_id,
    )


def _id(trace_id: int, span_id: int) -> str:
    return f"{trace_id & 0xFFFF_FFFF_FFFF_FFFF:016x}{span_id:016x}"


def _method(said: Attributes) -> str:
    method = said.get(semconv.REQUEST_METHOD)
    if method == semconv.OTHER:
        method = said.get(semconv.REQUEST_METHOD_ORIGINAL, method)
    return str(method or said.get(_OLD_METHOD) or "")


def _direction(said: Attributes, kind: SpanKind) -> Direction:
    told = said.get(semconv.DIRECTION)
    outgoing = told == "outgoing" or (told is None and kind is SpanKind.CLIENT)
    return "outgoing" if outgoing else "incoming"


def _request(said: Attributes) -> Request:
    path, query = _target(said)
    return Request(
        method=_method(said) or "GET",
        scheme=_first(said, semconv.URL_SCHEME, "http.scheme") or "http",
        host=_first(said, semconv.SERVER_ADDRESS, "http.server_name", "net.host.name"),
        port=_number(said, semconv.SERVER_PORT, "net.host.port"),
        path=path,
        query=query,
        route=_text(said, semconv.ROUTE),
        http_version=_first(said, semconv.PROTOCOL_VERSION, "http.flavor") or "1.1",
        user_agent=_first(said, semconv.USER_AGENT, "http.user_agent"),
        headers=_headers(said, semconv.REQUEST_HEADER),
        body=_body(
            said, semconv.REQUEST_BODY, semconv.REQUEST_BODY_SIZE, semconv.REQUEST_TRUNCATED
        ),
        client_address=_first(said, semconv.CLIENT_ADDRESS, "http.client_ip", "net.peer.ip")
        or None,
        client_port=_number(said, semconv.CLIENT_PORT, "net.peer.port"),
        local_address=_text(said, semconv.LOCAL_ADDRESS),
        local_port=_number(said, semconv.LOCAL_PORT),
    )


def _target(said: Attributes) -> tuple[str, str]:
    """Give path and query; older conventions have both in one, or the whole URL."""
    path, query = _text(said, semconv.URL_PATH), _text(said, semconv.URL_QUERY)
    target = _first(said, "http.target", "url.full", "http.url")
    if "://" in target:
        target = "/" + target.partition("://")[2].partition("/")[2]
    before, _, asked = target.partition("?")
    # Beside the older conventions we say the path alone again.
    return path if path is not None else before or "/", asked if query is None else query


def _response(said: Attributes) -> Response | None:
    status = _number(said, semconv.STATUS_CODE, "http.status_code")
    if status is None:
        return None
    return Response(
        status=status,
        headers=_headers(said, semconv.RESPONSE_HEADER),
        body=_body(
            said, semconv.RESPONSE_BODY, semconv.RESPONSE_BODY_SIZE, semconv.RESPONSE_TRUNCATED
        ),
    )


def _headers(said: Attributes, prefix: str) -> Headers:
    found: list[tuple[str, str]] = []
    for key, values in said.items():
        if key.startswith(prefix):
            name = key[len(prefix) :]
            lines = values if isinstance(values, Sequence) and not isinstance(values, str) else ()
            found += [(name, str(value)) for value in (lines or (values,))]
    return tuple(found)


def _body(said: Attributes, content: str, size: str, truncated: str) -> Body:
    return Body(
        content=_text(said, content),
        size=_number(said, size),
        truncated=bool(said.get(truncated, False)),
    )


def _consumer(said: Attributes) -> Consumer | None:
    told = _text(said, semconv.CONSUMER_ID)
    if told is None:
        return None
    return Consumer(
        id=told,
        name=_text(said, semconv.CONSUMER_NAME),
        email=_text(said, semconv.CONSUMER_EMAIL),
        group=_text(said, semconv.CONSUMER_GROUP),
    )


def _company(said: Attributes) -> Company | None:
    told = _text(said, semconv.COMPANY_ID)
    return None if told is None else Company(id=told, name=_text(said, semconv.COMPANY_NAME))


def _labels(said: Attributes) -> dict[str, str]:
    label_of = semconv.label_of
    return {name: str(v) for k, v in said.items() if (name := label_of(k)) is not None}


def _exception(span: ReadableSpan) -> ExceptionInfo | None:
    for event in span.events:
        if event.name == semconv.EXCEPTION_EVENT:
            told: Attributes = event.attributes or {}
            return ExceptionInfo(
                type=_text(told, semconv.EXCEPTION_TYPE) or "",
                message=_text(told, semconv.EXCEPTION_MESSAGE) or "",
                stacktrace=_text(told, semconv.EXCEPTION_STACKTRACE) or "",
            )
    return None


def _validation_errors(said: Attributes) -> tuple[ValidationError, ...]:
    found = _document(said, semconv.VALIDATION_ERRORS, [])
    try:
        return tuple(ValidationError(**{k: str(v) for k, v in error.items()}) for error in found)
    except (AttributeError, TypeError) as error:
        _guard.swallow("decoding.validation_errors", error)
        return ()


def _websocket(said: Attributes) -> WebSocket | None:
    told = {
        name: number
        for name in _SOCKET
        if (number := _number(said, semconv.WEBSOCKET + name)) is not None
    }
    return WebSocket(**told) if told else None


def _document(said: Attributes, key: str, absent: Any) -> Any:
    """Read what is written as JSON text; what is none was cut by a limit on its length."""
    text = _text(said, key)
    if text is None:
        return absent
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return absent
    return found if isinstance(found, type(absent)) else absent


def _text(said: Attributes, key: str) -> str | None:
    value = said.get(key)
    return None if value is None else str(value)


def _first(said: Attributes, *keys: str) -> str:
    return next((str(said[key]) for key in keys if said.get(key) is not None), "")


def _number(said: Attributes, *keys: str) -> int | None:
    for key in keys:
        value = said.get(key)
        if isinstance(value, (int, float)):
            return int(value)
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            return int(value[:18])
    return None
