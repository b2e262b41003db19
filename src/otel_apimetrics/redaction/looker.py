"""The names in a JSON text, by a decoder that keeps nothing."""

import json
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final

from otel_apimetrics.redaction.names import (
    LABEL_OR_SENSITIVE,
    NAMED,
    ON_A_PATH,
    SENSITIVE,
    SETTING,
    VALUE,
    Names,
)

_Pair = tuple[str, Any]

_NAME: Final = itemgetter(0)


class Looker:
    """A decoder that only notes the names. Kept, because making one costs more than using it."""

    def __init__(self) -> None:
        self._seen: Final[list[tuple[str, Any]]] = []
        # A hook in C, so that no Python runs for an object.
        self._decode: Final = json.JSONDecoder(object_pairs_hook=self._seen.extend).decode

    def names(self, text: str, names: Names) -> dict[str, int]:
        """Give the names of all objects' members that are not harmless, with their verdicts.

        Raises:
            ValueError: the text is no JSON.
            RecursionError: it is nested too deep.
        """
        try:
            self._decode(text)
            found = set(map(_NAME, self._seen))
            verdicts = {name: verdict for name in found if (verdict := names[name])}
            for name in [name for name in verdicts if names.decides(name)]:
                if all(
                    # An object is seen as None here, and is none of ours to judge.
                    (value is not None or verdicts[name] == SETTING) and names.spares(name, value)
                    for key, value in self._seen
                    if key == name
                ):
                    del verdicts[name]
            return verdicts
        finally:
            self._seen.clear()


def hook(names: Names, keys: set[str], labelled: list[bool]) -> Callable[[list[_Pair]], None]:
    """Make a hook for the pairs of an object.

    Args:
        names: the verdicts on names.
        keys: takes the names to mask anywhere.
        labelled: takes what depends on siblings; a true one where a sibling is to be masked.
    """

    def look(pairs: list[_Pair]) -> None:
        found = [pair for pair in pairs if names[pair[0]]]
        if found:
            _weigh(names, found, keys, labelled)

    return look


def _weigh(names: Names, found: list[_Pair], keys: set[str], labelled: list[bool]) -> None:
    has_value = any(names[key] == VALUE for key, _ in found)
    is_named = any(names[key] in NAMED for key, _ in found)
    for key, value in found:
        verdict = names[key]
        if verdict in (SENSITIVE, ON_A_PATH):
            keys.add(key)
        elif verdict == LABEL_OR_SENSITIVE and not has_value:
            # The same name may be a harmless label in the next object.
            labelled.append(True)
        elif verdict not in NAMED and isinstance(value, str) and names.labels(value):
            labelled.append(is_named)
