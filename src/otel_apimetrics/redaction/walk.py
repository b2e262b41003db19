"""The walk over a value that JSON can hold: by name first, then by value."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from otel_apimetrics.redaction import oauth
from otel_apimetrics.redaction.marks import TOO_DEEP, Marker
from otel_apimetrics.redaction.names import (
    CONTENT,
    HARMLESS,
    LABEL,
    LABEL_OR_SENSITIVE,
    NAMED,
    ON_A_PATH,
    SENSITIVE,
    SETTING,
    VALUE,
    Names,
)
from otel_apimetrics.redaction.phrases.arguments import are_pairs, hidden
from otel_apimetrics.redaction.phrases.statements import LISTS, takes_a_secret
from otel_apimetrics.redaction.senses import is_plain

_DEEPEST: Final = 32
_MOST_NODES: Final = 10_000


class TooLargeError(Exception):
    """A document has more than 10,000 nodes: it is masked as text instead."""


class Number(str):
    """A JSON number in the spelling of the wire: 1.10 stays 1.10, and no digit is too many."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """The members of a JSON object: the order of the wire, and a name as often as it came."""

    __slots__ = ()


def exact(text: str) -> Any:
    """Read a JSON text into `Pairs`, lists, strings and `Number`s, so that nothing of it is lost.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deeply.
    """
    return json.loads(
        text,
        object_pairs_hook=Pairs,
        parse_float=Number,
        parse_int=Number,
        parse_constant=Number,
    )


class Walk:
    """One walk over one value; `changed` tells whether it masked anything.

    Args:
        names: the verdicts on names.
        string: masks inside of one string.
        mark: writes the marks.
        remove: take a member out instead of masking its value.
        at: the path to the value, where it stands in a string of another. Dotted paths go from
            both roots.
    """

    def __init__(
        self,
        names: Names,
        string: Callable[[str], str],
        *,
        mark: Marker,
        remove: bool,
        at: Sequence[str] = (),
    ) -> None:
        self._mark: Final = mark
        self._names: Final = names
        self._string: Final = string
        self._remove: Final = remove
        self._around: Final = list(at)
        self._path: list[str] = []
        self._nodes = 0
        self._in_a_row = False
        """The list that comes next is one of several pairs."""
        self.changed = False

    @property
    def path(self) -> list[str]:
        """The members and indices to where the walk is."""
        return [*self._around, *self._path]

    def _is_denied_here(self) -> bool:
        return self._at(self._names.denied_at)

    def _is_allowed_here(self) -> bool:
        return self._at(self._names.allowed_at)

    def _at(self, fits: Callable[[Sequence[str]], bool]) -> bool:
        return fits(self._path) or (bool(self._around) and fits(self.path))

    def value(self, value: Any) -> Any:
        """Give the masked value; the identical one where nothing changed below it.

        Raises:
            TooLargeError: there are more than 10,000 nodes.
        """
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise TooLargeError
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, (bool, int, float)):
            return self._number(value)
        return self._nested(value)

    def _nested(self, value: Any) -> Any:
        if len(self._path) >= _DEEPEST:
            self.changed = True
            return TOO_DEEP
        if isinstance(value, Pairs):
            return self._object(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._items(value)
        return self._text(str(value))

    def _text(self, text: str) -> str:
        masked = self._string(text)
        if masked == text:
            return text
        self.changed = True
        return masked

    def _number(self, value: Any) -> Any:
        # A card number may come as a number.
        if value is None or isinstance(value, (bool, float)):
            return value
        digits = str(value)
        masked = self._text(digits)
        return value if masked == digits else masked

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        pairs = Pairs((str(key), member) for key, member in value.items())
        masked = self._object(pairs)
        return value if masked is pairs else dict(masked)

    def _items(self, items: Any) -> Any:
        masked: list[Any] = []
        same = True
        in_a_row, self._in_a_row = self._in_a_row, False
        # A set has no order, so no item names another.
        named = hidden(items, self._names, in_a_row=in_a_row) if _may_name(items) else {}
        pairs = not named and isinstance(items, list) and are_pairs(items)
        for index, item in enumerate(items):
            self._path.append(str(index))
            self._in_a_row = pairs
            clean = self._item(item, named.get(index))
            self._path.pop()
            same = same and clean is item
            masked.append(clean)
        self._in_a_row = False
        return items if same else masked

    def _item(self, item: Any, name: str | None) -> Any:
        if self._names.ends_open and self._is_denied_here():
            name = ".".join(self._path)
        if name is None:
            return self.value(item)
        mark = self._mark.value(item, f"name:{name}")
        self.changed = self.changed or item != mark
        return mark

    def _object(self, pairs: Pairs) -> Pairs:
        masked = Pairs()
        same = True
        labelled = self._labels_a_value(pairs)
        located = self._locates_an_input(pairs)
        stated = self._states_a_secret(pairs)
        has_value = any(self._names[key] == VALUE for key, _ in pairs)
        exchanged = oauth.secrets_of(pairs) if _has_code(pairs) else frozenset()
        for key, member in pairs:
            self._path.append(key)
            verdict = self._names[key]
            masks = (
                (labelled and verdict in NAMED)
                or (located and key == "input")
                or (key in exchanged and not self._is_allowed(key))
                or (stated and isinstance(member, (list, tuple)) and key.lower() in LISTS)
                or (
                    self._masks(key, verdict, has_value=has_value)
                    and not self._is_plain(key, member, pairs)
                )
            )
            if masks:
                clean: Any = self._mark.value(member, f"name:{key}")
                self.changed = self.changed or self._remove or member != clean
            else:
                clean = self.value(member)
            self._path.pop()
            name = self._text(key)
            same = same and clean is member and name is key
            if not (masks and self._remove):
                masked.append((name, clean))
        return pairs if same else masked

    def _masks(self, name: str, verdict: int, *, has_value: bool) -> bool:
        names = self._names
        if not names.has_paths:
            return verdict in (SENSITIVE, SETTING) or (
                verdict == LABEL_OR_SENSITIVE and not has_value
            )
        if self._is_denied_here():
            return True
        if verdict in (HARMLESS, LABEL, VALUE, CONTENT, ON_A_PATH):
            return False
        if verdict == LABEL_OR_SENSITIVE and has_value:
            return False
        return names.is_denied(name) or not self._is_allowed_here()

    def _is_allowed(self, name: str) -> bool:
        return self._names.is_allowed(name) or self._is_allowed_here()

    def _is_plain(self, name: str, member: Any, around: Sequence[tuple[str, Any]]) -> bool:
        """Tell a null, true or false, and the plain sense of a name that has two.

        Where the policy itself denies the name, nothing is plain.
        """
        names = self._names
        plain = member is None or isinstance(member, bool) or names.spares(name, member)
        if not (plain or is_plain(name, member, around)):
            return False
        return not (names.is_denied(name) or self._is_denied_here())

    def _states_a_secret(self, pairs: Sequence[tuple[str, Any]]) -> bool:
        """Tell a statement of SQL whose parameters, in a list beside it, may be secret."""
        return any(key.lower() in LISTS for key, _ in pairs) and any(
            isinstance(member, str) and takes_a_secret(member, self._names) for _, member in pairs
        )

    def _locates_an_input(self, pairs: Sequence[tuple[str, Any]]) -> bool:
        """Tell an error of Pydantic's whose `loc` says that its `input` is a secret."""
        sensitive = self._names.is_sensitive
        return any(
            key == "loc"
            and isinstance(member, (list, tuple))
            and any(isinstance(step, str) and sensitive(step) for step in member)
            for key, member in pairs
        )

    def _labels_a_value(self, pairs: Sequence[tuple[str, Any]]) -> bool:
        names = self._names
        return any(
            names[key] in (LABEL, LABEL_OR_SENSITIVE)
            and isinstance(member, str)
            and names.labels(member)
            for key, member in pairs
        )


def _has_code(pairs: Sequence[tuple[str, Any]]) -> bool:
    return any(key.lower() == "code" for key, _ in pairs)


def _may_name(items: Any) -> bool:
    return isinstance(items, (list, tuple)) and len(items) > 1 and isinstance(items[0], str)
