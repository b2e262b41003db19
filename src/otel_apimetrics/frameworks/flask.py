"""Flask: where its apps are entered, and what only Flask knows of a request."""

import sys
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from otel_apimetrics import _guard, open_requests
from otel_apimetrics.config import Config
from otel_apimetrics.frameworks.adapter import Adapter, is_instrumented
from otel_apimetrics.frameworks.classes import MethodWraps
from otel_apimetrics.frameworks.wsgi import wsgi_entry
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.recording import Recording

if TYPE_CHECKING:
    from flask import Flask

CONSUMER_IDENTIFIER = "consumer_identifier"
"""Name in `flask.g` whose value is the consumer's id, where no hook and no call told one."""


def instrumented_inside(app: Any) -> bool:
    """Tell whether contrib instruments this app, or sits in the chain of its `wsgi_app`."""
    return is_instrumented(app, "wsgi_app", "wsgi", "app", "application")


def note_request(recording: Recording) -> None:
    """Note route and consumer while Flask's request context is there.

    At the start of the response: the context is gone once the body is iterated.
    """
    environ = recording.source
    request = environ.get("werkzeug.request") if isinstance(environ, dict) else None
    rule = getattr(request, "url_rule", None)
    if rule is not None:
        recording.route = environ.get("SCRIPT_NAME", "").rstrip("/") + rule.rule
    _note_consumer(recording)


def _note_consumer(recording: Recording) -> None:
    if recording.consumer is None:
        has_app_context, g = _context()
        if has_app_context():
            recording.note_consumer(g.get(CONSUMER_IDENTIFIER))


@cache
def _context() -> tuple[Callable[[], bool], Any]:
    from flask.ctx import has_app_context
    from flask.globals import g

    return has_app_context, g


def _on_exception(_app: Any, exception: BaseException, **_named: Any) -> None:
    """Note the exception that Flask is about to answer with 500, or to re-raise."""
    try:
        recording = open_requests.current.get()
        if isinstance(recording, Recording):
            recording.note_exception(exception)
            note_request(recording)
    except Exception as error:
        _guard.swallow("flask.exception", error)


def watch_exceptions() -> None:
    """Listen to Flask's own signal for a middleware around it, which nothing undoes."""
    # From its own module: the package is still being imported when our hook runs.
    from flask.signals import got_request_exception

    got_request_exception.connect(_on_exception_inside)


def _on_exception_inside(app: Any, exception: BaseException, **named: Any) -> None:
    _on_exception(app, exception, **named)


def routes(app: "Flask") -> Iterable[str]:
    """Give the app's URL map as "METHOD /rule"."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.rule}"


ADAPTER = Adapter(
    name="flask",
    distribution="flask",
    instrumented_inside=instrumented_inside,
    on_response=note_request,
    routes=routes,
)


def install(wraps: MethodWraps, pipeline_of: Callable[[Any], Pipeline | None]) -> None:
    """Wrap the two ways into a Flask app.

    `wsgi_app` as well as `__call__`: a server or a `DispatcherMiddleware` may have been
    given `app.wsgi_app`. The mark in the environ keeps it to one record.
    """
    from flask.app import Flask
    from flask.signals import got_request_exception

    make = wsgi_entry(pipeline_of, ADAPTER)
    wraps.wrap(Flask, "__call__", make)
    wraps.wrap(Flask, "wsgi_app", make)
    # Connecting twice is connecting once.
    got_request_exception.connect(_on_exception)
    wraps.on_undo(partial(got_request_exception.disconnect, _on_exception))


def is_app(app: Any) -> bool:
    """Tell a Flask app, without importing Flask where nobody has."""
    module = sys.modules.get("flask.app")
    return module is not None and isinstance(app, module.Flask)


def check(config: Config, _app: Any) -> None:
    """Refuse async hooks, which nothing awaits here.

    Raises:
        ConfigError: a hook is async.
    """
    config.require_sync("Flask")
