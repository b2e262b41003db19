"""FastAPI: Starlette, with a telemetry of its own around it."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from otel_apimetrics.config import Config
from otel_apimetrics.frameworks import starlette
from otel_apimetrics.frameworks.adapter import Adapter
from otel_apimetrics.frameworks.asgi import asgi_entry
from otel_apimetrics.frameworks.classes import MethodWraps
from otel_apimetrics.pipeline import Pipeline


def decides_later(app: Any) -> bool:
    """Tell whether FastAPI may start a SERVER span of its own around the app.

    It does so inside `FastAPI.__call__` and parents it straight from the headers: a span
    of ours around it would be a second root. Whether it did is seen in
    `Starlette.__call__`, which it calls inside its span.
    """
    native = getattr(app, "_native_telemetry", None)
    return native is not None and bool(native.enabled())


def routes(app: Any) -> Iterable[str]:
    """Give the app's routes, and the paths of its OpenAPI document if it was made already."""
    contexts = getattr(sys.modules.get("fastapi.routing"), "iter_route_contexts", None)
    if contexts is None:
        yield from starlette.routes(app)
    else:  # routers inside routers, which later versions do not copy into the app's routes
        yield from starlette.templates(contexts(app.routes))
    document = getattr(app, "openapi_schema", None) or {}
    for path, item in document.get("paths", {}).items():
        for method in item:
            yield f"{method.upper()} {path}"


ADAPTER = Adapter(
    name="fastapi",
    distribution="fastapi",
    instrumented_inside=starlette.instrumented_inside,
    decides_later=decides_later,
    on_response=starlette.note_request,
    routes=routes,
)


def install(wraps: MethodWraps, pipeline_of: Callable[[Any], Pipeline | None]) -> None:
    """Wrap the way into a FastAPI app, and Starlette's behind it."""
    from fastapi.applications import FastAPI

    starlette.install(wraps, pipeline_of)

    if "__call__" in vars(FastAPI):
        wraps.wrap(FastAPI, "__call__", asgi_entry(pipeline_of, ADAPTER))


def is_app(app: Any) -> bool:
    """Tell a FastAPI app without importing FastAPI."""
    module = sys.modules.get("fastapi.applications")
    return module is not None and isinstance(app, module.FastAPI)


def check(_config: Config, _app: Any) -> None:
    """Accept every configuration: ASGI can await."""
