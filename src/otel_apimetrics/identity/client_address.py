"""The client's address: the peer, or what trusted proxies say of it."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

from otel_apimetrics.identity.address import (
    LONGEST,
    IPAddress,
    IpMode,
    check_mode,
    mask_ip,
    parse_address,
)
from otel_apimetrics.identity.errors import SpecError

_Network: TypeAlias = IPv4Network | IPv6Network

_WORDS: dict[str, tuple[str, ...]] = {
    "*": ("0.0.0.0/0", "::/0"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    # Not `is_private`, which holds documentation and benchmark networks too.
    "private": (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10"),
    ),
}

_MAX_HOPS = 32
"""Entries read from the right; a client may have put any number on the left."""

_LONGEST_LIST = 8192
"""Characters read of these headers, from the right: more than `_MAX_HOPS` addresses take."""


class ClientAddress:
    """Find the address of the client of a request.

    Safe to share between threads. Answers are kept for 1,024 addresses.
    """

    def __init__(self, trusted_proxies: tuple[str, ...] = (), mode: IpMode = "truncated") -> None:
        """Say whom to believe and how much to tell.

        Args:
            trusted_proxies: addresses, networks ("10.0.0.0/8") and the words `loopback`,
                `private` (RFC 1918, RFC 4193, link-local) and `*` (all; then a client can
                give itself any address). A peer on a UNIX socket is trusted by `loopback`
                and `*`. Empty: the peer is the client and no header is read.
            mode: how much of the address `resolve` tells.

        Raises:
            SpecError: a proxy or the mode is none of these.
        """
        check_mode(mode)
        self._networks = tuple(network for spec in trusted_proxies for network in _networks(spec))
        self._trusts_sockets = not {"*", "loopback"}.isdisjoint(trusted_proxies)
        self._trusts = lru_cache(maxsize=1024)(self._is_trusted)
        self._told = lru_cache(maxsize=1024)(lambda address: mask_ip(address, mode))

    def resolve(self, peer: str | None, headers: Callable[[str], list[str]]) -> str | None:
        """Return the client's address as it may be recorded.

        Args:
            peer: the other end of the connection as the server gives it; `None` or "" on a
                UNIX socket.
            headers: gives the values of a header's lines in their order, [] for none; called
                with names in lower case, and only for a trusted peer.

        Returns:
            The address with the mode applied, or `None` where it is unknown or not to be told.
        """
        address = self.raw(peer, headers) if self._networks else peer
        # A middleware of the server may have put a header's garbage here: no key for the cache.
        return self._told(address) if address and len(address) <= LONGEST else None

    def raw(self, peer: str | None, headers: Callable[[str], list[str]]) -> str | None:
        """Return the client's address in full, whatever the mode.

        X-Forwarded-For, or where it is absent Forwarded (RFC 7239), is walked from the right
        over all its lines up to the first address that is not a trusted proxy. An entry that
        is no address (`unknown`, `_hidden`, malformed) ends the walk at the one before it.

        Args:
            peer: as for `resolve`.
            headers: as for `resolve`.

        Returns:
            The address without port and zone, or `None` where it is unknown.
        """
        best = parse_address(peer) if peer else None
        trusted = self._trusts(best) if best else self._trusts_sockets and not peer
        if not trusted:
            return str(best) if best else None
        for hop in _hops(headers):
            address = parse_address(hop)
            if address is None:
                break
            best = address
            if not self._trusts(address):
                break
        return str(best) if best else None

    def _is_trusted(self, address: IPAddress) -> bool:
        return any(address in network for network in self._networks)


def _networks(spec: str) -> tuple[_Network, ...]:
    try:
        return tuple(ip_network(text, strict=False) for text in _WORDS.get(spec, (spec,)))
    except ValueError as error:
        raise SpecError(
            f"trusted_proxies: {spec!r} is no address and no network; write one such as"
            f" 10.0.0.0/8, or one of the words {', '.join(_WORDS)}"
        ) from error


def _hops(headers: Callable[[str], list[str]]) -> list[str]:
    """List what the proxies saw, the nearest first; "" where one did not say."""
    forwarded_for = headers("x-forwarded-for")
    if forwarded_for:
        return _last_elements(",".join(forwarded_for)[-_LONGEST_LIST:])
    forwarded = headers("forwarded")
    if not forwarded:
        return []
    elements = _last_elements(_without_quotes(",".join(forwarded)[-_LONGEST_LIST:]))
    return [_for_node(element) for element in elements]


def _last_elements(value: str) -> list[str]:
    # Empty elements of a list are ignored (RFC 9110, section 5.6.1.2).
    elements = value.rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]
    return [element for element in reversed(elements) if element and not element.isspace()]


def _without_quotes(value: str) -> str:
    # Quotes are paired from the right: what a client wrote on the left, balanced or not,
    # cannot hide what a proxy added. No address needs the characters that are blanked.
    parts = value.split('"')
    for index in range(len(parts) - 2, -1, -2):
        parts[index] = parts[index].translate({ord(","): "_", ord(";"): "_", ord("\\"): "_"})
    return "".join(parts)


def _for_node(element: str) -> str:
    for pair in element.split(";"):
        name, _, node = pair.partition("=")
        if name.strip().lower() == "for":
            return node
    return ""
