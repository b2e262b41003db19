"""The middleware that measures requests as prometheus-fastapi-instrumentator does."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from otel_apimetrics import _guard, forked
from otel_apimetrics.metrics import note_recorded
from otel_apimetrics.prometheus.asgi_info import AsyncInstrumentation, Info, Instrumentation
from otel_apimetrics.prometheus.asgi_info_metrics import InfoMetric
from otel_apimetrics.prometheus.asgi_routes import Scope, find, is_redirected
from otel_apimetrics.prometheus.asgi_served import is_untracked
from otel_apimetrics.prometheus.event_loops import is_trio
from otel_apimetrics.prometheus.label_values import asked
from otel_apimetrics.prometheus.sending import noting
from otel_apimetrics.prometheus.tally import Tally, Values
from otel_apimetrics.semconv import known_method

Pattern = re.Pattern[str]
_CLAIMED: Final = "otel_apimetrics.prometheus.claimed"
"""Key in the scope: what measures the request, a list for each middleware around."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """How requests are told. The names are prometheus-fastapi-instrumentator's."""

    should_group_status_codes: bool = True
    """"2xx" for "200"."""
    should_ignore_untemplated: bool = False
    """Requests that no route serves are left out."""
    should_group_untemplated: bool = True
    """Their handler is "none", not their path."""
    should_include_root_path: bool = False
    """Handlers begin with the `root_path` of the app."""
    should_round_latency_decimals: bool = False
    round_latency_decimals: int = 4
    excluded_handlers: Sequence[Pattern] = ()
    """Searched in templates and paths: such requests are left out."""
    body_handlers: Sequence[Pattern] = ()
    """Searched in handlers: `Info.response` has the body."""
    group_by: Callable[[Request], Any] | None = None
    """Gives the handler, in the place of the template."""

    def handler(self, scope: Scope) -> str | None:
        """Give the handler of a request; `None` where it is left out."""
        template = self._template(scope)
        if template is None and self.should_ignore_untemplated:
            return None
        handler = template or Request(scope).url.path
        if any(pattern.search(handler) for pattern in self.excluded_handlers):
            return None
        if self.group_by is not None:
            return asked(self.group_by, Request(scope))
        return "none" if template is None and self.should_group_untemplated else handler

    def _template(self, scope: Scope) -> str | None:
        app = scope.get("app")
        routes = getattr(app, "routes", None)
        if not routes:
            return None
        found = find(scope, routes)
        if found is None:
            return scope["path"] if is_redirected(scope, app) else None
        root = getattr(app, "root_path", "") if self.should_include_root_path else ""
        return f"{root.rstrip('/')}{found.template}"

    def seconds(self, seconds: float) -> float:
        """Give a duration as it is shown."""
        kept = max(seconds, 0.0)
        if self.should_round_latency_decimals:
            return round(kept, self.round_latency_decimals)
        return kept


@dataclass(frozen=True, slots=True)
class InProgress:
    """A gauge of requests that are being served."""

    tally: Tally
    is_labelled: bool
    """By method and handler."""

    def entered(self, method: str, handler: str) -> Callable[[], None]:
        """Count one request, and give what counts it no more."""
        labels: Values = {"method": method, "handler": handler} if self.is_labelled else {}
        self.tally.add(1, labels)
        return lambda: self.tally.add(-1, labels)


class InstrumentatorMiddleware:
    """Tells each request, once it is served, to those who measure it. What they raise is logged.

    Args:
        app: the ASGI app inside.
        handling: how requests are told.
        instrumentations: are called with an `Info`, in this order.
        async_instrumentations: are awaited after them, all at once; under Trio in this order.
        in_progress: counts requests while they are served.
    """

    def __init__(
        self,
        app: Any,
        handling: Handling,
        instrumentations: Sequence[Instrumentation],
        async_instrumentations: Sequence[AsyncInstrumentation] = (),
        in_progress: InProgress | None = None,
    ) -> None:
        self.app = app
        self._handling: Final = handling
        self._instrumentations: Final = instrumentations
        self._async_instrumentations: Final = async_instrumentations
        self._in_progress: Final = in_progress

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Serve a request."""
        served = self._begun(scope) if scope["type"] == "http" else None
        if served is None:
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, receive, noting(send, served.note))
        finally:
            await self._ended(served)

    def _begun(self, scope: Scope) -> "_Served | None":
        try:
            forked.begin_process()
            start = perf_counter()
            if is_untracked(scope):
                return None
            handler = self._handling.handler(scope)
            if handler is None:
                return None
            served = _Served(scope, handler, start)
            self._claim(served)
            patterns = self._handling.body_handlers
            served.has_body = bool(patterns) and any(p.search(handler) for p in patterns)
        except Exception as error:
            _guard.swallow("prometheus.begin", error)
            return None
        return served

    def _claim(self, served: "_Served") -> None:
        """Measure with the instruments that no middleware around this one measures with.

        Apps may be given to two of them, or be mounted in one that was.
        """
        scope = served.scope
        measures, progress = self._instrumentations, self._in_progress
        around: list[tuple[Sequence[Instrumentation], InProgress | None]] | None
        around = scope.get(_CLAIMED)
        if around is None:
            around = scope[_CLAIMED] = []
        else:
            claimed = {id(one.tally) for _, one in around if one is not None}
            for each in around:
                claimed.update(id(one.instrument) for one in each[0] if isinstance(one, InfoMetric))
            measures = [
                one
                for one in measures
                if not isinstance(one, InfoMetric) or id(one.instrument) not in claimed
            ]
            if progress is not None and id(progress.tally) in claimed:
                progress = None
        around.append((measures, progress))
        served.measures = measures
        if progress is not None:
            served.leave = progress.entered(known_method(scope["method"]), served.handler)

    async def _ended(self, served: "_Served") -> None:
        try:
            if served.leave is not None:
                served.leave()
            if is_untracked(served.scope):
                return
            info = _Told(served, self._handling)
        except Exception as error:
            _guard.swallow("prometheus.end", error)
            return
        for measure in served.measures:
            try:
                measure(info)
            except Exception as error:  # noqa: PERF203  the others measure
                _guard.swallow("prometheus.instrumentation", error)
        note_recorded()
        if self._async_instrumentations:
            await _all_awaited(self._async_instrumentations, info)


async def _all_awaited(measures: Sequence[AsyncInstrumentation], info: Info) -> None:
    if is_trio():  # whose tasks need a nursery, and what one raises would come as a group
        for measure in measures:
            await _awaited(measure, info)
    else:
        await asyncio.gather(*(_awaited(each, info) for each in measures))


async def _awaited(measure: AsyncInstrumentation, info: Info) -> None:
    try:
        await measure(info)
    except Exception as error:
        _guard.swallow("prometheus.instrumentation", error)


class _Told(Info):
    """Makes what few ask for when it is asked for: the default metrics need lengths alone."""

    def __init__(self, served: "_Served", handling: Handling) -> None:
        self._served: Final = served
        self._labels = {}
        self._request: Request | None = None
        self._response: Response | None = None
        status = str(int(served.status))
        self.method = served.scope["method"]
        self.modified_handler = served.handler
        self.modified_status = f"{status[0]}xx" if handling.should_group_status_codes else status
        self.modified_duration = handling.seconds(perf_counter() - served.start)
        begun = served.begun
        self.modified_duration_without_streaming = (
            0.0 if begun is None else handling.seconds(begun - served.start)
        )

    @property
    def request(self) -> Request:
        if self._request is None:
            self._request = Request(self._served.scope)
        return self._request

    @request.setter
    def request(self, request: Request) -> None:
        self._request = request

    @property
    def response(self) -> Response | None:
        if self._response is None:
            served = self._served
            headers = Headers(raw=list(served.headers))
            self._response = Response(bytes(served.body), served.status, headers)
        return self._response

    @response.setter
    def response(self, response: Response | None) -> None:
        self._response = response

    def request_bytes(self) -> int:
        for name, value in self._served.scope["headers"]:
            if name == b"content-length":
                return int(value) if value.isdigit() else super().request_bytes()
        return 0

    def response_bytes(self) -> int:
        for name, value in self._served.headers:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return super().response_bytes()


class _Served:
    """A request that is being served."""

    __slots__ = (
        "begun", "body", "handler", "has_body", "headers", "leave", "measures", "scope", "start",
        "status",
    )  # fmt: skip

    def __init__(self, scope: Scope, handler: str, start: float) -> None:
        self.scope: Final = scope
        self.handler: Final = handler
        self.start: Final = start
        self.begun: float | None = None
        self.status: Any = 500
        self.headers: Any = ()
        self.body: Final = bytearray()
        self.has_body = False
        self.measures: Sequence[Instrumentation] = ()
        self.leave: Callable[[], None] | None = None

    def note(self, message: Any) -> None:
        """Note a message that goes by."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message.get("headers", ())
            self.begun = perf_counter()
        elif self.has_body and message["type"] == "http.response.body":
            self.body.extend(message.get("body", b""))
