"""The expressions that a user added to a policy: tried on what a text says, not on how.

Each is tried on the text, on what the text says behind its escapes, and, where it asks for an end
(`^sess-[0-9]+$`), on each value inside.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from otel_apimetrics.redaction.beginnings import beginning_of
from otel_apimetrics.redaction.dialects import asks_for_ends
from otel_apimetrics.redaction.escapes import CUT_ESCAPE, placed, readings
from otel_apimetrics.redaction.expressions import compiled
from otel_apimetrics.redaction.marks import MARK, MARKED

_VALUES: Final = (
    re.compile(r'([^"]+)'),
    re.compile(r"([^']+)"),
    re.compile(r">([^<>]+)"),
    re.compile(r"(?<=[:=,\[&])\s{0,8}([^\s\"',:={}\[\]&;]+)"),
)
"""What is between quotes or tags, or behind a sign: too much rather than too little."""

_TAIL: Final = 512
"""Characters at a cut that are looked at."""
_TELLING: Final = 3
"""Characters of the shortest beginning that is masked."""

_LONE: Final = re.compile("[\ud800-\udfff]")
"""Halves of a character, such as bytes that were no UTF-8 (PEP 383): google-re2 refuses them."""

_Span = tuple[int, int]


class Own:
    """One expression.

    Args:
        pattern: compiled; it finds no empty text in an empty one.
    """

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern: Final = pattern
        self._begun: Final = _begun(pattern.pattern)
        self.asks_for_ends: Final = asks_for_ends(pattern.pattern)
        """It may find something in a value and nothing in the text around that."""

    def finds(self, text: str) -> bool:
        """Tell whether it finds something in a text."""
        return any(self._finds(_encodable(reading)) for reading in readings(text))

    def masked(self, text: str, write: Callable[[str], str]) -> str:
        """Replace what it finds; marks stay as they are.

        Args:
            text: any text, decoded or not.
            write: gives what stands for a match.
        """
        level = 0
        while (reading := placed(text, level)) is not None:
            parts: list[str] = []
            done = 0
            for start, end in self._spans(_encodable(reading.text)):
                first, last = reading.places[start], reading.places[end]
                if first >= done:
                    parts += (text[done:first], write(reading.text[start:end]))
                    done = last
            text = "".join((*parts, text[done:]))
            level += 1
        return text

    def begin(self, text: str) -> int | None:
        """Give the place where what it finds may begin and go on behind the end of a text.

        Args:
            text: the end of a text that was cut.
        """
        if self._begun is None:
            return None
        level = 0
        while (reading := placed(text, level)) is not None:
            read = CUT_ESCAPE.sub(r"\1", _encodable(reading.text))
            done = max((mark.end() for mark in MARKED.finditer(read)), default=0)
            found = self._begun.search(read[done:])
            if found is not None and len(found[0]) >= _TELLING:
                return reading.places[done + found.start()]
            level += 1
        return None

    def _finds(self, text: str) -> bool:
        if self._pattern.search(text) is not None:
            return True
        return self.asks_for_ends and any(
            self._pattern.search(text[start:end]) is not None for start, end in _values(text)
        )

    def _spans(self, text: str) -> list[_Span]:
        spans: list[_Span] = []
        done = 0
        for mark in MARKED.finditer(text):
            spans += self._found(text, done, mark.start())
            done = mark.end()
        return sorted([*spans, *self._found(text, done, len(text))])

    def _found(self, text: str, start: int, end: int) -> Iterator[_Span]:
        piece = text[start:end]
        inside = _values(piece) if self.asks_for_ends else ()
        for first, last in ((0, len(piece)), *inside):
            for found in self._pattern.finditer(piece[first:last]):
                if found[0]:
                    yield start + first + found.start(), start + first + found.end()


def _encodable(text: str) -> str:
    """Give a text of the same length that any engine takes."""
    return text if text.isascii() else _LONE.sub("\ufffd", text)


def _values(text: str) -> Iterator[_Span]:
    for values in _VALUES:
        for found in values.finditer(text):
            yield found.span(1)


def mask_own_cut_end(text: str, owns: Iterable[Own]) -> str:
    """Replace what may be the beginning of what an expression finds, at the end of a text."""
    start = max(0, len(text) - _TAIL)
    begins = [begin for own in owns if (begin := own.begin(text[start:])) is not None]
    return text[: start + min(begins)] + MARK if begins else text


def _begun(regex: str) -> re.Pattern[str] | None:
    begun = beginning_of(regex)
    try:
        return None if begun is None else compiled(begun)
    except (re.error, OverflowError, RecursionError, ValueError):
        return None
