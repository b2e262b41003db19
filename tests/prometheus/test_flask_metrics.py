"""Decorators of Flask's views as OpenTelemetry instruments, beside our own records."""

import asyncio
import gzip
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import flask
import prometheus_client
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from otel_apimetrics import ConfigError
from otel_apimetrics.compat.prometheus_fastapi_instrumentator import Instrumentator
from otel_apimetrics.compat.prometheus_fastapi_instrumentator.metrics import latency
from otel_apimetrics.compat.prometheus_fastapi_instrumentator.middleware import (
    PrometheusInstrumentatorMiddleware,
)
from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics
from otel_apimetrics.compat.starlette_exporter import PrometheusMiddleware
from otel_apimetrics.prometheus import ASGIMetrics, FlaskMetrics, PrometheusReader, ScrapeWSGIApp
from tests.in_process import make_environ, serve_wsgi


@pytest.fixture
def registry(monkeypatch):
    made = prometheus_client.CollectorRegistry()
    monkeypatch.setattr(prometheus_client, "REGISTRY", made)
    return made


@pytest.fixture
def memory():
    return InMemoryMetricReader()


@pytest.fixture
def given(registry, memory):
    """A reader beside another one, and their provider."""
    reader = PrometheusReader(target_info=False, created=False)
    provider = MeterProvider([reader, memory], shutdown_on_exit=False)
    return {"reader": reader, "meter_provider": provider}


def shown(text, *names):
    return [line for line in text.splitlines() if line.startswith(names)]


def test_decorators_measure_beside_the_records_of_the_instrumentor(given, instrumentor, telemetry):
    app = flask.Flask("shop")
    metrics = FlaskMetrics(app, **given)
    labels = {"status": lambda response: response.status_code}
    app.get("/")(metrics.counter("orders", "Orders", labels=labels)(lambda: ("made", 201)))
    instrumentor.instrument_app(
        app, tracer_provider=telemetry.tracer_provider, meter_provider=given["meter_provider"]
    )
    client = app.test_client()
    client.get("/")
    client.get("/metrics")
    text = client.get("/metrics").text
    assert shown(text, "orders_total") == ['orders_total{status="201"} 1.0']
    (requests,) = shown(text, "apimetrics_requests_total{")
    assert 'http_route="/"' in requests
    assert requests.endswith(" 1.0")
    assert "flask_http_request" not in text


def test_prometheus_flask_exporters_names_are_a_choice(given, memory):
    app = flask.Flask("shop")
    FlaskMetrics(app, names="flask", prefix="shop", buckets=(1, 2), **given)
    app.test_client().get("/nope")
    text = app.test_client().get("/metrics").text
    assert 'shop_http_request_total{method="GET",status="404"} 1.0' in text
    assert [line.split('"')[1] for line in shown(text, "shop_http_request_duration_seconds_bucket")] == ["1.0", "2.0", "+Inf"]  # fmt: skip


def test_other_readers_of_the_provider_get_the_instruments(given, memory):
    app = flask.Flask("shop")
    metrics = FlaskMetrics(app, path=None, **given)
    for kind in ("counter", "gauge", "histogram", "summary"):
        app.add_url_rule(f"/{kind}", kind, getattr(metrics, kind)(f"{kind}s", "Text")(lambda: "OK"))
    for kind in ("counter", "gauge", "histogram", "summary"):
        app.test_client().get(f"/{kind}")
    metrics.info("app_info", "Information", version=1)
    (resource,) = memory.get_metrics_data().resource_metrics
    (scope,) = resource.scope_metrics
    assert scope.scope.name == "otel_apimetrics.prometheus"
    assert {metric.name: type(metric.data).__name__ for metric in scope.metrics} == {
        "counters": "Sum",
        "gauges": "Sum",
        "histograms": "Histogram",
        "summarys": "Histogram",
        "app_info": "Gauge",
    }
    values = {metric.name: metric.data.data_points[0] for metric in scope.metrics}
    assert (values["counters"].value, values["gauges"].value) == (1, 0)
    assert (values["histograms"].count, values["summarys"].count) == (1, 1)
    assert dict(values["app_info"].attributes) == {"version": "1"}


def test_any_endpoint_of_the_reader_shows_what_was_declared_once(given, registry):
    metrics = FlaskMetrics(None, **given)
    metrics.counter("orders", "Orders")
    metrics.summary("waits", "Waits", labels={"who": lambda: "nobody"})
    text = serve_wsgi(ScrapeWSGIApp(given["reader"]), make_environ("GET", "/metrics")).body.decode()
    assert text.splitlines() == [
        "# HELP orders_total Orders",
        "# TYPE orders_total counter",
        "orders_total 0.0",
        "# HELP waits Waits",
        "# TYPE waits summary",
    ]
    assert registry.get_sample_value("orders_total") is None
    FlaskMetrics(None, **given, registry=registry).counter("refunds", "Refunds")
    assert registry.get_sample_value("refunds_total") == 0


@pytest.mark.parametrize("with_reader", [True, False])
def test_the_endpoint_is_coded_for_clients_that_take_it(given, registry, with_reader):
    app = flask.Flask("shop")
    FlaskMetrics(app, **(given if with_reader else {})).counter("orders", "Orders")
    client = app.test_client()
    plain = client.get("/metrics")
    coded = client.get("/metrics", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    refused = client.get("/metrics", headers={"Accept-Encoding": "gzip;q=0, *"})
    assert "orders_total 0.0" in plain.text
    assert coded.headers["Content-Encoding"] == "gzip"
    assert shown(gzip.decompress(coded.data).decode(), "orders_total") == ["orders_total 0.0"]
    assert {answer.headers["Vary"] for answer in (plain, coded)} == {"Accept, Accept-Encoding"}
    for answer in (plain, refused):
        assert "Content-Encoding" not in answer.headers
    head = client.head("/metrics", headers={"Accept-Encoding": "gzip"})
    assert (head.status_code, head.data, head.headers["Content-Encoding"]) == (200, b"", "gzip")


def test_durations_have_the_span_of_their_request_as_an_exemplar(given):
    app = flask.Flask("shop")
    metrics = FlaskMetrics(app, **given)
    tracer = TracerProvider().get_tracer("shop")
    seen = []

    def view():
        seen.append(trace.get_current_span().get_span_context().trace_id)
        return "OK"

    app.get("/")(metrics.histogram("waits", "Waits")(view))
    with tracer.start_as_current_span("GET /"):
        app.test_client().get("/")
    text = (
        app.test_client().get("/metrics", headers={"Accept": "application/openmetrics-text"}).text
    )
    assert f'trace_id="{seen[0]:032x}"' in text


def test_names_that_differ_in_their_case_are_two_metrics(given):
    metrics = FlaskMetrics(None, **given)
    one, other = metrics.counter("Orders", "One"), metrics.counter("orders", "Other")
    app = flask.Flask("shop")
    app.get("/")(one(lambda: "OK"))
    app.test_client().get("/")
    text, _ = metrics.generate_metrics()
    assert shown(text, "Orders_total", "orders_total") == ["Orders_total 1.0", "orders_total 0.0"]
    assert other is not one


@pytest.mark.parametrize("name", ["9lives", "_under", "a:b", "größe", "x" * 300])
def test_a_name_that_opentelemetry_does_not_know_is_shown_as_it_is(given, name):
    metrics = FlaskMetrics(None, **given)
    metrics.counter(name, "Odd")
    accept = "text/plain;version=1.0.0;escaping=allow-utf-8"
    text, _ = metrics.generate_metrics(accept)
    assert f"{name}_total" in text


def test_a_label_of_half_a_surrogate_pair_fails_no_scrape(registry):
    app = flask.Flask("shop")
    metrics = FlaskMetrics(app)
    labels = {"kind": lambda: flask.request.json["kind"], "team": "\ud800"}
    app.post("/")(metrics.counter("orders", "Orders \ud800", labels=labels)(lambda: "OK"))
    fixed = metrics.counter("visits", "Visits", labels={"team": "\ud800"})
    metrics.info("app_info", "This app", team="\ud800")
    app.get("/visit", endpoint="visit")(fixed(lambda: "OK"))
    client = app.test_client()
    client.post("/", data='{"kind": "\\ud83d"}', content_type="application/json")
    client.get("/visit")
    text = client.get("/metrics").text
    assert shown(text, "orders_total", "visits_total", "app_info") == [
        'orders_total{kind="\\\\ud83d",team="\\\\ud800"} 1.0',
        'visits_total{team="\\\\ud800"} 1.0',
        'app_info{team="\\\\ud800"} 1.0',
    ]


def leave():
    raise SystemExit("not from a label")


def cancel():
    raise asyncio.CancelledError


@pytest.mark.swallows_errors
@pytest.mark.parametrize("label", [leave, cancel])
@pytest.mark.parametrize("kind", ["counter", "gauge"])
def test_a_label_that_wants_to_end_the_process_fails_no_response(
    given, label, kind, no_swallowed_errors
):
    app = flask.Flask("shop")
    metrics = FlaskMetrics(app, **given)
    app.get("/")(getattr(metrics, kind)("calls", "Calls", labels={"bad": label})(lambda: "OK"))
    client = app.test_client()
    assert client.get("/").text == "OK"
    series = {"counter": 'calls_total{bad=""} 1.0', "gauge": 'calls{bad=""} 0.0'}[kind]
    assert shown(client.get("/metrics").text, "calls") == [series]
    assert {place for place, _ in no_swallowed_errors} == {"prometheus.label"}


async def awaited():
    return "a"


class Awaited:
    async def __call__(self, response):
        return "a"


@pytest.mark.parametrize("label", [awaited, Awaited(), partial(awaited)])
def test_a_label_that_nobody_would_await_is_refused_where_it_is_declared(given, label):
    metrics = FlaskMetrics(None, **given)
    with pytest.raises(ConfigError, match="kind is a coroutine function"):
        metrics.counter("orders", "Orders", labels={"kind": label})


class AwaitedGroup(Awaited):
    __name__ = "group"


@pytest.mark.parametrize("front", [FlaskMetrics, PrometheusMetrics])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("group_by", [awaited, AwaitedGroup(), partial(awaited)])
def test_a_group_that_nobody_would_await_is_refused(registry, front, late, group_by):
    options = {"names": "flask"} if front is FlaskMetrics else {}

    def declare():
        if late:
            front(flask.Flask("shop"), export_defaults=False).export_defaults(group_by=group_by)
        else:
            front(None, **options, group_by=group_by)

    with pytest.raises(ConfigError, match="group_by is a coroutine function.*Give a plain one"):
        declare()
    assert "http_request" not in prometheus_client.generate_latest(registry).decode()


@pytest.mark.parametrize("front", [FlaskMetrics, PrometheusMetrics])
def test_a_converter_that_nobody_would_await_is_refused(registry, front):
    with pytest.raises(ConfigError, match="response_converter is a coroutine function"):
        front(None, response_converter=awaited)


def test_names_that_are_none_are_refused_with_those_that_are():
    with pytest.raises(ConfigError, match="names='prom': use one of otel, flask"):
        FlaskMetrics(None, names="prom")


@pytest.mark.parametrize("labels", ["team", ["team"], 1])
def test_default_labels_are_a_dictionary(labels):
    with pytest.raises(ConfigError, match="default_labels=.* is no dictionary"):
        FlaskMetrics(None, default_labels=labels)


@pytest.mark.parametrize("names", ["otel", "flask"])
def test_two_apps_with_readers_of_their_own_show_their_own_numbers(registry, names):
    clients = []
    for number in (1, 2):
        reader = PrometheusReader(target_info=False, created=False)
        provider = MeterProvider([reader], shutdown_on_exit=False)
        app = flask.Flask(f"shop-{number}")
        metrics = FlaskMetrics(app, reader=reader, meter_provider=provider, names=names)
        app.get("/")(metrics.counter("orders", "Orders")(lambda: "OK"))
        metrics.counter(f"only_{number}", "Of one app")
        with pytest.raises(ValueError, match="Duplicated"):
            metrics.counter("orders", "Orders")
        clients.append((app.test_client(), number))
        for _ in range(number):
            app.test_client().get("/")
    for client, number in clients:
        text = client.get("/metrics").text
        assert shown(text, "orders_total", "only_") == [
            f"orders_total {number}.0",
            f"only_{number}_total 0.0",
        ]
        requests = [f'flask_http_request_total{{method="GET",status="200"}} {number}.0']
        assert shown(text, "flask_http_request_total") == (requests if names == "flask" else [])


FRONTS = [
    partial(FlaskMetrics, None),
    partial(PrometheusMetrics, None),
    ASGIMetrics,
    partial(PrometheusMiddleware, None),
    Instrumentator,
    partial(PrometheusInstrumentatorMiddleware, None),
    latency,
]


@pytest.mark.parametrize("front", FRONTS)
def test_each_front_refuses_half_a_pair_and_what_is_no_reader_and_no_provider(
    given, registry, front
):
    reader, provider = given["reader"], given["meter_provider"]
    for wrong, said in (
        ({"reader": reader}, "come together"),
        ({"meter_provider": provider}, "come together"),
        ({"reader": provider}, "is no PrometheusReader.*reader=reader, meter_provider=provider"),
        ({"reader": InMemoryMetricReader(), "meter_provider": provider}, "is no PrometheusReader"),
        ({"reader": reader, "meter_provider": "provider"}, "'provider' is no MeterProvider"),
        ({"reader": provider, "meter_provider": reader}, "is no PrometheusReader"),
    ):
        with pytest.raises(ConfigError, match=said):
            front(**wrong)


def test_registries_of_one_reader_show_their_own_numbers_and_the_reader_all():
    reader = PrometheusReader(registry=prometheus_client.CollectorRegistry())
    provider = MeterProvider([reader])
    registries = prometheus_client.CollectorRegistry(), prometheus_client.CollectorRegistry()
    for times, registry in zip((3, 1), registries, strict=True):
        app = flask.Flask("shop")
        metrics = FlaskMetrics(
            app, names="flask", reader=reader, meter_provider=provider, registry=registry
        )
        app.get("/")(metrics.counter("calls", "Calls")(lambda: "x"))
        for _ in range(times):
            app.test_client().get("/")
    for times, page in (
        (3, prometheus_client.generate_latest(registries[0])),
        (1, prometheus_client.generate_latest(registries[1])),
        (4, reader.scrape().body),
    ):
        text = page.decode()
        assert f"\ncalls_total {times}.0\n" in text
        assert f'\nflask_http_request_total{{method="GET",status="200"}} {times}.0\n' in text


def test_the_examples_of_the_page_run(given, registry):
    page = (Path(__file__).parents[2] / "docs" / "prometheus.md").read_text()
    blocks = [
        code
        for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        if "FlaskMetrics(app" in code or "PrometheusMetrics(app" in code
    ]
    assert len(blocks) == 2
    for code in blocks:
        app = flask.Flask("shop")
        exec(code, {"app": app, "reader": given["reader"], "provider": given["meter_provider"]})
        assert app.test_client().get("/metrics").status_code == 200


def test_prometheus_is_imported_without_a_framework():
    frameworks = "{'flask', 'starlette', 'fastapi'}"
    code = (
        f"import otel_apimetrics.prometheus, sys; sys.exit(bool({frameworks} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    import otel_apimetrics.prometheus as room

    with pytest.raises(AttributeError, match="nothing"):
        _ = room.nothing
