"""Texts without their escapes, and the pieces by which a secret is known in them."""

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_plus

PIECE: Final = 8
"""Letters in a row of a secret that give it away; of a shorter one, all."""
COMMON: Final = 5
"""Letters in a row that tell nothing where all secrets of a kind have them."""

_CODE: Final = re.compile(r"\\+u([0-9a-fA-F]{4})")
_ESCAPE: Final = re.compile(r"\\+[nrt]")
_SHOWN: Final = re.compile(r"[^\w/=\0-]")
_MARK: Final = re.compile(r"\[REDACTED[^\]]{0,40}\]")


def letters(text: str) -> str:
    """Take away what an escape may add: percent signs, backslashes, blanks, signs."""
    decoded = _CODE.sub(lambda code: chr(int(code[1], 16)), unquote_plus(text))
    # Nothing runs on over a mark.
    return _SHOWN.sub("", _MARK.sub("\0", _ESCAPE.sub(" ", decoded)))


def pieces(text: str, step: int = 1, size: int = PIECE) -> set[str]:
    """Cut into all runs of eight letters, or into every `step`-th one and the last."""
    last = len(text) - size
    found = {text[at : at + size] for at in range(0, last + 1, step)}
    return found | {text[last:]} if last >= 0 else found


def telling(found: set[str], common: frozenset[str]) -> set[str]:
    """Leave out the pieces that are mostly a prefix, which all secrets of a kind have."""
    return {piece for piece in found if common.isdisjoint(pieces(piece, size=COMMON))}


def spellings(hidden: str) -> Iterator[str]:
    """Give what to look for, as `letters` would leave it."""
    yield letters(hidden)
    yield letters(b64encode(hidden.encode()).decode().rstrip("="))
