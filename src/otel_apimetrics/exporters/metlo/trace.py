"""An exchange as a trace of Metlo's first protocol (`/api/v1/log-request`)."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote

from otel_apimetrics.exchange import Body, Exchange, Headers, Request, first
from otel_apimetrics.exporters.addresses import authority
from otel_apimetrics.shortening import cut

_REFUSED: Final = re.compile(r"[\\?<>&=]")
"""What Metlo's collector refuses in a path."""
_EMPTY_SEGMENTS: Final = 2
"""Empty segments of a path that it takes, at most: `/a/` has two."""
_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"}
)
_CUT: Final = "[TRUNCATED]"
"""Behind the text of a body that was cut."""


class UnwantedError(Exception):
    """Metlo's collector would refuse the trace, or take it and throw it away."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        """One of a fixed set."""


def trace(exchange: Exchange, *, environment: str, max_body_size: int) -> dict[str, Any]:
    """Translate an exchange.

    Args:
        exchange: redacted.
        environment: as Metlo shows it.
        max_body_size: bytes of each body; a larger one is cut.

    Raises:
        UnwantedError: there was no response, or the collector takes no such method or path.
    """
    request, response = exchange.request, exchange.response
    if response is None:
        raise UnwantedError("no_response")
    if request.method not in _METHODS:
        raise UnwantedError("method")
    host = first(request.headers, "host") or authority(request)
    return {
        "request": {
            "url": {
                "host": host,
                "path": path_of(request),
                "parameters": [
                    {"name": name, "value": value}
                    for name, value in parse_qsl(request.query, keep_blank_values=True)
                ],
            },
            "headers": _pairs(request.headers),
            "body": _text(request.body, max_body_size),
            "method": request.method,
        },
        "response": {
            "url": host,
            "status": response.status,
            "headers": _pairs(response.headers),
            "body": _text(response.body, max_body_size),
        },
        "meta": {
            "environment": environment,
            "incoming": exchange.direction == "incoming",
            "source": request.client_address or "",
            "sourcePort": request.client_port or 0,
            "destination": request.local_address or request.host,
            "destinationPort": request.local_port or request.port or 0,
            "metloSource": f"python/{exchange.framework or 'wsgi'}",
        },
    }


def path_of(request: Request) -> str:
    """Give the path decoded, but for what the collector refuses, which stays escaped.

    Raises:
        UnwantedError: the collector refuses it in any spelling.
    """
    path = unquote(request.path)
    # One bad path has the collector refuse what is behind it in a batch.
    if path.split("/").count("") > _EMPTY_SEGMENTS or not path.startswith("/"):
        raise UnwantedError("path")
    return _REFUSED.sub(lambda found: quote(found[0], safe=""), path)


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _text(body: Body, most: int) -> str:
    body = cut(body, most)
    text = body.content or ""
    return text + _CUT if body.truncated else text
