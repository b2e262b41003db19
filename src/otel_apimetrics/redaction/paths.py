"""Dotted paths: `users.*.email`, compared step by step, by words and not by letters."""

import re
from collections.abc import Callable, Sequence
from typing import Final

_ANY: Final = "[^\0]*\0"
_MOST_STEPS: Final = 64
"""Twice the levels of JSON that are read. A field of a form may have thousands of steps, and with
several `**` a path to deny is tried on each of them, again and again."""
_WILD: Final = {"*": _ANY, "**": f"(?:{_ANY})*"}

Forms = Callable[[str], tuple[str, str]]
"""Gives the two readings of a name: split at changes of case, and not."""


class Paths:
    """Those of a policy, out of names of which some are bare.

    Args:
        names: bare names, which are left out, and dotted paths.
        forms: gives the readings of one step. Of two steps that share a reading, each is the
            other in another spelling (`emailAddress`, `email_address`, `Email-Address`).
        beyond: the verdict on a path of more than 64 steps.
    """

    def __init__(self, names: Sequence[str], forms: Forms, *, beyond: bool) -> None:
        self._beyond: Final = beyond
        self._forms: Final = forms
        self._paths: Final = tuple(
            re.compile("".join(map(self._step, name.split(".")))) for name in names if "." in name
        )

    def __bool__(self) -> bool:
        return bool(self._paths)

    def fits(self, path: Sequence[str], *, above: bool = False) -> bool:
        """Tell whether one of them fits a path of members and indices, from the root.

        Args:
            path: its steps.
            above: one that fits only the first steps of it fits too.
        """
        if not self._paths:
            return False
        if self._fits(path, above=above):
            return True
        # A member may be called `a.b` itself, as in flattened JSON.
        return any("." in step for step in path) and self._fits(
            ".".join(path).split("."), above=above
        )

    def _fits(self, path: Sequence[str], *, above: bool) -> bool:
        if len(path) > _MOST_STEPS:
            return self._beyond
        text = "".join(map(self._written, path))
        return any(known.match(text) if above else known.fullmatch(text) for known in self._paths)

    def _step(self, step: str) -> str:
        if step in _WILD:
            return _WILD[step]
        known = "|".join(re.escape(_plain(form)) for form in dict.fromkeys(self._forms(step)))
        return f"(?:(?:{known})\1[^\0]*|[^\0\1]*\1(?:{known}))\0"

    def _written(self, step: str) -> str:
        split, joined = self._forms(step)
        return f"{_plain(split)}\1{_plain(joined)}\0"


def _plain(form: str) -> str:
    return form.replace("\0", " ").replace("\1", " ")


def last_name(path: str) -> str:
    """Give the last step of a path that is a name, or "" where there is none."""
    return next((step for step in reversed(path.split(".")) if step.strip("*")), "")
