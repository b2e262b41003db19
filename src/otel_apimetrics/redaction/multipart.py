"""Multipart bodies: form-data (RFC 7578), mixed and related (RFC 2046, section 5.1).

What comes out has the shape of what came in, so that it can be read, and masked again: the
boundary lines, the headers of each part, and short text fields. A file's content never does.
"""

import codecs
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple
from urllib.parse import quote

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
        shown: list[str] = []
        for number, delimiter in enumerate(delimiters):
            if delimiter.closes:
                shown.append(f"{line}--{_CRLF}")
            elif number == _MOST_PARTS:
                shown.append(f"{line}{_CRLF}{TOO_MANY}")
            else:
                end = delimiters[number + 1].start if number + 1 < len(delimiters) else None
                shown.append(self._part(data, delimiter.end, end, line, named=named, cut=cut))
        return "".join(shown) or None

    def _part(
        self, data: bytes, start: int, end: int | None, line: str, *, named: bool, cut: bool
    ) -> str:
        last = end is None
        stop = len(data) if end is None else end
        # A bare delimiter keeps the part before it from becoming the last, which may be cut.
        nothing = f"{line}{_CRLF}" if last else ""
        blank = _blank_line(data, start, stop)
        if blank is None:
            if last and (cut or start == stop):
                return nothing
            raise BrokenPartError
        part = self._headers.read(data[start : blank[0]])
        if named and not part.names:
            # Each field of form-data has a name (RFC 7578, section 4.2).
            part.names.add(UNREADABLE)
        shown = self._content(part, data[blank[1] : stop], line, cut=last and cut)
        if shown is None:
            return nothing
        head = "".join(f"{header}{_CRLF}" for header in part.lines)
        return f"{line}{_CRLF}{head}{_CRLF}{shown}{'' if last else _CRLF}"

    def _content(self, part: Part, content: bytes, line: str, *, cut: bool) -> str | None:
        # An empty field is a form that was not filled in; of a file not even the size is told.
        name = next(filter(self._masks, part.names), None)
        if (content or not part.is_text) and name is not None:
            if self._remove:
                return None
            secret = _decoded(content, part.charset, cut=cut) if part.is_text else None
            return MARK if secret is None else self._text.mark(secret, f"name:{name}")
        opening = f"<file {part.kind} "
        if content.startswith(opening.encode()) and _FILE_SIZE.fullmatch(content, len(opening)):
            return content.decode()
        text = _decoded(content, part.charset, cut=cut) if part.is_text else None
        if text is None:
            return f"{opening}{len(content)} B{', cut' if cut else ''}>"
        return self._field(text, part, line, cut=cut)

    def _masks(self, name: str) -> bool:
        # The value of this pair is harmless, so only its name can change it.
        pair = f"{quote(name, safe='')}=x"
        return name == UNREADABLE or not self._form.scrub(pair).endswith("=x")

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
            return self._documents.scrub(text, cut=cut)
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
