"""Looks for secrets in what came out, however they are escaped there."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from tests.e2e.canaries.fill import Canary, Step
from tests.e2e.canaries.letters import PIECE, letters, pieces, spellings, telling

_PLUMBING: Final = frozenset(["stringValue", "arrayValue", "values", "value"])
_LINE: Final = re.compile(r"\bline \d+")
_NUMBERS: Final = re.compile(
    r"header\.(?:content.length|date|host|traceparent|x.step)|port$|intValue"
)
"""Where numbers of three digits stand that nobody sent as a secret."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A piece of a secret, seen outside of the process."""

    canary: Canary
    where: str
    around: str

    def __str__(self) -> str:
        named = f" under {self.canary.name!r}" if self.canary.name else ""
        return f"{self.canary.kind}{named} in {self.where}: {self.around}"


def texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Give each string of an OTLP/JSON message with where it stands, attribute keys too."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, where)
    elif isinstance(value, dict):
        key = value.get("key")
        if isinstance(key, str) and "value" in value:
            yield f"{where} key", key
            yield from texts(value["value"], f"{where} {key}")
            return
        for name, item in value.items():
            if name in _PLUMBING:
                yield from texts(item, where)
            elif not name.endswith(("Id", "UnixNano")):
                yield from texts(item, f"{where} {name}".lstrip())


def leaks(step: Step, found: Iterable[tuple[str, str]]) -> Iterator[Leak]:
    """Look for the secrets of one request in the texts of its own trace."""
    said = list(found)
    seen = pieces("\0".join(letters(text) for text in {text for _, text in said}))
    for canary in step.canaries:
        if len(letters(canary.hidden)) < PIECE:
            yield from _short(canary, said)
            continue
        for spelling in spellings(canary.hidden):
            shown = telling(seen & pieces(spelling), canary.common)
            if shown:
                yield from _located(canary, shown, said)


def _located(canary: Canary, wanted: set[str], said: list[tuple[str, str]]) -> Iterator[Leak]:
    for where, text in said:
        plain = letters(text)
        hit = min((plain.find(piece) for piece in wanted if piece in plain), default=-1)
        if hit >= 0:
            yield Leak(canary, where, plain[max(0, hit - 40) : hit + 24].replace("\0", "•"))


def _short(canary: Canary, said: list[tuple[str, str]]) -> Iterator[Leak]:
    whole = re.compile(rf"(?<![0-9A-Za-z.]){re.escape(canary.hidden)}(?![0-9A-Za-z.])")
    for where, text in said:
        if not _NUMBERS.search(where):
            shown = whole.search(_LINE.sub("", unquote_plus(text)))
            if shown:
                start = max(0, shown.start() - 40)
                yield Leak(canary, where, shown.string[start : shown.end() + 10])


class Everywhere:
    """Looks for the secrets of all requests at once, in texts that belong to no trace.

    Two pieces of one secret must be there, because among so many one is somewhere by chance.
    Secrets of fewer than eight letters are left out: in a page of numbers each is somewhere.

    Args:
        steps: what was sent.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._whose: Final[dict[str, tuple[Canary, int]]] = {}
        for step in steps:
            for canary in step.canaries:
                for spelling in spellings(canary.hidden):
                    wanted = telling(pieces(spelling, 4), canary.common)
                    told = canary, min(2, len(wanted))
                    self._whose.update(dict.fromkeys(wanted, told))

    def leaks(self, where: str, text: str) -> Iterator[Leak]:
        for line in set(text.splitlines()):
            plain = letters(line)
            shown = Counter(self._whose[piece] for piece in self._whose.keys() & pieces(plain))
            for (canary, enough), number in shown.items():
                if number >= enough:
                    yield Leak(canary, where, plain[-80:])
