"""The span of a request, in the protocol that a write token goes with."""

from hashlib import sha256
from typing import Any, Final

from otel_apimetrics import semconv
from otel_apimetrics.exchange import Exchange, Headers, Response
from otel_apimetrics.exporters.apitally.masks import Marks, Masks
from otel_apimetrics.exporters.apitally.options import Options
from otel_apimetrics.exporters.apitally.otlp_metrics import CONSUMER
from otel_apimetrics.exporters.apitally.protobuf import (
    attributes,
    fixed32,
    fixed64,
    integer,
    message,
    text,
)
from otel_apimetrics.exporters.apitally.tally import cut, identifier, status_of

MARKS: Final = Marks("[REDACTED]", "[REDACTED]", "[REDACTED]", "[BODY_TOO_LARGE]")
REQUEST_BODY: Final = "apitally.request.body"
RESPONSE_BODY: Final = "apitally.response.body"
OWN_KEYS: Final = "apitally.request.custom_attribute_keys"
_SERVER: Final = 2
"""`SPAN_KIND_SERVER`."""
_ERROR: Final = 2
"""`STATUS_CODE_ERROR`."""
_FAILED: Final = 500
_LOCAL: Final = 0x100
_REMOTE: Final = 0x300
"""Flags: whether the parent is in another process is known, and whether it is."""
_MOST_OWN: Final = 40


def ids_of(exchange: Exchange) -> tuple[bytes, bytes]:
    """Give the ids of an exchange's trace and span: its own, or such that stay the same."""
    if exchange.trace_id and exchange.span_id:
        return exchange.trace_id.to_bytes(16, "big"), exchange.span_id.to_bytes(8, "big")
    digest = sha256(exchange.id.encode()).digest()
    trace_id = exchange.trace_id.to_bytes(16, "big") if exchange.trace_id else digest[:16]
    return trace_id, digest[16:24]


def span(exchange: Exchange, options: Options, masks: Masks) -> bytes:
    """Write a `Span` (opentelemetry.proto.trace.v1)."""
    request = exchange.request
    trace_id, span_id = ids_of(exchange)
    end = exchange.started_ns + exchange.duration_ns
    method = request.method if request.method in semconv.KNOWN_METHODS else "HTTP"
    out = message(1, trace_id) + message(2, span_id)
    if exchange.parent_span_id:
        out += message(4, exchange.parent_span_id.to_bytes(8, "big"))
    out += text(5, method if request.route is None else f"{method} {request.route}")
    out += integer(6, _SERVER) + fixed64(7, exchange.started_ns) + fixed64(8, end)
    out += attributes(9, said(exchange, options, masks))
    error = exchange.exception
    if error is not None and options.capture_exceptions:
        told = {
            semconv.EXCEPTION_TYPE: error.type,
            semconv.EXCEPTION_MESSAGE: cut(error.message),
            semconv.EXCEPTION_STACKTRACE: error.stacktrace,
            "exception.escaped": "False",
        }
        event = fixed64(1, end) + text(2, semconv.EXCEPTION_EVENT) + attributes(3, told)
        out += message(11, event)
    failed = (status_of(exchange) or 0) >= _FAILED
    out += message(15, integer(3, _ERROR) if failed else b"")
    return out + fixed32(16, _REMOTE if exchange.parent_span_id else _LOCAL)


def said(exchange: Exchange, options: Options, masks: Masks) -> dict[str, Any]:
    """Give the attributes of the span; `None` is none."""
    request, response, consumer = exchange.request, exchange.response, exchange.consumer
    status = status_of(exchange)
    query = masks.query(request.query) if options.capture_query else ""
    out: dict[str, Any] = {
        CONSUMER: None if consumer is None else identifier(consumer),
        semconv.REQUEST_METHOD: request.method,
        semconv.URL_SCHEME: request.scheme,
        semconv.URL_PATH: request.path,
        semconv.URL_QUERY: query or None,
        semconv.ROUTE: request.route,
        semconv.STATUS_CODE: status,
        semconv.ERROR_TYPE: str(status) if status is not None and status >= _FAILED else None,
        semconv.SERVER_ADDRESS: request.host or None,
        semconv.SERVER_PORT: request.port,
        semconv.CLIENT_ADDRESS: request.client_address,
        semconv.CLIENT_PORT: request.client_port,
        semconv.USER_AGENT: request.user_agent or None,
        semconv.PROTOCOL_VERSION: request.http_version,
        semconv.REQUEST_BODY_SIZE: request.body.size or None,
        semconv.RESPONSE_BODY_SIZE: None if response is None else response.body.size,
    }
    if options.capture_request_headers:
        out.update(_headers(masks, request.headers, semconv.REQUEST_HEADER))
    if options.capture_request_body:
        out[REQUEST_BODY] = masks.body(exchange, of_request=True)
        out[semconv.REQUEST_TRUNCATED] = request.body.truncated or None
    if response is not None:
        _add_response(out, exchange, response, options, masks)
    _add_own(out, exchange)
    return out


def _add_response(
    out: dict[str, Any], exchange: Exchange, response: Response, options: Options, masks: Masks
) -> None:
    if options.capture_response_headers:
        out.update(_headers(masks, response.headers, semconv.RESPONSE_HEADER))
    if options.capture_response_body:
        out[RESPONSE_BODY] = masks.body(exchange, of_request=False)
        out[semconv.RESPONSE_TRUNCATED] = response.body.truncated or None


def _add_own(out: dict[str, Any], exchange: Exchange) -> None:
    """Add what the app has said of the request, and the list of it."""
    own: dict[str, Any] = {
        name: value
        for name, value in (*exchange.metadata.items(), *exchange.labels.items())
        if isinstance(value, (str, int, float)) and name not in out
    }
    if own:
        names = list(own)[:_MOST_OWN]
        out.update((name, own[name]) for name in names)
        out[OWN_KEYS] = names


def _headers(masks: Masks, headers: Headers, prefix: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in masks.headers(headers):
        values = found.setdefault(prefix + name, [])
        # What is masked is one line, however many there were.
        if values != [MARKS.value] or value != MARKS.value:
            values.append(value)
    return found
