"""All of them together."""

import re
from collections.abc import Iterator
from typing import Final

from otel_apimetrics.redaction.marks import Marker
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.phrases import arguments, fields, links, queries, statements, tags
from otel_apimetrics.redaction.phrases.place import Place, written

_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_JSON: Final = re.compile(r'\s*(?:\{\s*["}]|\[\s*(?:["{\[\]\d-]|true|false|null)|")')
"""How an object, a list or a string begins. A message may begin with a bracket, too."""


class Phrases:
    """Masks what is named without a sign.

    Args:
        names: the verdicts on names.
        mark: writes the marks.
    """

    def __init__(self, names: Names, mark: Marker) -> None:
        self._names: Final = names
        self._mark: Final = mark

    def suspects(self, text: str) -> bool:
        """Tell whether something may be found, in the strings of JSON text too; cheap."""
        names = self._names
        return (
            tags.suspects(text, names)
            or links.suspects(text)
            or statements.suspects(text, names)
            or arguments.suspects(text, names)
            or queries.suspects(text)
            or fields.suspects(text)
        )

    def scrub(self, text: str) -> str:
        """Mask in text; the identical text where nothing is found."""
        text = queries.scrub(text)
        return written(text, self._places(text), self._mark)

    def scrub_strings(self, text: str) -> str:
        """Mask in JSON text that cannot be parsed: in its strings, and in its lists."""
        if not self.suspects(text):
            return text
        if not _JSON.match(text):
            return self.scrub(text)
        masked = _STRING.sub(lambda string: self._string(string[0]), text)
        return written(masked, arguments.lists(masked, self._names), self._mark)

    def _string(self, string: str) -> str:
        inside = string[1:]
        # A string without an end may end in half an escape.
        ending = '"' if inside.endswith('"') and len(string) > 1 else ""
        masked = self.scrub(inside.removesuffix(ending))
        return f'"{masked}{ending}'

    def _places(self, text: str) -> Iterator[Place]:
        names = self._names
        yield from tags.find(text, names)
        yield from links.find(text)
        yield from statements.find(text, names)
        yield from arguments.find(text, names)
        yield from fields.find(text, names)
