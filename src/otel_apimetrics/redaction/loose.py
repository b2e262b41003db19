"""JSON as people write it: with comments and trailing commas, or several documents in a row."""

import json
import re
from typing import Final

_TOKEN: Final = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|/\*.*?(?:\*/|\Z)|//[^\r\n]*|,|[^\s",/]+|/', re.DOTALL
)
_TRAILING: Final = re.compile(r",\s*[\]}]")
_BETWEEN: Final = re.compile(r"[\s,;\x1e]*")
"""What parts documents; the record separator is that of RFC 7464."""
_MOST: Final = 1_000
"""Documents in a row that are read one by one."""
_DECODER: Final = json.JSONDecoder()


def strict(text: str) -> tuple[str, list[str]]:
    """Take comments and trailing commas out of JSON.

    Args:
        text: JSON or what claims to be, whole or cut.

    Returns:
        The text without them, or the identical text where there are none; and the comments.
    """
    if not _may_be_loose(text):
        return text, []
    parts: list[str] = []
    comments: list[str] = []
    # The place of the last piece that is no comment.
    last = done = 0
    for token in _TOKEN.finditer(text):
        piece = token[0]
        parts.append(text[done : token.start()])
        done = token.end()
        if piece[0] == "/" and len(piece) > 1:
            comments.append(piece)
            piece = " "  # what is around it stays apart
        else:
            if piece[0] in "]}" and parts and parts[last] == ",":
                parts[last] = ""
            last = len(parts)
        parts.append(piece)
    plain = "".join((*parts, text[done:]))
    return (text if plain == text else plain), comments


def _may_be_loose(text: str) -> bool:
    """Tell it at the speed of a search; the slashes of URLs are what most texts have."""
    slashes = text.count("//")
    if slashes and slashes != text.count("http://") + text.count("https://"):
        return True
    return "/*" in text or _TRAILING.search(text) is not None


def documents(text: str) -> list[tuple[int, int]]:
    """Give the objects and lists that stand in a row from the begin of a text, at most 1,000."""
    found: list[tuple[int, int]] = []
    at = 0
    while len(found) < _MOST:
        between = _BETWEEN.match(text, at)
        start = between.end() if between else at
        if text[start : start + 1] not in ("{", "["):
            return found
        try:
            _, at = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            return found
        found.append((start, at))
    return found
