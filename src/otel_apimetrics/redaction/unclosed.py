"""Objects that a cut left open: whatever names their `value` may have come behind the cut."""

import re
from dataclasses import dataclass, field
from typing import Final

from otel_apimetrics.redaction.escapes import placed
from otel_apimetrics.redaction.marks import Marker
from otel_apimetrics.redaction.names import LABEL, LABEL_OR_SENSITIVE, NAMED, Names
from otel_apimetrics.redaction.spans import value_end

_TOKEN: Final = re.compile(
    r'"([^"\\]*(?:\\.[^"\\]*)*)"\s*:\s*|"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[{}\[\]]', re.DOTALL
)
_NESTED: Final = re.compile(r'"([\w-]{1,32})"\s*:\s*|[{}\[\]]')
"""Where strings hold JSON, nobody knows which quote opens what: only names are told."""
_PLAIN: Final = re.compile(r"(?:null|true|false)\b|[{\[]")
"""What is no secret, and what is looked at by itself."""
_LEVELS: Final = 4
"""Strings in strings that are looked through."""
_SPOKEN: Final = "content"
"""It ends most answers of chats, and seldom is what a sibling names."""


@dataclass(slots=True)
class _Open:
    """An object or a list that is not closed yet."""

    named: bool = False
    """A member names the others."""
    values: list[tuple[int, str]] = field(default_factory=list)
    """Where each `value` begins, and its name."""


def mask_unnamed(text: str, names: Names, mark: Marker) -> str:
    """Mask each `value` of an object without its end, where no sibling told its name.

    Args:
        text: JSON that was cut.
        names: the verdicts on names.
        mark: writes the marks.
    """
    for level in range(_LEVELS if "\\" in text else 1):
        reading = placed(text, level)
        if reading is None:
            break
        parts: list[str] = []
        done = 0
        for begin, name in _unnamed(reading.text, names, _NESTED if level else _TOKEN):
            if _PLAIN.match(reading.text, begin) or reading.places[begin] < done:
                continue
            start, end = _inside(reading.text, begin, value_end(reading.text, begin))
            value = reading.text[start:end]
            if value:
                first = reading.places[start]
                shown = mark(value, f"name:{name}")
                # A number that became a mark must be a string.
                quote = '"' if start == begin and level == 0 else ""
                parts += (text[done:first], f"{quote}{shown}{quote}")
                done = reading.places[end]
        text = "".join((*parts, text[done:]))
    return text


def _unnamed(text: str, names: Names, tokens: re.Pattern[str]) -> list[tuple[int, str]]:
    around = [_Open()]
    for token in tokens.finditer(text):
        name = token[1]
        if name is not None:
            verdict = names[name]
            if verdict in NAMED and name.lower() != _SPOKEN:
                around[-1].values.append((token.end(), name))
            around[-1].named |= verdict in (LABEL, LABEL_OR_SENSITIVE)
        elif token[0] in "{[":
            around.append(_Open())
        elif token[0] in "}]" and len(around) > 1:
            around.pop()
    return sorted(value for one in around if not one.named for value in one.values)


def _inside(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out the quotes of a value."""
    if not text.startswith('"', start):
        return start, end
    closed = end > start + 1 and text[end - 1] == '"'
    return start + 1, end - closed
