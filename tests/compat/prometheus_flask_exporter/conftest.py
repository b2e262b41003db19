"""An app of one's own in each test, and what a scrape of it shows."""

import warnings
from importlib import import_module
from importlib.util import find_spec

import flask
import pytest

from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics
from tests.compat.shown import Shown

# Connexion is in the newest environment alone, and imports what others have deprecated.
collect_ignore = [] if find_spec("connexion") else ["test_connexion.py"]
if not collect_ignore:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module("connexion")


@pytest.fixture
def app():
    return flask.Flask("shop")


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def serve(app):
    """Let the app serve a path by a view, by default GET; the path names the endpoint."""

    def served(path, view, **options):
        app.add_url_rule(path, options.pop("endpoint", path), view, **options)

    return served


@pytest.fixture
def make(app, registry):
    """Make the metrics of the app; an `api` makes those of Flask-RESTful."""

    def made(**options):
        return PrometheusMetrics(app, **options)

    return made


@pytest.fixture
def scrape(client):
    """Scrape the app."""

    def scraped(path="/metrics", client=client, **asked):
        answer = client.get(path, **asked)
        assert answer.status_code == 200
        return Shown(answer.text)

    return scraped
