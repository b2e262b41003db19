"""Elements of XML that name one another: `<Name>password</Name><Value>x</Value>`.

Such a value may stand before its name, so it is masked when the element around both ends.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from otel_apimetrics.redaction.markup.nodes import Nodes
from otel_apimetrics.redaction.names import (
    HARMLESS,
    LABEL,
    LABEL_OR_SENSITIVE,
    NAMED,
    ON_A_PATH,
    SENSITIVE,
    VALUE,
    Names,
)

NO_NAME: Final = "REDACTED"
"""Stands for a name that is no name."""

_SECRETS: Final = frozenset({"signaturevalue", "ciphervalue", "x509certificate"})
"""XML Signature and XML Encryption: a certificate tells who the caller is."""
_CONTAINERS: Final = frozenset({"usernametoken", "securitytokenreference"})
"""WS-Security: what they hold has names of its own."""
_NAME: Final = re.compile(r"[\w:.-]{1,128}")
_REMEMBERED: Final = 2_048
_LONGEST_LABEL: Final = 256
_PROPERTY_LIST: Final = "dict"
"""Apple's property lists: what a `key` names is the element behind it, whatever it is called."""

_Span = tuple[int, int, int, int]
"""An element among the parts: its tag, its content, the end of that, the end of its end tag."""


class Kind(NamedTuple):
    """What the name of an element tells."""

    local: str
    """Without the prefix of a namespace."""
    verdict: int
    shown: str
    """The name as it may be shown: `REDACTED` for what is no name."""

    @property
    def is_sensitive(self) -> bool:
        """Tell whether the name alone is sensitive, without a look at siblings."""
        return self.verdict in (SENSITIVE, ON_A_PATH)


class Kinds(dict[str, Kind]):
    """The kind of an element by its name; at most 2,048 are remembered.

    Args:
        names: the verdicts on local names.
        nodes: the value rules for names.
    """

    def __init__(self, names: Names, nodes: Nodes) -> None:
        super().__init__()
        self._names: Final = names
        self._nodes: Final = nodes

    def __missing__(self, name: str) -> Kind:
        local = name.rpartition(":")[2]
        is_name = not name or (_NAME.fullmatch(name) and not self._nodes.is_secret(name))
        kind = Kind(local, self._verdict(local), name if is_name else NO_NAME)
        if len(self) >= _REMEMBERED:
            self.clear()
        if is_name:
            self[name] = kind
        return kind

    def _verdict(self, local: str) -> int:
        known = local.lower()
        if known in _CONTAINERS and not self._names.is_denied(local):
            return HARMLESS
        if known in _SECRETS and not self._names.is_allowed(local):
            return SENSITIVE
        return self._names[local]


class _Element:
    """An element that is open, and what its children tell about one another."""

    __slots__ = (
        "has_value",
        "hides_next",
        "keys",
        "labelled",
        "local",
        "name",
        "start",
        "text",
        "values",
        "verdict",
    )

    def __init__(self, name: str, kind: Kind, start: int) -> None:
        self.name: Final = name
        self.local: Final = kind.local
        self.verdict: Final = kind.verdict
        self.start: Final = start
        """The part that is its tag."""
        self.text = ""
        """What it holds, of an element that may name a sibling."""
        self.labelled = False
        """A child names something sensitive, so that each child called `value` is."""
        self.hides_next = False
        """A `key` names something sensitive, so that the next child is."""
        self.has_value = False
        self.keys: Final[list[_Span]] = []
        self.values: Final[list[_Span]] = []


class Elements:
    """The elements that are open, and the masked parts of the document so far.

    Args:
        names: the verdicts on the content of elements that name a sibling.
        mark: writes the mark of some content, given the name of its element.
        remove: take an element out instead of masking its content.
    """

    def __init__(self, names: Names, mark: Callable[[str, str], str], *, remove: bool) -> None:
        self._mark_of: Final = mark
        self.parts: Final[list[str]] = []
        self._names: Final = names
        self._remove: Final = remove
        self._open: Final = [_Element("", Kind("", HARMLESS, ""), 0)]

    @property
    def depth(self) -> int:
        """How many elements are open."""
        return len(self._open) - 1

    def meet(self, verdict: int) -> bool:
        """Note a child, and tell whether the `key` before it names something sensitive."""
        around = self._open[-1]
        hides, around.hides_next = around.hides_next, False
        around.has_value = around.has_value or verdict == VALUE
        return hides

    def enter(self, name: str, kind: Kind) -> None:
        """Open an element whose tag is the last part."""
        self._open.append(_Element(name, kind, len(self.parts) - 1))

    def read(self, text: str) -> None:
        """Note decoded text, which may be a name."""
        element = self._open[-1]
        if element.verdict in (LABEL, LABEL_OR_SENSITIVE) and len(element.text) < _LONGEST_LABEL:
            element.text += text[:_LONGEST_LABEL]

    def leave(self, name: str, end_tag: str) -> None:
        """Close the innermost element of a name with all inside; no such element is no error."""
        depth = self.depth
        while depth and self._open[depth].name != name:
            depth -= 1
        while depth and self.depth > depth:
            self._close(len(self.parts))
        self.parts.append(end_tag)
        if depth:
            self._close(len(self.parts) - 1)

    def leave_all(self) -> None:
        """Close what the text does not close."""
        while self.depth:
            self._close(len(self.parts))
        self._settle(self._open[0])

    def _close(self, end: int) -> None:
        element = self._open.pop()
        self._settle(element)
        around = self._open[-1]
        span = (element.start, element.start + 1, end, len(self.parts))
        if element.verdict in NAMED:
            around.values.append(span)
        elif element.verdict in (LABEL, LABEL_OR_SENSITIVE):
            names_a_secret = self._names.labels(element.text.strip())
            is_key = element.verdict == LABEL_OR_SENSITIVE
            around.labelled = around.labelled or names_a_secret
            around.hides_next = names_a_secret and is_key
            around.keys.extend([span] if is_key else [])

    def _settle(self, element: _Element) -> None:
        if element.labelled:
            self._mask(element.values)
        # A `key` is a secret itself where it can name nothing.
        if not element.has_value and element.local != _PROPERTY_LIST:
            self._mask(element.keys)

    def _mask(self, spans: list[_Span]) -> None:
        parts = self.parts
        for tag, start, end, behind in spans:
            if self._remove:
                parts[tag:behind] = [""] * (behind - tag)
            elif any(parts[start:end]):
                mark = self._mark_of("".join(parts[start:end]), "value")
                parts[start:end] = [mark, *[""] * (end - start - 1)]
