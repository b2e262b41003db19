"""Regular expressions that users give: read, compiled, and refused where they could hang.

They run on what clients send, so an expression whose time grows exponentially would let
anybody stop the app.
"""

import json
import re

from otel_apimetrics.config.given import Given
from otel_apimetrics.config.values import names

_LONGEST = 1000
"""Characters of one expression."""

_JSON = re.compile(r'\s*(?:\{|\[\s*(?:"|\]))')
"""How a JSON object or array of strings begins; a character class begins otherwise."""

_SYMBOLS = re.compile(
    r"\\."  # an escape
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"  # a character class
    r"|\(\?(?:#[^)]*|P=\w+|[aiLmsux]+)\)"  # a comment, a back-reference, global flags
    r"|\((?:\?(?:P<\w+>|<?[=!]|[:>]|[aiLmsux-]+:|\(\w+\)))?"  # the opening of a group
    r"|(?:[*+?]|\{[0-9]*,?[0-9]*\})[?+]?"  # a quantifier, lazy and possessive ones too
    r"|.",
    re.DOTALL,
)
_BOUNDS = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")


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


def repeats_a_repeat(pattern: str) -> bool:
    """Say whether a group with a quantifier inside is itself repeated, as in `(a+)+`.

    Such an expression can take time exponential in the length of the text. The check reads
    symbols and proves nothing more: overlapping alternatives, `(a|a)+`, are not found.

    Args:
        pattern: an expression that compiles.
    """
    open_groups = [False]
    varies = False
    for symbol in _SYMBOLS.findall(pattern):
        if symbol[0] == "(" and symbol[-1] != ")":
            open_groups.append(False)
        elif symbol == ")":
            varies = _close(open_groups)
            continue
        elif (bounds := _bounds(symbol)) is not None:
            low, high = bounds
            if varies and high > 1:
                return True
            open_groups[-1] = open_groups[-1] or low != high
        varies = False
    return False


def _close(open_groups: list[bool]) -> bool:
    varies = open_groups.pop()
    # The comments of a verbose expression may close what was never opened.
    if open_groups:
        open_groups[-1] = open_groups[-1] or varies
    else:
        open_groups.append(varies)
    return varies


def _bounds(symbol: str) -> tuple[float, float] | None:
    """Return the least and the most repetitions of a quantifier; `None` for other symbols."""
    if symbol[0] in "*+?":
        return (1 if symbol[0] == "+" else 0), (1 if symbol[0] == "?" else float("inf"))
    match = _BOUNDS.match(symbol)
    if match is None or match[0] == "{}":
        return None
    low = int(match[1] or 0)
    if not match[2]:
        return low, low
    return low, int(match[3]) if match[3] else float("inf")
