"""Values that go out of a JSON text, which stays as it is around them."""

import re
from typing import Final

from otel_apimetrics.redaction.marks import MARK, Marker
from otel_apimetrics.redaction.members import Sign
from otel_apimetrics.redaction.spans import value_end
from otel_apimetrics.redaction.walk import exact

COLON: Final = re.compile(r"\s*:\s*")

_MARKED: Final = f'"{MARK}"'


def behind(text: str, sign: int) -> int:
    """Give the place of the value behind a sign, or behind the blanks before a sign."""
    colon = COLON.match(text, sign)
    return sign + 1 if colon is None else colon.end()


def plainly_spliced(text: str, signs: list[Sign]) -> str | None:
    """Put the constant mark behind each sign where what is there is by far the most frequent.

    That is a blank and a string, which is not empty, has no escape and is no range of versions.

    Args:
        text: JSON that is whole.
        signs: the places of colons behind the names of members, in order.

    Returns:
        The text with the marks, the identical object where it has them already, or `None` where
        something else is behind a sign.
    """
    if "\\" in text:
        return None
    parts: list[str] = []
    done = 0
    for sign, _ in signs:
        start = sign + 2
        end = text.find('"', start + 1)
        if not text.startswith(' "', sign + 1) or end <= start + 1 or text[start + 1] in "^~":
            return None
        parts.append(text[done:start])
        done = end + 1
    parts.append(text[done:])
    masked = _MARKED.join(parts)
    return text if masked == text else masked


def spliced_at(text: str, places: list[Sign], mark: Marker) -> str:
    """Put marks in the place of values.

    Args:
        text: JSON, or what claims to be.
        places: where a value begins and the name that tells it, in order; what is inside of
            another goes with it.
        mark: writes the marks.

    Returns:
        The text with the marks, or the identical object where it has them already.
    """
    constant = _MARKED if mark.constant else ""
    parts: list[str] = []
    done = 0
    for start, name in places:
        end = value_end(text, start)
        if start >= done and end > start:
            parts += (text[done:start], constant or f'"{_mark_of(text[start:end], name, mark)}"')
            done = end
    parts.append(text[done:])
    masked = "".join(parts)
    return text if masked == text else masked


def _mark_of(value: str, name: str, mark: Marker) -> str:
    try:
        secret = exact(value)
    except ValueError:  # what claims to be JSON
        secret = value
    return mark.value(secret, f"name:{name}")
