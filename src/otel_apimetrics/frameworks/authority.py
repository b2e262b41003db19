"""The Host header's host and port, where they are ones (RFC 3986, 3.2)."""

import re

_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._~-]{1,253}))(?::(\d{1,5}))?")
_KNOWN: dict[str, tuple[str, int | None]] = {}
_MAX_KNOWN = 256


def split_authority(authority: str) -> tuple[str, int | None]:
    """Split `host:port`; brackets are taken off, garbage gives ("", None)."""
    known = _KNOWN.get(authority)
    if known is None:
        if len(_KNOWN) >= _MAX_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[authority[:512]] = _split(authority)
    return known


def _split(authority: str) -> tuple[str, int | None]:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return "", None
    host = match[1] or match[2]
    if match[3] is None:
        return host, None
    port = int(match[3])
    return (host, port) if port <= 65_535 else ("", None)  # noqa: PLR2004  RFC 9293
