"""The headers of one part of a multipart body (RFC 2046, section 5.1; RFC 7578, section 4).

Parsers differ on escapes, extended parameters (RFC 8187) and encoded words (RFC 2047) in a
field's name, so each reading of it is kept, and one sensitive reading is enough.
"""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from otel_apimetrics.redaction.marks import MARK
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.text import FreeText

MEDIA_TYPE: Final = re.compile(
    r"[ \t]*([!#$&^_.+0-9a-z-]{1,127}/[!#$&^_.+0-9a-z-]{1,127})[ \t]*(?:;|\Z)", re.IGNORECASE
)
"""A media type (RFC 6838, section 4.2) at the start of a Content-Type header."""
UNREADABLE: Final = "=?"
"""Stands for a name that is an encoded word: no field should have one (RFC 7578, section 5.1)."""
LATIN: Final = frozenset(
    {"iso-8859-1", "iso-8859-15", "latin1", "latin-1", "windows-1252", "cp1252"}
)
"""Charsets that are read where a field is no UTF-8."""
FORM: Final = "application/x-www-form-urlencoded"

_UNDECLARED: Final = "application/octet-stream"
_JSON: Final = frozenset({"application/json", "text/json"})
_NOT_AS_TEXT: Final = frozenset({"text/xml", "text/html", "text/csv"})
_CHARSETS: Final = LATIN | {"", "utf-8", "utf8", "us-ascii", "ascii"}
_UNCODED: Final = frozenset({"", "7bit", "8bit", "binary", "identity"})
_CODINGS: Final = frozenset({"content-transfer-encoding", "content-encoding"})

_CHARSET: Final = re.compile(r";[ \t]*charset[ \t]*=[ \t]*\"?([^\s;\"]*)", re.IGNORECASE)
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_BREAK: Final = re.compile(r"\r?\n")
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):([^\x00-\x08\x0a-\x1f\x7f]*)")
_PARAMETER: Final = re.compile(
    r';[ \t]*([^=;"\s]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"(?=[ \t]*(?:;|\Z))|[^;]*)'
)
_BARE_QUOTE: Final = re.compile(r'(?<!\\)"')


class BrokenPartError(Exception):
    """A part's headers cannot be read, so its content cannot be judged."""


class Part:
    """What the headers of one part say."""

    __slots__ = ("charset", "kinds", "lines", "names", "opaque")

    def __init__(self) -> None:
        self.lines: Final[list[str]] = []
        """The headers as they are shown."""
        self.names: Final[set[str]] = set()
        """Each reading of the field's name; none where it has no name."""
        self.kinds: Final[set[str]] = set()
        """The media types, one but for a repeated header."""
        self.charset = ""
        """In lower case, "" where none is declared."""
        self.opaque = False
        """It is a file, or is coded so that no rule could read it."""

    @property
    def kind(self) -> str:
        """Give the media type in lower case; `application/octet-stream` where it is not known."""
        if len(self.kinds) == 1:
            return next(iter(self.kinds))
        # RFC 2046, section 5.1: the default of a part; but a file's type is not known.
        return _UNDECLARED if self.kinds or self.opaque else "text/plain"

    @property
    def is_json(self) -> bool:
        """Tell whether the content is declared to be JSON."""
        return self.kind in _JSON or self.kind.endswith("+json")

    @property
    def is_text(self) -> bool:
        """Tell whether the rules can read the content: no file, no coding, a known charset."""
        if self.opaque or self.charset not in _CHARSETS:
            return False
        kind = self.kind
        if self.is_json or kind == FORM:
            return True
        return kind.startswith("text/") and kind not in _NOT_AS_TEXT


class PartHeaders:
    """Reads and masks the headers of a part.

    Args:
        names: the verdicts on names of headers and parameters.
        text: the rules for values.
        remove: take a header out instead of masking its value.
    """

    def __init__(self, names: Names, text: FreeText, *, remove: bool) -> None:
        self._names: Final = names
        self._text: Final = text
        self._remove: Final = remove

    def read(self, head: bytes) -> Part:
        """Read headers.

        Args:
            head: the lines in front of the blank line, without its line break; UTF-8, or else
                Latin-1.

        Raises:
            BrokenPartError: a line is no header field, or a parameter's quotes do not match.
        """
        part = Part()
        if head:
            for line in _BREAK.split(_FOLD.sub(" ", _decoded(head))):
                self._header(part, line)
        return part

    def _header(self, part: Part, line: str) -> None:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise BrokenPartError
        name, value = header[1].lower(), header[2].strip(" \t")
        if name == "content-disposition":
            value = self._disposition(part, value)
        elif self._names.is_sensitive(name):
            if self._remove:
                return
            value = MARK
        else:
            value = self._text.scrub(value)
        if name == "content-type":
            kind, charset = MEDIA_TYPE.match(value), _CHARSET.search(value)
            part.kinds.add(kind[1].lower() if kind else _UNDECLARED)
            part.charset = charset[1].lower() if charset else part.charset
        elif name in _CODINGS and value.lower() not in _UNCODED:
            part.opaque = True
        part.lines.append(f"{header[1]}: {value}")

    def _disposition(self, part: Part, value: str) -> str:
        shown: list[str] = []
        pieces: list[str] = []
        done = 0
        for found in _PARAMETER.finditer(value):
            key = found[1].lower().partition("*")[0]
            raw = found[2].strip(" \t")
            masked = self._parameter(key, raw)
            part.opaque = part.opaque or key == "filename"
            if key == "name":
                # RFC 2231 lets a name come in pieces: name*0=pass; name*1=word.
                pieces.append(_unquoted(raw))
                for name in (pieces[-1], "".join(pieces), _unquoted(masked)):
                    part.names.update(_readings(name))
            gap = self._text.scrub(value[done : found.start()])
            shown += (gap, f"; {self._text.scrub_values(found[1])}=", masked)
            done = found.end()
        return "".join((*shown, self._text.scrub(value[done:])))

    def _parameter(self, key: str, raw: str) -> str:
        inner = _unquoted(raw)
        decoded = unquote(inner)
        masked = MARK if self._names.is_sensitive(key) else self._text.scrub(decoded)
        if masked == decoded:
            return raw
        if decoded != inner or '"' in masked:
            masked = MARK
        return f'"{masked}"' if inner != raw else masked


def _decoded(head: bytes) -> str:
    try:
        return head.decode()
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _unquoted(raw: str) -> str:
    if not raw.startswith('"'):
        return raw
    inner = raw[1:-1]
    # A browser escapes no backslash, so one may stand before the closing quote.
    if len(raw) == 1 or raw[-1] != '"' or _BARE_QUOTE.search(inner):
        raise BrokenPartError
    return inner


def _readings(name: str) -> Sequence[str]:
    if UNREADABLE in name:
        return (UNREADABLE,)
    plain = name.replace("\\", "")
    decoded = unquote(plain)
    return (name, plain, decoded, decoded.rpartition("'")[2])
