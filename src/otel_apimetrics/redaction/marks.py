"""What stands where something was taken out."""

import hmac
import json
import re
from base64 import b32encode
from typing import Any, Final

MARK: Final = "[REDACTED]"
"""Stands for a value. Constant, so that it does not tell the value's length."""

FAILED: Final = "[REDACTED:error]"
"""Stands for a whole part whose redaction failed: nothing of it is shown."""

TOO_DEEP: Final = "[TRUNCATED:depth]"
"""Stands for a JSON value below the 32nd level."""

MARKED: Final = re.compile(
    r"\[REDACTED(?::(?:error|#\d{1,6}|(?:card )?…[^\]\n]{4}"
    r"|hash [0-9a-f]{16}|token [a-z2-7]{26}))?\]"
)
"""Any of the marks of a redaction, with a note or without."""

_BEGIN: Final = "[REDACTED"
_QUOTED: Final = re.compile(rf"(?:%22|%27|[\"'])*({MARKED.pattern})(?:%22|%27|[\"'])*")
"""A mark, with what stands around it where another rule takes it for a string's value."""

MODES: Final = ("mask", "remove", "hash", "last4", "tokenise")
KEYED: Final = frozenset({"hash", "tokenise"})

_TELLING: Final = 12
"""Characters of the shortest secret whose last four may be told."""
_ENDS: Final = frozenset("]%\"'`\\")
"""What could end a mark, the string around it, or be read as an escape: not told."""


class Marker:
    """Makes the mark of one secret. Immutable, safe between threads.

    Args:
        mode: "mask" and "remove" give the constant mark; "hash" tells equal values by 64 bits
            of an HMAC-SHA-256 (RFC 2104), "tokenise" by 130, so that one can join on them;
            "last4" shows the last four characters of a value of at least 12.
        key: of the HMAC. Whoever has it can test guesses of a short secret.
    """

    def __init__(self, mode: str = "mask", key: bytes = b"") -> None:
        self.constant: Final = mode in {"mask", "remove"}
        """Every secret has the same mark, so that nobody needs to look at it."""
        self._mode: Final = mode
        self._key: Final = key

    def __call__(self, secret: str, rule: str) -> str:
        """Give the mark of a secret; what is a mark already stays.

        Args:
            secret: what was found, decoded.
            rule: what found it: "name:" and the name, or "value:" and the rule.
        """
        # Most secrets hold no mark, which the search for a mark's begin tells for less.
        marked = _QUOTED.fullmatch(secret) if _BEGIN in secret else None
        return marked[1] if marked else self._mark(secret, rule)

    def value(self, value: Any, rule: str) -> str:
        """Give the mark of a value that JSON can hold."""
        if isinstance(value, str):
            return self(value, rule)
        if self.constant:
            return self._mark("", rule)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return self._mark(str(value), rule)
        return self.nested(json.dumps(value, default=str, sort_keys=True), rule)

    def nested(self, text: str, rule: str) -> str:
        """Give the mark of a list or an object, as text: its last four letters tell nothing."""
        return MARK if self._mode == "last4" else self._mark(text, rule)

    def card(self, card: str, last: str) -> str:
        """Give the mark of a payment card: its last four digits may be shown (PCI DSS 3.4)."""
        if self._mode in KEYED:
            return self._mark(card, "value:card")
        return f"[REDACTED:card …{last}]"

    def _mark(self, secret: str, rule: str) -> str:  # noqa: ARG002  for those who explain
        if self.constant:
            return MARK
        if self._mode == "last4":
            last = secret[-4:]
            tells = len(secret) >= _TELLING and last.isprintable() and _ENDS.isdisjoint(last)
            return f"[REDACTED:…{last}]" if tells else MARK
        digest = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
        if self._mode == "hash":
            return f"[REDACTED:hash {digest.hex()[:16]}]"
        return f"[REDACTED:token {b32encode(digest).decode().lower()[:26]}]"


PLAIN: Final = Marker()
