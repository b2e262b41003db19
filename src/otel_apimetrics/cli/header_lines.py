"""An HTTP message as text: header lines, what comes before them, and a body (RFC 9112)."""

import re
from typing import Final

from otel_apimetrics.content import media_type
from otel_apimetrics.redaction import Redactor

_LINE: Final = re.compile(r"(:?[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256})(:[ \t]*)(.*)", re.DOTALL)
"""A field line, or a pseudo-header of HTTP/2 (RFC 9113, section 8.3)."""
_REQUEST: Final = re.compile(r"([A-Za-z]{1,32} )(\S+)( HTTP/[0-9.]{1,3})")
_STATUS: Final = re.compile(r"HTTP/[0-9.]{1,3} [0-9]{3}")
_BREAK: Final = re.compile(r"(\r\n|\n|\r)")
_BLANK: Final = re.compile(r"(\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)")


def looks_like_headers(text: str) -> bool:
    """Tell whether a text is an HTTP message, or at least two header lines."""
    lines = (_BLANK.split(text.lstrip(), maxsplit=1)[0]).splitlines()
    if not lines:
        return False
    if _REQUEST.fullmatch(lines[0]) or _STATUS.match(lines[0]):
        return True
    return len(lines) > 1 and all(_LINE.fullmatch(line) for line in lines)


def mask_headers(redactor: Redactor, text: str) -> str:
    """Mask header lines as headers, a request line's target as a URL, a body by its type.

    Args:
        redactor: any.
        text: an HTTP message, or header lines alone.
    """
    blank = _BLANK.search(text)
    head = text[: blank.end(1)] if blank else text
    # Places of odd number are line breaks.
    pieces = _BREAK.split(head)
    masked: list[str] = []
    name = declared = ""
    for index in range(0, len(pieces), 2):
        line, end = pieces[index], "".join(pieces[index + 1 : index + 2])
        field = _LINE.fullmatch(line)
        if field is None:
            folded = bool(name) and line[:1] in (" ", "\t")
            clean = _folded(redactor, name, line) if folded else _other(redactor, line)
        else:
            name = field[1].lower()
            declared = field[3] if name == "content-type" else declared
            clean = _field(redactor, field)
        masked += () if clean is None else (clean, end)
    if blank is None:
        return "".join(masked)
    body = text[blank.end() :]
    # Production reads a body without a type only where it looks like JSON.
    looks = "application/json" if body.lstrip()[:1] in ("{", "[") else ""
    clean = redactor.body(body, media_type(declared) or looks, content_type=declared)
    return "".join((*masked, text[blank.end(1) : blank.end()], clean or ""))


def mask_header(redactor: Redactor, name: str, value: str) -> str | None:
    """Mask one header as production does; `None` where the policy removes it.

    Args:
        redactor: any.
        name: in any case.
        value: decoded.
    """
    masked = redactor.headers(((name.lower(), value),))
    return masked[0][1] if masked else None


def _field(redactor: Redactor, field: re.Match[str]) -> str | None:
    name, colon, value = field.groups()
    if name.startswith(":"):
        return f"{name}{colon}{redactor.url(value)}"
    clean = mask_header(redactor, name, value)
    return None if clean is None else f"{name}{colon}{clean}"


def _folded(redactor: Redactor, name: str, line: str) -> str | None:
    value = line.lstrip(" \t")
    clean = mask_header(redactor, name, value)
    return None if clean is None else f"{line[: len(line) - len(value)]}{clean}"


def _other(redactor: Redactor, line: str) -> str:
    request = _REQUEST.fullmatch(line)
    if request is None:
        return redactor.text(line)
    return f"{request[1]}{redactor.url(request[2])}{request[3]}"
