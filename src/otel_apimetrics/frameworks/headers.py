"""What is read alike from a WSGI environ and from an ASGI scope."""

from collections.abc import Callable
from typing import Final

from otel_apimetrics.exchange import Headers, first

PATH_SAFE: Final = "/:@!$&'()*+,;=-._~%"
"""What stays unquoted in a path that was not sent to us as it was (RFC 3986, 3.3)."""


def lines_of(headers: Headers) -> Callable[[str], list[str]]:
    """Return a look-up of a header's lines by its lower-case name."""
    return lambda name: [value for key, value in headers if key == name]


BODILESS_METHODS: Final = frozenset({"GET", "HEAD"})
"""Methods whose requests have no body unless they say so."""

_LONGEST_NUMBER: Final = 18
"""Digits of a length; Python refuses to read a number of thousands."""


def declared_length(headers: Headers) -> int | None:
    """Give the declared Content-Length, `None` where it is absent or no number. Never raises.

    An app's own header may well be a number already, which some servers accept.
    """
    text = str(first(headers, "content-length"))
    is_number = len(text) <= _LONGEST_NUMBER and text.isascii() and text.isdecimal()
    return int(text) if is_number else None
