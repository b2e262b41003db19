"""The record of one HTTP request and its response.

Frozen, and made of the standard library alone: everything after the capture is a
pure function of an `Exchange`. No vendor's words live here.
"""

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from otel_apimetrics.records import copier, evolve, maker, record

__all__ = [
    "Body",
    "Company",
    "Consumer",
    "Direction",
    "ExceptionInfo",
    "Exchange",
    "Headers",
    "Request",
    "Response",
    "ValidationError",
    "WebSocket",
    "copier",
    "evolve",
    "first",
    "maker",
]

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Name and value pairs in the order of the wire, repeats kept, names in lower case."""

Direction: TypeAlias = Literal["incoming", "outgoing"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NOTHING


@record
class Body:
    """What was said on one side."""

    content: str | None = None
    """Text, content-coding removed and charset decoded; `None` where nothing was captured."""
    size: int | None = None
    """Bytes on the wire of the whole body, even where the content was cut; `None` is unknown."""
    truncated: bool = False
    """True where `content` is shorter than what was sent."""


@record
class Consumer:
    """Who called: the party that an API team would bill, throttle or write to."""

    id: str
    name: str | None = None
    email: str | None = None
    group: str | None = None


@record
class Company:
    """The organisation a consumer belongs to."""

    id: str
    name: str | None = None


@record
class Request:
    """The request as the app's server understood it."""

    method: str
    scheme: str = "http"
    host: str = ""
    """`server.address`: the Host header's host without port and brackets; "" where unknown."""
    port: int | None = None
    path: str = "/"
    """The path as sent where the server tells (RAW_URI, raw_path), else re-quoted."""
    query: str = ""
    """Without the question mark, escapes as sent."""
    route: str | None = None
    """The framework's template ("/users/<int:id>"), mount prefix included; `None`: no match."""
    http_version: str = "1.1"
    user_agent: str = ""
    headers: Headers = ()
    body: Body = field(default_factory=Body)
    client_address: str | None = None
    client_port: int | None = None
    local_address: str | None = None
    local_port: int | None = None


@record
class Response:
    """The response as the app gave it to the server."""

    status: int
    headers: Headers = ()
    body: Body = field(default_factory=Body)


@record
class WebSocket:
    """The traffic of one WebSocket connection."""

    close_code: int | None = None
    messages_received: int = 0
    messages_sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0


@record
class ExceptionInfo:
    """An exception that left the app's handler."""

    type: str
    """Qualified name, as the semantic conventions' `exception.type`."""
    message: str = ""
    stacktrace: str = ""


@record
class ValidationError:
    """One complaint of a framework's validation. The rejected input is never kept."""

    source: str
    """Where the field was: body, query, path, header, cookie; "" where unknown."""
    field: str
    """Dotted path of the field inside its source."""
    message: str
    type: str
    """The validator's error code ("missing", "int_parsing")."""


@record
class Exchange:
    """One request and its response, with who asked."""

    id: str
    """32 hex digits, stable over retries of a delivery."""
    request: Request
    response: Response | None = None
    """`None`: the app raised, or the client left, before a response started."""
    direction: Direction = "incoming"
    started_ns: int = 0
    """Unix epoch, nanoseconds."""
    duration_ns: int = 0
    """Monotonic clock, nanoseconds: from the request's entry to the last byte handed over."""
    consumer: Consumer | None = None
    company: Company | None = None
    session: str | None = None
    labels: Mapping[str, str] = field(default_factory=_nothing)
    """Low cardinality; those declared by `metric_labels` become metric attributes."""
    metadata: Mapping[str, Any] = field(default_factory=_nothing)
    """JSON-like; never becomes a metric attribute."""
    error: str | None = None
    """`error.type`: an exception's qualified name, a status from 500, or "client_disconnect"."""
    exception: ExceptionInfo | None = None
    validation_errors: tuple[ValidationError, ...] = ()
    websocket: WebSocket | None = None
    framework: str = ""
    weight: float = 1.0
    """How many requests this one stands for, where `sample_rate` thins."""
    blocked_by: str | None = None
    """Id of the rule that answered in the app's place; `None`: the app has answered."""
    trace_id: int = 0
    """0: no span, not even one that was sampled out."""
    span_id: int = 0
    parent_span_id: int = 0
    """0: the span is a root, or it was sampled out."""


def first(headers: Headers, name: str) -> str:
    """Give the first value of a header by its lower-case name, "" where there is none."""
    for found, value in headers:
        if found == name:
            return value
    return ""
