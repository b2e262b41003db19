"""Character references and CDATA inside of a text: `gh&#112;_...`, `pass<![CDATA[word]]>=x`.

Markup in a message or in a string of JSON reads as a browser shows it, and may be shown there.
"""

import re
from collections.abc import Callable
from html import unescape
from typing import Final

from otel_apimetrics.redaction.marks import MARK

SIGN: Final = r"&(?:#[0-9xX]|[A-Za-z][A-Za-z0-9]*;)|<!\[CDATA\["
"""For the first look, with re2: points at whatever reads otherwise here."""

_REFERENCE: Final = re.compile(
    r"&(?:#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6});?|[A-Za-z][A-Za-z0-9]{1,31};)"
)
_SECTION: Final = "<![CDATA["
_SECTION_END: Final = "]]>"
_DEEPEST: Final = 5
"""References around one another that are read; what is hidden deeper is masked."""
_PIECE: Final = re.compile(r'[^"]+')

Scrub = Callable[[str], str]


def suspects(text: str, scrub: Scrub) -> bool:
    """Tell whether `scrub` finds something in what the references of a text stand for.

    Args:
        text: any text, or JSON text.
        scrub: masks a text.
    """
    if not _has_one(text):
        return False
    # As a whole, and apart as the strings of JSON are.
    pieces = "\n".join(piece for piece in text.split('"') if _has_one(piece))
    return any(_found(one, scrub) is not None for one in dict.fromkeys((pieces, text)))


def scrub_read(text: str, scrub: Scrub) -> str:
    """Give what a text reads as, masked; the identical text where nothing is found in that.

    Args:
        text: any text but JSON.
        scrub: masks a text.
    """
    if not _has_one(text):
        return text
    masked = _found(text, scrub)
    return text if masked is None else masked


def scrub_pieces(text: str, scrub: Scrub) -> str:
    """Mask each whole piece between double quotes in whose reading something is found.

    Args:
        text: JSON text, whole or broken. What a reference stands for may be a quote.
        scrub: masks a text.
    """
    if not _has_one(text):
        return text
    return _PIECE.sub(lambda piece: _piece(piece[0], scrub), text)


def _piece(piece: str, scrub: Scrub) -> str:
    return MARK if _has_one(piece) and _found(piece, scrub) is not None else piece


def _has_one(text: str) -> bool:
    if "&" in text and _REFERENCE.search(text) is not None:
        return True
    return "<" in text and _SECTION in text


def _found(text: str, scrub: Scrub) -> str | None:
    plain = text
    for _ in range(_DEEPEST):
        read = _read(plain)
        if read == plain:
            break
        plain = read
    else:
        if _read(plain) != plain:
            return MARK
    if plain == text:
        return None  # an entity of a document's own
    masked = scrub(plain)
    return None if masked == plain else masked


def _read(text: str) -> str:
    if _SECTION in text:
        text = text.replace(_SECTION, "").replace(_SECTION_END, "")
    return _REFERENCE.sub(lambda found: unescape(found[0]), text) if "&" in text else text
