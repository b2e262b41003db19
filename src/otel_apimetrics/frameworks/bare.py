"""Apps of no known framework: any WSGI or ASGI callable."""

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, Literal

from otel_apimetrics.frameworks import flask
from otel_apimetrics.frameworks.adapter import Adapter, is_instrumented
from otel_apimetrics.recording import Recording

_WSGI_ARGUMENTS = 2
_INTERFACES: dict[int, Literal["wsgi", "asgi"]] = {_WSGI_ARGUMENTS: "wsgi", 3: "asgi"}
_POSITIONAL = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
_KEPT_IN = ("wsgi", "app", "wsgi_app", "application", "asgi")


def instrumented_inside(app: Any) -> bool:
    """Tell whether another instrumentation is found in the chain of middlewares."""
    return is_instrumented(getattr(app, "__self__", app), *_KEPT_IN)


def note_wsgi(recording: Recording) -> None:
    """Note what Flask knows, where it turns out to be inside."""
    environ = recording.source
    if "flask" in sys.modules and isinstance(environ, dict) and "werkzeug.request" in environ:
        flask.note_request(recording)


def wsgi_adapter() -> Adapter:
    """Make the adapter of a bare WSGI app."""
    if "flask" in sys.modules:
        flask.watch_exceptions()
    return Adapter(name="wsgi", instrumented_inside=instrumented_inside, on_response=note_wsgi)


def asgi_adapter() -> Adapter:
    """Make the adapter of a bare ASGI app."""
    on_response: Callable[[Recording], None] | None = None
    if "starlette.routing" in sys.modules:
        from otel_apimetrics.frameworks import starlette

        on_response = starlette.note_request
    return Adapter(name="asgi", instrumented_inside=instrumented_inside, on_response=on_response)


def interface_of(app: Any) -> Literal["wsgi", "asgi"] | None:
    """Tell a WSGI from an ASGI 3 callable by its signature; `None` for anything else.

    One that is not `async` and takes what comes is WSGI: ASGI servers see it so too.
    """
    if not callable(app):
        return None
    try:
        if _is_async(app):
            return "asgi"
        parameters = inspect.signature(app).parameters.values()
    except Exception:  # whatever reading an odd object's attributes makes
        return None
    if any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters):
        return None
    positional = [p for p in parameters if p.kind in _POSITIONAL]
    needed = sum(p.default is p.empty for p in positional)
    if any(p.kind is p.VAR_POSITIONAL for p in parameters) and needed < _WSGI_ARGUMENTS:
        return "wsgi"
    return _INTERFACES.get(needed or len(positional))


def _is_async(app: Any) -> bool:
    while isinstance(app, functools.partial):
        app = app.func
    if inspect.isclass(app):  # what its instances do is not what calling it does
        return False
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(app.__call__)
