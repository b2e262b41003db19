"""Content-Type: the media type and its charset, read leniently (RFC 9110, section 8.3.1)."""

import re
from functools import lru_cache

_LONGEST = 1024
"""Characters of a Content-Type that are read: two names of 127 (RFC 6838) and parameters."""

_MEDIA_TYPE = re.compile(
    r"([!#$%&'*+.^_`|~0-9a-z-]{1,127}/[!#$%&'*+.^_`|~0-9a-z-]{1,127})(?:[;,\s]|$)"
)

_CHARSET = re.compile(r"[;,\s]charset[ \t]{0,4}=[ \t]{0,4}[\"']?([a-z0-9_.:+-]{1,40})")

_TEXTUAL_SUBTYPES = frozenset(
    {
        "csp-report",
        "ecmascript",
        "graphql",
        "javascript",
        "json",
        "json-seq",
        "jsonl",
        "ndjson",
        "x-javascript",
        "x-json",
        "x-jsonlines",
        "x-ndjson",
        "x-www-form-urlencoded",
        "x-yaml",
        "xml",
        "yaml",
    }
)

_BINARY_TYPES = frozenset({"audio", "font", "image", "multipart", "video"})


def media_type(content_type: str) -> str:
    """Return the media type alone, in lower case.

    Args:
        content_type: a Content-Type header's value. Parameters are ignored, and so is all
            after the first of several values that a server joined with commas.

    Returns:
        `type/subtype`, or "" where the value is empty or malformed.
    """
    return parse_content_type(content_type)[0]


def parse_content_type(content_type: str) -> tuple[str, str]:
    """Split a Content-Type header's value.

    Args:
        content_type: the value as sent; any length.

    Returns:
        The media type and the label of its charset parameter, both in lower case, each ""
        where there is none.
    """
    return _parse(content_type if len(content_type) <= _LONGEST else content_type[:_LONGEST])


@lru_cache(maxsize=256)
def _parse(content_type: str) -> tuple[str, str]:
    value = content_type.strip().lower()
    found = _MEDIA_TYPE.match(value)
    charset = _CHARSET.search(value)
    return found.group(1) if found else "", charset.group(1) if charset else ""


@lru_cache(maxsize=256)
def is_textual(media_type: str) -> bool:
    """Tell whether a media type is text by its name.

    Args:
        media_type: as `media_type` returns it.

    Returns:
        True for text, JSON, XML, YAML, forms, GraphQL, JavaScript and the types whose suffix
        (RFC 6839) says so; False for multipart, whose parts have types of their own.
    """
    top, _, subtype = media_type.partition("/")
    if subtype.endswith(("+json", "+xml", "+yaml")):
        return top != "multipart"
    if top in _BINARY_TYPES:
        return False
    return top == "text" or subtype in _TEXTUAL_SUBTYPES


def may_be_text(media_type: str, charset: str) -> bool:
    """Tell whether a body is worth decoding, from its Content-Type alone.

    Args:
        media_type: as `media_type` returns it; "" asks for a look at the content.
        charset: the label of the charset parameter, "" where there is none.

    Returns:
        True for a textual type, for none, and for an unknown type that declares a charset.
        An image does not become text by a charset that a framework added to it.
    """
    if not media_type or is_textual(media_type) or media_type.startswith("multipart/"):
        return True
    return bool(charset) and media_type.partition("/")[0] not in _BINARY_TYPES
