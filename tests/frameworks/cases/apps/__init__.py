"""The same app in every framework, each in its framework's own words.

/text /say/NAME            answers by name (`answers.ANSWERS`)
/echo /count /part         reads all of the body, bit by bit, or a part
/ignore /refuse            reads nothing
/raise/NAME /abort         errors, handled and not
/items/N /api/v1/items/N   a route with a parameter; the same below a mount or a router
/caller/NAME               says who calls, from a thread where the framework has some
/file                      the framework's way to send a file
/after                     works on after the response
/clock                     the wall clock is set back meanwhile
/health                    excluded
/odd/NAME                  what only the plain interface can say
/twice/...                 all of the plain app, instrumented twice more
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsInstrumentor,
    ApiMetricsWSGIMiddleware,
)
from tests.frameworks.cases.apps import below_twice
from tests.frameworks.cases.row import ANY, WSGI

OPTIONS: dict[str, Any] = {
    "capture_body": "all",
    "capture_headers": "all",
    "identify": "header:x-client",
    "excluded_paths": ["^/health$"],
    "trusted_proxies": "loopback",
}
"""How the apps are instrumented."""

_ITEM = {
    "flask": "/items/<int:number>",
    "django-wsgi": "/items/<int:number>",
    "django-asgi": "/items/<int:number>",
    "starlette": "/items/{number}",
    "fastapi": "/items/{number}",
    "litestar": "/items/{number}",
    "wsgi": None,
    "asgi": None,
}
TEMPLATES = {
    "item": _ITEM,
    "api item": {name: path and f"/api/v1{path}" for name, path in _ITEM.items()},
    "text": {name: path and "/text" for name, path in _ITEM.items()},
}
"""Routes in each framework's own spelling; `None` where there are no routes."""


def template(framework: str, route: Any) -> Any:
    """Give a framework's template of a route of `TEMPLATES`."""
    if route is None or route is ANY:
        return route
    return TEMPLATES[route][framework]


def build(framework: str) -> Any:
    """Build the app of a framework, without us."""
    module = import_module(f"{__name__}.{framework.partition('-')[0]}_app")
    return module.build(framework)


def instrument(app: Any, framework: str, *, twice: bool = True, **options: Any) -> Any:
    """Instrument an app of `build` in the documented way, and give what to serve.

    Args:
        app: made by `build`.
        framework: its framework.
        twice: instrument what is below `/twice` twice more; it takes its time.
        options: of the instrumentation.
    """
    if twice:
        _instrument_twice(framework, options)
    if framework.startswith("django"):
        from tests.frameworks.cases.apps.django_app import instrument_router

        return instrument_router(app, options)
    return ApiMetricsInstrumentor().instrument_app(app, **options)


def _instrument_twice(framework: str, options: dict[str, Any]) -> None:
    """Instrument what is below `/twice` once more than it needs, and the whole app comes on top."""
    if framework in WSGI:
        inner = ApiMetricsWSGIMiddleware(below_twice.plain_wsgi, **options)
        below_twice.wsgi = ApiMetricsWSGIMiddleware(inner, **options)
    else:
        around = ApiMetricsASGIMiddleware(below_twice.plain_asgi, **options)
        below_twice.asgi = ApiMetricsASGIMiddleware(around, **options)


def forget() -> None:
    """Undo what `instrument` did."""
    below_twice.wsgi, below_twice.asgi = below_twice.plain_wsgi, below_twice.plain_asgi
