"""The start tags of markup and their attributes.

An attribute is masked by its own name, by that of its element, and by what another attribute
of the tag says: in `<add key="password" value="x"/>` and `<input type="password" value="x">`
it is the one called `value`.
"""

import re
from html import unescape
from typing import Final, NamedTuple

from otel_apimetrics.redaction.marks import MARK
from otel_apimetrics.redaction.markup.lexer import Attribute, Piece
from otel_apimetrics.redaction.markup.nodes import Nodes, Scope
from otel_apimetrics.redaction.names import (
    HARMLESS,
    LABEL,
    LABEL_OR_SENSITIVE,
    ON_A_PATH,
    SENSITIVE,
    VALUE,
    Names,
    is_value,
)

URLS: Final = re.compile("action|endpoint|formaction|href|location|src|uri|url")
"""Attributes that are URLs."""
HTML_LABELS: Final = frozenset(["autocomplete", "id", "itemprop", "property", "type"])
"""Attributes of HTML that tell what another one holds."""

_SECRET: Final = frozenset({SENSITIVE, ON_A_PATH})
"""Verdicts that need no look at siblings."""
_MOST_ATTRIBUTES: Final = 256
_REMEMBERED: Final = 2_048
_LONGEST: Final = 128
_ATTRIBUTE_NAME: Final = re.compile(r"[\w:.@#*()\[\]$-]{1,128}")
"""Those of XML, and what template languages of HTML add."""
_DESCRIPTIVE: Final = re.compile(
    "algorithm|encodingtype|lang|name|nil|schemalocation|space|type|valuetype"
)
"""Attributes that describe a sensitive element and are no part of its value."""


class _Traits(NamedTuple):
    """What the name of an attribute tells."""

    verdict: int
    local: str
    """Without the prefix of a namespace, in lower case."""
    shown: str
    is_url: bool
    is_value: bool
    is_descriptive: bool


class Tags(dict[str, _Traits]):
    """Masks start tags; remembers what at most 2,048 names of attributes tell.

    Args:
        names: the verdicts on the names of attributes.
        nodes: the rules for their values.
        bare: the rules for values without quotes.
        remove: take an attribute out instead of masking its value.
    """

    def __init__(self, names: Names, nodes: Nodes, bare: Nodes, *, remove: bool) -> None:
        super().__init__()
        self._names: Final = names
        self._nodes: Final = nodes
        self._bare: Final = bare
        self._remove: Final = remove

    def __missing__(self, name: str) -> _Traits:
        # A declaration of a namespace has a prefix for a name.
        declares = name == "xmlns" or name.startswith("xmlns:")
        local = name.rpartition(":")[2]
        harmless = _ATTRIBUTE_NAME.fullmatch(name) and not self._nodes.is_secret(name)
        traits = _Traits(
            verdict=HARMLESS if declares else self._names[local],
            local=local.lower(),
            shown=name if harmless else MARK,
            is_url=URLS.fullmatch(local.lower()) is not None,
            is_value=is_value(local),
            is_descriptive=declares or _DESCRIPTIVE.fullmatch(local.lower()) is not None,
        )
        if len(self) >= _REMEMBERED:
            self.clear()
        if len(name) <= _LONGEST:
            self[name] = traits
        return traits

    def labels(self, text: str, piece: Piece, scope: Scope) -> bool:
        """Tell whether an attribute says that its element holds something sensitive.

        Args:
            text: the document.
            piece: the tag.
            scope: of the document.
        """
        return any(self._labels(text, attribute, scope) for attribute in piece.attributes)

    def has_value(self, piece: Piece) -> bool:
        """Tell whether an attribute is what `labels` speaks of."""
        return any(self[attribute.name].is_value for attribute in piece.attributes)

    def show(
        self,
        text: str,
        piece: Piece,
        name: str,
        scope: Scope,
        *,
        sensitive: bool,
        labelled: bool,
        filled: bool,
    ) -> str:
        """Mask a start tag.

        Args:
            text: the document.
            piece: the tag.
            name: that of the tag, as it may be shown.
            scope: of the document.
            sensitive: the name of the element is, so its attributes are values, too.
            labelled: what `labels` told.
            filled: text follows the tag, which an attribute called `key` may name.
        """
        at = piece.start + 1 + len(piece.name)
        if _is_malformed(piece, scope):
            rest = text[at : piece.end].strip(" \t\r\n/>")
            ending = "" if not piece.whole else "/>" if piece.empty else ">"
            return f"<{name}{' ' if rest else ''}{MARK if rest else ''}{ending}"
        filled = filled or any(self[each.name].verdict == VALUE for each in piece.attributes)
        parts = [f"<{name}"]
        for attribute in piece.attributes:
            gap, at = text[at : attribute.start], attribute.behind
            traits = self[attribute.name]
            masks = (
                traits.verdict in _SECRET
                or (traits.verdict == LABEL_OR_SENSITIVE and not filled)
                or (labelled and traits.is_value)
                or (sensitive and not traits.is_descriptive)
            )
            if not (masks and self._remove and attribute.value >= 0):
                parts += (gap, traits.shown, self._value(text, attribute, scope, masks=masks))
        return "".join((*parts, text[at : piece.end]))

    def _labels(self, text: str, attribute: Attribute, scope: Scope) -> bool:
        traits = self[attribute.name]
        by_html = scope.html and traits.local in HTML_LABELS
        if not by_html and traits.verdict not in (LABEL, LABEL_OR_SENSITIVE):
            return False
        value = unescape(text[attribute.value : attribute.end]) if attribute.value >= 0 else ""
        if by_html and traits.local == "type":
            return value.lower() == "password"
        return self._names.labels(value)

    def _value(self, text: str, attribute: Attribute, scope: Scope, *, masks: bool) -> str:
        """Give all of an attribute behind its name."""
        behind = attribute.start + len(attribute.name)
        if attribute.end <= attribute.value or attribute.value < 0:
            return text[behind : attribute.behind]
        value = text[attribute.value : attribute.end]
        nodes = self._nodes if text[attribute.value - 1] in "\"'" else self._bare
        if masks:
            value = nodes.mark(value, attribute.name.rpartition(":")[2])
        elif self[attribute.name].is_url and ("/" in value or "?" in value):
            value = nodes.url(value, scope)
        else:
            value = nodes.encoded(value, scope)
        return f"{text[behind : attribute.value]}{value}{text[attribute.end : attribute.behind]}"


def _is_malformed(piece: Piece, scope: Scope) -> bool:
    """Tell whether the words of a tag may be anything: no attribute of XML lacks a value."""
    return (
        not piece.whole
        or len(piece.attributes) > _MOST_ATTRIBUTES
        or (not scope.html and any(attribute.value < 0 for attribute in piece.attributes))
    )
