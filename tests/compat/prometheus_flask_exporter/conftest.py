"""An app of one's own in each test, and what a scrape of it shows."""

import re
import warnings
from importlib import import_module
from importlib.util import find_spec

import flask
import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics

# Connexion is in the newest environment alone, and imports what others have deprecated.
collect_ignore = [] if find_spec("connexion") else ["test_connexion.py"]
if not collect_ignore:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module("connexion")


@pytest.fixture
def registry(monkeypatch):
    """The registry that prometheus_client calls its own, empty."""
    made = prometheus_client.CollectorRegistry(auto_describe=True)
    monkeypatch.setattr(prometheus_client, "REGISTRY", made)
    return made


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    for name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir", "DEBUG_METRICS"):
        monkeypatch.delenv(name, raising=False)


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


class Shown:
    """What a scrape shows."""

    def __init__(self, text):
        self.text = text
        self.samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def __getitem__(self, line):
        """Give the number of a series, written as in the text."""
        (family,) = text_string_to_metric_families(f"{line} 0\n")
        (sample,) = family.samples
        return self.samples[(sample.name, *sorted(sample.labels.items()))]

    def __contains__(self, name):
        return any(key[0] == name for key in self.samples)

    def of(self, name):
        """Give the series of a name."""
        found = [line for line in self.text.splitlines() if line[0] != "#"]
        return [line for line in found if re.split("[{ ]", line)[0] == name]

    @property
    def families(self):
        """Give the kinds by name."""
        lines = (line.split(" ") for line in self.text.splitlines())
        return {words[2]: words[3] for words in lines if words[:2] == ["#", "TYPE"]}


@pytest.fixture
def scrape(client):
    """Scrape the app."""

    def scraped(path="/metrics", client=client, **asked):
        answer = client.get(path, **asked)
        assert answer.status_code == 200
        return Shown(answer.text)

    return scraped
