"""What a text cannot hold a secret without, asked at the speed of C.

A gate is cheap and lets too much through rather than too little: behind it the rule itself
reads the text.
"""

import re
from collections.abc import Iterable
from string import ascii_letters, ascii_uppercase, digits
from typing import Final, Generic, TypeVar

_Rule = TypeVar("_Rule")

SHORTEST: Final = len("xoxd-") + 10
"""Characters of the shortest token that a rule knows by its prefix."""
_IN_TOKENS: Final = frozenset(f"{ascii_letters}{digits}_.+/=-")
_RUNS: Final = bytes(ord("a" if chr(code) in _IN_TOKENS else " ") for code in range(256))
"""Every character of tokens becomes an a: one search finds the next run of them."""
_RUN: Final = b"a" * SHORTEST
_BYTES_A_RUN: Final = 64
"""Where runs are closer, the whole text is searched instead of taking them out one by one."""
_LARGE: Final = 4_096
"""Bytes of a text that is worth counting its runs."""
SIEVED: Final = bytes(code for code in range(256) if chr(code) not in "ACIJS_dfghkpvwxyz-.")
"""Bytes that prefixes can do without. Searching what is left is a multiple faster than searching
the text, and a prefix that is in the text is, sieved, in the sieved text."""

_SHAPES: Final = bytes(
    ord("0" if chr(code) in digits else "A" if chr(code) in ascii_uppercase else chr(code))
    for code in range(256)
)
"""Every digit becomes 0 and every capital A: one search finds a run of them."""
_BLANKS: Final = b" -"
_NINE: Final = b"0" * 9
"""Digits of a social security number."""
_THIRTEEN: Final = b"0" * 13
"""Digits of the shortest card number."""
_FRACTION: Final = re.compile(rb"\.[0-9]{13,}")
"""No card number is or has a part of one."""
_ACCOUNT: Final = re.compile(rb"AA00[A0]{8}")
"""An account number has two groups of four behind its country and check digits."""
_SSN: Final = re.compile(
    rb"-(?<=[0-9]{3}-)(?<![0-9-][0-9]{3}-)(?<!000-|666-|9[0-9]{2}-)"
    rb"(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9-])"
)
_SCHEMES: Final = (b"bearer", b"basic")
_TOKEN: Final = re.compile(
    rb"(?!.asic {1,4}[A-Za-z][a-z]{0,20}[.-]{0,3}(?:[^A-Za-z0-9._~+/=-]|\Z))"
    rb"[A-Za-z]{5,6} {1,4}[A-Za-z0-9._~+/=-]{8}"
)
"""A scheme and its token, and no word of prose."""


# CPython's `in` for bytes raises and clears an error inside, so `find` it is.
class Numbers:
    """Which numbers of a shape may be in a text.

    Args:
        raw: the text.
    """

    def __init__(self, raw: bytes) -> None:
        shapes = raw.translate(_SHAPES, _BLANKS)
        nine = shapes.find(_NINE)
        account = shapes.find(b"AA00")
        self.account: Final = account >= 0 and _ACCOUNT.search(shapes, account) is not None
        self.card: Final = nine >= 0 and shapes.find(_THIRTEEN, nine) >= 0 and _has_card(raw)
        self.ssn: Final = nine >= 0 and _SSN.search(raw) is not None


def _has_card(raw: bytes) -> bool:
    whole = _FRACTION.sub(b".", raw) if raw.find(b".") >= 0 else raw
    return whole.translate(_SHAPES, _BLANKS).find(_THIRTEEN) >= 0


def has_scheme(raw: bytes) -> bool:
    """Tell whether a scheme of authentication, and a token behind it, may be in a text."""
    lower = raw.lower()
    for scheme in _SCHEMES:
        at = lower.find(scheme)
        while at >= 0:
            if _TOKEN.match(raw, at):
                return True
            at = lower.find(scheme, at + 1)
    return False


class Prefixes(Generic[_Rule]):
    """Rules that know a token by its prefix.

    Args:
        rules: each with the prefixes that it cannot match without. With what follows, they make
            a run of at least `SHORTEST` letters, digits and `_.+/=-`.
    """

    def __init__(self, rules: Iterable[tuple[tuple[str, ...], _Rule]]) -> None:
        self.sieved: Final = tuple(
            (sieved, rule)
            for prefixes, rule in rules
            for sieved in sorted({_sieve(prefix.encode()) for prefix in prefixes})
        )
        """What the sieve leaves of each prefix."""

    def possible(self, raw: bytes) -> set[_Rule]:
        """Name the rules that may find something in this text."""
        runs = _runs(raw)
        if not runs:
            return set()
        left = _sieve(runs)
        return {rule for sieved, rule in self.sieved if sieved in left}


def _sieve(raw: bytes) -> str:
    return raw.translate(None, SIEVED).decode("latin-1")


def _runs(raw: bytes) -> bytes:
    """Give the runs that are long enough for a token, apart."""
    runs = raw.translate(_RUNS)
    start = runs.find(_RUN)
    if start < 0:
        return b""
    if len(raw) > _LARGE and runs.count(_RUN) * _BYTES_A_RUN > len(raw):
        return raw
    found: list[bytes] = []
    while start >= 0:
        end = runs.find(b" ", start + SHORTEST)
        found.append(raw[start:] if end < 0 else raw[start:end])
        start = -1 if end < 0 else runs.find(_RUN, end)
    # A newline between runs is sieved out, a slash is not.
    return b"/".join(found)
