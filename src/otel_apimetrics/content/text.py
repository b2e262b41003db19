"""A captured body as text."""

from typing import Final, NamedTuple

from otel_apimetrics._guard import swallow
from otel_apimetrics.content.charset import decode
from otel_apimetrics.content.coding import CodingError, undo
from otel_apimetrics.content.media import may_be_text, parse_content_type

MOST_TEXT: Final = 64 * 1024
"""Bytes of a text, content coding removed, unless an exporter wants more."""


class Text(NamedTuple):
    """A body's text, not yet redacted."""

    content: str
    """Content coding removed, charset decoded, byte order mark dropped; NUL may occur. Of
    multipart bytes that are no UTF-8 are lone surrogates (PEP 383)."""
    truncated: bool
    """True where `content` is shorter than what was sent."""
    media_type: str
    """`type/subtype` in lower case; "application/json" where the header was missing or
    malformed and the content looks like JSON."""


def body_text(
    data: bytes,
    content_type: str,
    content_encoding: str,
    *,
    complete: bool,
    limit: int = MOST_TEXT,
    max_ratio: int = 100,
) -> Text | None:
    """Decode a captured body, or tell that it cannot be told.

    Never raises. The codings are undone as RFC 9110, section 8.4 has it, then the charset.

    Args:
        data: the bytes of the wire, or a prefix of them.
        content_type: the Content-Type header's value, "" where there was none.
        content_encoding: the Content-Encoding header's value, "" where there was none.
        complete: False where `data` is a prefix of the body; then a prefix of the text is given.
        limit: bytes after the content codings; the text is cut there, between characters.
        max_ratio: bytes after the content codings for each byte of `data`, at most.

    Returns:
        The text; `None` for a binary type, an unknown coding or charset, a ratio
        exceeded, and for data that is corrupt, ends early or does not fit its charset.
    """
    try:
        kind, charset = parse_content_type(content_type)
        if not may_be_text(kind, charset):
            return None
        whole = complete
        if content_encoding or len(data) > limit:
            data, whole = undo(
                data, content_encoding, complete=complete, limit=limit, max_ratio=max_ratio
            )
        if kind.startswith("multipart/"):
            # Its parts have charsets of their own, or none: no byte may be lost here.
            return Text(data.decode("utf-8", "surrogateescape"), not whole, kind)
        content = decode(data, charset if kind else "", whole=whole)
    except CodingError:
        return None
    except Exception as error:
        swallow("content.body_text", error)
        return None
    kind = kind or _looks_like(content)
    return Text(content, not whole, kind) if content is not None and kind else None


def _looks_like(content: str | None) -> str:
    # Without a type only JSON is told: redaction has to know what it reads.
    start = content.lstrip()[:1] if content else ""
    return "application/json" if start in {"{", "["} else ""
