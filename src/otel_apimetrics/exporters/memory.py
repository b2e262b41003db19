"""How much memory an exchange takes while it waits."""

from otel_apimetrics.exchange import Exchange, Request, Response

_OVERHEAD = 1_024
"""Bytes of an exchange without its headers and bodies."""


def size_of(exchange: Exchange) -> int:
    """Estimate the memory of an exchange, in bytes."""
    return _OVERHEAD + _side(exchange.request) + _side(exchange.response)


def _side(side: Request | Response | None) -> int:
    if side is None:
        return 0
    size = len(side.body.content or "")
    for name, value in side.headers:
        size += len(name) + len(value)
    return size
