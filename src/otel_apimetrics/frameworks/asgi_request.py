"""A request as an ASGI scope tells it (ASGI HTTP and WebSocket specification, 2.5)."""

from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

from otel_apimetrics import semconv
from otel_apimetrics.exchange import Headers, Request, first, maker
from otel_apimetrics.frameworks.authority import split_authority
from otel_apimetrics.frameworks.headers import BODILESS_METHODS, PATH_SAFE, lines_of
from otel_apimetrics.identity import ClientAddress

RawHeaders = Iterable[tuple[bytes, bytes]]

_new_request = maker(Request)
_NAMES: dict[bytes, str] = {}
_MAX_NAMES = 512


def read_request(scope: MutableMapping[str, Any], addresses: ClientAddress) -> Request:
    """Read the request from its scope.

    Raises:
        Exception: whatever a malformed scope makes; the caller guards.
    """
    headers = read_headers(scope.get("headers") or ())
    host, port = split_authority(first(headers, "host"))
    client = scope.get("client") or (None, None)
    server = scope.get("server") or (None, None)
    return _new_request(
        method=scope.get("method", "GET")[: semconv.MAX_PATH],
        scheme=scope.get("scheme", "http"),
        host=host,
        port=port,
        path=_path(scope),
        query=_query(scope.get("query_string") or b""),
        http_version=scope.get("http_version") or "1.1",
        user_agent=first(headers, "user-agent")[: semconv.MAX_USER_AGENT],
        headers=headers,
        client_address=addresses.resolve(client[0], lines_of(headers)),
        client_port=client[1] or None,
        # A UNIX socket's path stands in the address's place, without a port.
        local_address=server[0] if server[1] is not None else None,
        local_port=server[1],
    )


def is_announced(request: Request) -> bool:
    """Tell whether a request without a length may have a body: in chunks, or in HTTP/2."""
    if request.method in BODILESS_METHODS:
        return False
    return not request.http_version.startswith("1") or any(
        name == "transfer-encoding" for name, _ in request.headers
    )


def read_headers(raw: RawHeaders) -> Headers:
    """Decode header lines, repeats kept: UTF-8 where they are, else latin-1."""
    known, lines = _NAMES, [*raw]
    try:
        return tuple([(known.get(name) or _lower(name), value.decode()) for name, value in lines])
    except UnicodeDecodeError:
        return tuple([(_lower(name), _decoded(value)) for name, value in lines])


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _lower(name: bytes) -> str:
    if len(_NAMES) >= _MAX_NAMES:
        _NAMES.clear()
    key = _NAMES[bytes(name)] = name.decode("latin-1").lower()
    return key


def _query(given: bytes | str) -> str:
    """Give the query; ASGI asks for bytes, and some tests of apps have text."""
    cut = given[: semconv.MAX_QUERY]
    return cut if isinstance(cut, str) else cut.decode("latin-1")


def _path(scope: MutableMapping[str, Any]) -> str:
    """Give the path as it was sent, where the server tells it."""
    raw = scope.get("raw_path")
    if raw:
        path = bytes(raw).partition(b"?")[0].decode("latin-1")
    else:
        path = quote(scope.get("path", "/"), safe=PATH_SAFE, errors="replace")
    return path[: semconv.MAX_PATH]
