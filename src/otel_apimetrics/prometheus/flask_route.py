"""`/metrics` as a route of a Flask app."""

from collections.abc import Callable
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from otel_apimetrics.api import skip_request
from otel_apimetrics.prometheus.endpoint import (
    ALLOWED,
    Authorize,
    Scraped,
    ScrapeWSGIApp,
)

if TYPE_CHECKING:
    from flask import Flask

ENDPOINT = "prometheus_metrics"
"""The route's name, for `url_for` and for other extensions; with a number behind it where the app
has metrics at another path."""


def add_route(
    app: "Flask",
    reader: Scraped,
    *,
    path: str = "/metrics",
    authorize: Authorize | None = None,
    decorator: Callable[[Callable[[], Any]], Callable[..., Any]] | None = None,
) -> None:
    """Serve the endpoint from a Flask app, which records no request to it.

    Args:
        app: not served yet.
        reader: a `PrometheusReader` of the app's `MeterProvider`.
        path: of the route.
        authorize: tells whether a scrape may read; without it each one may.
        decorator: of the view, such as one that asks for a login.

    Raises:
        ConfigError: `reader` is none, or `authorize` cannot be called or is a coroutine function.
        AssertionError: the app has such a route, or has served its first request (Flask's own).
    """
    scrape = ScrapeWSGIApp(reader, authorize=authorize)

    def prometheus_metrics() -> Any:
        from flask import make_response, request

        skip_request()
        made = scrape.answer(request.environ)
        response = make_response(made.body, made.status.value)
        for name, value in made.headers:
            response.headers[name] = value
        return response

    view = prometheus_metrics if decorator is None else decorator(prometheus_metrics)
    name = _free_name(app, path)
    app.add_url_rule(path, name, view, methods=list(ALLOWED), provide_automatic_options=False)


def _free_name(app: "Flask", path: str) -> str:
    taken = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule == path}
    names = chain((ENDPOINT,), (f"{ENDPOINT}_{number}" for number in count(2)))
    # One that serves this path already is not passed over: Flask refuses it.
    return next(name for name in names if name in taken or name not in app.view_functions)
