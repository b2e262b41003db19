"""A request as a WSGI environ tells it (PEP 3333)."""

import re
from typing import Any
from urllib.parse import quote

from otel_apimetrics import semconv
from otel_apimetrics.exchange import Headers, Request, maker
from otel_apimetrics.frameworks.authority import split_authority
from otel_apimetrics.frameworks.headers import PATH_SAFE, lines_of
from otel_apimetrics.identity import ClientAddress

_new_request = maker(Request)
_MAX_NAMES = 512
_ADDRESS = re.compile(r"[0-9a-fA-F:.]*[.:][0-9a-fA-F:.]*")


def read_request(environ: dict[str, Any], addresses: ClientAddress) -> Request:
    """Read the request from its environ.

    Raises:
        Exception: whatever a malformed environ makes; the caller guards.
    """
    headers = read_headers(environ)
    host, port = split_authority(environ.get("HTTP_HOST", ""))
    return _new_request(
        method=environ.get("REQUEST_METHOD", "GET")[: semconv.MAX_PATH],
        scheme=environ.get("wsgi.url_scheme", "http"),
        host=host,
        port=port,
        path=_path(environ),
        query=environ.get("QUERY_STRING", "")[: semconv.MAX_QUERY],
        http_version=_version(environ.get("SERVER_PROTOCOL", "")),
        user_agent=environ.get("HTTP_USER_AGENT", "")[: semconv.MAX_USER_AGENT],
        headers=headers,
        client_address=addresses.resolve(environ.get("REMOTE_ADDR"), lines_of(headers)),
        client_port=_port(environ.get("REMOTE_PORT")),
        local_address=_local(environ.get("SERVER_NAME", "")),
        local_port=_port(environ.get("SERVER_PORT")),
    )


def read_headers(environ: dict[str, Any]) -> Headers:
    """Read the headers; WSGI servers have joined repeated ones."""
    names = _NAMES
    return tuple(
        [
            (name, text if (text := str(value)).isascii() else _decoded(text))
            for key, value in environ.items()
            if (name := names[key]) and (value or key not in _CGI)
        ]
    )


class _Names(dict[str, str]):
    """The header's name of an environ's key; "" where it is no header's."""

    def __missing__(self, key: str) -> str:
        if len(self) >= _MAX_NAMES:  # keys come from requests
            self.clear()
        name = key[5:] if key[:5] == "HTTP_" else key if key in _CGI else ""
        name = self[key] = name.lower().replace("_", "-")
        return name


_CGI = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
"""Headers without a prefix, which are there and empty where they were not sent (RFC 3875)."""
_NAMES = _Names()


def _decoded(value: str) -> str:
    """Undo PEP 3333's latin-1 where the bytes were UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value.encode("utf-8", "replace").decode("utf-8")


def _path(environ: dict[str, Any]) -> str:
    """Give the path as it was sent, where the server tells it.

    PATH_INFO is decoded: `%2F` and `/` cannot be told apart there.
    """
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if target:
        path = str(target).partition("?")[0]
        if not path.startswith("/") and "://" in path:
            path = "/" + path.partition("://")[2].partition("/")[2]
    else:
        raw = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        path = quote(raw.encode("latin-1", "replace"), safe=PATH_SAFE) or "/"
    return path[: semconv.MAX_PATH]


def _version(protocol: str) -> str:
    return protocol[5:] if protocol.startswith("HTTP/") else "1.1"


def _port(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None  # noqa: PLR2004


def _local(name: str) -> str | None:
    return name if _ADDRESS.fullmatch(name) else None
