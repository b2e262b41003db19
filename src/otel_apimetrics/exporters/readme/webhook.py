"""The signature of the requests that ReadMe sends to the webhook of personalised docs."""

import hmac
import json
import re
from time import time
from typing import Any, Final

OLDEST: Final = 30 * 60
"""Seconds after which a signature is not taken any more."""
_SIGNATURE: Final = re.compile(r"\s*t=(\d{1,16})\s*,\s*v0=([0-9a-f]{64})\s*", re.ASCII)


class WebhookError(ValueError):
    """The request is not ReadMe's, or too old: answer 401. The message may be shown."""


def verify_webhook(
    body: bytes | str, signature: bytes | str | None, secret: bytes | str
) -> dict[str, Any]:
    """Check that ReadMe has sent a request, and give what it says.

    Args:
        body: of the request, as it came: before any JSON parser.
        signature: the header `readme-signature`, also as ASGI has it, in bytes; `None` where it is
            missing.
        secret: of the webhook, from the dashboard.

    Returns:
        The JSON object of the body: `{"email": ...}`.

    Raises:
        WebhookError: "Missing Signature", "Expired Signature" or "Invalid Signature".
        TypeError: the body is what a JSON parser has made of it, as ReadMe's own SDK takes it.
    """
    if not isinstance(body, (bytes, bytearray, memoryview, str)):
        raise TypeError(
            "verify_webhook takes the body as it came, not what a JSON parser has made of it: in"
            " Flask request.get_data(), in Starlette await request.body(), in Django request.body."
        )
    if not signature:
        raise WebhookError("Missing Signature")
    # RFC 9110 5.5: bytes of a header that are no ASCII are anybody's guess; latin-1 refuses none.
    header = str(signature, "latin-1") if isinstance(signature, bytes) else str(signature)
    found = _SIGNATURE.fullmatch(header)
    if found is None or not secret:
        raise WebhookError("Invalid Signature")
    if time() - int(found[1]) / 1000 > OLDEST:
        raise WebhookError("Expired Signature")
    raw, key = _bytes(body), _bytes(secret)
    said = _object(raw)
    # ReadMe signs its own writing of the JSON: what came is the same, unless it was written anew.
    for text in (raw, _compact(said)):
        expected = hmac.digest(key, f"{found[1]}.".encode() + text, "sha256").hex()
        if hmac.compare_digest(expected, found[2]):
            return said
    raise WebhookError("Invalid Signature")


def _bytes(given: bytes | bytearray | memoryview | str) -> bytes:
    try:
        return given.encode() if isinstance(given, str) else bytes(given)
    except UnicodeEncodeError as error:  # lone surrogates: nobody has signed such a text
        raise WebhookError("Invalid Signature") from error


def _object(raw: bytes) -> dict[str, Any]:
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise WebhookError("Invalid Signature") from error
    if not isinstance(said, dict):
        raise WebhookError("Invalid Signature")
    return said


def _compact(said: dict[str, Any]) -> bytes:
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")
