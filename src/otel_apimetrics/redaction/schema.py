"""The shape of a JSON document: each leaf replaced by the name of its type."""

import json
from typing import Any, Final

from otel_apimetrics.redaction.marks import MARK, TOO_DEEP
from otel_apimetrics.redaction.names import LABEL_OR_SENSITIVE, SENSITIVE, VALUE, Names
from otel_apimetrics.redaction.walk import Number, Pairs, exact

_DEEPEST: Final = 32
_ITEMS: Final = 100
"""Items of an array that are looked at."""


def schema_of(text: str, names: Names) -> str | None:
    """Give the shape of a document as JSON, or `None` where it does not parse.

    An array becomes the list of its items' distinct shapes. A name is shown as it is, a
    sensitive one with `[REDACTED]` instead of its shape.

    Args:
        text: a whole JSON document.
        names: the verdicts on names.
    """
    try:
        document = exact(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return json.dumps(_shape(document, names, []))


def _shape(value: Any, names: Names, path: list[str]) -> Any:
    if not isinstance(value, list):
        return _type(value)
    if len(path) >= _DEEPEST:
        return TOO_DEEP
    if isinstance(value, Pairs):
        return _members(value, names, path)
    shapes: dict[str, Any] = {}
    for item in value[:_ITEMS]:
        path.append("*")
        shape = _shape(item, names, path)
        path.pop()
        shapes.setdefault(json.dumps(shape, sort_keys=True), shape)
    return list(shapes.values())


def _type(leaf: Any) -> str:
    if isinstance(leaf, Number):
        return "number"
    if isinstance(leaf, str):
        return "string"
    return "null" if leaf is None else "boolean"


def _members(pairs: Pairs, names: Names, path: list[str]) -> dict[str, Any]:
    has_value = any(names[key] == VALUE for key, _ in pairs)
    shape: dict[str, Any] = {}
    for key, member in pairs:
        path.append(key)
        verdict = names[key]
        secret = verdict == SENSITIVE or (verdict == LABEL_OR_SENSITIVE and not has_value)
        if names.has_paths and secret:
            secret = not names.allowed_at(path)
        if names.has_paths and names.denied_at(path):
            secret = True
        shape[key] = MARK if secret else _shape(member, names, path)
        path.pop()
    return shape
