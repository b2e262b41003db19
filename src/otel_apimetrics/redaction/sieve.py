"""One look that tells whether a text could hold anything to mask at all.

Most texts hold nothing. google-re2 (the extra `fast`) reads a text once for all rules
together, a multiple faster than Python's `re` can for each; only what it points at is read
again. It points at too much rather than too little: whatever a rule would change, the sieve
has pointed at, and its expressions are made from the rules themselves.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from otel_apimetrics.interpreter import import_re2
from otel_apimetrics.redaction import entities, oauth, percent
from otel_apimetrics.redaction.names import tokens
from otel_apimetrics.redaction.phrases.signs import LABELS, unsigned
from otel_apimetrics.redaction.vocabulary import ANY, PAIRS, WHOLE

_MEMORY: Final = 16 << 20
"""Bytes that re2 may use for its automaton, in all threads together."""

_BETWEEN: Final = r"[\W_0-9]*"
_AFTER: Final = r"""[0-9]*(?:[^a-z0-9"'`:=,{}][^"'`:=,{}]*)?["'`\\\s]*[:=]"""
"""From a word in a name to the sign behind the name."""
_WHOLE_AFTER: Final = r"[\W_0-9]*?[:=]"
_START: Final = r"(?:^|[^\w.$%\[\]-]|\\[bfnrt])(?:[\W_0-9]|(?i:x|http))*"
"""Where a name can begin, and what is left out of it."""
_LABEL: Final = rf'(?i:{LABELS})[\W_0-9]*"'
"""A member that may name its sibling, and the quote that opens its value."""
_ODD_NAMES: Final = (
    # Letters that look like others, marks and escapes are for the rules themselves to read.
    r"""\[REDACTED[^\]\n]{0,40}\][^"':=]*["'`\\\s]*[:=]""",
    r"""[^\x00-\x7F][^"':=]*["'`\\\s]*[:=]""",
    r"""[,{}'`][^"]*"\s*:""",
    r"""\\(?s:.)[^"]*"\s*:""",
    r"""\\"[\s\\nrt]{0,16}:""",
    r"""\\u00[2-7]""",
    r"""\\u[0-9a-fA-F]{4}[\w.$%\[\]\\-]*[ \t]*[:=]""",
    r"""\\/""",
    r'"loc"\s*:',
    percent.SIGN,
    entities.SIGN,
    oauth.SIGN,
)
_ATOM: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?<?[!=]|\(|\)|.", re.DOTALL)
_LONG_REPEAT: Final = re.compile(r"\{(\d+),(?:[4-9]\d|\d{3,})\}")


_WORDS: Final = 1
_WHOLE: Final = 2
_ODD: Final = 3
_LABELLED: Final = 4
_VALUE: Final = 5
_SHAPES: Final = 6
"""Places in the automaton; its first expression matches always."""
_BOTH: Final = (_WORDS, _WHOLE)


class Seen(NamedTuple):
    """What one look at a text has seen."""

    names: tuple[int, ...]
    """The places of the expressions of sensitive names that one may fit."""
    odd: bool
    """A name, or an escape, is for the rules themselves to read."""
    labelled: bool
    """A member may name its sibling `value`."""
    shapes: list[int]
    """The shapes that may be there, by their places."""


_NOTHING: Final = Seen(names=(), odd=False, labelled=False, shapes=[])


class Sieve:
    """The automaton of one policy. Safe between threads.

    Args:
        deny: names and dotted paths that the policy masks too.
        shapes: expressions of the value rules, for Python's `re`.

    Raises:
        ImportError: google-re2 is not installed.
    """

    def __init__(self, deny: Sequence[str], shapes: Iterable[str]) -> None:
        re2 = import_re2()
        options = re2.Options()
        options.max_mem = _MEMORY
        options.log_errors = False
        self._set: Final = re2.Set.SearchSet(options)
        words = _words(deny)
        # Apart, because together they look back over the text again and again.
        names = _names(words)
        self._names: Final = {
            place: re2.compile(part, options=options)
            for place, part in zip(_BOTH, names, strict=True)
        }
        # The first always matches: an answer without it is none, and points at everything.
        for expression in (
            "^",
            *names,
            f"{'|'.join(_ODD_NAMES)}|{unsigned(words, '|'.join(sorted(WHOLE)))}",
            _labelled(words),
            f"{_START}(?i:val|values?|content){_WHOLE_AFTER}",
            *map(_loose, shapes),
        ):
            self._set.Add(expression)
        self._set.Compile()

    def look(self, text: str) -> Seen | None:
        """Look at a text once; `None` where it could not be read: anything may be there."""
        try:
            found = self._set.Match(text.encode())
        except UnicodeEncodeError:
            return None
        if len(found) == 1 and found[0] == 0:
            return _NOTHING
        if 0 not in found:
            return None
        shapes = [number - _SHAPES for number in found if number >= _SHAPES]
        if shapes:
            shapes.sort()
        words, whole = _WORDS in found, _WHOLE in found
        return Seen(
            _BOTH if words and whole else _BOTH[:1] if words else _BOTH[1:] if whole else (),
            _ODD in found,
            _LABELLED in found and _VALUE in found,
            shapes,
        )

    def signs(self, text: str, names: Sequence[int]) -> list[int]:
        """Give the places of the signs (`:` or `=`) behind names that may be sensitive.

        Args:
            text: no odd name was seen in it.
            names: the places of the expressions that were seen.
        """
        raw = text.encode()
        ends = [found.end() - 1 for place in names for found in self._names[place].finditer(raw)]
        if len(ends) > 1:
            ends = sorted(set(ends))
        if len(raw) == len(text):
            return ends
        places: list[int] = []
        done = letters = 0
        for end in ends:
            letters += len(raw[done:end].decode())
            places.append(letters)
            done = end
        return places


def _names(words: str) -> tuple[str, str]:
    whole = "|".join(sorted(WHOLE))
    return f"(?i:{words}){_AFTER}", f"{_START}(?i:{whole}){_WHOLE_AFTER}"


def _labelled(words: str) -> str:
    whole = "|".join(sorted(WHOLE))
    return (
        f'{_LABEL}[^"]*(?:(?i:{words})|[\\\\\\x{{80}}-\\x{{10FFFF}}])'
        f'|{_LABEL}(?:[^"]*[/.])?(?:[\\W_0-9]|(?i:x|http))*(?i:{whole})[\\W_0-9]*"'
    )


def _words(deny: Sequence[str]) -> str:
    """Give the words that make a name sensitive wherever they stand in it."""
    denied = [_denied(step) for name in deny for step in _steps(name)]
    pairs = [f"{first}{_BETWEEN}{second}" for first, second in sorted(PAIRS)]
    return "|".join((*sorted(ANY), "pass", *pairs, *denied))


def _steps(name: str) -> list[str]:
    return [step for step in name.split(".") if step.strip("*")]


def _denied(name: str) -> str:
    # Split by cases as well, because one spelling of a name stands for all of them.
    words = tokens(name)
    return _BETWEEN.join(map(re.escape, words)) if words else re.escape(name)


def _loose(expression: str) -> str:
    """Make an expression re2's: without what looks around, and with few counters."""
    loose = "".join(_without_looks(expression))
    return _LONG_REPEAT.sub(lambda found: "*" if found[1] == "0" else "+", loose)


def _without_looks(expression: str) -> Iterator[str]:
    inside = 0
    for atom in _ATOM.findall(expression):
        if inside:
            inside += atom.startswith("(") - (atom == ")")
        elif atom.startswith(("(?=", "(?!", "(?<")):
            inside = 1
        elif atom != r"\b":  # the letter of an escape may be before it
            yield atom
