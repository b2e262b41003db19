"""An `Exchange` as span attributes, by the names of `semconv`."""

import json
from dataclasses import asdict
from enum import Enum, auto
from typing import Any

from otel_apimetrics import _guard, semconv
from otel_apimetrics.exchange import Body, Exchange, Headers, Request, Response, WebSocket

Attributes = dict[str, Any]


class Said(Enum):
    """How much of the request a span says already."""

    NOTHING = auto()
    LINE = auto()
    """Another instrumentation has said it, in the conventions that its user chose. Method and
    path are said again: people look for those, in the stable spelling always."""
    START = auto()
    """All of `request_attributes`: it is our own."""


def encode(
    exchange: Exchange,
    *,
    room: int = 128,
    longest: int | None = None,
    said: Said = Said.NOTHING,
) -> Attributes:
    """Give the attributes of a redacted exchange.

    Args:
        exchange: already redacted; this function copies what it is given.
        room: how many attributes the span still takes. Past it the SDK would drop the
            oldest ones, the method first, so headers give way here before that.
        longest: the SDK's limit of a value in characters. Bodies are cut here, where
            the cut can be marked; the SDK would cut them silently.
        said: what to leave out, because each attribute costs where it is set and exported.

    Returns:
        Attributes by name, those of `semconv`.
    """
    out: Attributes = {}
    request, response = exchange.request, exchange.response
    if said is Said.LINE:
        _encode_method(request.method, out)
        out[semconv.URL_PATH] = request.path
    else:
        if said is Said.NOTHING:
            out.update(request_attributes(request))
        _encode_connection(request, out)
    _encode_outcome(request, response, out)
    _encode_identity(exchange, out)
    _encode_record(exchange, out)
    _encode_body(request.body, semconv.REQUEST_BODY, semconv.REQUEST_TRUNCATED, longest, out)
    if response is not None:
        _encode_body(response.body, semconv.RESPONSE_BODY, semconv.RESPONSE_TRUNCATED, longest, out)
    if request.headers:
        _encode_headers(request.headers, semconv.REQUEST_HEADER, room - len(out), out)
    if response is not None and response.headers:
        _encode_headers(response.headers, semconv.RESPONSE_HEADER, room - len(out), out)
    return out


def request_attributes(request: Request) -> Attributes:
    """Give what samplers may decide on, before the app runs (HTTP spans, "HTTP server")."""
    out: Attributes = {}
    _encode_method(request.method, out)
    out[semconv.URL_SCHEME] = request.scheme
    out[semconv.URL_PATH] = request.path
    if request.query:
        out[semconv.URL_QUERY] = request.query
    if request.host:
        out[semconv.SERVER_ADDRESS] = request.host
    if request.port is not None:
        out[semconv.SERVER_PORT] = request.port
    if request.client_address is not None:
        out[semconv.CLIENT_ADDRESS] = request.client_address
    if request.user_agent:
        out[semconv.USER_AGENT] = request.user_agent
    return out


def _encode_method(method: str, out: Attributes) -> None:
    if method in semconv.KNOWN_METHODS:
        out[semconv.REQUEST_METHOD] = method
    else:
        out[semconv.REQUEST_METHOD] = semconv.OTHER
        out[semconv.REQUEST_METHOD_ORIGINAL] = method


def _encode_connection(request: Request, out: Attributes) -> None:
    """Encode what the conventions ask nobody to know at the start."""
    out[semconv.PROTOCOL_VERSION] = request.http_version
    if request.client_port is not None:
        out[semconv.CLIENT_PORT] = request.client_port
    if request.local_address is not None:
        out[semconv.LOCAL_ADDRESS] = request.local_address
    if request.local_port is not None:
        out[semconv.LOCAL_PORT] = request.local_port


def _encode_outcome(request: Request, response: Response | None, out: Attributes) -> None:
    if request.route is not None:
        out[semconv.ROUTE] = request.route
    if request.body.size is not None:
        out[semconv.REQUEST_BODY_SIZE] = request.body.size
    if response is not None:
        out[semconv.STATUS_CODE] = response.status
        if response.body.size is not None:
            out[semconv.RESPONSE_BODY_SIZE] = response.body.size


def _encode_identity(exchange: Exchange, out: Attributes) -> None:
    consumer, company = exchange.consumer, exchange.company
    if consumer is not None:
        out[semconv.CONSUMER_ID] = consumer.id
        if consumer.name is not None:
            out[semconv.CONSUMER_NAME] = consumer.name
        if consumer.email is not None:
            out[semconv.CONSUMER_EMAIL] = consumer.email
        if consumer.group is not None:
            out[semconv.CONSUMER_GROUP] = consumer.group
    if company is not None:
        out[semconv.COMPANY_ID] = company.id
        if company.name is not None:
            out[semconv.COMPANY_NAME] = company.name
    if exchange.session is not None:
        out[semconv.SESSION_ID] = exchange.session


def _encode_record(exchange: Exchange, out: Attributes) -> None:
    out[semconv.EXCHANGE_ID] = exchange.id
    if exchange.framework:
        out[semconv.FRAMEWORK] = exchange.framework
    if exchange.direction != "incoming":
        out[semconv.DIRECTION] = exchange.direction
    if exchange.weight != 1.0:
        out[semconv.WEIGHT] = exchange.weight
    if exchange.blocked_by is not None:
        out[semconv.BLOCKED_BY] = exchange.blocked_by
    if exchange.error is not None:
        out[semconv.ERROR_TYPE] = exchange.error
    if exchange.websocket is not None:
        _encode_websocket(exchange.websocket, out)
    for name, value in exchange.labels.items():
        out[semconv.label_key(name)] = value
    _encode_documents(exchange, out)


def _encode_documents(exchange: Exchange, out: Attributes) -> None:
    """Encode what has a structure of its own, as JSON text."""
    if exchange.metadata:
        try:
            out[semconv.METADATA] = json.dumps(dict(exchange.metadata), default=str)
        except Exception as error:  # the app's own objects: keys, cycles, a raising __str__
            _guard.swallow("attributes.metadata", error)
    if exchange.validation_errors:
        out[semconv.VALIDATION_ERRORS] = json.dumps([asdict(e) for e in exchange.validation_errors])


def _encode_websocket(websocket: WebSocket, out: Attributes) -> None:
    for name, value in asdict(websocket).items():
        if value is not None:
            out[semconv.WEBSOCKET + name] = value


def _encode_body(
    body: Body, content_key: str, truncated_key: str, longest: int | None, out: Attributes
) -> None:
    content, truncated = body.content, body.truncated
    if content is not None:
        if longest is not None and len(content) > longest:
            content, truncated = content[:longest], True
        out[content_key] = content
    if truncated:
        out[truncated_key] = True


def _encode_headers(headers: Headers, prefix: str, room: int, out: Attributes) -> None:
    room = min(room, semconv.MAX_HEADERS)
    # Tuples, as the SDK keeps them: what is on the span compares equal to what we gave.
    once = {prefix + name: (value,) for name, value in headers}
    if len(once) == len(headers) <= room:
        out.update(once)
        return
    taken = 0
    for name, value in headers:
        key = prefix + name
        values = out.get(key)
        if values is not None:
            out[key] = (*values, value)
        elif taken < room:
            out[key] = (value,)
            taken += 1
