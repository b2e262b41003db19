"""IP addresses as text: read strictly, told as much of as a mode allows."""

import hmac
import re
import secrets
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal, TypeAlias, get_args

from otel_apimetrics.identity.errors import SpecError

IpMode: TypeAlias = Literal["truncated", "full", "hash", "off"]
"""How much of an address is told: its network (/24, /48), all, a keyed hash, or nothing."""

IPAddress: TypeAlias = IPv4Address | IPv6Address

_MODES: tuple[IpMode, ...] = get_args(IpMode)

LONGEST = 96
"""Characters: brackets, IPv6 of 45, a zone, and a port or RFC 7239's obfuscated one."""

_NODE = re.compile(
    r"(?:\[([0-9A-Fa-f:.]{2,45})(?:%[^\[\]\s]{1,32})?\]|([0-9.]{7,15}))"
    r"(?::(?:[0-9]{1,5}|_[0-9A-Za-z._-]{1,32}))?"
    r"|([0-9A-Fa-f:.]{2,45})(?:%[^\[\]\s]{1,32})?"
)

# Not written down anywhere: without it, all IPv4 addresses could be hashed and compared.
_PROCESS_KEY = secrets.token_bytes(32)

_V4_NETWORK = 0xFFFFFF00
_V6_NETWORK = ((1 << 48) - 1) << 80


def parse_address(text: str) -> IPAddress | None:
    """Read an address as proxies and servers write it.

    Args:
        text: "203.0.113.7", "203.0.113.7:4711", "2001:db8::1", "[2001:db8::1]:4711" (RFC 7239,
            section 6), with an IPv6 zone (RFC 4007) or without.

    Returns:
        The address without port and zone, IPv4 where it is mapped into IPv6; `None` for
        anything else.
    """
    return _parse(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=1024)
def _parse(text: str) -> IPAddress | None:
    found = _NODE.fullmatch(text.strip())
    if found is None:
        return None
    try:
        address = ip_address(found.group(found.lastindex or 0))
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def check_mode(mode: str) -> None:
    """Refuse an unknown mode.

    Args:
        mode: what the configuration says.

    Raises:
        SpecError: it is not one of `IpMode`.
    """
    if mode not in _MODES:
        raise SpecError(f"client_ip: {mode!r} is no mode; use one of {', '.join(_MODES)}")


def mask_ip(address: str, mode: IpMode) -> str | None:
    """Tell as much of an address as a mode allows.

    Args:
        address: as `parse_address` reads it.
        mode: `truncated` keeps the /24 of IPv4 and the /48 of IPv6; `hash` gives "ip-" and 16
            hex digits of HMAC-SHA-256 with a key drawn at random when the process began, so
            values compare inside one process (and the children it forks) only.

    Returns:
        The text, or `None` where the mode is `off` or the address is none.
    """
    parsed = parse_address(address)
    return None if parsed is None else masked(parsed, mode)


def masked(address: IPAddress, mode: str) -> str | None:
    """Apply a mode to a parsed address.

    Args:
        address: an address without zone.
        mode: one of `IpMode`; an unknown one tells nothing.

    Returns:
        The text, or `None` where nothing may be told.
    """
    if mode == "full":
        return str(address)
    if mode == "truncated":
        network = _V4_NETWORK if address.version == 4 else _V6_NETWORK  # noqa: PLR2004
        return str(type(address)(int(address) & network))
    if mode == "hash":
        return "ip-" + hmac.digest(_PROCESS_KEY, address.packed, "sha256").hex()[:16]
    return None
