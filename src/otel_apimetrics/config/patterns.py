"""Regular expressions that users give: read, compiled, and refused where they could hang.

They run on what clients send, so an expression whose time grows exponentially would let
anybody stop the app.
"""

import json
import re

from otel_apimetrics.config.given import Given
from otel_apimetrics.config.values import names, word_of
from otel_apimetrics.redaction import repeats_a_repeat

_LONGEST = 1000
"""Characters of one expression."""

_JSON = re.compile(r'\s*(?:\{|\[\s*(?:"|\]))')
"""How a JSON object or array of strings begins; a character class begins otherwise."""


def patterns(given: Given) -> tuple[str, ...]:
    """Read a list of regular expressions, each one compiled once to prove it.

    A string is a JSON array of strings, or a comma-separated list. A comma inside braces
    ("a{1,3}") needs the array: a cut expression is refused, not half used.

    Raises:
        ConfigError: an expression does not compile, is longer than 1,000 characters, or
            repeats a group that itself repeats something.
    """
    found = names(given.item(array_or_text(given)))
    for pattern in found:
        if isinstance(given.value, str) and pattern.count("{") != pattern.count("}"):
            raise given.refuse("write expressions that have commas as a JSON array of strings")
        compiled(given.item(pattern))
    return found


def paths(given: Given) -> tuple[str, ...]:
    """Read expressions as `patterns` does; `off` is none at all.

    Raises:
        ConfigError: as `patterns`.
    """
    return () if word_of(given) == "off" else patterns(given)


def compiled(given: Given, flags: int = 0) -> re.Pattern[str]:
    """Compile one expression.

    Raises:
        ConfigError: as `patterns`.
    """
    pattern = given.value
    if not isinstance(pattern, str) or len(pattern) > _LONGEST:
        raise given.refuse(f"use an expression of at most {_LONGEST} characters")
    try:
        expression = re.compile(pattern, flags)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        # A `FutureWarning` ("[[") is an exception where the app turns warnings into errors.
        raise given.refuse(f"use a regular expression of Python's re ({error})") from error
    if repeats_a_repeat(pattern):
        raise given.refuse(
            "repeat no group that has a quantifier inside, such as (a+)+: its time is exponential"
        )
    return expression


def array_or_text(given: Given) -> object:
    r"""Decode a JSON array or object where a string holds one; leave all else as it is.

    Raises:
        ConfigError: the string begins as JSON and is none; mostly `\d` that JSON wants
            written `\\d`.
    """
    if not isinstance(given.value, str) or not _JSON.match(given.value):
        return given.value
    try:
        return json.loads(given.value)
    except ValueError as error:
        raise given.refuse("correct the JSON; a backslash is doubled in it") from error


def pattern_lines(given: Given) -> object:
    """Read value patterns: JSON, or one expression a line, or what is no string as it is.

    Raises:
        ConfigError: as `array_or_text`.
    """
    value = array_or_text(given)
    if not isinstance(value, str):
        return value
    return tuple(line.strip() for line in value.splitlines() if line.strip())
