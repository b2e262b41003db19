"""Identities made safe to store, to show and to encode."""

import hmac
import re

LONGEST_ID = 256
"""Characters of an id that are kept."""

_LONGEST_READ = 4096

# Controls, line separators and the marks that turn the direction of text could forge a line
# of a log or a row of a table; a lone surrogate cannot be encoded as UTF-8, which OTLP needs.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clean_id(value: str) -> str | None:
    """Make an identity safe.

    Args:
        value: what a header, a claim or a hook gave.

    Returns:
        At most 256 characters, without control characters and without space around; `None`
        where nothing is left. Two longer values with the same start become one.
    """
    if not value.isprintable() or len(value) > LONGEST_ID:
        value = _UNSAFE.sub("", value[:_LONGEST_READ]).strip()[:LONGEST_ID]
    return value.strip() or None


def hash_id(secret: str, salt: str = "") -> str:
    """Name a secret without telling it.

    Args:
        secret: an API key or a token.
        salt: the key of HMAC-SHA-256. Without one, who knows the name can test guesses of a
            short secret. The same salt gives the same names in all processes.

    Returns:
        "key-" and 16 hex digits.
    """
    key, data = salt.encode("utf-8", "surrogatepass"), secret.encode("utf-8", "surrogatepass")
    return "key-" + hmac.digest(key, data, "sha256").hex()[:16]
