"""Fields of a form that name one another: `name=password&value=x`, `a[key]=pin&a[value]=1`."""

import re
from collections.abc import Iterable
from typing import Final

from otel_apimetrics.redaction.names import LABEL, LABEL_OR_SENSITIVE, NAMED, Names

_STEPS: Final = re.compile(r"[^.\[\]]+")
MAY_NAME: Final = re.compile("val|content|%", re.IGNORECASE)
"""Without any of these in a form, no field in it is named by another."""
LONGEST_LABEL: Final = 256
"""Characters of a value that may name something."""


class Siblings:
    """Tells which fields of one form others have named.

    Args:
        names: the verdicts on names.
        fields: names and values of all fields, decoded.
    """

    def __init__(self, names: Names, fields: Iterable[tuple[str, str]]) -> None:
        self._names: Final = names
        self._places: Final = {
            place
            for place, step, value in ((*_split(name), value) for name, value in fields)
            if names[step] in (LABEL, LABEL_OR_SENSITIVE)
            and len(value) <= LONGEST_LABEL
            and names.labels(value)
        }

    def name(self, field: str) -> bool:
        """Tell whether a field holds a value that a sibling names as something sensitive."""
        if not self._places:
            return False
        place, step = _split(field)
        return place in self._places and self._names[step] in NAMED


def _split(name: str) -> tuple[str, str]:
    steps = _STEPS.findall(name) or [""]
    return ".".join(steps[:-1]), steps[-1]
