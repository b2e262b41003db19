"""What a file holds: by the flag, by the name, or by a look at it."""

import json
import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Final, NamedTuple

from otel_apimetrics.cli.errors import UsageError
from otel_apimetrics.cli.header_lines import looks_like_headers
from otel_apimetrics.content import media_type

_TYPES: Final = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain",
    "ndjson": "application/x-ndjson",
    "sse": "text/event-stream",
    "xml": "application/xml",
    "html": "text/html",
    "multipart": "multipart/form-data",
}
_TOP_LEVEL: Final = frozenset(
    ["application", "audio", "font", "image", "message", "model", "multipart", "text", "video"]
)
"""IANA's registry of media types, without `example` and `haptics`; another is a typing error."""
_PLACES: Final = ("har", "query", "headers")
"""What is no body."""
WORDS: Final = ("json", "har", *(word for word in _TYPES if word != "json"), *_PLACES[1:])
"""What `--type` takes besides media types."""
_SUFFIXES: Final = {
    ".har": "har",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".sse": "sse",
    ".xml": "xml",
    ".html": "html",
    ".htm": "html",
    ".txt": "text",
    ".log": "text",
    ".form": "form",
    ".http": "headers",
    ".headers": "headers",
}
_URL: Final = re.compile(r"\s*[a-z][a-z0-9+.-]{0,20}://\S*\s*", re.IGNORECASE)
_QUERY: Final = re.compile(r"\s*\?\S*\s*")
_FORM: Final = re.compile(r"\s*[^\s=&<{\[]+=[^\s&]*(?:&[^\s&]*)*\s*")
_EVENTS: Final = re.compile(r"\ufeff?(?::[ \r\n]|(?:data|event|id|retry):)")
_PARTS: Final = re.compile(r"\s*--([^\r\n]{1,70})\r?\n[\w-]+:", re.IGNORECASE)


class Kind(NamedTuple):
    """How a text is read."""

    word: str
    """One of `WORDS`; "body" for a media type that has no word."""
    content_type: str
    """As a `Content-Type` header has it; "" for what is no body."""
    source: str
    """How it is known, for people."""

    @property
    def is_json(self) -> bool:
        """Tell whether it is one JSON document."""
        kind = media_type(self.content_type)
        return self.word == "json" or kind.endswith("+json")


def kind_of(given: str | None, name: str, text: str) -> Kind:
    """Tell how to read a text.

    Args:
        given: the value of `--type`; `None` where it was not given.
        name: of the file; "-" for standard input.
        text: what it holds.

    Raises:
        UsageError: the value of `--type` is neither one of the words nor a media type.
    """
    if given is not None:
        return _given(given, text)
    word = _SUFFIXES.get(PurePath(name).suffix.lower(), "")
    source = "by its name"
    if not word or (word == "json" and _is_har(text)):
        word, source = _seen(text), "by its content"
    return _kind(word, text, source)


def is_url(text: str) -> bool:
    """Tell whether a text is one URL with a scheme."""
    return _URL.fullmatch(text) is not None


def _given(given: str, text: str) -> Kind:
    source = "by --type"
    word = given.strip().lower()
    if word in WORDS:
        return _kind(word, text, source)
    kind = media_type(given)
    if kind.partition("/")[0] not in _TOP_LEVEL and not kind.startswith("x-"):
        raise UsageError(
            f"--type {given!r} is not known: use {', '.join(WORDS)}, or a media type such as"
            " application/problem+json."
        )
    word = next((word for word, known in _TYPES.items() if known == kind), "body")
    return Kind(word, given if "boundary" in given.lower() else _typed(kind, text), source)


def _kind(word: str, text: str, source: str) -> Kind:
    return Kind(word, _typed(_TYPES.get(word, ""), text), source)


def _typed(kind: str, text: str) -> str:
    if not kind.startswith("multipart/"):
        return kind
    # Who has the body alone has its boundary in the first line.
    found = _PARTS.match(text)
    return f'{kind}; boundary="{found[1]}"' if found else kind


def _seen(text: str) -> str:
    return next((word for word, is_it in _LOOKS if is_it(text)), "text")


def _is_har(text: str) -> bool:
    if '"entries"' not in text or text.lstrip("\ufeff \t\r\n")[:1] != "{":
        return False
    document = _parsed(text)
    log = document.get("log") if isinstance(document, dict) else None
    return isinstance(log, dict) and isinstance(log.get("entries"), list)


def _is_lines(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip()]
    opened = len(lines) > 1 and all(line.lstrip()[:1] in ("{", "[") for line in lines)
    return opened and all(_parsed(line) is not None for line in lines)


def _parsed(text: str) -> object:
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None


_LOOKS: Final[tuple[tuple[str, Callable[[str], object]], ...]] = (
    ("har", _is_har),
    ("ndjson", _is_lines),
    ("json", lambda text: text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")),
    ("html", lambda text: re.match(r"\s*<(?:!doctype html|html)\b", text, re.IGNORECASE)),
    ("xml", lambda text: text.lstrip("\ufeff \t\r\n")[:1] == "<"),
    ("multipart", _PARTS.match),
    ("sse", _EVENTS.match),
    ("headers", looks_like_headers),
    ("query", lambda text: _URL.fullmatch(text) or _QUERY.fullmatch(text)),
    ("form", _FORM.fullmatch),
)
"""In the order of how little a text of another kind looks like it."""
