"""JSON that comes in pieces: a document a line, or a document an event."""

import re
from typing import Final

from otel_apimetrics.redaction.documents import Documents
from otel_apimetrics.redaction.text import FreeText

_BREAK: Final = re.compile(r"(\r\n|\r|\n)")
_SCALAR: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\w.+-]+')
_DATA: Final = re.compile(r"\ufeff?data: ?")


def scrub_lines(text: str, documents: Documents, *, cut: bool) -> str:
    """Mask JSON in lines, a document a line or over several; only the last line may be cut."""
    lines = _BREAK.split(text)
    last = len(lines) - 1
    if not all(map(_may_be_whole, lines[:last])):
        # An object may go over several lines.
        return documents.body(text, cut=cut)
    masked = [
        documents.body(line, cut=cut and index == last) if line.strip() else line
        for index, line in enumerate(lines)
    ]
    return text if masked == lines else "".join(masked)


def _may_be_whole(line: str) -> bool:
    line = line.strip(" \t\x1e")
    if line[:1] in ("{", "["):
        return line[-1] in "}]"
    return not line or _SCALAR.fullmatch(line) is not None


def scrub_events(text: str, documents: Documents, free: FreeText, *, cut: bool) -> str:
    """Mask server-sent events (WHATWG HTML, section 9.2).

    The `data` lines of one event are one document. Other fields are text.
    """
    lines = _BREAK.split(text)
    # Even places are lines, odd ones are their breaks.
    data: list[int] = []
    last = len(lines) - 1
    masked = list(lines)
    for index in range(0, len(lines), 2):
        if _DATA.match(lines[index]):
            data.append(index)
        elif lines[index]:
            masked[index] = free.scrub(lines[index])
        if data and (not lines[index] or index == last):
            _scrub_data(masked, data, documents, cut=cut and index == last)
            data = []
    if cut:
        masked[last] = free.scrub_values(free.end(masked[last]))
    return text if masked == lines else "".join(masked)


def _scrub_data(lines: list[str], data: list[int], documents: Documents, *, cut: bool) -> None:
    prefixes = [found[0] for index in data if (found := _DATA.match(lines[index]))]
    whole = "\n".join(
        lines[index][len(prefix) :] for index, prefix in zip(data, prefixes, strict=True)
    )
    masked = documents.body(whole, cut=cut)
    if masked == whole:
        return
    # The document may have fewer lines than before; those that are left over become empty.
    pieces = masked.split("\n", len(data) - 1)
    pieces += [""] * (len(data) - len(pieces))
    for index, prefix, piece in zip(data, prefixes, pieces, strict=True):
        lines[index] = prefix + piece.replace("\n", " ")
