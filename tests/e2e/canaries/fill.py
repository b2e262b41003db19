"""Fresh secrets of one kind, and beside them ordinary words: what one request carries."""

import functools
import json
import re
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.e2e.canaries.letters import COMMON, pieces, spellings
from tests.redaction.corpus import Kind

PLAIN: Final = re.compile(r"[\w.+/=$-]+", re.ASCII)
"""What stands in a cookie or behind a sign without quotes."""
FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2."""
_JOINED: Final = re.compile("[a-z][A-Z]")
_NEUTRAL: Final = ("note", "remark", "memo")
"""Names of what its shape alone tells, one a spelling."""
_NUMBER: Final = re.compile(r"[1-9]\d*", re.ASCII)
_ANY: Final = re.compile(r".*", re.DOTALL)
_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Canary:
    """One secret in one place of one request or response."""

    carrier: str
    kind: str
    name: str
    """What it stands under; "" where its shape alone tells it."""
    hidden: str
    """The part of it that must not be seen."""
    common: frozenset[str] = frozenset()
    """Runs of letters that all secrets of the kind have, such as a prefix."""


@dataclass(slots=True)
class Step:
    """One request and the answer to it. Built by `Fill`, sent by a client, played by an app."""

    trace: str
    """Its trace id: in lower-case hex, chosen here so that what comes out can be told apart."""
    kind: str
    method: str = "POST"
    path: str = "/notes/plain"
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    chunked: bool = False
    answer: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    """What the app must answer."""
    canaries: list[Canary] = field(default_factory=list)
    words: list[tuple[str, str]] = field(default_factory=list)
    """Carrier and word: ordinary, so it must come out."""


class Fill:
    """Draws secrets of a kind for a step, and notes in it what was drawn.

    Args:
        kind: of secrets.
        step: is given the canaries and words.
        seed: the same gives the same secrets.
        turn: which one of several this step is about; it differs from step to step.
    """

    def __init__(self, kind: Kind, step: Step, seed: str, turn: int) -> None:
        self.kind: Final = kind
        self.step: Final = step
        self.turn: Final = turn
        self._random: Final = Random(seed)
        self._drawn: Final[set[str]] = set()
        self._carrier = ""

    @property
    def random(self) -> Random:
        return self._random

    def at(self, carrier: str) -> "Fill":
        """Say where the next secrets stand."""
        self._carrier = carrier
        return self

    def word(self) -> str:
        """Draw an ordinary word, which has to be found where secrets must not be."""
        word = "word" + "".join(self._random.choices(string.ascii_lowercase, k=12))
        self.step.words.append((self._carrier, word))
        return word

    def pairs(self) -> list[tuple[str, str]]:
        """Draw a name and a secret for each name, or for each spelling a neutral name."""
        return [*self.named(self.kind.places.names), *self._spelled()]

    def parameters(self) -> list[tuple[str, str]]:
        """Draw for the names that are secret in queries and forms alone, too."""
        return [*self.pairs(), *self.named(self.kind.places.parameters)]

    def named(self, names: tuple[str, ...], form: re.Pattern[str] = _ANY) -> list[tuple[str, str]]:
        """Draw a secret for each of these names; none where the kind has no secret of a form."""
        if not any(form.fullmatch(self._make()) for _ in range(_TRIES)):
            return []
        return [(name, self._draw(name, str, form)) for name in names]

    def value(self, allowed: Callable[[str], bool] = lambda _: True) -> str | None:
        """Draw one secret that its shape alone tells, spelled in an allowed way; or none."""
        spellings = self.kind.spellings if self.kind.places.by_value else ()
        for turn in range(len(spellings)):
            spell = spellings[(turn + self.turn) % len(spellings)]
            if allowed(spell(self._make())):
                return self._draw("", spell)
        return None

    def sentences(self) -> list[str]:
        """Draw secrets in sentences, as messages quote them."""
        found = [f"It failed with {secret}, at the second try." for _, secret in self._spelled()]
        for name, secret in self.named(self.kind.places.names):
            found.append(f'It had {name}="{secret}" in it.')
        for name, secret in self.named(self.kind.places.names, PLAIN):
            found.append(f"It had {name}={secret} in it.")
        return found

    def numbers(self) -> dict[str, int]:
        """Draw secrets that are JSON numbers, where this kind can be one."""
        found = self.named(self.kind.places.names, _NUMBER)
        return {name: int(secret) for name, secret in found}

    def header_names(self) -> tuple[str, ...]:
        """Give the names of the kind that a header field can have.

        It is in lower case, so that a name of joined words would be another name.
        """
        return tuple(
            name
            for name in self.kind.places.names
            if FIELD_NAME.fullmatch(name) and not _JOINED.search(name)
        )

    def cookie_names(self) -> tuple[str, ...]:
        places = self.kind.places
        return tuple(
            name for name in (*places.names, *places.cookies) if FIELD_NAME.fullmatch(name)
        )

    def _spelled(self) -> list[tuple[str, str]]:
        if not self.kind.places.by_value:
            return []
        return [
            (name, self._draw("", spell))
            for name, spell in zip(_NEUTRAL, self.kind.spellings, strict=False)
        ]

    def _draw(self, name: str, spell: Callable[[str], str], form: re.Pattern[str] = _ANY) -> str:
        secret = self._make()
        # Short ones would come twice.
        while secret in self._drawn or not form.fullmatch(secret):
            secret = self._make()
        self._drawn.add(secret)
        hidden = spell(self.kind.hidden(secret))
        common = _common(self.kind, spell)
        self.step.canaries.append(Canary(self._carrier, self.kind.name, name, hidden, common))
        return spell(secret)

    def _make(self) -> str:
        return self.kind.make(self._random)


@functools.lru_cache(maxsize=4_096)
def _common(kind: Kind, spell: Callable[[str], str]) -> frozenset[str]:
    found: set[str] | None = None
    for seed in range(4):
        hidden = spell(kind.hidden(kind.make(Random(seed))))
        seen = {piece for spelling in spellings(hidden) for piece in pieces(spelling, size=COMMON)}
        found = seen if found is None else found & seen
    return frozenset(found or ())


def compact(document: Any) -> str:
    """Write JSON as most APIs do."""
    return json.dumps(document, separators=(",", ":"))
