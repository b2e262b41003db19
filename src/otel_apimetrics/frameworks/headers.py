"""What is read alike from a WSGI environ and from an ASGI scope."""

from collections.abc import Callable
from typing import Final

from otel_apimetrics.exchange import Headers

PATH_SAFE: Final = "/:@!$&'()*+,;=-._~%"
"""What stays unquoted in a path that was not sent to us as it was (RFC 3986, 3.3)."""


def lines_of(headers: Headers) -> Callable[[str], list[str]]:
    """Return a look-up of a header's lines by its lower-case name."""
    return lambda name: [value for key, value in headers if key == name]


def declared_length(headers: Headers) -> int | None:
    """Give the declared Content-Length, `None` where it is absent or no number."""
    for name, value in headers:
        if name == "content-length":
            return int(value) if value.isascii() and value.isdecimal() else None
    return None
