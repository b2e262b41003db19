"""The names in a JSON text, by a decoder that keeps nothing."""

import json
from operator import itemgetter
from typing import Any, Final

from otel_apimetrics.redaction.names import Names

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
            for name in [name for name in verdicts if names.homonyms[name]]:
                if all(
                    # An object is seen as None here, and is none of ours to judge.
                    value is not None and names.spares(name, value)
                    for key, value in self._seen
                    if key == name
                ):
                    del verdicts[name]
            return verdicts
        finally:
            self._seen.clear()
