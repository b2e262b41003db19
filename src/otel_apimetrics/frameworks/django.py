"""Django: where its handlers are entered, and what only Django knows of a request."""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from otel_apimetrics import _guard, open_requests
from otel_apimetrics.config import Config
from otel_apimetrics.frameworks.adapter import Adapter
from otel_apimetrics.frameworks.asgi import asgi_entry
from otel_apimetrics.frameworks.classes import MethodWraps
from otel_apimetrics.frameworks.wsgi import wsgi_entry
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.recording import Recording

_CONTRIB = "opentelemetry.instrumentation.django.middleware.otel_middleware._DjangoMiddleware"


def instrumented_inside(_app: Any) -> bool:
    """Tell whether contrib's middleware is in Django's `MIDDLEWARE`."""
    from django.conf import settings

    return _CONTRIB in settings.MIDDLEWARE


def _note_route(request: Any, match: Any) -> None:
    recording = open_requests.current.get()
    if not isinstance(recording, Recording):
        return
    # contrib's middleware is current here, and no more when the response starts.
    recording.server_span.notice_current()
    if match is not None and match.route is not None:
        prefix = str(request.META.get("SCRIPT_NAME", "")).rstrip("/")
        recording.route = f"{prefix}/{match.route.removeprefix('^').removeprefix('/')}"


def _on_exception(sender: Any, request: Any, **_named: Any) -> None:  # noqa: ARG001  the signal's
    """Note the exception that Django is about to answer with 500."""
    try:
        recording = open_requests.current.get()
        error = sys.exc_info()[1]
        if isinstance(recording, Recording) and error is not None:
            recording.note_exception(error)
    except Exception as ours:
        _guard.swallow("django.exception", ours)


def routes(_app: Any) -> Iterable[str]:
    """Give the templates of the URL configuration; Django's routes have no methods."""
    from django.urls import get_resolver

    yield from _patterns(get_resolver().url_patterns, "/", 0)


def _patterns(patterns: Iterable[Any], prefix: str, depth: int) -> Iterable[str]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern).removeprefix("^").removeprefix("/")
        inner = getattr(pattern, "url_patterns", None)
        if inner is None:
            yield f"* {path}"
        elif depth < 16:  # noqa: PLR2004  an URL configuration may include itself
            yield from _patterns(inner, path, depth + 1)


ADAPTER = Adapter(
    name="django",
    distribution="django",
    raises_at_lifespan=True,
    instrumented_inside=instrumented_inside,
    routes=routes,
)


def install(wraps: MethodWraps, pipeline_of: Callable[[Any], Pipeline | None]) -> None:
    """Wrap the ways into Django's handlers, and note the route where Django resolves it."""
    from django.core.handlers.base import BaseHandler
    from django.core.signals import got_request_exception

    # Each handler's module when the app has imported it: the ASGI one is not free to import.
    if wsgi := sys.modules.get("django.core.handlers.wsgi"):
        wraps.wrap(wsgi.WSGIHandler, "__call__", wsgi_entry(pipeline_of, ADAPTER))
    if asgi := sys.modules.get("django.core.handlers.asgi"):
        wraps.wrap(asgi.ASGIHandler, "__call__", asgi_entry(pipeline_of, ADAPTER))
    wraps.wrap(BaseHandler, "resolve_request", _noting_route)
    got_request_exception.connect(_on_exception, dispatch_uid="otel_apimetrics")
    wraps.on_undo(partial(got_request_exception.disconnect, dispatch_uid="otel_apimetrics"))


def _noting_route(original: Any) -> Any:
    def resolve_request(self: Any, request: Any) -> Any:
        match = original(self, request)
        try:
            _note_route(request, match)
        except Exception as error:
            _guard.swallow("django.route", error)
        return match

    return resolve_request


def is_app(app: Any) -> bool:
    """Tell one of Django's handlers without importing Django."""
    module = sys.modules.get("django.core.handlers.base")
    return module is not None and isinstance(app, module.BaseHandler)


def check(config: Config, app: Any) -> None:
    """Refuse async hooks where nothing awaits them.

    Raises:
        ConfigError: a hook is async, and `app` is Django's WSGI handler.
    """
    wsgi = sys.modules.get("django.core.handlers.wsgi")
    if wsgi is not None and isinstance(app, wsgi.WSGIHandler):
        config.require_sync("Django's WSGI handler")
