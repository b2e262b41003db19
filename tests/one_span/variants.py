"""Who else instruments the app, and where we stand among them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from otel_apimetrics import ApiMetricsInstrumentor
from tests.one_span import apps

WSGI = ("flask", "wsgi", "django-wsgi")
ASGI = ("fastapi", "starlette", "asgi", "django-asgi")

_TELEMETRY = {"fastapi": "fastapi.telemetry", "starlette": "starlette.middleware.opentelemetry"}


def has_native(framework: str) -> bool:
    """Tell whether this version of a framework has a telemetry of its own."""
    module = _TELEMETRY.get(framework)
    return module is not None and find_spec(module) is not None


_EVERYWHERE = ("alone", "outside", "inside", "double", "both")
INSTRUMENTATIONS: dict[str, tuple[str, ...]] = {
    "flask": (*_EVERYWHERE, "contrib", "contrib-app"),
    "wsgi": _EVERYWHERE,
    "django-wsgi": (*_EVERYWHERE, "contrib"),
    "fastapi": (*_EVERYWHERE, "contrib", "contrib-app", *["native"] * has_native("fastapi")),
    "starlette": (*_EVERYWHERE, "contrib", "contrib-app", *["native"] * has_native("starlette")),
    "asgi": _EVERYWHERE,
    "django-asgi": (*_EVERYWHERE, "contrib"),
}
"""What each framework can be combined with.

- alone: nothing but us, through `instrument()` (`instrument_app` for apps of no framework).
- contrib: contrib's instrumentor of the framework, after our `instrument()`.
- contrib-app: both by `instrument_app`, contrib first.
- outside: contrib's middleware around what we made.
- inside: contrib's middleware inside the app, or between us and the app.
- native: the framework's own telemetry.
- double: our `instrument_app` twice. both: `instrument()` and `instrument_app`.
"""

_TELEMETRY_OFF = {"tracing": False, "metrics": False, "logs": False}


def build(framework: str, instrumentation: str) -> Any:
    """Give the app to serve. Patches this process for good."""
    if framework.startswith("django"):
        apps.configure_django()
    ours = ApiMetricsInstrumentor()
    bare = framework in {"wsgi", "asgi"}
    if instrumentation not in {"contrib-app", "double"}:
        ours.instrument()
    if instrumentation == "contrib":
        _instrumentor(framework).instrument()
    app = _make(framework, instrumentation)
    if instrumentation == "contrib-app":
        _instrumentor(framework).instrument_app(app)
    elif instrumentation == "inside":
        app = _wrap_inside(framework, app)
    if bare or instrumentation in {"contrib-app", "double", "both"}:
        app = ours.instrument_app(app)
    if instrumentation == "double":
        app = ours.instrument_app(app)
    if instrumentation == "outside":
        app = _middleware(framework)(app)
    return app


def _make(framework: str, instrumentation: str) -> Any:
    if framework == "fastapi":
        # Wrapped outside, FastAPI's own telemetry makes a second root with or without us.
        silent = instrumentation in {"alone", "outside"}
        return apps.make_fastapi(telemetry=_TELEMETRY_OFF if silent else None)
    if framework == "starlette":
        app = apps.make_starlette()
        if instrumentation == "native":
            from starlette.middleware.opentelemetry import OpenTelemetryMiddleware

            app.add_middleware(OpenTelemetryMiddleware)
        return app
    if framework.startswith("django"):
        return apps.make_django(asynchronous=framework == "django-asgi")
    return getattr(apps, f"make_{framework}")()


def _instrumentor(framework: str) -> Any:
    if framework == "flask":
        from opentelemetry.instrumentation.flask import FlaskInstrumentor

        return FlaskInstrumentor()
    if framework == "starlette":
        from opentelemetry.instrumentation.starlette import StarletteInstrumentor

        return StarletteInstrumentor()
    if framework == "fastapi":
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        return FastAPIInstrumentor()
    from opentelemetry.instrumentation.django import DjangoInstrumentor

    return DjangoInstrumentor()


def _middleware(framework: str) -> Any:
    if framework in WSGI:
        from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
    else:
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    return OpenTelemetryMiddleware


def _wrap_inside(framework: str, app: Any) -> Any:
    middleware = _middleware(framework)
    if framework == "flask":
        app.wsgi_app = middleware(app.wsgi_app)
        return app
    if framework in {"fastapi", "starlette"}:
        app.add_middleware(middleware)
        return app
    wrapped = middleware(app)
    # Django has no place inside the handler: we stand around contrib, and around Django.
    return ApiMetricsInstrumentor().instrument_app(wrapped) if "django" in framework else wrapped
