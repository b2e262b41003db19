"""Labels from headers, of requests and of responses."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.requests import Request


class ResponseHeaderLabel:
    """A label that has the value of a response's header.

    Args:
        key: name of the header, in any case.
        allowed_values: the label has no others; `None` for any.
        default: for other values, and where there is no such header.
    """

    def __init__(
        self, key: str, allowed_values: Iterable[str] | None = None, default: str = ""
    ) -> None:
        self.key = key.lower()
        self.default = default
        self.allowed_values = None if allowed_values is None else tuple(allowed_values)

    def __call__(self, headers: Mapping[str, str]) -> str:
        """Give the value for a response, by its headers' names in small letters."""
        value = headers.get(self.key, self.default)
        if self.allowed_values is None or value in self.allowed_values:
            return value
        return self.default


def from_header(key: str, allowed_values: Iterable[str] | None = None) -> Callable[[Request], str]:
    """Make a label that has the value of a request's header.

    Args:
        key: name of the header, in any case.
        allowed_values: the label is `""` for others; `None` for any.
    """
    allowed = None if allowed_values is None else tuple(allowed_values)

    def label(request: Request) -> str:
        value: str = request.headers.get(key, "")
        return value if allowed is None or value in allowed else ""

    return label


def from_response_header(
    key: str, allowed_values: Iterable[str] | None = None, default: str = ""
) -> Any:
    """Make a label that has the value of a response's header: see `ResponseHeaderLabel`."""
    return ResponseHeaderLabel(key, allowed_values, default)
