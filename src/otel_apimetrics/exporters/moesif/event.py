"""An exchange as Moesif's event (Moesif API reference, "Log an API Call")."""

import json
from base64 import b64encode
from functools import lru_cache
from time import gmtime, strftime
from typing import Any, Final

from otel_apimetrics.exchange import Body, Exchange, Headers
from otel_apimetrics.exporters.addresses import url_as_sent
from otel_apimetrics.exporters.json_bytes import json_bytes
from otel_apimetrics.shortening import cut

MAX_EVENT: Final = 1_000_000
"""Bytes of an event that Moesif takes ("1 MB")."""
_CUT: Final = "[TRUNCATED]"
"""Behind the text of a body that was cut."""
_ROOM: Final = 64 * 1024
"""Bytes of an event besides its bodies, when there is no room for those."""


def event(exchange: Exchange, *, api_version: str | None, max_body_size: int) -> bytes:
    """Translate an exchange.

    Args:
        exchange: redacted.
        api_version: the user's, of all events.
        max_body_size: bytes of a body; a larger one is cut, and sent as text that says so.

    Returns:
        JSON with all eleven members, `null` where there is nothing to say.
    """
    request, response = exchange.request, exchange.response
    bodies = [_encoded(cut(request.body, max_body_size))]
    answer: dict[str, Any] | None = None
    if response is not None:
        bodies.append(_encoded(cut(response.body, max_body_size)))
        answer = {
            "time": _time(exchange.started_ns + exchange.duration_ns),
            "status": response.status,
            "headers": _headers(response.headers),
            "ip_address": None,
        }
    if sum(len(body) for body, _ in bodies) > MAX_EVENT - _ROOM:
        bodies = [(json_bytes({"msg": f"the event exceeded {MAX_EVENT} bytes"}), "json")] * 2
    asked = {
        "time": _time(exchange.started_ns),
        "uri": url_as_sent(request),
        "verb": request.method,
        "headers": _headers(request.headers),
        "api_version": api_version,
        "ip_address": request.client_address if exchange.direction == "incoming" else None,
    }
    sides = [_side(asked, *bodies[0]), b"null" if answer is None else _side(answer, *bodies[1])]
    rest = json_bytes(_about(exchange))
    # The text of a JSON body stands in the event as it is: numbers keep their spelling.
    return b'{"request":%b,"response":%b,%b' % (*sides, rest[1:])


def _about(exchange: Exchange) -> dict[str, Any]:
    consumer, company = exchange.consumer, exchange.company
    return {
        "session_token": exchange.session,
        "tags": None,
        "user_id": None if consumer is None else consumer.id,
        "company_id": None if company is None else company.id,
        "metadata": dict(exchange.metadata) or None,
        "direction": exchange.direction.capitalize(),
        "weight": max(1, round(exchange.weight)),
        "blocked_by": exchange.blocked_by,
        # Moesif drops what it has had under the same id, so a repeated delivery counts once.
        "transaction_id": transaction_id(exchange.id),
    }


def _side(members: dict[str, Any], body: bytes, encoding: str | None) -> bytes:
    return b'%b,"body":%b,"transfer_encoding":%b}' % (
        json_bytes(members)[:-1],
        body,
        json_bytes(encoding),
    )


def _encoded(body: Body) -> tuple[bytes, str | None]:
    """Give a body as JSON, and its transfer encoding."""
    text = body.content
    if not text:
        return b"null", None
    raw = text.encode("utf-8", "replace")
    if not body.truncated and _is_document(text):
        return raw.removeprefix(b"\xef\xbb\xbf"), "json"
    if body.truncated:
        raw += _CUT.encode()
    return b'"%b"' % b64encode(raw), "base64"


def _is_document(text: str) -> bool:
    """Tell an object or a list of JSON, which is all that Moesif's SDKs send as JSON."""
    if text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "["):
        return False
    try:
        _DECODER.decode(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(word: str) -> None:
    raise ValueError(word)


# Kept, because making one costs as much as reading a small body.
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)


def transaction_id(digits: str) -> str:
    """Write the 32 hex digits of an exchange's id as a UUID (RFC 9562)."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _headers(headers: Headers) -> dict[str, str]:
    """Join repeated lines with commas, as Moesif's documentation asks."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _time(nanoseconds: int) -> str:
    """Write a time as Moesif's SDKs do: UTC, milliseconds, without a zone."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{_second(seconds)}.{rest // 1_000_000:03d}"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))
