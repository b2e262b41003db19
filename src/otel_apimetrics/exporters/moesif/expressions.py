"""The expressions that Moesif's configuration and rules hold: none may hold a request up."""

import re
from typing import Final, Protocol

from otel_apimetrics.exporters.moesif.effort import EFFORT, MOST_TEXT, effort
from otel_apimetrics.redaction.dialects import for_python
from otel_apimetrics.redaction.expressions import linear

_LONGEST: Final = 500
"""Characters of an expression that is compiled."""
_LONE: Final = re.compile("[\ud800-\udfff]")
"""Halves of a character, which JSON may hold: google-re2 refuses them."""


class _Pattern(Protocol):
    def search(self, text: str, /) -> object:
        """Find the first match."""


class Expression:
    """An expression that takes bounded time on whatever a client sends."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: _Pattern) -> None:
        self._pattern: Final = pattern

    def finds(self, text: str) -> bool:
        """Tell whether something in the first 2,048 characters of a text matches."""
        return self._pattern.search(_LONE.sub("\ufffd", text[:MOST_TEXT])) is not None


def expression(value: object) -> Expression:
    """Compile an expression: with google-re2 where that is installed and takes it.

    Raises:
        ValueError: it is none, or could take too long; in plain words.
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError(f"an expression is no text of up to {_LONGEST} characters")
    try:
        re.compile(value)
        pattern = linear(value)
        if pattern is None:
            _refuse_effort(value)
            pattern = re.compile(for_python(value))
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise ValueError("an expression does not compile") from error
    return Expression(pattern)


def _refuse_effort(regex: str) -> None:
    """Let nothing pass that Python's `re`, which holds all threads up, could be long over."""
    if effort(regex) > EFFORT:
        raise ValueError(
            "an expression could take too long: begin it with ^, repeat less, or install"
            " otel-apimetrics[fast]"
        )
