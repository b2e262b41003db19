"""Several apps of one process, each with a registry of its own: no number is lost."""

import flask
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest

from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics
from otel_apimetrics.compat.prometheus_flask_exporter.multiprocess import (
    GunicornInternalPrometheusMetrics,
)
from otel_apimetrics.prometheus import PrometheusReader

STATUS = {"s": lambda response: response.status_code}


@pytest.fixture
def directory(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))


def app_with(metrics, app, kind="counter", text="Calls", labels=STATUS, **arguments):
    view = getattr(metrics, kind)("calls", text, labels=labels, **arguments)(lambda: "x")
    app.add_url_rule("/", "view", view)
    return app.test_client()


def lines(text, *names):
    return [one for one in text.splitlines() if one.startswith(names) and "_created" not in one]


@pytest.mark.row(73)
@pytest.mark.parametrize(
    ("kind", "sample"), [("counter", "calls_total"), ("summary", "calls_count")]
)
def test_apps_that_share_a_directory_add_up(directory, kind, sample):
    clients = []
    for name in ("shop", "admin"):
        app = flask.Flask(name)
        clients.append(app_with(GunicornInternalPrometheusMetrics(app), app, kind))
    for times, client in zip((3, 1), clients, strict=True):
        for _ in range(times):
            client.get("/")
    for client in clients:
        text = client.get("/metrics").text
        assert lines(text, sample) == [f'{sample}{{s="200"}} 4.0']
        assert lines(text, "flask_http_request_total", "flask_exporter_info") == [
            'flask_exporter_info{version="0.23.2"} 1.0',
            'flask_http_request_total{method="GET",status="200"} 4.0',
        ]
        assert text.count(f"# HELP {sample} " if kind == "counter" else "# HELP calls ") == 1


@pytest.mark.row(73)
def test_apps_that_share_a_directory_may_have_other_labels_and_buckets_of_one_name(directory):
    asked = (("a", {"x": "1"}, (1, 2)), ("b", {"x": "1", "y": "2"}, (3,)))
    clients = []
    for name, labels, buckets in asked:
        app = flask.Flask(name)
        metrics = GunicornInternalPrometheusMetrics(app)
        clients.append(app_with(metrics, app, "histogram", f"of {name}", labels, buckets=buckets))
    for client in clients:
        client.get("/")
    assert lines(clients[0].get("/metrics").text, "calls_bucket", "calls_count") == [
        'calls_bucket{le="1.0",x="1"} 1.0',
        'calls_bucket{le="2.0",x="1"} 1.0',
        'calls_bucket{le="+Inf",x="1"} 1.0',
        'calls_count{x="1"} 1.0',
        'calls_bucket{le="3.0",x="1",y="2"} 1.0',
        'calls_bucket{le="+Inf",x="1",y="2"} 1.0',
        'calls_count{x="1",y="2"} 1.0',
    ]


@pytest.mark.row(73)
def test_apps_of_one_directory_that_mean_other_kinds_by_a_name_are_shown_apart(directory, caplog):
    clients = []
    for name, kind in (("a", "histogram"), ("b", "summary")):
        app = flask.Flask(name)
        clients.append(app_with(GunicornInternalPrometheusMetrics(app), app, kind))
    for client in clients:
        client.get("/")
    text = clients[0].get("/metrics").text
    assert lines(text, "calls_count", "calls_2_count") == [
        'calls_count{s="200"} 1.0',
        'calls_2_count{s="200"} 1.0',
    ]
    assert "calls is a histogram and a summary" in caplog.text


def test_a_reader_of_the_apps_own_keeps_its_numbers_beside_a_directory(directory):
    clients = []
    for name in ("a", "b"):
        app = flask.Flask(name)
        reader = PrometheusReader()
        provider = MeterProvider([reader])
        metrics = PrometheusMetrics(
            app, registry=CollectorRegistry(), reader=reader, meter_provider=provider
        )
        clients.append((app_with(metrics, app), reader))
    for client, _ in clients:
        client.get("/")
    for _, reader in clients:
        assert lines(reader.scrape().body.decode(), "calls_total") == ['calls_total{s="200"} 1.0']


def test_default_metrics_of_two_registries_count_an_app_in_each():
    app = flask.Flask("shop")
    registries = [CollectorRegistry(), CollectorRegistry()]
    for registry in registries:
        PrometheusMetrics(app, path=None, registry=registry)
    app.test_client().get("/")
    for registry in registries:
        assert lines(generate_latest(registry).decode(), "flask_http_request_total") == [
            'flask_http_request_total{method="GET",status="404"} 1.0'
        ]
