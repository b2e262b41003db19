"""Apps of no known framework: any WSGI or ASGI callable."""

import inspect
import sys
from collections.abc import Callable
from typing import Any, Literal

from otel_apimetrics.frameworks import flask
from otel_apimetrics.frameworks.adapter import Adapter, is_instrumented
from otel_apimetrics.recording import Recording

_WSGI_ARGUMENTS = 2
_ASGI_ARGUMENTS = 3
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
    """Tell a WSGI from an ASGI 3 callable by its signature; `None` for anything else."""
    if not callable(app):
        return None
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(app.__call__):
        return "asgi"
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return None
    required = [
        parameter
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    ]
    if len(required) == _WSGI_ARGUMENTS:
        return "wsgi"
    return "asgi" if len(required) == _ASGI_ARGUMENTS else None
