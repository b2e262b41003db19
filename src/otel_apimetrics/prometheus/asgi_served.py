"""What is known of a request to an ASGI app while it is served."""

from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from otel_apimetrics import _guard, forked
from otel_apimetrics.prometheus.sending import noting

_KEY: Final = "otel_apimetrics.prometheus"
_current: "ContextVar[Served | None]" = ContextVar("served", default=None)

Measure = Callable[[Any], None]
"""Gets the response, or `None` where there is none, as for a WebSocket."""


class Served:
    """A request, or a WebSocket, from its beginning to its end.

    Args:
        scope: its own.
        response: of a WebSocket there is none.
    """

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self.scope: Final = scope
        self.is_untracked = False
        """No default metric counts it."""
        self.is_excluded = False
        """No metric counts it."""
        self._response: Response | None = None
        self._waiting: list[Measure] = []

    def when_answered(self, measure: Measure) -> None:
        """Measure with the response: when it begins, or now if it has begun."""
        if self._response is None:
            self._waiting.append(measure)
        else:
            measure(self._response)

    def answered(self, response: Response | None) -> None:
        """Measure what waits."""
        self._response = response
        waiting, self._waiting = self._waiting, []
        for measure in waiting:
            measure(response)

    def note(self, message: Any) -> None:
        """Note where the response begins."""
        if message["type"] == "http.response.start":
            self.answered(response_of(message["status"], message.get("headers", ())))

    def ended(self) -> None:
        """Measure what has seen no response."""
        try:
            is_socket = self.scope["type"] == "websocket"
            if self._response is None:
                self.answered(None if is_socket else Response(status_code=500))
        except Exception as error:
            _guard.swallow("prometheus.ended", error)


class ServedMiddleware:
    """Lets decorators and default metrics know of the request that they measure.

    Args:
        app: the ASGI app inside.
        is_left_out: tells of a path whether no default metric counts requests to it.
    """

    def __init__(self, app: Any, is_left_out: Callable[[str], bool]) -> None:
        self.app = app
        self._is_left_out: Final = is_left_out

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve a request."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        known = scope.get(_KEY)
        served = known or Served(scope)
        try:
            forked.begin_process()
            if self._is_left_out(scope["path"]):
                served.is_untracked = True
        except Exception as error:
            _guard.swallow("prometheus.served", error)
        if known is not None:
            # One of these is around us.
            await self.app(scope, receive, send)
            return
        scope[_KEY] = served
        token = _current.set(served)
        try:
            await self.app(scope, receive, noting(send, served.note))
        finally:
            served.ended()
            _current.reset(token)
            # It knows its scope: the two would wait for the garbage collector.
            scope.pop(_KEY, None)


def response_of(status: Any, headers: Any) -> Response:
    """Give a response without a body, for labels to read."""
    response = Response(status_code=int(status))
    response.raw_headers = list(headers)
    return response


def current() -> Served | None:
    """Give what is served; `None` outside."""
    return _current.get()


def current_request() -> HTTPConnection:
    """Give the request, or the WebSocket, that is being served: for labels that get nothing.

    Raises:
        RuntimeError: none is, or its app was not given to an `ASGIMetrics`.
    """
    served = _current.get()
    if served is None:
        raise RuntimeError(
            "No request is being served: call this within one, in an app that was given to"
            " ASGIMetrics."
        )
    return HTTPConnection(served.scope)


def is_untracked(scope: MutableMapping[str, Any]) -> bool:
    """Tell whether the default metrics leave a request out."""
    served = scope.get(_KEY)
    return served is not None and (served.is_untracked or served.is_excluded)
