"""Litestar: where its apps are entered, and the template of the route."""

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from otel_apimetrics.config import Config
from otel_apimetrics.frameworks.adapter import Adapter, chain, is_contrib_middleware
from otel_apimetrics.frameworks.asgi import asgi_entry
from otel_apimetrics.frameworks.classes import MethodWraps
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.recording import Recording

if TYPE_CHECKING:
    from litestar import Litestar


def instrumented_inside(app: Any) -> bool:
    """Tell whether Litestar's OpenTelemetry plugin, which is contrib's middleware, is inside."""
    return any(
        is_contrib_middleware(inner)
        or type(inner).__name__ == "OpenTelemetryInstrumentationMiddleware"
        for inner in chain(getattr(app, "asgi_handler", None), "app", "open_telemetry_middleware")
    )


def note_request(recording: Recording) -> None:
    """Note the route and the consumer when the response starts."""
    scope = recording.source
    path = scope.get("path_template")
    if path:
        recording.route = str(scope.get("root_path", "")).rstrip("/") + str(path)
    state = scope.get("state")
    if isinstance(state, dict):
        recording.note_consumer(state.get("consumer"))


def routes(app: "Litestar") -> Iterable[str]:
    """Give the app's routes as "METHOD /template"."""
    for route in app.routes:
        for method in sorted(set(getattr(route, "methods", ())) - {"HEAD", "OPTIONS"}):
            yield f"{method} {route.path_format}"


ADAPTER = Adapter(
    name="litestar",
    distribution="litestar",
    instrumented_inside=instrumented_inside,
    on_response=note_request,
    routes=routes,
)


def install(wraps: MethodWraps, pipeline_of: Callable[[Any], Pipeline | None]) -> None:
    """Wrap the way into a Litestar app."""
    from litestar.app import Litestar

    wraps.wrap(Litestar, "__call__", asgi_entry(pipeline_of, ADAPTER))


def is_app(app: Any) -> bool:
    """Tell a Litestar app without importing Litestar."""
    module = sys.modules.get("litestar.app")
    return module is not None and isinstance(app, module.Litestar)


def check(_config: Config, _app: Any) -> None:
    """Accept every configuration: ASGI can await."""
