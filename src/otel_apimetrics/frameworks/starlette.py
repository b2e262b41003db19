"""Starlette: where its apps are entered, and what only Starlette knows of a request."""

import functools
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from otel_apimetrics import _guard, open_requests
from otel_apimetrics.config import Config
from otel_apimetrics.exchange import ValidationError
from otel_apimetrics.frameworks.adapter import Adapter, is_contrib_middleware
from otel_apimetrics.frameworks.asgi import (
    Message,
    Receive,
    Scope,
    Send,
    asgi_entry,
    note_inner,
)
from otel_apimetrics.frameworks.classes import MethodWraps
from otel_apimetrics.frameworks.entry import MARK
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.recording import Recording
from otel_apimetrics.spans import Owner

if TYPE_CHECKING:
    from starlette.applications import Starlette

MOUNT = "otel_apimetrics.mount"
"""Key in the scope: templates of the mounts passed so far."""
ROUTE = "otel_apimetrics.route"
"""Key in the scope: template of the route, for versions that do not put the route there."""

_OTEL_MODULES = {"opentelemetry.instrumentation.asgi", "starlette.middleware.opentelemetry"}


def instrumented_inside(app: Any) -> bool:
    """Tell whether contrib instruments this app, or a middleware of it makes SERVER spans.

    Contrib's flag, contrib's middleware added by hand, or Starlette's own
    `OpenTelemetryMiddleware`: all three parent their span straight from the headers.
    """
    if getattr(app, "_is_instrumented_by_opentelemetry", False):
        return True
    for middleware in getattr(app, "user_middleware", ()):
        cls = getattr(middleware, "cls", None)
        if getattr(cls, "__name__", "") == "OpenTelemetryMiddleware" and (
            getattr(cls, "__module__", "") in _OTEL_MODULES
        ):
            return True
    return is_contrib_middleware(getattr(app, "middleware_stack", None))


def note_request(recording: Recording) -> None:
    """Note route and consumer when the response starts."""
    scope = recording.source
    route = template(scope)
    if route is not None:  # another framework inside may have noted its own
        recording.route = route
    state = scope.get("state")
    if isinstance(state, dict):
        recording.note_consumer(state.get("consumer"))


def template(scope: Scope) -> str | None:
    """Give the route's template with the mounts' templates before it, `None`: no match.

    FastAPI, with routers inside routers, keeps the whole template in a context of its own.
    What only a mount has matched is its app's: "/static/{path}".
    """
    context = (scope.get("fastapi") or {}).get("effective_route_context")
    route = scope.get("route")
    if context is not None:
        path = context.path_format
    elif route is not None and not hasattr(route, "routes"):
        path = getattr(route, "path_format", None)
    else:
        path = scope.get(ROUTE) or _of_endpoint(scope)
    mounts = scope.get(MOUNT, "")
    if path is None:
        if not mounts:
            return None
        path = "/{path}"
    return f"{_prefix(scope)}{mounts}{path}"


def _of_endpoint(scope: Scope) -> str | None:
    """Find the route that Starlette chose by its endpoint, the same object.

    For versions that do not keep the route, in an app whose routes are not wrapped.
    """
    endpoint = scope.get("endpoint")
    if endpoint is None:
        return None
    for route in getattr(scope.get("router"), "routes", ()):
        if getattr(route, "endpoint", None) is endpoint:
            return getattr(route, "path_format", None)
    return None


def _prefix(scope: Scope) -> str:
    return str(scope.get("app_root_path", scope.get("root_path", ""))).rstrip("/")


def validation_errors(error: BaseException | None) -> tuple[ValidationError, ...]:
    """Read FastAPI's `RequestValidationError` without the input that it quotes."""
    if type(error).__name__ != "RequestValidationError":
        return ()
    listed: Callable[[], Iterable[Any]] = getattr(error, "errors", tuple)
    found: list[ValidationError] = []
    for item in listed():
        location = [str(part) for part in item.get("loc", ())]
        found.append(
            ValidationError(
                source=location[0] if location else "",
                field=".".join(location[1:]),
                message=str(item.get("msg", ""))[:512],
                type=str(item.get("type", "")),
            )
        )
        if len(found) == 100:  # noqa: PLR2004  one request cannot fill a span
            break
    return tuple(found)


def routes(app: Any) -> Iterable[str]:
    """Give the app's routes as "METHOD /template", mounts and routers opened."""
    yield from templates(getattr(app, "routes", ()))


def templates(found: Iterable[Any], prefix: str = "", depth: int = 0) -> Iterable[str]:
    """Give routes as "METHOD /template", the inner ones of mounts with their prefix."""
    for route in found:
        path = prefix + str(getattr(route, "path", "") or "")
        inner = getattr(route, "routes", None)
        if inner and depth < 16:  # noqa: PLR2004  a mount may contain itself
            yield from templates(inner, path, depth + 1)
        for method in sorted((getattr(route, "methods", None) or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {path}"


ADAPTER = Adapter(
    name="starlette",
    distribution="starlette",
    instrumented_inside=instrumented_inside,
    on_response=note_request,
    routes=routes,
)


def install(wraps: MethodWraps, pipeline_of: Callable[[Any], Pipeline | None]) -> None:
    """Wrap the way into a Starlette app, and note templates where routes take over."""
    from starlette.applications import Starlette

    make_entry = asgi_entry(pipeline_of, ADAPTER)

    wraps.wrap(Starlette, "__call__", lambda original: make_entry(_deciding(original)))
    install_routes(wraps)


def install_routes(wraps: MethodWraps) -> None:
    """Note each route's template as it takes the request over."""
    from starlette.routing import Mount, Route, WebSocketRoute

    for cls in (Route, WebSocketRoute):
        wraps.wrap(cls, "handle", _noting(_note_route))
    wraps.wrap(Mount, "handle", _noting(_note_mount))


def _noting(note: Callable[[Any, Scope], None]) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        @functools.wraps(original)
        async def handle(self: Any, scope: Scope, receive: Receive, send: Send) -> Any:
            try:
                note(self, scope)
            except Exception as error:
                _guard.swallow("starlette.route", error)
            if scope["type"] == "http":
                send = _noting_errors(send)
            return await original(self, scope, receive, send)

        return handle

    return make


def _noting_errors(send: Send) -> Send:
    """Note validation errors where they are answered.

    Handlers answer while they handle. Here and not at the entry: below
    `BaseHTTPMiddleware` the app runs in a task of its own, which alone knows the exception.
    """

    async def noting(message: Message) -> None:
        try:
            _note_validation(message)
        except Exception as error:
            _guard.swallow("starlette.validation", error)
        await send(message)

    return noting


def _note_validation(message: Message) -> None:
    if message["type"] == "http.response.start" and message["status"] in {400, 422}:
        recording = open_requests.current.get()
        if isinstance(recording, Recording) and not recording.settled:
            recording.validation_errors = validation_errors(sys.exc_info()[1])


def _note_route(route: Any, scope: Scope) -> None:
    scope[ROUTE] = route.path_format
    note_inner(scope)


def _note_mount(mount: Any, scope: Scope) -> None:
    scope[MOUNT] = scope.get(MOUNT, "") + mount.path
    note_inner(scope)


def _undecided(scope: Scope) -> Recording | None:
    """Return the recording whose span is decided here: FastAPI's own telemetry is outside."""
    if MARK not in scope:
        return None
    recording = open_requests.current.get()
    if isinstance(recording, Recording) and recording.server_span.owner is Owner.UNDECIDED:
        return recording
    return None


def _deciding(original: Any) -> Any:
    """Decide about the span where FastAPI, outside, could not."""

    @functools.wraps(original)
    async def __call__(  # noqa: N807
        self: "Starlette", scope: Scope, receive: Receive, send: Send
    ) -> Any:
        recording = _undecided(scope)
        before = open_requests.outside()
        entered = False
        try:
            if recording is not None:
                try:
                    recording.begin_span(instrumented_inside=instrumented_inside(self))
                    entered = True
                    recording.enter()
                except Exception as error:
                    _guard.swallow("starlette.decide", error)
            return await original(self, scope, receive, send)
        finally:
            if recording is not None and entered:
                recording.leave_if_here(before)

    return __call__


def is_app(app: Any) -> bool:
    """Tell a Starlette app, FastAPI's included, without importing Starlette."""
    module = sys.modules.get("starlette.applications")
    return module is not None and isinstance(app, module.Starlette)


def check(_config: Config, _app: Any) -> None:
    """Accept every configuration: ASGI can await."""
