"""Metrics of several processes, collected by prometheus_client itself."""

import flask
import pytest
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest

from otel_apimetrics.prometheus import FlaskMetrics, PrometheusReader

MANY = 40


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def provider(tmp_path):
    reader = PrometheusReader(registry=CollectorRegistry(), directory=tmp_path / "workers")
    made = MeterProvider([reader], shutdown_on_exit=False)
    made.reader = reader
    yield made
    made.shutdown()


@pytest.fixture
def client(provider, registry):
    app = flask.Flask("shop")
    metrics = FlaskMetrics(app, reader=provider.reader, meter_provider=provider, registry=registry)
    for number in range(MANY):
        view = metrics.counter(f"orders_{number}", "Orders")(lambda: "hello")
        app.add_url_rule(f"/{number}", f"view_{number}", view)
    return app.test_client()


def test_processes_are_asked_once_for_all_metrics_of_a_registry(provider, registry, client):
    asked = []

    def observed(_options):
        asked.append(True)
        return [Observation(1)]

    provider.get_meter("shop").create_observable_gauge("heat", [observed])
    client.get("/7")
    text = generate_latest(registry).decode()
    assert "orders_7_total 1.0" in text
    # Once, and whenever the thread that writes down what was counted comes by.
    assert 0 < len(asked) < MANY / 2


def test_each_collection_sees_what_was_counted_before_it(registry, client):
    for number in range(1, 6):
        client.get("/0")
        client.get(f"/{MANY - 1}")
        assert registry.get_sample_value("orders_0_total") == number
        assert registry.get_sample_value(f"orders_{MANY - 1}_total") == number
