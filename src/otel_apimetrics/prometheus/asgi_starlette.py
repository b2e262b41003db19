"""The middleware that measures requests as starlette_exporter does."""

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from time import perf_counter
from typing import Any, Final

from starlette.requests import Request

from otel_apimetrics import _guard, forked, interruptions
from otel_apimetrics.metrics import note_recorded
from otel_apimetrics.prometheus.asgi_choices import Choices, Exemplify, Headers
from otel_apimetrics.prometheus.asgi_routes import Scope
from otel_apimetrics.prometheus.asgi_served import is_untracked, response_of
from otel_apimetrics.prometheus.asgi_starlette_metrics import (
    REQUEST_BODY,
    RESPONSE_BODY,
    Measured,
    StarletteMetrics,
)
from otel_apimetrics.prometheus.encodable import encodable
from otel_apimetrics.prometheus.label_values import asked
from otel_apimetrics.prometheus.sending import noting
from otel_apimetrics.semconv import known_method

_GONE: Final = 499
SHOWN: Final = "otel_apimetrics.prometheus.shown"
"""Key in the scope: the registry and the reader, or `None`, of the middleware around."""


class StarletteMiddleware:
    """Measures the requests to the app inside.

    Args:
        app: any ASGI app.
        metrics: measure.
        choices: of requests and labels.
        shown: what an endpoint inside shows; see `SHOWN`.
    """

    def __init__(
        self, app: Any, metrics: StarletteMetrics, choices: Choices, shown: Any = None
    ) -> None:
        self.app = app
        self._metrics: Final = metrics
        self._choices: Final = choices
        self._shown: Final = shown
        self._key: Final = f"otel_apimetrics.prometheus.{metrics.identity}"
        """In the scope: the request, which one of these measures with these metrics."""

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        read = _Read(receive) if self._choices.request_labels else None
        served = await self._begun(scope, read or receive)
        if read is not None:
            receive = read.again()
        if served is None:
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, receive, noting(send, served.note))
        except Exception:
            served.failed()
            await self._ended(served)
            raise
        except BaseException:
            self._left(served)
            raise
        await self._ended(served)

    async def _begun(self, scope: Scope, receive: Any) -> "_Served | None":
        choices = self._choices
        try:
            forked.begin_process()
            scope[SHOWN] = self._shown
            if is_untracked(scope):
                return None
            request = Request(scope, receive)
            path = choices.path(request)
            if choices.is_skipped(path, request.method):
                return None
            served = _Served(choices, self._metrics.optional, request, path, self.app)
            served.around = scope.get(self._key)
            for name, value in choices.request_labels.items():
                served.request_labels[name] = await _asked(value, request)
            if served.around is None:
                served.progress |= served.request_labels
                self._metrics.in_progress(1, served.progress)
                scope[self._key] = served
        except Exception as error:
            _guard.swallow("prometheus.begin", error)
            return None
        return served

    def _left(self, served: "_Served") -> None:
        if served.around is not None:
            return
        try:
            # The two know each other: they would wait for the garbage collector.
            served.scope.pop(self._key, None)
            self._metrics.in_progress(-1, served.progress)
        except Exception as error:
            _guard.swallow("prometheus.leave", error)

    async def _ended(self, served: "_Served") -> None:
        self._left(served)
        try:
            measured = await served.measured()
            if measured is not None:
                self._metrics.measure(measured)
                note_recorded()
        except Exception as error:
            _guard.swallow("prometheus.end", error)


class _Read:
    """A `receive` that labels may read the body by, before the app reads it."""

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self._receive: Final = receive
        self._messages: Final[list[Any]] = []

    async def __call__(self) -> Any:
        message = await self._receive()
        self._messages.append(message)
        return message

    def again(self) -> Callable[[], Awaitable[Any]]:
        """Give a `receive` that begins with what was read."""
        messages = self._messages
        if not messages:
            return self._receive

        async def receive() -> Any:
            return messages.pop(0) if messages else await self._receive()

        return receive


class _Served:
    """A request that is being served."""

    def __init__(
        self,
        choices: Choices,
        optional: Collection[str],
        request: Request,
        path: str,
        inside: Any,
    ) -> None:
        self.scope: Final = request.scope
        self.around: _Served | None = None
        """The same request, where a middleware around measures it with the same metrics."""
        self._choices: Final = choices
        self._optional: Final = optional
        self._inside: Final = inside
        self._request: Final = request
        self._path: Final = path
        self._before: Final = dict(request.scope)
        self._start: Final = perf_counter()
        self._end: float | None = None
        self._status: Any = None
        self._headers: Any = ()
        self._response_labels: dict[str, str] = {}
        self.request_labels: Final[dict[str, str]] = {}
        self.progress = {"method": known_method(request.method), "app_name": choices.app_name}
        """Labels of requests in progress."""

    def note(self, message: Any) -> None:
        """Note a message that goes by."""
        if message["type"] == "http.response.body":
            self._end = perf_counter()
        elif message["type"] == "http.response.start":
            status = message["status"]
            self._status = int(status) if self._choices.always_use_int_status else status
            self._headers = message.get("headers", ())
            if self._choices.response_labels:
                self._note_headers(_decoded(self._headers))

    def _note_headers(self, headers: Headers) -> None:
        for name, ask in self._choices.response_labels.items():
            try:
                self._response_labels[name] = encodable(ask(headers))
            except Exception as error:  # noqa: PERF203  the other labels have their values
                _guard.swallow("prometheus.label", error)
                self._response_labels[name] = ""

    def failed(self) -> None:
        """Note that the app has raised."""
        self._status = 500
        self._note_headers({})

    def counts(self) -> bool:
        """Tell whether it will be measured, by what routers have told."""
        return self._label() is not None

    def _label(self) -> str | None:
        return self._choices.label(self.scope, self._before, self._path, self._inside)

    async def measured(self) -> Measured | None:
        """Give what is measured of it; `None` where it is left out."""
        request, choices = self._request, self._choices
        path = self._label()
        if path is None or is_untracked(self.scope):
            return None
        if self.around is not None and self.around.counts():
            return None
        if choices.group_by is not None:
            path = asked(choices.group_by, request)
        if self._status is None:
            self._status = _GONE if await request.is_disconnected() else 500
            self._note_headers({})
        end = perf_counter() if self._end is None else self._end
        measured = Measured(self._labels(path), max(end - self._start, 0.0))
        if choices.exemplars is not None:
            measured.exemplar = self._exemplar(choices.exemplars)
        if REQUEST_BODY in self._optional:
            measured.request_bytes = _length(request.headers)
        if RESPONSE_BODY in self._optional:
            measured.response_bytes = _length(_decoded(self._headers))
        return measured

    def _labels(self, path: str) -> dict[str, str]:
        labels = {
            "method": known_method(self._request.method),
            "path": path,
            "status_code": str(self._status),
            "app_name": self._choices.app_name,
            **self.request_labels,
            **self._response_labels,
        }
        more = self._choices.more_labels
        if more is not None:
            labels |= more.of(response_of(self._status, self._headers))
        return labels

    def _exemplar(self, exemplify: Exemplify) -> Mapping[str, Any]:
        try:
            return exemplify(self._request) or {}
        except BaseException as error:
            if not interruptions.is_own(error):
                raise
            _guard.swallow("prometheus.exemplar", error)
            return {}


async def _asked(value: Any, request: Request) -> str:
    if not callable(value):
        return encodable(value)
    try:
        said = value(request)
        return encodable(await said if inspect.isawaitable(said) else said)
    except GeneratorExit:  # of the request, which nobody awaits any more
        raise
    except BaseException as error:
        if not interruptions.is_own(error):
            raise
        _guard.swallow("prometheus.label", error)
        return ""


def _decoded(headers: Any) -> Headers:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _length(headers: Headers) -> int:
    try:
        return max(int(headers.get("content-length") or 0), 0)
    except ValueError:
        return 0
