"""Bounds inside of JSON: strings of 2,048 characters and arrays of 100 items, marked where cut.

They work on text that is redacted already, whole or cut, and parse nothing: what is valid JSON
stays valid JSON.
"""

import json
import re
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring
from typing import Final

from otel_apimetrics.redaction.marks import MARKED

LONGEST: Final = 2_048
"""Characters of a string, with the mark of its cut."""
MOST_ITEMS: Final = 100
"""Items of an array, without the mark of its cut."""
CUT_STRING: Final = "[TRUNCATED:length]"
"""Ends a string that was longer, behind a blank: a value before it does not go on in it."""
CUT_ARRAY: Final = "[TRUNCATED:items]"
"""Stands for the items behind the hundredth."""

_GRACE: Final = 64
"""Characters that a mark before the end may make a string longer."""
_AROUND: Final = 64
"""Characters in which a mark ends that begins before a cut."""
_KEPT: Final = LONGEST - len(f" {CUT_STRING}")
_LAST: Final = f'"{CUT_ARRAY}"'
_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
_UNIT: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.?|[^\\]+",
    re.DOTALL,
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NO_BRACKETS: Final = bytes(code for code in range(256) if chr(code) not in '[]{},:"')
_LEFT: Final = re.compile(rb'"[^"]*(?:"|\Z)')
_OBJECT: Final = re.compile(rb"\{,*\}")
_LIST: Final = re.compile(rb"\[,*\]")
_MANY: Final = re.compile(rb"\[,{%d,}\]" % MOST_ITEMS)
_COMMAS: Final = b"," * MOST_ITEMS
_DEEPEST: Final = 40
"""Levels that are looked through before the exact walk."""


def bounded(text: str, end: Callable[[str], str]) -> str:
    """Cut what is too long; the identical object where nothing is.

    Args:
        text: JSON, redacted, whole or cut.
        end: masks what may be the beginning of a secret at the end of a string that was cut.
    """
    if not _exceeds(text):
        return text
    edits = [*_edits(text, end)]
    if not edits:
        return text
    parts: list[str] = []
    done = 0
    for start, stop, shown in sorted(edits):
        # What is inside of a list that goes goes with it.
        if start >= done:
            parts += (text[done:start], shown)
            done = stop
    return "".join((*parts, text[done:]))


def _exceeds(text: str) -> bool:
    """Tell whether something may be too long: a few searches, for in most bodies nothing is."""
    bracket = text.find("[")
    if len(text) <= LONGEST and (bracket < 0 or text.count(",", bracket) < MOST_ITEMS):
        return False
    if "\\" in text:
        # As long as before, and no quote is one of an escape.
        text = text.replace("\\\\", "__").replace('\\"', "__")
    return _has_long_string(text) or (bracket >= 0 and _may_have_many_items(text))


def is_short(text: str, members: int) -> bool:
    """Tell that nothing is too long, in fewer searches; where it does not tell, ask `bounded`.

    Args:
        text: JSON without a backslash.
        members: how many members its objects have at least.
    """
    return not _has_long_string(text) and _most_items(text, members) < MOST_ITEMS


def _most_items(text: str, members: int) -> int:
    # An object has at most one member more than commas; what is left is between items. What
    # looks like a comma or an object in a string only makes this more.
    return text.count(",") - members + text.count("{")


def _has_long_string(text: str) -> bool:
    """Tell whether a quote is so far from the next that a string may be too long between them."""
    quote = text.find('"')
    while 0 <= quote < len(text) - LONGEST:
        # The last one within reach: those before it are closer to each other.
        quote = text.rfind('"', quote + 1, quote + 1 + LONGEST)
        if quote < 0:
            return True
    return False


def _may_have_many_items(text: str) -> bool:
    brackets = text.encode("utf-8", "replace").translate(None, _NO_BRACKETS)
    # Two quotes and a colon are a member whose name has none of these letters; all others, and
    # what looks like a comma or an object in a string, only make this more.
    items = brackets.count(b",") - brackets.count(b'"":') + brackets.count(b"{")
    return items >= MOST_ITEMS and _has_many_items(_outside(brackets))


def _outside(brackets: bytes) -> bytes:
    """Leave what is outside of strings.

    Args:
        brackets: the brackets, braces, commas, colons and quotes of a text.
    """
    # Most strings have none of them. Where the end of one string touches the next, nothing is
    # between them, so that both may be taken for one.
    left = brackets.replace(b'""', b"")
    return _LEFT.sub(b"", left) if left.find(b'"') >= 0 else left


def _has_many_items(brackets: bytes) -> bool:
    """Tell whether a list may be too long, from what is outside of strings."""
    # An object has at most one colon more than commas; what is left is between items.
    commas = brackets.count(b",")
    if commas - brackets.count(b":") + brackets.count(b"{") < MOST_ITEMS:
        return False
    brackets = brackets.translate(None, b":")
    # Innermost first: what holds nothing but commas is read, and goes.
    for _ in range(_DEEPEST):
        before = brackets
        for pair in (_OBJECT, _LIST):
            if brackets.count(b",") < MOST_ITEMS:
                return False
            if brackets.find(_COMMAS) >= 0 and _MANY.search(brackets):
                return True
            brackets = pair.sub(b"", brackets)
        if brackets == before:
            break
    return True


_Edit = tuple[int, int, str]


def _edits(text: str, end: Callable[[str], str]) -> Iterator[_Edit]:
    # Of each list or object around: its commas so far, -1 in an object; and the place of the
    # comma behind the last item that is kept.
    around: list[tuple[int, int]] = []
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first == '"':
            if len(token[0]) > LONGEST and (shown := _shortened(token[0], end)):
                yield token.start(), token.end(), shown
        elif first in "[{":
            around.append((0 if first == "[" else -1, -1))
        elif around and first == ",":
            commas, place = around[-1]
            reached = commas + 1 == MOST_ITEMS
            around[-1] = (commas + (commas >= 0), token.start() if reached else place)
        elif around:
            yield from _dropped(text, around.pop()[1], token.start())
    while around:
        # Of a text that was cut, too.
        yield from _dropped(text, around.pop()[1], len(text))


def _dropped(text: str, comma: int, end: int) -> Iterator[_Edit]:
    rest = text[comma + 1 : end] if comma >= 0 else ""
    if rest.strip() not in ("", _LAST):
        before = rest[: len(rest) - len(rest.lstrip())]
        behind = rest[len(rest.rstrip()) :]
        yield comma + 1, end, f"{before}{_LAST}{behind}"


def _shortened(token: str, end: Callable[[str], str]) -> str:
    """Give a string of JSON within the bound; "" where it is."""
    closing = '"' if token.endswith('"') else ""
    inside = token[1:].removesuffix(closing)
    place = _place_of(inside, LONGEST)
    if place == len(inside) or (
        inside.endswith(CUT_STRING) and _place_of(inside, LONGEST + _GRACE) == len(inside)
    ):
        return ""
    place = _place_of(inside, _KEPT)
    window = max(0, place - _AROUND)
    for mark in MARKED.finditer(inside, window, place + _AROUND):
        if mark.start() <= place < mark.end():
            place = mark.end()
    kept = inside[:place]
    try:
        decoded = str(json.loads(f'"{kept}"', strict=False))
    except ValueError:  # what claims to be JSON
        decoded = kept
    masked = end(decoded)
    if masked != decoded:
        kept = _SURROGATE.sub("\ufffd", encode_basestring(masked)[1:-1])
    return f'"{kept} {CUT_STRING}{closing}'


def _place_of(inside: str, letters: int) -> int:
    """Give the index behind so many characters of a string as it is written."""
    if "\\" not in inside:
        return min(len(inside), letters)
    at = 0
    for unit in _UNIT.finditer(inside):
        if unit[0][0] != "\\":
            if len(unit[0]) > letters:
                return at + letters
            letters -= len(unit[0])
        elif letters == 0:
            return at
        else:
            letters -= 1
        at = unit.end()
    return at
