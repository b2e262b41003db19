"""An app of one's own in each test, measured by an `Instrumentator`."""

import pytest
from fastapi import FastAPI

from otel_apimetrics.compat.prometheus_fastapi_instrumentator import Instrumentator
from tests.compat.asgi_apps import scraped
from tests.compat.shown import Shown


@pytest.fixture
def app(registry):
    made = FastAPI()
    made.get("/items/{item}")(lambda item: item)
    return made


@pytest.fixture
def make(app):
    """Measure the app with options, with what is to be added, and show what was measured."""

    def made(*functions, instrument=None, **options):
        instrumentator = Instrumentator(**options).add(*functions)
        return instrumentator.instrument(app, **(instrument or {})).expose(app)

    return made


@pytest.fixture
def scrape(app):
    """Scrape the app."""
    return lambda path="/metrics", app=app: Shown(scraped(app, path)[2])
