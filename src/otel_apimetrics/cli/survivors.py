"""Whether a secret is still in a text, however it is spelled there."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from otel_apimetrics.cli.spellings import Reading

_SHORTEST_BASE64: Final = 6
"""Characters; fewer are found in most texts."""


class Place(NamedTuple):
    """Where a secret stands in a text, counted from 1."""

    line: int
    column: int


class Secret:
    """One value that must not be in a text: raw, percent-encoded, escaped or in base64.

    Args:
        value: at least four characters.
        number: stands for it in what is printed, from 1.
    """

    def __init__(self, value: str, number: int) -> None:
        self._raw: Final = tuple(dict.fromkeys((value, *_in_base64(value))))
        # What is of escapes alone may read as nothing, which is found everywhere.
        self._read: Final = tuple(
            read for read in dict.fromkeys(Reading(way).text for way in self._raw) if read
        )
        self.number: Final = number

    def place(self, text: str) -> Place | None:
        """Give the first place of the secret in a text, `None` where it is nowhere."""
        starts = [start for start, _ in self._spans(text)]
        return place_of(text, min(starts)) if starts else None

    def hide(self, text: str) -> str:
        """Write its number for the secret."""
        parts: list[str] = []
        done = 0
        for start, end in sorted(self._spans(text)):
            if start >= done:
                parts += (text[done:start], f"<secret {self.number}>")
            done = max(done, end)
        return "".join((*parts, text[done:]))

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        for way in self._raw:
            yield from _found(text, way)
        reading = Reading(text)
        for way in self._read:
            for start, end in _found(reading.text, way):
                yield reading.source(start, end)


def place_of(text: str, index: int) -> Place:
    """Give line and column of an index."""
    start = text.rfind("\n", 0, index) + 1
    return Place(text.count("\n", 0, start) + 1, index - start + 1)


def hide_all(secrets: Sequence[Secret], text: str) -> str:
    """Write its number for each secret that a text still has."""
    for secret in secrets:
        text = secret.hide(text)
    return text


def _found(text: str, part: str) -> Iterator[tuple[int, int]]:
    at = text.find(part)
    while at >= 0:
        yield at, at + len(part)
        at = text.find(part, at + len(part))


def _in_base64(value: str) -> list[str]:
    # Base64 has a character for each six bits, so what is before the secret moves it: three ways.
    data = value.encode("utf-8", "surrogatepass")
    found: list[str] = []
    for encode in (b64encode, urlsafe_b64encode):
        found.append(encode(data).decode().rstrip("="))
        for before, skipped in ((0, 0), (1, 2), (2, 3)):
            whole = encode(b"\0" * before + data).decode()
            found.append(whole[skipped : (before + len(data)) * 8 // 6])
    return [way for way in found if len(way) >= _SHORTEST_BASE64]
