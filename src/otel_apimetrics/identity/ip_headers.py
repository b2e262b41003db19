"""Headers that carry addresses, told as much of as the mode allows."""

import re

from otel_apimetrics.identity.address import IpMode, masked, parse_address

IP_HEADERS: frozenset[str] = frozenset(
    {
        "cf-connecting-ip",
        "forwarded",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-forwarded-for",
        "x-real-ip",
    }
)
"""Names in lower case."""

REDACTED = "[REDACTED]"

_LONGEST = 2048

_SEPARATORS = re.compile(r'([,;="\s]+)')

# The grammar of Forwarded (RFC 7239) and Via (RFC 9110, section 7.6.3), and nothing of a sender.
_WORDS = frozenset(
    {
        *("", "by", "for", "host", "http", "https", "proto", "unknown", "ws", "wss"),
        *("1.0", "1.1", "2", "2.0", "3", "3.0"),
        *("http/1.0", "http/1.1", "http/2", "http/2.0", "http/3"),
    }
)


def mask_ip_header(name: str, value: str, mode: IpMode) -> str:
    """Mask every address inside one header's value.

    Args:
        name: the header's name, any case.
        value: its value, one address or a list with parameters.
        mode: as for `mask_ip`. With `off` nothing of the value is told.

    Returns:
        The value with its structure kept, each address masked and without its port, and all
        that is neither an address nor a word of the header's grammar replaced by
        "[REDACTED]". The whole is replaced where the header is not one of `IP_HEADERS`, the
        mode is unknown or the value is longer than 2,048 characters.
    """
    if mode not in {"truncated", "full", "hash"} or len(value) > _LONGEST:
        return REDACTED
    if name.lower() not in IP_HEADERS:
        return REDACTED
    pieces = _SEPARATORS.split(value)
    pieces[::2] = [_masked_piece(piece, mode) for piece in pieces[::2]]
    return "".join(pieces)


def _masked_piece(piece: str, mode: IpMode) -> str:
    if piece.lower() in _WORDS:
        return piece
    address = parse_address(piece)
    told = None if address is None else masked(address, mode)
    if told is None:
        return REDACTED
    return f"[{told}]" if piece.startswith("[") and ":" in told else told
