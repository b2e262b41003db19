"""URLs, whole or relative (RFC 3986)."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, unquote

from otel_apimetrics.redaction.form import Form
from otel_apimetrics.redaction.text import FreeText

_SAFE: Final = "/[]:;=@&+,$!'()*"
_AUTHORITY: Final = re.compile(
    r"[\x00-\x20]*(?:(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}|(?:https?|wss?|ftp):[/\\]?)", re.IGNORECASE
)
"""What stands before an authority, in a browser's reading too (WHATWG URL, section 4.4): a
backslash is a slash, and behind these schemes there may be more slashes than two, or fewer."""


class Urls:
    """URLs without userinfo and fragment, their path and query masked.

    Args:
        form: the rules for queries.
        text: the rules for segments.
    """

    def __init__(self, form: Form, text: FreeText) -> None:
        self._form: Final = form
        self._text: Final = text

    def path(self, path: str) -> str:
        """Mask inside of each segment; the identical object where nothing changed."""
        decoded = unquote(path)
        # Rules see a slash as a border, but a user's expression may ask for the end of a segment.
        if not self._text.has_patterns and self._text.scrub(decoded) == decoded:
            return path
        scrub = self._text.scrub
        masked = "/".join(_decoded(segment, scrub) for segment in path.split("/"))
        # Some value rules reach over a slash; an assignment does not.
        return _decoded(masked, self._text.scrub_values)

    def component(self, value: str) -> str:
        """Mask a text that may be percent-encoded, as values of Baggage are."""
        scrub = self._text.scrub
        return _decoded(value, scrub) if "%" in value else scrub(value)

    def target(self, target: str) -> str:
        """Mask a request target in origin form: path and query (RFC 9112, section 3.2.1)."""
        path, question, query = target.partition("#")[0].partition("?")
        masked = f"{self.path(path)}{question}{self._form.scrub(query)}"
        return target if masked == target else masked

    def url(self, url: str) -> str:
        """Mask a URL: `[REDACTED]@` for its userinfo, no fragment, then path and query."""
        opening = _AUTHORITY.match(url)
        if opening is None:
            return self.target(url)
        start = opening.end()
        end = next((i for i in range(start, len(url)) if url[i] in "/?#\\"), len(url))
        userinfo, at, host = url[start:end].rpartition("@")
        user = self._text.mark(userinfo, "value:url_userinfo") if userinfo else ""
        masked = f"{url[:start]}{user}{at}{self._text.scrub(host)}{self.target(url[end:])}"
        return url if masked == url else masked


def _decoded(part: str, scrub: Callable[[str], str]) -> str:
    decoded = unquote(part)
    masked = scrub(decoded)
    return part if masked == decoded else quote(masked, safe=_SAFE)
