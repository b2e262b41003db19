"""Where a value ends, in text that may be JSON, cut JSON or none.

Nothing here parses: each function moves to the right, in linear time, and reads the end of
the text as the end of the value.
"""

import re
from functools import lru_cache
from typing import Final

_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_SINGLE: Final = re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*(?:'|\\?\Z)", re.DOTALL)
_PREFIX = r"(?:[bBrRuUfFnNeE]{1,2}|[A-Za-z_][\w.]{0,63}\([^'\"\n]{0,64})"
_PREFIXED: Final = re.compile(
    r"\"{3}.*?(?:\"{3}|\Z)|'{3}.*?(?:'{3}|\Z)"
    rf"|{_PREFIX}'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)\)?"
    rf"|{_PREFIX}\"(?:[^\"\\]|\\.)*(?:\"|\\?\Z)\)?"
    r"|'(?:[^'\\]|\\.)*''(?:[^'\\]|\\.|'')*(?:'|\\?\Z)",
    re.DOTALL,
)
"""A quoted value with a prefix (Python, SQL), in a call, or with its quotes repeated."""
_BRACKET: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_BARE_BRACKET: Final = re.compile(r"[\[\]{}]")
_SCALAR: Final = re.compile(
    r"(?:(?i:bearer|basic|digest|token|apikey|negotiate)[ \t]{1,4})?"
    r"(?:\[REDACTED[^\]\n]{0,40}\]|[^\s,;&\"'<>)\]}\\])*"
)
_TICKED: Final = re.compile(
    r"`[^`\r\n]*(?:`|$)|(?<=[=\s])<(?![/!])[^<>\r\n]{1,256}>?", re.MULTILINE
)
"""In backquotes, or in the brackets of a placeholder."""
_LINE: Final = re.compile(r"[^\r\n]*")


def value_end(text: str, start: int, escape: str = "") -> int:
    """Give the index behind the value that begins at `start`.

    Args:
        text: JSON, whole or cut, or text that has quoted values in it.
        start: where the value begins, behind any blanks.
        escape: the backslashes in front of a quote at this level: JSON in a JSON string has one.
    """
    if not escape and (end := _plain_end(text, start)):
        return end
    if text.startswith("[REDACTED", start):
        found = _SCALAR.match(text, start)
        return len(text) if found is None else found.end()
    if escape and text.startswith(f'{escape}"', start):
        found = _closing(escape).search(text, start + len(escape) + 1)
    elif not escape and (odd := _PREFIXED.match(text, start) or _TICKED.match(text, start)):
        return odd.end()
    elif text.startswith("'", start):
        found = _SINGLE.match(text, start)
    elif text.startswith('"', start):
        found = _STRING.match(text, start)
    elif text.startswith(("{", "["), start):
        end = _container_end(text, start, _BARE_BRACKET if escape else _BRACKET)
        # What touches a mark would be read as a part of it, and belongs to this value already.
        tail = _SCALAR.match(text, end)
        return end if tail is None else tail.end()
    else:
        found = _SCALAR.match(text, start)
    return len(text) if found is None else found.end()


def _plain_end(text: str, start: int) -> int:
    """Give the end of what is by far the most frequent, a string without an escape, or 0."""
    if not text.startswith('"', start):
        return 0
    end = text.find('"', start + 1)
    # Two quotes in a row may be the first of three.
    return end + 1 if end > start + 1 and text.find("\\", start, end) < 0 else 0


def line_end(text: str, start: int) -> int:
    """Give the index of the line break at or behind `start`, or of the end."""
    found = _LINE.match(text, start)
    return len(text) if found is None else found.end()


def _container_end(text: str, start: int, tokens: re.Pattern[str]) -> int:
    depth = 0
    for token in tokens.finditer(text, start):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)


@lru_cache(maxsize=32)
def _closing(escape: str) -> re.Pattern[str]:
    # Before it there may be backslashes of the value itself, each of them escaped twice.
    each = 2 * (len(escape) + 1)
    return re.compile(rf"(?<!\\)(?:\\{{{each}}})*{re.escape(escape)}" + '"')
