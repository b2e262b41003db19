"""The classes for Flask-RESTful and for Connexion, whose views return what Flask cannot read."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import flask
from werkzeug.wrappers import Response

from otel_apimetrics.compat.prometheus_flask_exporter.metrics import PrometheusMetrics
from otel_apimetrics.prometheus.decorators import Decorator
from otel_apimetrics.prometheus.flask_views import marking
from otel_apimetrics.prometheus.request_marks import the_request

if TYPE_CHECKING:
    from typing_extensions import Self

_CONTENT_TYPE = "prom_connexion_content_type"
_OK = 200
_NO_CONTENT = 204

Convert = Callable[[Any], Any]


class RESTfulPrometheusMetrics(PrometheusMetrics):
    """Reads what a Flask-RESTful resource returns as its API does.

    Args:
        app: Flask's.
        api: Flask-RESTful's; `None` for `init_app` later.
        options: those of `PrometheusMetrics`.
    """

    def __init__(self, app: Any, api: Any, **options: Any) -> None:
        if api:
            options.setdefault("response_converter", _restful(api))
        super().__init__(app, **options)

    @classmethod
    def for_app_factory(cls, api: Any = None, **options: Any) -> "Self":
        """Make one without an app; call `init_app` later."""
        return cls(app=None, api=api, **options)

    def init_app(self, app: Any, api: Any = None) -> None:
        """Add the endpoint and the default metrics to an app, and read responses as `api` does."""
        if api:
            self._response_converter = _restful(api)
        super().init_app(app)


class ConnexionPrometheusMetrics(PrometheusMetrics):
    """Reads what a Connexion handler returns, in Connexion 2 or 3.

    Args:
        app: Connexion's, with Flask below.
        default_mimetype: of what handlers return.
        options: those of `PrometheusMetrics`.
    """

    def __init__(
        self, app: Any, default_mimetype: str = "application/json", **options: Any
    ) -> None:
        options.setdefault("response_converter", _connexion(default_mimetype))
        super().__init__(app.app if app else None, **options)

    @staticmethod
    def content_type(content_type: str) -> Decorator:
        """Say what a handler returns, where it is not the default."""
        return marking(_CONTENT_TYPE, content_type)


def _restful(api: Any) -> Convert:
    def convert(returned: Any) -> Any:
        # Flask-RESTful itself takes a single value for the data.
        parts = returned if isinstance(returned, tuple) else (returned, _OK)
        return api.make_response(*parts)

    return convert


def _connexion(default_mimetype: str) -> Convert:
    second = _connexion_2()

    def convert(returned: Any) -> Any:
        mimetype = getattr(the_request(), _CONTENT_TYPE, default_mimetype)
        if second is not None:
            return second(returned, mimetype=mimetype)
        return _as_connexion_3(returned, mimetype)

    return convert


def _connexion_2() -> Callable[..., Any] | None:
    try:
        module = import_module("connexion.apis.flask_api")
    except ImportError:
        return None
    made: Callable[..., Any] = module.FlaskApi.get_response
    return made


def _as_connexion_3(returned: Any, mimetype: str) -> Any:
    """Make the response that Connexion makes, which leaves one alone that is made."""
    body, status, headers = _parts(returned)
    if isinstance(body, Response):
        return flask.make_response((body, status, headers))
    no_content = getattr(sys.modules.get("connexion"), "NoContent", None)
    if body is None or body is no_content:
        made = flask.Response(status=status or _NO_CONTENT, headers=headers)
    else:
        text = _json().dumps(body) if "json" in mimetype else body
        made = flask.Response(text, status or _OK, headers)
    if "content-type" not in {name.lower() for name in headers}:
        # A type of text gets its charset with it.
        made.mimetype = mimetype
    return made


def _json() -> Any:
    """Give what writes JSON in the operation that is served: an API may have its own."""
    view = flask.current_app.view_functions.get(the_request().endpoint)
    return getattr(view, "jsonifier", None) or flask.current_app.json


def _parts(returned: Any) -> tuple[Any, Any, dict[str, str]]:
    """Take apart a body, a body with status, or a body with status and headers."""
    if not isinstance(returned, tuple):
        return returned, None, {}
    body, *more = returned
    headers = next((each for each in more if isinstance(each, dict)), {})
    status = next((each for each in more if not isinstance(each, dict)), None)
    return body, status, dict(headers)
