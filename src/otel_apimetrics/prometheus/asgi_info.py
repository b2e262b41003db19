"""What prometheus-fastapi-instrumentator tells of a request to those who measure it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from otel_apimetrics.prometheus.label_values import LabelValues


class Info:
    """One request and its response.

    Args:
        request: without its body.
        response: its status and headers; its body where that was asked for.
        method: of the request.
        modified_handler: template of the route; "none" where there is none and such are grouped.
        modified_status: "200", or "2xx" where they are grouped.
        modified_duration: seconds to the end of the response, rounded where that was asked for.
        modified_duration_without_streaming: seconds to its beginning; 0 where there was none.
    """

    def __init__(
        self,
        request: Request,
        response: Response | None,
        method: str,
        modified_handler: str,
        modified_status: str,
        modified_duration: float,
        modified_duration_without_streaming: float = 0.0,
    ) -> None:
        self.request = request
        self.response = response
        self.method = method
        self.modified_handler = modified_handler
        self.modified_status = modified_status
        self.modified_duration = modified_duration
        self.modified_duration_without_streaming = modified_duration_without_streaming
        self._labels: dict[int, Mapping[str, str]] = {}

    def request_bytes(self) -> int:
        """Give what the request's Content-Length says, 0 where it says nothing."""
        return length_in(self.request.headers)

    def response_bytes(self) -> int:
        """Give what the response's Content-Length says, 0 where it says nothing."""
        return length_in(getattr(self.response, "headers", {}))

    def labels_of(self, values: LabelValues) -> Mapping[str, str]:
        """Give labels, which several metrics may have, and ask for them once."""
        known = self._labels.get(id(values))
        if known is None:
            # A response that is made when it is asked for is made for labels that ask.
            response = self.response if values.fixed is None else None
            known = self._labels[id(values)] = values.of(response)
        return known


Instrumentation = Callable[[Info], None]
AsyncInstrumentation = Callable[[Info], Awaitable[Any]]


def seconds_of(info: Info) -> float:
    """Give the seconds to the end of the response."""
    return info.modified_duration


def seconds_to_response(info: Info) -> float:
    """Give the seconds to the beginning of the response."""
    return info.modified_duration_without_streaming


def request_bytes(info: Info) -> int:
    """Give what the request's Content-Length says, 0 where it says nothing."""
    return info.request_bytes()


def response_bytes(info: Info) -> int:
    """Give what the response's Content-Length says, 0 where it says nothing."""
    return info.response_bytes()


def all_bytes(info: Info) -> int:
    """Give what both say."""
    return request_bytes(info) + response_bytes(info)


def length_in(headers: Any) -> int:
    """Give what Content-Length says in headers, 0 where it says nothing."""
    try:
        return int(headers.get("content-length", 0))
    except ValueError:
        return 0
