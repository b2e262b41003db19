"""The URL that a client asked for, from the parts of a request."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from otel_apimetrics.exchange import Request, first

_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9\-._~:/?@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})")
"""What has no place in a path or a query."""
_ADDRESS_6: Final = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_FOREIGN_HOST: Final = re.compile(r"[^A-Za-z0-9\-._~]")


def authority(request: Request) -> str:
    """Give host and port as a `Host` header has them: no default port, brackets around IPv6."""
    host = request.host or request.local_address or "localhost"
    return _authority(request.scheme, host, request.port)


def origin(request: Request) -> str:
    """Give scheme, host and port."""
    return f"{request.scheme}://{authority(request)}"


def host_header(request: Request) -> str:
    """Give what the client sent as Host, in lower case, as far as it was kept."""
    return (first(request.headers, "host") or authority(request)).lower()


def url_as_sent(request: Request) -> str:
    """Give the URL without a fragment; path and query as they were sent, brackets and all."""
    return _joined(request, _path(request), request.query)


def strict_url(request: Request) -> str:
    """Give the URL without a fragment, such that any reader of URLs takes it (RFC 3986).

    What has no place in a path or a query is escaped, and what is escaped stays.
    """
    return _joined(request, _escaped(_path(request)), _escaped(request.query))


def _joined(request: Request, path: str, query: str) -> str:
    return f"{origin(request)}{path}?{query}" if query else origin(request) + path


def _path(request: Request) -> str:
    return request.path if request.path.startswith("/") else f"/{request.path}"


@lru_cache(maxsize=64)
def _authority(scheme: str, host: str, port: int | None) -> str:
    # An address of IPv6 may have brackets already, and a zone, which no URL has.
    host = host.strip("[]").partition("%")[0]
    host = f"[{host}]" if _ADDRESS_6.fullmatch(host) else _FOREIGN_HOST.sub(_escape, host)
    told = port is not None and port != _DEFAULT_PORTS.get(scheme)
    return f"{host}:{port}" if told else host


def _escaped(text: str) -> str:
    return _FOREIGN.sub(_escape, text)


def _escape(found: "re.Match[str]") -> str:
    return quote(found[0], safe="", errors="replace")
