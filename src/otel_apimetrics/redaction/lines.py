"""Values that own the rest of their line, or the lines below it: YAML, `.env`, INI, headers.

Only a name that opens its line is read so. Prose that does so is lost with its secret.
"""

import re
from typing import Final

from otel_apimetrics.redaction.spans import line_end

_LONGEST: Final = 192
"""Characters of a line before a sign that are looked at."""
_OPENING: Final = re.compile(r"([ \t]*(?:- )?)(?:export |#[ \t]*)?[\w.$%\[\]-]+[ \t]*")
_BLOCK: Final = re.compile(r"[ \t]*([|>][+-]?[0-9]?[+-]?)?[ \t]*(?:#[^\r\n]*)?\r?\n")
_ROW: Final = re.compile(r"([ \t]*)(- )?([^\r\n]*)(?:\r?\n|\Z)")
_NEXT: Final = re.compile(
    r"[ \t]*[,;&][ \t]*[\"']?[\w.$\[\]-]{1,64}[\"']?[ \t]*[:=]|[ \t]+[\w.$\[\]-]{1,64}="
)
"""Another pair on the same line."""
_REST: Final = re.compile(r"[^ \t,;&\r\n]+|[ \t]+|[,;&]")
_CLOSING: Final = re.compile(r"[\s)\]}>,;.\"'`&\\]*")
"""What may follow a value and is none of it."""


def owned(text: str, sign: int, start: int, end: int) -> tuple[int, int]:
    """Give the place of an unquoted value, with the rest of its line or the lines below.

    Args:
        text: any text.
        sign: the place of the sign behind the name.
        start: where the value begins, behind any blanks.
        end: where its first word ends.
    """
    indent = _indent(text, sign)
    if indent is None:
        return start, end
    block = _BLOCK.match(text, sign + 1)
    if block is not None:
        last = _block_end(text, block.end(), indent)
        if last > end:
            return (block.start(1) if block[1] else start), last
        return start, end
    if text.startswith(("{", "[", '"', "'", "`"), start) and not text.startswith(
        "[REDACTED", start
    ):
        return start, end
    if end <= start and text.startswith("<", start):
        return start, end  # a tag follows the name, and no value
    last = _line_end(text, end)
    return start, end if _CLOSING.fullmatch(text, end, last) else last


def _indent(text: str, sign: int) -> int | None:
    """Give the blanks before a name that opens its line; `None` where none does."""
    first = max(0, sign - _LONGEST)
    line = max(text.rfind("\n", first, sign), text.rfind("\r", first, sign)) + 1
    if line == 0 and first > 0:
        return None
    opening = _OPENING.fullmatch(text, line or first, sign)
    return None if opening is None else len(opening[1])


def _block_end(text: str, start: int, indent: int) -> int:
    end = -1
    while start < len(text):
        row = _ROW.match(text, start)
        if row is None:
            break
        if row[3]:
            # Items of a list may be no deeper than its name.
            if len(row[1]) + bool(row[2]) <= indent:
                break
            end = row.end(3)
        start = row.end()
    return end


def _line_end(text: str, start: int) -> int:
    """Give the end of the line, or the place of the next pair on it."""
    stop = line_end(text, start)
    for piece in _REST.finditer(text, start, stop):
        if piece[0][0] in " \t,;&" and _NEXT.match(text, piece.start(), stop):
            return piece.start()
    return stop
