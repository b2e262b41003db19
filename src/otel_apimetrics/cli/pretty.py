"""JSON for the eye: one member a line, and the path of each."""

from collections.abc import Callable, Iterator, Mapping
from json.encoder import encode_basestring
from typing import Any, Final

from otel_apimetrics.redaction.explain import NUMBERED
from otel_apimetrics.redaction.walk import Number, Pairs, exact

_LITERALS: Final = {None: "null", True: "true", False: "false"}


def pretty(text: str) -> str | None:
    """Write JSON with a member or item a line; numbers, order and repeats stay.

    Args:
        text: a document.

    Returns:
        `None` where it does not parse.
    """
    parts: list[str] = []
    try:
        _write(_parsed(text), "\n", parts.append)
    except (ValueError, RecursionError):
        return None
    return "".join(parts)


def paths(noted: str, marks: Mapping[int, str]) -> dict[int, str]:
    """Tell where in a document each numbered mark stands.

    Args:
        noted: JSON with numbered marks.
        marks: what is written for each, since a name on the path may have one.

    Returns:
        Paths ("users[0].password") by number; none where it does not parse.
    """
    try:
        return {
            int(mark[1]): NUMBERED.sub(lambda here: marks.get(int(here[1]), here[0]), path)
            for path, text in _strings(_parsed(noted), "")
            for mark in NUMBERED.finditer(text)
        }
    except (ValueError, RecursionError):
        return {}


def member_with(text: str, has: Callable[[str], object]) -> str:
    """Give the path of the first name or value that has something.

    Args:
        text: a document.
        has: tells of one of its strings or numbers.

    Returns:
        "" where none has it, or the text does not parse.
    """
    try:
        return next((path for path, part in _strings(_parsed(text), "") if has(part)), "")
    except (ValueError, RecursionError):
        return ""


def _parsed(text: str) -> Any:
    return exact(text.removeprefix("\ufeff"))


def _write(value: Any, line: str, add: Callable[[str], object]) -> None:
    if isinstance(value, list):
        _write_many(value, line, add)
    elif isinstance(value, Number):
        add(value)
    elif isinstance(value, str):
        add(encode_basestring(value))
    else:
        add(_LITERALS[value])


def _write_many(values: list[Any], line: str, add: Callable[[str], object]) -> None:
    opening, closing = "{}" if isinstance(values, Pairs) else "[]"
    inner = f"{line}  "
    before = f"{opening}{inner}"
    for value in values:
        add(before)
        if isinstance(values, Pairs):
            add(f"{encode_basestring(value[0])}: ")
            _write(value[1], inner, add)
        else:
            _write(value, inner, add)
        before = f",{inner}"
    add(f"{line}{closing}" if values else f"{opening}{closing}")


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Pairs):
        for name, member in value:
            here = f"{path}.{name}" if path else name
            yield path, name
            yield from _strings(member, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value
