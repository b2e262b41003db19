"""Multipart bodies: form-data (RFC 7578), mixed and related (RFC 2046, section 5.1).

What comes out has the shape of what came in, so that it can be read, and masked again: the
boundary lines, the headers of each part, and short text fields. A file's content never does.
"""

import codecs
import re
from collections.abc import Iterator
from itertools import chain, islice, zip_longest
from typing import Final, NamedTuple
from urllib.parse import quote_plus

from otel_apimetrics.redaction.documents import Documents
from otel_apimetrics.redaction.form import Form
from otel_apimetrics.redaction.marks import MARK
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.part_headers import (
    FORM,
    LATIN,
    MEDIA_TYPE,
    UNREADABLE,
    BrokenPartError,
    Part,
    PartHeaders,
)
from otel_apimetrics.redaction.siblings import LONGEST_LABEL, Siblings
from otel_apimetrics.redaction.text import FreeText

TOO_LONG: Final = "[TRUNCATED:size]"
"""Stands behind the first 1,024 characters of a longer text field."""
TOO_MANY: Final = "[TRUNCATED:parts]"
"""Stands for the parts behind the hundredth."""

_MOST_PARTS: Final = 100
_MOST_HEADER_BYTES: Final = 8_192
_LONGEST: Final = 1_024
_LONGEST_MARKED: Final = 4 * _LONGEST
"""Characters of a field that holds marks: they are longer than what they stand for."""
_WINDOW: Final = 4 * (_LONGEST_MARKED + len(TOO_LONG) + 1)
"""Bytes of a field that are decoded: more than `_LONGEST_MARKED` characters in UTF-8."""
_CRLF: Final = "\r\n"

_BOUNDARY: Final = re.compile(r';[ \t]*boundary[ \t]*=[ \t]*(?:"([^"]*)"|([^;\s]*))', re.IGNORECASE)
_BOUNDARY_LETTERS: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_DELIMITER_END: Final = re.compile(rb"(--[^\r\n]*|[ \t]*)(?:\r\n|\n|\r|\Z)")
_BREAK: Final = re.compile(rb"\r?\n")
_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")
_FILE_SIZE: Final = re.compile(rb"\d{1,15} B(?:, cut)?>")


class _Delimiter(NamedTuple):
    start: int
    """Where the line break before it begins."""
    end: int
    """Behind its own line break."""
    closes: bool


class _Read(NamedTuple):
    """One part that was read; without headers it was cut before they ended."""

    part: Part | None
    content: bytes
    last: bool
    """No delimiter is behind it."""


class Multipart:
    """Parts in, parts out: sensitive fields masked, files told by their type and size.

    Args:
        names: the verdicts on the names of headers.
        text: the rules for values.
        documents: the rules for fields that are JSON.
        form: the rules for fields that are forms, and the verdicts on the names of fields.
        remove: take a part out instead of masking its content.
    """

    def __init__(
        self, names: Names, text: FreeText, documents: Documents, form: Form, *, remove: bool
    ) -> None:
        self._names: Final = names
        self._text: Final = text
        self._documents: Final = documents
        self._form: Final = form
        self._remove: Final = remove
        self._headers: Final = PartHeaders(names, text, remove=remove)

    def scrub(self, body: bytes | str, content_type: str, *, cut: bool) -> str | None:
        """Mask a multipart body.

        Text fields of at most 1,024 characters are shown, longer ones up to there. A part is a
        file, told as `<file image/png 34512 B>`, where it has a filename, a type or a charset
        that the rules do not read, a transfer encoding, a NUL byte, or bytes that do not decode.

        Args:
            body: content coding removed: the bytes, or the text of an earlier call.
            content_type: the Content-Type header's value, with its boundary parameter.
            cut: the body goes on where it was not captured. A body whose closing delimiter is
                missing is taken as cut.

        Returns:
            The readable form without preamble and epilogue; `None` where the boundary is
            missing, malformed or not in the body, or the headers of a part are malformed or
            longer than 8 KiB.
        """
        kind = MEDIA_TYPE.match(content_type)
        boundary = _boundary(content_type)
        if boundary is None or kind is None or not kind[1].lower().startswith("multipart/"):
            return None
        data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        named = kind[1].lower() == "multipart/form-data"
        try:
            return self._parts(data, f"--{boundary}", named=named, cut=cut)
        except BrokenPartError:
            return None

    def _parts(self, data: bytes, line: str, *, named: bool, cut: bool) -> str | None:
        delimiters = list(islice(_delimiters(data, line.encode()), _MOST_PARTS + 1))
        ends = [delimiter.start for delimiter in delimiters[1:]]
        parts = [
            self._part(data, delimiter.end, end, named=named, cut=cut)
            for delimiter, end in zip_longest(delimiters[:_MOST_PARTS], ends[:_MOST_PARTS])
            if not delimiter.closes
        ]
        siblings = Siblings(self._names, chain.from_iterable(map(_fields, parts)))
        shown = [self._shown(*read, line, siblings, cut=cut) for read in parts]
        if len(delimiters) > len(parts):
            closes = delimiters[len(parts)].closes
            shown.append(f"{line}--{_CRLF}" if closes else f"{line}{_CRLF}{TOO_MANY}")
        return "".join(shown) or None

    def _part(self, data: bytes, start: int, end: int | None, *, named: bool, cut: bool) -> _Read:
        stop = len(data) if end is None else end
        blank = _blank_line(data, start, stop)
        if blank is None:
            if end is None and (cut or start == stop):
                return _Read(None, b"", last=True)
            raise BrokenPartError
        part = self._headers.read(data[start : blank[0]])
        if named and not part.names:
            # Each field of form-data has a name (RFC 7578, section 4.2).
            part.names.add(UNREADABLE)
        return _Read(part, data[blank[1] : stop], last=end is None)

    def _shown(
        self,
        part: Part | None,
        content: bytes,
        last: bool,
        line: str,
        siblings: Siblings,
        *,
        cut: bool,
    ) -> str:
        shown = (
            None if part is None else self._content(part, content, line, siblings, cut=last and cut)
        )
        if part is None or shown is None:
            # A bare delimiter keeps the part before it from becoming the last, which may be cut.
            return f"{line}{_CRLF}" if last else ""
        head = "".join(f"{header}{_CRLF}" for header in part.lines)
        return f"{line}{_CRLF}{head}{_CRLF}{shown}{'' if last else _CRLF}"

    def _content(
        self, part: Part, content: bytes, line: str, siblings: Siblings, *, cut: bool
    ) -> str | None:
        # An empty field is a form that was not filled in; of a file not even the size is told.
        secret = _decoded(content, part.charset, cut=cut) if part.is_text else None
        name = next(
            (name for name in part.names if self._masks(name, secret) or siblings.name(name)), None
        )
        if (content or not part.is_text) and name is not None:
            if self._remove:
                return None
            return MARK if secret is None else self._text.mark(secret, f"name:{name}")
        opening = f"<file {part.kind} "
        if content.startswith(opening.encode()) and _FILE_SIZE.fullmatch(content, len(opening)):
            return content.decode()
        if secret is None:
            return f"{opening}{len(content)} B{', cut' if cut else ''}>"
        return self._field(secret, part, line, cut=cut)

    def _masks(self, name: str, text: str | None) -> bool:
        return name == UNREADABLE or self._form.masks(name, quote_plus(text or ""))

    def _field(self, text: str, part: Part, line: str, *, cut: bool) -> str:
        body = text.removesuffix(TOO_LONG)
        longest = _LONGEST_MARKED if "[REDACTED" in body or "[TRUNCATED" in body else _LONGEST
        shortened = body != text or len(body) > longest
        if len(body) > longest:
            body = body[:_LONGEST]
        masked = self._masked(body, part, cut=cut or shortened)
        # What was taken out may leave a line that reads as a delimiter.
        if masked != body and (len(masked) > _LONGEST_MARKED or line in masked):
            masked = MARK
        return masked + TOO_LONG if shortened else masked

    def _masked(self, text: str, part: Part, *, cut: bool) -> str:
        if part.kind == FORM:
            return self._form.scrub(text, cut=cut)
        if part.is_json or text.lstrip()[:1] in ("{", "["):
            for at in [self._form.path(name) for name in part.names] or [[]]:
                text = self._documents.scrub(text, cut=cut, at=at)
            return text
        masked = self._text.scrub(text)
        # Behind a mark, as behind any border, a rule may find what it did not before.
        return self._text.scrub(self._text.end(masked)) if cut else masked


def _boundary(content_type: str) -> str | None:
    found = {quoted or bare for quoted, bare in _BOUNDARY.findall(content_type)}
    boundary = found.pop() if len(found) == 1 else ""
    return boundary if _BOUNDARY_LETTERS.fullmatch(boundary) else None


def _delimiters(data: bytes, line: bytes) -> Iterator[_Delimiter]:
    at = -1
    while (at := data.find(line, at + 1)) >= 0:
        before = data[max(at - 2, 0) : at]
        if before and before[-1:] not in (b"\r", b"\n"):
            continue
        end = _DELIMITER_END.match(data, at + len(line))
        if end is None:
            continue
        start = at - (2 if before == b"\r\n" else len(before[-1:]))
        yield _Delimiter(start, end.end(), closes := end[1].startswith(b"--"))
        if closes:
            return


def _fields(read: _Read) -> Iterator[tuple[str, str]]:
    """Give the names of a part, each with its text; nothing of a file."""
    part, content, _ = read
    if part is None or not part.is_text or len(content) > 4 * LONGEST_LABEL:
        return
    text = _decoded(content, part.charset, cut=False)
    for name in part.names if text is not None else ():
        yield name, text or ""


def _blank_line(data: bytes, start: int, stop: int) -> tuple[int, int] | None:
    """Find where the headers of a part end and where its content begins."""
    at_once = _BREAK.match(data, start)
    if at_once is not None:
        return start, at_once.end()
    # The line break before a delimiter may be the one that ends the headers, too.
    limit = min(start + _MOST_HEADER_BYTES, stop) + len(_CRLF)
    found = _BLANK_LINE.search(data, start, limit)
    return None if found is None else (found.start(), found.end())


def _decoded(content: bytes, charset: str, *, cut: bool) -> str | None:
    if b"\0" in content:
        return None
    window = content[:_WINDOW]
    whole = not cut and len(window) == len(content)
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(window, whole)
    except UnicodeDecodeError:
        return window.decode("latin-1") if charset in LATIN else None
