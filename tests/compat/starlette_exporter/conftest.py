"""An app of one's own in each test, measured by `PrometheusMiddleware`."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from otel_apimetrics.compat.starlette_exporter import (
    PrometheusMiddleware,
    handle_metrics,
    handle_openmetrics,
)
from tests.compat.asgi_apps import ask, scraped
from tests.compat.shown import Shown


async def view(request):
    """Answer with the body of the request."""
    headers = {"X-Kind": request.headers.get("x-kind", "")}
    return PlainTextResponse(await request.body(), headers=headers)


@pytest.fixture
def app(registry):
    return Starlette(routes=[Route("/u/{n}", view, methods=["GET", "POST"])])


@pytest.fixture
def make(app):
    """Measure the app with options, and send it requests."""

    def made(*paths, app=app, **options):
        app.add_middleware(PrometheusMiddleware, **options)
        app.add_route("/metrics", handle_metrics)
        app.add_route("/open", handle_openmetrics)
        for each in paths:
            method, _, path = each.rpartition(" ")
            ask(app, method or "GET", path)
        return app

    return made


@pytest.fixture
def scrape(app):
    """Scrape the app."""
    return lambda app=app: Shown(scraped(app)[2])


@pytest.fixture
def totals(scrape):
    """The lines of the counter, but for those of scrapes."""

    def lines(app=None):
        shown = scrape() if app is None else scrape(app)
        return [line for line in shown.of("starlette_requests_total") if "/metrics" not in line]

    return lines
