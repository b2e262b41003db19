r"""One meaning of an expression on both engines, Python's `re` and google-re2.

`\w`, `\d`, `\s` and `\b` are about ASCII, as re2 has it, and `$` is also before a line break that
ends the text, as Python has it.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_SYMBOL: Final = re.compile(
    r"\\."
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|\(\?(?:#[^)]*|P=\w+|[aiLmsux]+)\)"
    r"|\((?:\?(?:P<\w+>|<?[=!]|[:>]|[aiLmsux-]+:|\(\w+\)))?"
    r"|\{,[0-9]*\}|.",
    re.DOTALL,
)
_PYTHON: Final = {
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[0-9A-Za-z_]",
    r"\W": "[^0-9A-Za-z_]",
    r"\s": r"[\t\n\f\r ]",
    r"\S": r"[^\t\n\f\r ]",
    r"\b": r"(?a:\b)",
    r"\B": r"(?a:\B)",
}
_IN_CLASS: Final = {
    r"\d": "0-9",
    r"\D": r"\x00-/:-\U0010ffff",
    r"\w": "0-9A-Za-z_",
    r"\W": r"\x00-/:-@\[-\^`{-\U0010ffff",
    r"\s": r"\t\n\f\r ",
    r"\S": r"\x00-\x08\x0b\x0e-\x1f!-\U0010ffff",
}
_FOLDS: Final = re.compile(r"\(\?[amsux]*i")
_FOLDED: Final = r"{-\u012f\u0132-\u017e\u0180-\u2129\u212b-\U0010ffff"
"""Where case is ignored, without the letters that Python takes for others of ASCII's."""
_ESCAPE: Final = re.compile(r"\\.", re.DOTALL)
_LOOKS: Final = ("(?=", "(?!", "(?<=", "(?<!")


class _Group(NamedTuple):
    """What holds inside of a group."""

    lines: bool
    """`$` is at the end of each line."""
    looks: bool
    """It looks around: what it reads is no part of the match."""


def is_for_re2(regex: str) -> bool:
    r"""Tell whether re2 can mean what `re` does: its `\B` is also inside of a letter's bytes."""
    return r"\B" not in _SYMBOL.findall(regex)


def for_python(regex: str) -> str:
    """Write an expression that compiles so that `re` reads it as re2 does."""
    in_class = _IN_CLASS
    if _FOLDS.search(regex):
        others = in_class[r"\W"].replace(r"{-\U0010ffff", _FOLDED)
        in_class = {**in_class, r"\W": others}
    return "".join(_written(regex, _PYTHON, in_class, r"(?:\n?\Z)"))


def for_re2(regex: str) -> str:
    """Write an expression that compiles under `re` so that re2 reads it as `re` does."""
    return "".join(_written(regex, {r"\Z": r"\z"}, {}, r"(?:\n?\z)"))


def asks_for_ends(regex: str) -> bool:
    """Tell whether an expression asks for the end of a text, or for what is around a match.

    Such a one may find something in a value and nothing in a text around the value.
    """
    return any(
        symbol in ("^", "$", r"\A", r"\Z", r"\z") or symbol in _LOOKS
        for symbol in _SYMBOL.findall(regex)
    )


def _written(
    regex: str, escapes: dict[str, str], in_class: dict[str, str], end: str
) -> Iterator[str]:
    groups = [_Group(lines=False, looks=False)]
    for symbol in _SYMBOL.findall(regex):
        if symbol[0] == "(" and symbol[-1] != ")":
            groups.append(_inside(symbol, groups[-1]))
        elif symbol[:2] == "(?" and symbol[2] not in "#P":
            groups[-1] = _Group("m" in symbol or groups[-1].lines, groups[-1].looks)
        elif symbol == ")" and len(groups) > 1:
            groups.pop()
        yield _symbol(symbol, groups[-1], escapes, in_class, end)


def _symbol(
    symbol: str, group: _Group, escapes: dict[str, str], in_class: dict[str, str], end: str
) -> str:
    if symbol == "$":
        return symbol if group.lines or group.looks else end
    if symbol[0] == "\\":
        return escapes.get(symbol, symbol)
    if symbol[0] == "[":
        return _ESCAPE.sub(lambda found: in_class.get(found[0], found[0]), symbol)
    return f"{{0{symbol[1:]}" if symbol.startswith("{,") else symbol


def _inside(opening: str, around: _Group) -> _Group:
    on, _, off = opening.strip("(?:").partition("-")
    has_flags = opening.startswith("(?") and opening.endswith(":")
    lines = around.lines
    if has_flags:
        lines = ("m" in on or lines) and "m" not in off
    return _Group(lines, around.looks or opening in _LOOKS)
