r"""What a text says behind its escapes: those of JSON, in strings in strings too.

A user's expression is written for what a value says (`Müller`), and a text may spell that in
another way (`M\u00fcller`). Each reading of a text knows where its letters are in the text.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_ESCAPE: Final = re.compile(
    r"\\(?:u[dD]([89abAB][0-9a-fA-F]{2})\\u[dD]([c-fC-F][0-9a-fA-F]{2})"
    r"|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'\\/bfnrt]))"
)
_BORDER: Final = re.compile(r"\\(?:[bfnrt]|u[0-9a-fA-F]{4})")
_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LEVELS: Final = 8
"""Strings in strings that are read."""


CUT_ESCAPE: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?\Z")
"""An escape that was cut, and the whole ones before it."""


class Reading(NamedTuple):
    """A text as it reads behind some levels of escapes."""

    text: str
    places: Sequence[int]
    """Where each of its letters begins in the text that was read, and behind the last where that
    ends."""


def readings(text: str) -> Iterator[str]:
    """Give the text, and then what it says behind its escapes, level by level."""
    yield text
    for _ in range(_LEVELS):
        if "\\" not in text:
            return
        plain = _ESCAPE.sub(_letter, text)
        if plain == text:
            return
        yield plain
        text = plain


def bordered(text: str) -> str:
    """Write blanks for escapes: the letter of an escape is no letter before a token."""
    return _BORDER.sub(_blanks, text) if "\\" in text else text


def placed(text: str, level: int) -> Reading | None:
    """Give one reading with its places.

    Args:
        text: any text.
        level: how many levels of escapes to read; 0 is the text itself.

    Returns:
        `None` where the text has fewer levels.
    """
    places: Sequence[int] = range(len(text) + 1)
    if level > _LEVELS:
        return None
    for _ in range(level):
        parts: list[str] = []
        kept: list[int] = []
        done = 0
        for found in _ESCAPE.finditer(text):
            parts += (text[done : found.start()], _letter(found))
            kept += places[done : found.start() + 1]
            done = found.end()
        if not parts:
            return None
        text = "".join((*parts, text[done:]))
        places = [*kept, *places[done:]]
    return Reading(text, places)


def _letter(found: re.Match[str]) -> str:
    high, low, code, byte, short = found.groups()
    if high:
        return chr(0x10000 + ((int(f"d{high}", 16) & 0x3FF) << 10) + (int(f"d{low}", 16) & 0x3FF))
    if code or byte:
        return chr(int(code or byte, 16))
    return _LETTERS.get(short, short)


def _blanks(found: re.Match[str]) -> str:
    return " " * len(found[0])


_SPELLED: Final = re.compile(r"\\(?:(/)|u00([2-7][0-9a-fA-F])|.)", re.DOTALL)


def plain_escapes(text: str, *, cut: bool) -> str:
    """Spell printable ASCII as itself, which means the same in JSON: PHP, Go and .NET escape it."""
    if "\\" not in text:
        return text
    if cut:
        text = CUT_ESCAPE.sub(r"\1", text)
    return _SPELLED.sub(_plain_escape, text)


def _plain_escape(found: re.Match[str]) -> str:
    if found[1]:
        return "/"
    if not found[2]:
        return found[0]
    letter = chr(int(found[2], 16))
    return f"\\{letter}" if letter in '"\\' else letter
