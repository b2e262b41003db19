"""What may be the beginning of what a user's expression finds, at the end of a cut text."""

import re
from typing import Final

_SYMBOL: Final = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|0[0-7]{0,2}|.)"
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|\(\?#[^)]*\)|\(\?[aiLmsux]+\)|\(\?P=\w+\)|\(\?\(\w+\)"
    r"|\((?:\?(?:P<\w+>|<?[=!]|[:>]|[aiLmsux-]+:))?"
    r"|(?:[*+?]|\{[0-9]+,?[0-9]*\}|\{,[0-9]*\})[?+]?|.",
    re.DOTALL,
)
_QUANTIFIER: Final = re.compile(r"([*+?]|\{[0-9]*,?[0-9]*\})[?+]?")
_MOST_STEPS: Final = 48
"""Steps of an expression that are followed. What has come so far is a beginning of the rest."""
_LOOKS: Final = ("(?=", "(?!", "(?<=", "(?<!")
_NOTHING: Final = frozenset({"^", "$", r"\A", r"\Z", r"\z", r"\b", r"\B", "(?#"})
"""What reads nothing. An end, too, may come behind the cut."""


class _UnknownError(ValueError):
    """An expression refers back, or is nested too deep."""


def beginning_of(regex: str) -> str | None:
    """Give an expression for what may go on behind the end of a text, to be searched.

    Args:
        regex: an expression that compiles under `re`.

    Returns:
        `None` where it cannot be known: the expression refers back to what it found.
    """
    symbols = _SYMBOL.findall(regex)
    flags = ""
    while symbols and re.fullmatch(r"\(\?[aiLmsux]+\)", symbols[0]):
        flags += symbols.pop(0)
    try:
        _, begun = _Reader(symbols).alternatives()
    except _UnknownError:
        return None
    return f"{flags.replace('m', '').replace('(?)', '')}(?:{begun})"


class _Reader:
    """Reads symbols from left to right; each part gives itself and its beginnings.

    Args:
        symbols: of the expression, without global flags.
    """

    def __init__(self, symbols: list[str]) -> None:
        self._symbols: Final = symbols
        self._at = 0
        self._depth = 0

    def alternatives(self) -> tuple[str, str]:
        """Read up to the end of the group, or of all."""
        whole, begun = [], []
        while True:
            steps = self._steps()
            whole.append("".join(full for full, _ in steps))
            begun.append(_begun(steps))
            if self._next() != "|":
                return "|".join(whole), "|".join(begun)
            self._at += 1

    def _next(self) -> str:
        return self._symbols[self._at] if self._at < len(self._symbols) else ""

    def _steps(self) -> list[tuple[str, str]]:
        steps: list[tuple[str, str]] = []
        while (symbol := self._next()) and symbol not in "|)":
            self._at += 1
            if symbol in _NOTHING or symbol.startswith("(?#"):
                continue
            step = self._step(symbol)
            quantifier = self._quantifier()
            if step is not None:
                steps.append(_repeated(step, quantifier))
        return steps

    def _step(self, symbol: str) -> tuple[str, str] | None:
        if re.fullmatch(r"\\[1-9]|\(\?P=\w+\)|\(\?\(\w+\)", symbol):
            raise _UnknownError
        if symbol[0] != "(" or (len(symbol) > 1 and symbol[-1] == ")"):
            return symbol, r"\Z"
        self._depth += 1
        if self._depth > _MOST_STEPS:
            raise _UnknownError
        whole, begun = self.alternatives()
        self._at += 1
        self._depth -= 1
        if symbol in _LOOKS:
            return None
        opening = symbol if symbol.endswith(":") else "(?:"
        return f"{opening}{whole})", f"{opening}{begun})"

    def _quantifier(self) -> str:
        found = _QUANTIFIER.fullmatch(self._next())
        if found is None or found[1] == "{}":
            return ""
        self._at += 1
        return found[1]


def _repeated(step: tuple[str, str], quantifier: str) -> tuple[str, str]:
    whole, begun = step
    if not quantifier or quantifier == "?":
        return f"{whole}{quantifier}", begun
    _, comma, most = quantifier.strip("{}").partition(",")
    if quantifier in "*+" or (comma and not most):
        return f"{whole}{quantifier}", f"{whole}*{begun}"
    more = int(most or quantifier.strip("{},")) - 1
    return f"{whole}{quantifier}", f"{whole}{{0,{more}}}{begun}" if more > 0 else begun


def _begun(steps: list[tuple[str, str]]) -> str:
    begun = r"(?s:.*)" if len(steps) > _MOST_STEPS else r"\Z"
    for whole, part in reversed(steps[:_MOST_STEPS]):
        begun = f"(?:{part}|{whole}{begun})"
    return begun
