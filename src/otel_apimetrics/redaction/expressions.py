"""Expressions that users give: compiled, and refused where they could hang a request.

They run on what clients send. google-re2, where it is installed, takes linear time whatever
the expression; Python's `re` does not, so there an expression is looked through first.
"""

import re
from typing import Final, cast

from otel_apimetrics.interpreter import import_re2
from otel_apimetrics.redaction.dialects import for_python, for_re2, is_for_re2

_SYMBOLS: Final = re.compile(
    r"\\."  # an escape
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"  # a character class
    r"|\(\?(?:#[^)]*|P=\w+|[aiLmsux]+)\)"  # a comment, a back-reference, global flags
    r"|\((?:\?(?:P<\w+>|<?[=!]|[:>]|[aiLmsux-]+:|\(\w+\)))?"  # the opening of a group
    r"|(?:[*+?]|\{[0-9]*,?[0-9]*\})[?+]?"  # a quantifier, lazy and possessive ones too
    r"|.",
    re.DOTALL,
)
_VERBOSE: Final = re.compile(r"\(\?[aiLmsu]*x[aiLmsux]*[-:)]")
_BOUNDS: Final = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")


def compiled(regex: str) -> re.Pattern[str]:
    """Compile an expression, with google-re2 where that is installed and takes it.

    It finds the same on both engines: see `dialects`.

    Raises:
        re.error: it does not compile.
        OverflowError: a repeat is too large.
        RecursionError: it is nested too deep.
        ValueError: it could take exponential time.
    """
    re.compile(regex)
    pattern = linear(regex)
    if pattern is not None:
        return pattern
    if _VERBOSE.search(regex):
        raise ValueError("it is a verbose expression, (?x), which nobody here can look through")
    if repeats_a_repeat(regex, choices=True):
        raise ValueError("a group that itself repeats or chooses is repeated")
    return re.compile(for_python(regex))


def linear(regex: str) -> re.Pattern[str] | None:
    """Compile an expression that `re` compiles with google-re2.

    Returns:
        `None` where that is not installed, or does not take the expression.
    """
    if not is_for_re2(regex):
        return None
    try:
        re2 = import_re2()
    except ImportError:
        return None
    options = re2.Options()
    options.log_errors = False
    try:
        # The same methods as a pattern of `re`.
        return cast("re.Pattern[str]", re2.compile(for_re2(regex), options=options))
    except re2.error:  # it looks around, or refers back
        return None


def repeats_a_repeat(pattern: str, *, choices: bool = False) -> bool:
    """Say whether a group with a quantifier inside is itself repeated, as in `(a+)+`.

    Such an expression can take time exponential in the length of the text. The check reads
    symbols and proves nothing more.

    Args:
        pattern: an expression that compiles.
        choices: find repeated alternatives too, `(a|a)+`, overlapping or not.
    """
    open_groups = [False]
    varies = False
    for symbol in _SYMBOLS.findall(pattern):
        if symbol.startswith("(?#"):
            continue  # what is before it may still be repeated
        if symbol[0] == "(" and symbol[-1] != ")":
            open_groups.append(False)
        elif symbol == ")":
            varies = _close(open_groups)
            continue
        elif symbol == "|":
            open_groups[-1] = open_groups[-1] or choices
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
