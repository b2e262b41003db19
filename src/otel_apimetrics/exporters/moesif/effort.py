"""How much work an expression may be for Python's `re`, which tries whatever can be tried.

Each part is a number of steps, and of ways in which what follows is tried again. Both are
upper bounds over all texts, so that nothing polynomial or exponential passes by being new.
"""

import re
from functools import lru_cache
from itertools import zip_longest
from typing import Final, NamedTuple

MOST_TEXT: Final = 2048
"""Characters of a text that is searched."""
EFFORT: Final = 32 * MOST_TEXT**2
"""Steps that an expression may take: some tenths of a second, on a text made to hurt."""

_TOO_MUCH: Final = EFFORT + 1
_GROUP: Final = 8
"""Steps of entering a group, or a choice: they cost more than a character."""
_STOP: Final = 4
"""Steps of a repetition: each is a place to come back to."""
_SYMBOL: Final = re.compile(
    r"\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\N\{[^}]*\}|\\0[0-7]{0,2}|\\."
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"  # a character class
    r"|\((?:\?(?:P<\w+>|.?))?"  # the opening of a group
    r"|(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\}|\{,[0-9]*\})[?+]?"  # a quantifier
    r"|.",
    re.DOTALL,
)
_BOUNDS: Final = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")
_FLAGS: Final = re.compile(r"\(\?[ais]+\)")
_MARK: Final = re.compile(r"\\?([!\"#%&',/:;<=>@_`~ -])|\\([$()*+.?\[\]^{|}\\])")
"""A character that is neither a letter nor a digit, and means itself."""
_STARTS: Final = ("^", r"\A")
_UNREAD: Final = {
    **dict.fromkeys(("(?=", "(?!", "(?<"), "looks around"),
    **dict.fromkeys(("(?P", "(?("), "refers back"),
    "(?>": "has an atomic group",
    "(?#": "has a comment",
}


class _Work(NamedTuple):
    """What a part is, with whatever may follow it."""

    steps: int
    ways: int
    """How often what follows is tried."""

    def then(self, following: "_Work") -> "_Work":
        return _bounded(self.steps + self.ways * following.steps, self.ways * following.ways)

    def or_else(self, other: "_Work") -> "_Work":
        return _bounded(self.steps + other.steps, self.ways + other.ways)


_NOTHING: Final = _Work(0, 1)
_NEVER: Final = _Work(0, 0)
_ONE: Final = _Work(1, 1)


class _Part(NamedTuple):
    work: _Work
    symbol: str = ""
    """One character or class, if it is no more than that."""
    repeated: str = ""
    """One character or class, if it is that with a quantifier."""


class _Group:
    """A group that is being read: its alternatives, each a sequence of parts."""

    def __init__(self) -> None:
        self.branches: list[list[_Part]] = [[]]

    def repeat(self, low: int, high: int) -> None:
        """Put a quantifier behind the last part."""
        last = self.branches[-1].pop()
        work = _repeated(last.work, low, min(high, MOST_TEXT))
        self.branches[-1].append(_Part(work, repeated=last.symbol))

    def work(self) -> _Work:
        """Sum the alternatives up."""
        total = _NEVER
        for branch in self.branches:
            total = total.or_else(_in_sequence(branch))
        return total


def effort(regex: str) -> int:
    """Give the steps that a search may take at most, or any number above `EFFORT`.

    Args:
        regex: an expression that compiles.

    Raises:
        ValueError: it holds what is not looked through: flags within it, a look around, a
            reference back, a possessive quantifier, a comment.
    """
    flags = _FLAGS.match(regex)
    groups = [_Group()]
    for symbol in _SYMBOL.findall(regex[flags.end() :] if flags else regex):
        _read(symbol, groups)
    whole = groups[0]
    starts_once = all(branch and branch[0].symbol in _STARTS for branch in whole.branches)
    return whole.work().steps * (1 if starts_once else MOST_TEXT + 1)


def _read(symbol: str, groups: list[_Group]) -> None:
    times = _times(symbol)
    if symbol[0] == "(":
        if symbol not in ("(", "(?:") and not symbol.startswith("(?P<"):
            raise _unread(_UNREAD.get(symbol, "sets flags, which otel-apimetrics[fast] allows"))
        groups.append(_Group())
    elif symbol == ")":
        work = _Work(_GROUP, 1).then(groups.pop().work())
        groups[-1].branches[-1].append(_Part(work))
    elif symbol == "|":
        groups[-1].branches.append([])
    elif times is not None:
        groups[-1].repeat(*times)
    elif symbol[0] == "\\" and symbol[1] in "123456789":
        raise _unread("refers back")
    else:
        groups[-1].branches[-1].append(_Part(_ONE, symbol=symbol))


def _unread(why: str) -> ValueError:
    return ValueError(f"an expression {why}: nobody here can tell how long it takes")


def _times(symbol: str) -> tuple[int, int] | None:
    """Give the least and the most repetitions of a quantifier; `None` for other symbols."""
    if symbol[0] in "*+?":
        found = int(symbol[0] == "+"), 1 if symbol[0] == "?" else MOST_TEXT
    elif len(symbol) > 1 and (bounds := _BOUNDS.match(symbol)) is not None:
        low = int(bounds[1] or 0)
        most = int(bounds[3]) if bounds[3] else MOST_TEXT
        found = low, (most if bounds[2] else low)
    else:
        return None
    if len(symbol) > 1 and symbol[-1] == "+":
        raise _unread("has a possessive quantifier")
    if found[0] > MOST_TEXT:
        raise _unread(f"repeats more than {MOST_TEXT} times")
    return found


@lru_cache(maxsize=256)
def _repeated(work: _Work, low: int, high: int) -> _Work:
    """Try the part, then all that follows it, from the last repetition to the first."""
    total = _NOTHING
    once = _Work(_STOP, 1).then(work)
    for done in reversed(range(high)):
        total = once.then(total)
        if done >= low:
            total = total.or_else(_NOTHING)
        if max(total) >= _TOO_MUCH:
            break
    return total


def _in_sequence(parts: list[_Part]) -> _Work:
    total = _NOTHING
    for part, following in zip_longest(parts, parts[1:]):
        work = part.work
        if part.repeated and following and _stops(part.repeated, following.symbol):
            # `[^/]+/`: wherever it gives a character back, what follows does not match.
            work = _bounded(work.steps + work.ways, 1)
        total = total.then(work)
    return total


def _stops(repeated: str, following: str) -> bool:
    mark = _MARK.fullmatch(following)
    return mark is not None and re.fullmatch(repeated, mark[1] or mark[2], re.DOTALL) is None


def _bounded(steps: int, ways: int) -> _Work:
    return _Work(min(steps, _TOO_MUCH), min(ways, _TOO_MUCH))
