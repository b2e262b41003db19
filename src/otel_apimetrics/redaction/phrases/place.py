"""Where a secret stands in a text, and how its mark is written there."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from otel_apimetrics.redaction.marks import Marker

_OPENING: Final = re.compile(r"\\{0,7}[\"'`]")


class Place(NamedTuple):
    """A value to mask; the indices are those of its text."""

    start: int
    end: int
    name: str
    """What named it."""
    quote: str = ""
    """Written around the mark of a value that has no quotes itself."""


def written(text: str, places: Iterable[Place], mark: Marker) -> str:
    """Write a mark in each place; the identical text where that changes nothing.

    Places that overlap are one place with the name of the first.
    """
    parts: list[str] = []
    done = 0
    for place in _merged(places):
        value = text[place.start : place.end]
        parts += (text[done : place.start], _marked(value, place, mark))
        done = place.end
    masked = "".join((*parts, text[done:]))
    return text if masked == text else masked


def _merged(places: Iterable[Place]) -> list[Place]:
    merged: list[Place] = []
    for place in sorted(places):
        if merged and place.start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(place.end, merged[-1].end))
        elif place.end > place.start:
            merged.append(place)
    return merged


def _marked(value: str, place: Place, mark: Marker) -> str:
    opening = _OPENING.match(value)
    quote = opening[0] if opening else place.quote
    secret = value[len(quote) :].removesuffix(quote) if opening else value
    return f"{quote}{mark(secret, f'name:{place.name}')}{quote}"
