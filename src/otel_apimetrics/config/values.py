"""Coercion of single values: words, names, numbers, sizes.

Each function takes a `Given` and returns the value of the option, or raises `ConfigError`.
A string means what it would mean in an environment variable, wherever it came from.
"""

import re
from collections.abc import Callable, Iterable

from otel_apimetrics.config.given import Given

MAX_CONSUMERS = 1500
"""Highest `max_consumers`: with `_OTHER` and routes an instrument stays below the SDK's
cardinality limit of 2,000 attribute sets."""

MAX_BODY_SIZE = 1024 * 1024
"""Highest `max_body_size`, bytes."""

METRIC_SETS = ("default", "all", "semconv")

_SIZE = re.compile(r"([0-9]{1,10}) ?(b|k|kb|kib|m|mb|mib)?", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024 * 1024}

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_FLAGS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
_SIZE_REMEDY = f'use bytes from 0 to {MAX_BODY_SIZE}, or a size such as "16KiB"'


def text(given: Given) -> str:
    """Read a printable, non-empty string; surrounding white space is removed."""
    if not isinstance(given.value, str) or not given.value.strip().isprintable():
        raise given.refuse("use a printable string")
    return given.value.strip()


def items(given: Given) -> tuple[object, ...]:
    """Read a list: a comma-separated string, or a list, tuple or set of anything."""
    value = given.value
    if isinstance(value, str):
        return tuple(part for raw in value.split(",") if (part := raw.strip()))
    if isinstance(value, (list, tuple)):
        return tuple(value)
    if isinstance(value, (set, frozenset)):
        # A set has no order, and a configuration must be the same in each worker.
        return tuple(sorted(value, key=str))
    raise given.refuse("use a list, or a string with commas")


def names(given: Given) -> tuple[str, ...]:
    """Read a list of strings: stripped, the empty and the repeated ones left out."""
    found: dict[str, None] = {}
    for item in items(given):
        if not isinstance(item, str):
            raise given.item(item).refuse("use strings in this list")
        if item.strip():
            found[item.strip()] = None
    return tuple(found)


def choice(*words: str) -> Callable[[Given], str]:
    """Make the coercion to one of these words.

    YAML 1.1 reads a bare `off` as false: that is understood where "off" is a word.
    """

    def read(given: Given) -> str:
        word = word_of(given)
        if word not in words:
            raise given.refuse(f"use {alternatives(words)}")
        return word

    return read


def word_of(given: Given) -> str:
    """Read a value as one lower-case word; `False` is "off", "" is not a word."""
    if given.value is False:
        return "off"
    return given.value.strip().lower() if isinstance(given.value, str) else ""


def word(given: Given) -> object:
    """Read a word in lower case, or leave what is no string as it is."""
    return given.value.strip().lower() if isinstance(given.value, str) else given.value


def flag(given: Given) -> bool:
    """Read true or false."""
    if isinstance(given.value, bool):
        return given.value
    found = _FLAGS.get(word_of(given))
    if found is None:
        raise given.refuse("use true or false")
    return found


def alternatives(words: Iterable[str]) -> str:
    """Join words for a sentence: "off, errors or all"."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def body_size(given: Given) -> int:
    """Read `max_body_size`, bytes; k and m are the binary multiples, whatever their spelling."""
    size = given.value
    if isinstance(size, str) and (match := _SIZE.fullmatch(size.strip())):
        size = int(match[1]) * _UNITS[(match[2] or "")[:1].lower()]
    return _within(given, size, 0, MAX_BODY_SIZE, _SIZE_REMEDY)


def consumers(given: Given) -> int:
    """Read `max_consumers`."""
    count = given.value
    if isinstance(count, str) and re.fullmatch("[0-9]{1,10}", count.strip()):
        count = int(count)
    remedy = f"use a whole number from 1 to {MAX_CONSUMERS}"
    return _within(given, count, 1, MAX_CONSUMERS, remedy)


def rate(given: Given) -> float:
    """Read a share from 0 to 1."""
    remedy = "use a number from 0 to 1, or a callable that takes the exchange"
    value = given.value
    try:
        share = float(value) if isinstance(value, (str, int, float)) else -1.0
    except (ValueError, OverflowError) as error:
        raise given.refuse(remedy) from error
    if isinstance(value, bool) or not 0.0 <= share <= 1.0:
        raise given.refuse(remedy)
    return share


def metrics(given: Given) -> frozenset[str]:
    """Read the metric sets; each adds to the default ones, "off" stands alone."""
    if word_of(given) == "off":
        return frozenset()
    chosen = frozenset(name.lower() for name in names(given))
    if not chosen or not chosen <= frozenset(METRIC_SETS):
        raise given.refuse(f"use off, or a list of {alternatives(METRIC_SETS)}")
    return chosen | {"default"}


def labels(given: Given) -> tuple[str, ...]:
    """Read the names of labels: letters, digits, `_`, `.` and `-`, at most 64 characters."""
    found = names(given)
    for name in found:
        if not _LABEL.fullmatch(name):
            raise given.item(name).refuse(
                "use at most 64 letters, digits, _, . and -, the first a letter or _"
            )
    return found


def _within(given: Given, number: object, low: int, high: int, remedy: str) -> int:
    # `True` is an `int` to Python, and never meant as the number 1.
    if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
        raise given.refuse(remedy)
    return number
