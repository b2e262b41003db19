"""Percent-encoding inside of a text: a URL in a parameter of a URL, a form in a string of JSON."""

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote, unquote

from otel_apimetrics.redaction.marks import MARK, MARKED

DEEPEST: Final = 5
"""Encodings around one another that are read; what is encoded once more is masked."""
SIGN: Final = "%[0-9A-Fa-f]{2}"
"""An escape."""

_ESCAPE: Final = re.compile(SIGN)
_RUN: Final = re.compile(rf"(?:{MARKED.pattern}|[^\s\"'<>`\\])+")
"""What one URL or form can be in a text, with the marks in it, some of which have a blank."""
_UNSAFE: Final = re.compile(r"[\x00-\x20\"'%<>\\^`{|}\x7f]")

Scrub = Callable[[str], str]


def suspects(text: str, scrub: Scrub) -> bool:
    """Tell whether `scrub` finds something in what the escapes of a text stand for."""
    if "%" not in text or not _ESCAPE.search(text):
        return False
    # All at once, which takes one look; apart as words and as parameters are.
    plain = unquote(" ;".join(run for run in _RUN.findall(text) if "%" in run))
    return scrub(plain) != plain


def scrub_escaped(text: str, scrub: Scrub, level: int) -> str:
    """Mask what the escapes of a text stand for; the identical text where nothing is found.

    Args:
        text: any text, also JSON that does not parse.
        scrub: masks a text, and the escapes that are left in it.
        level: how many encodings were around the text.
    """
    parts: list[str] = []
    done = 0
    for run in _runs(text):
        plain = unquote(run[0])
        masked = MARK if level >= DEEPEST else scrub(plain)
        if masked != plain:
            parts += (text[done : run.start()], _escaped(masked))
            done = run.end()
    return "".join((*parts, text[done:])) if parts else text


def _runs(text: str) -> Iterator[re.Match[str]]:
    if "%" in text and _ESCAPE.search(text):
        yield from (run for run in _RUN.finditer(text) if _ESCAPE.search(run[0]))


def _escaped(masked: str) -> str:
    """Escape what would end the run, but no mark: it has to be one when it is read again."""
    parts: list[str] = []
    done = 0
    for mark in MARKED.finditer(masked):
        parts += (_UNSAFE.sub(_quoted, masked[done : mark.start()]), mark[0])
        done = mark.end()
    return "".join((*parts, _UNSAFE.sub(_quoted, masked[done:])))


def _quoted(letter: re.Match[str]) -> str:
    return quote(letter[0], safe="")
