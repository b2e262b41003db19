"""What the names of one text tell together, remembered: bodies of one route have the same names."""

from os.path import commonprefix
from typing import Final, NamedTuple

from otel_apimetrics.redaction.names import (
    CONTENT,
    HARMLESS,
    LABEL,
    NAMED,
    SENSITIVE,
    SETTING,
    Names,
)

_LOC: Final = "loc"
"""An error of Pydantic's says so where its `input` stood."""
_LONGEST: Final = 126
"""Characters of a name that is read the same in text which does not parse."""
_HEAD: Final = 4
"""Characters at the beginning of names that are searched together."""
_FEW: Final = 4
"""Searches at most, before all pieces of a text are gone through once."""
_MOST: Final = 128
"""Sets of names that are remembered; then it begins anew, because they come from requests."""
_MOST_NAMES: Final = 64
"""Names of a set that is remembered: 128 of these, with names of 126 letters, take a megabyte."""

QUIET: Final = frozenset({HARMLESS, LABEL})
"""Verdicts on names that nothing is masked for where none is called `value`."""
SINGLE: Final = QUIET | {CONTENT}
"""Verdicts that ask for nothing where a sieve has seen no pair of both kinds."""
ALONE: Final = frozenset({SENSITIVE, SETTING})
"""Verdicts that need no more than the value behind the name."""
_TOLD: Final = ALONE | NAMED | QUIET
"""Verdicts that need no reading of the text, but for the pairs of both kinds."""


class Told(NamedTuple):
    """What the names of one text tell."""

    sensitive: frozenset[str]
    """Those that are sensitive wherever they stand."""
    begins: tuple[str, ...]
    """How these begin, where few searches find all of them; else nothing."""
    settings: frozenset[str]
    """Those of them whose value may be no secret."""
    between: bool
    """One of all the names has a comma or a colon in it: it may be what is between two strings."""


class Together(dict[frozenset[str], Told | None]):
    """What names tell together: `together[names]`, `None` where the place of one decides.

    Safe between threads, as what is lost is judged again.

    Args:
        names: the verdicts on names.
    """

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names: Final = names

    def __missing__(self, found: frozenset[str]) -> Told | None:
        told = self._told(found)
        if len(found) <= _MOST_NAMES and max(map(len, found), default=0) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[found] = told
        return told

    def _told(self, found: frozenset[str]) -> Told | None:
        if _LOC in found or max(map(len, found), default=0) > _LONGEST:
            return None
        names = self.names
        each = {name: names[name] for name in found}
        verdicts = frozenset(each.values())
        between = any("," in name or ":" in name for name in found)
        if verdicts <= QUIET:
            return Told(frozenset(), (), frozenset(), between)
        if not verdicts <= _TOLD or (LABEL in verdicts and not NAMED.isdisjoint(verdicts)):
            return None
        sensitive = frozenset(name for name in found if each[name] in ALONE)
        if any(map(names.homonyms.__getitem__, sensitive)):
            return None
        settings = frozenset(name for name in sensitive if each[name] == SETTING)
        return Told(sensitive, _begins(sensitive), settings, between)


def _begins(names: frozenset[str]) -> tuple[str, ...]:
    heads = {name[:_HEAD] for name in names}
    if len(heads) > _FEW or "" in heads:
        return ()
    return tuple(
        commonprefix([name for name in names if name.startswith(head)])  # noqa: RUF071
        for head in heads
    )
