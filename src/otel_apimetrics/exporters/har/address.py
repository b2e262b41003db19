"""The URL of a request, such that any reader of URLs takes it (RFC 3986)."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from otel_apimetrics.exchange import Request, first

_PORTS: Final = {"http": 80, "https": 443}
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9\-._~:/?@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})")
"""What has no place in a path or a query: it is escaped, and what is escaped stays."""
_ADDRESS_6: Final = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_FOREIGN_HOST: Final = re.compile(r"[^A-Za-z0-9\-._~]")


def url_of(request: Request) -> str:
    """Give the whole URL, without a fragment."""
    path = request.path if request.path.startswith("/") else f"/{request.path}"
    url = origin_of(request) + _escaped(path)
    return f"{url}?{_escaped(request.query)}" if request.query else url


def origin_of(request: Request) -> str:
    """Give scheme, host and port, without the scheme's own port."""
    host = request.host or request.local_address or "localhost"
    return _origin(request.scheme, host, request.port)


@lru_cache(maxsize=64)
def _origin(scheme: str, host: str, port: int | None) -> str:
    # An address of IPv6 may have brackets already, and a zone, which no URL has.
    host = host.strip("[]").partition("%")[0]
    host = f"[{host}]" if _ADDRESS_6.fullmatch(host) else _FOREIGN_HOST.sub(_escape, host)
    told = port is not None and port != _PORTS.get(scheme)
    return f"{scheme}://{host}:{port}" if told else f"{scheme}://{host}"


def host_header(request: Request) -> str:
    """Give what the client sent as Host, in lower case, as far as it was kept."""
    said = first(request.headers, "host")
    return (said or origin_of(request).partition("://")[2]).lower()


def _escaped(text: str) -> str:
    return _FOREIGN.sub(_escape, text)


def _escape(found: "re.Match[str]") -> str:
    return quote(found[0], safe="", errors="replace")
