"""Hooks that read who called from an exchange's request."""

import binascii
import json
import re
from typing import Any

from otel_apimetrics.exchange import Exchange, first
from otel_apimetrics.identity.clean import clean_id, hash_id
from otel_apimetrics.identity.errors import SpecError
from otel_apimetrics.identity.key_mask import mask_key
from otel_apimetrics.typing import Identify

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
"""A header's name (RFC 9110, section 5.1)."""

_BASE64 = re.compile(r"[0-9A-Za-z+/_-]+={0,2}")

_URLSAFE = str.maketrans("-_", "+/")

_MAX_CREDENTIALS = 16384
"""Characters of an Authorization header; servers refuse longer ones by default."""

_MAX_PAYLOAD = 8192

_SHORTEST_TOLD = 8
"""Characters of the shortest key whose last four may be told."""

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})

_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization"})


def by_header(name: str) -> Identify:
    """Take the consumer from a header that holds an identity, as a gateway sets it.

    The value is recorded as it is. For a header that holds a secret use `by_key`.

    Args:
        name: the header's name, any case. Of several lines the first is taken.

    Returns:
        A hook; it answers `None` where the header is absent or empty.

    Raises:
        SpecError: the name is malformed, or the header carries credentials.
    """
    lower = _header_name(name)
    if lower in _SECRET_HEADERS:
        raise SpecError(
            f"identify: {name!r} carries a secret, which must not become a name;"
            f" use key:{lower} (hashed), basic, or bearer:CLAIM"
        )

    def identify(exchange: Exchange, /) -> str | None:
        return clean_id(_header(exchange, lower))

    return identify


def by_basic_user() -> Identify:
    """Take the consumer from the user-id of Basic credentials (RFC 7617), never the password.

    Where clients send a secret key as the user-id, use `key:authorization` instead.

    Returns:
        A hook; it answers `None` for other schemes and malformed credentials.
    """

    def identify(exchange: Exchange, /) -> str | None:
        decoded = _base64(_credentials(exchange, "basic"))
        user, colon, _ = (decoded or b"").partition(b":")
        # Without a colon this is no user-id but a secret of some other make.
        return clean_id(_text(user)) if colon else None

    return identify


def by_bearer_claim(claim: str) -> Identify:
    """Take the consumer from a claim of a bearer token that is a JWT (RFC 7519).

    The signature is not verified: the app does that, and answers 401 where it is wrong.

    Args:
        claim: its name ("sub", "https://example.com/tenant"), or a dotted path ("realm.id")
            where no claim has that whole name.

    Returns:
        A hook; it answers `None` where the token is no signed JWT, its payload is malformed
        or over 8 KiB, or the claim is neither text nor an integer.

    Raises:
        SpecError: the claim is empty.
    """
    if not claim.strip():
        raise SpecError("identify: 'bearer:' names no claim; write one such as bearer:sub")

    def identify(exchange: Exchange, /) -> str | None:
        parts = _credentials(exchange, "bearer").split(".", 3)
        payload = _base64(parts[1]) if len(parts) == 3 else None  # noqa: PLR2004  RFC 7515, 7.1
        if payload is None or len(payload) > _MAX_PAYLOAD:
            return None
        try:
            value = _claim(json.loads(payload), claim)
        except (ValueError, RecursionError):
            return None
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return None
        return clean_id(str(value))

    return identify


def by_key(header: str, salt: str = "") -> Identify:
    """Take the consumer from an API key, hashed.

    Args:
        header: the header that holds the key, any case. From `Authorization` the scheme is
            dropped first, so that one key has one name.
        salt: as `hash_id` takes it.

    Returns:
        A hook that answers "key-" and 16 hex digits, or `None` where the header is absent.

    Raises:
        SpecError: the header's name is malformed.
    """
    lower = _header_name(header)

    def identify(exchange: Exchange, /) -> str | None:
        key = _key(exchange, lower)
        return hash_id(key, salt) if key else None

    return identify


def by_readme_key(header: str, salt: str = "") -> Identify:
    """Take the consumer from an API key, named as ReadMe compares it with the keys that it knows.

    Args:
        header: as `by_key` takes it.
        salt: for a key of fewer than eight characters, of which the last four would tell too
            much: it is named as `by_key` does.

    Returns:
        A hook that answers as `mask_key` does, or `None` where the header is absent.

    Raises:
        SpecError: the header's name is malformed.
    """
    lower = _header_name(header)

    def identify(exchange: Exchange, /) -> str | None:
        key = _key(exchange, lower)
        if 0 < len(key) < _SHORTEST_TOLD:
            return hash_id(key, salt)
        return clean_id(mask_key(key)) if key else None

    return identify


def by_client_address() -> Identify:
    """Take the consumer from the client's address, as much of it as `client_ip` tells.

    Returns:
        A hook; it answers `None` where the address is unknown or not told.
    """

    def identify(exchange: Exchange, /) -> str | None:
        return clean_id(exchange.request.client_address or "")

    return identify


def _header_name(name: str) -> str:
    stripped = name.strip()
    if not _TOKEN.fullmatch(stripped):
        raise SpecError(f"identify: {name!r} is no header name; write one such as x-consumer-id")
    return stripped.lower()


def _header(exchange: Exchange, lower: str) -> str:
    return first(exchange.request.headers, lower)


def _key(exchange: Exchange, lower: str) -> str:
    key = _header(exchange, lower).strip()
    if lower in _CREDENTIAL_HEADERS:
        scheme, _, rest = key.partition(" ")
        key = rest.strip() or scheme
    return key


def _credentials(exchange: Exchange, scheme: str) -> str:
    value = _header(exchange, "authorization")
    if len(value) > _MAX_CREDENTIALS:
        return ""
    given, _, credentials = value.strip().partition(" ")
    return credentials.strip() if given.lower() == scheme else ""


def _base64(text: str) -> bytes | None:
    if not _BASE64.fullmatch(text):
        return None
    bare = text.rstrip("=").translate(_URLSAFE)
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return None


def _text(data: bytes) -> str:
    # RFC 7617 leaves the charset open: UTF-8 is asked for, Latin-1 is what old clients send.
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _claim(claims: Any, path: str) -> Any:
    if isinstance(claims, dict) and path in claims:
        return claims[path]
    for name in path.split("."):
        if not isinstance(claims, dict):
            return None
        claims = claims.get(name)
    return claims
