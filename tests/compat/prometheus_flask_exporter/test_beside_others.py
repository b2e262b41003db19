"""The front beside our own instrumentation, other metrics, threads, and apps that misbehave."""

import re
from concurrent.futures import ThreadPoolExecutor

import flask
import prometheus_client
import pytest

from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics
from tests.compat.beside import OF_TIME
from tests.compat.prometheus_flask_exporter.scenarios import SCENARIOS

TOTAL = 'flask_http_request_total{method="GET",status="%s"}'


class Module:
    """What the scenarios take for the package."""

    PrometheusMetrics = PrometheusMetrics


def but_for_time(shown):
    return [[status, OF_TIME.sub(r"\1 T", text)] for status, _, text in shown]


def test_what_is_shown_is_the_same_with_our_instrumentation_on(
    monkeypatch, instrumentor, telemetry
):
    found = []
    for _ in range(2):
        registry = prometheus_client.CollectorRegistry(auto_describe=True)
        monkeypatch.setattr(prometheus_client, "REGISTRY", registry)
        found.append(but_for_time(SCENARIOS["decorators"](Module)))
        if len(found) == 1:
            instrumentor.instrument(**telemetry.providers)
    assert found[0] == found[1]
    served = [span.attributes["url.path"] for span in telemetry.server_spans]
    assert "/counted/a" in served


def test_a_scrape_is_no_record_of_ours(app, make, client, instrumentor, telemetry):
    make()
    instrumentor.instrument_app(app, **telemetry.providers)
    assert client.get("/nope").text
    assert client.get("/metrics").text
    assert telemetry.total() == 1


def test_nothing_is_lost_between_threads(app, make, serve, scrape):
    metrics = make()
    labels = {"kind": lambda: flask.request.args["kind"]}
    view = metrics.gauge("now", "Now")(lambda: "OK")
    serve("/", metrics.counter("calls", "Calls", labels=labels)(metrics.summary("s", "S")(view)))

    def ask(number):
        return app.test_client().get(f"/?kind={number % 3}").status_code

    with ThreadPoolExecutor(8) as pool:
        assert {*pool.map(ask, range(600))} == {200}
    shown = scrape()
    assert [shown[f'calls_total{{kind="{kind}"}}'] for kind in range(3)] == [200, 200, 200]
    assert (shown["s_count"], shown["now"], shown[TOTAL % 200]) == (600, 0, 600)


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("nothing to say")


def test_an_exception_that_cannot_be_told_is_counted_and_goes_on_as_it_is(
    app, make, serve, client, scrape
):
    def view():
        raise Unspeakable

    app.testing = True
    labels = {"text": lambda response: response.get_data(as_text=True)}
    serve("/", make().counter("calls", "Calls", labels=labels)(view))
    with pytest.raises(Unspeakable):
        client.get("/")
    shown = scrape()
    assert shown['calls_total{text="Exception: Unspeakable"}'] == 1
    assert shown['flask_http_request_exceptions_total{method="GET",status="500"}'] == 1


def test_default_metrics_whose_names_are_taken_are_left_out_and_the_log_says_so(
    registry, make, client, caplog
):
    prometheus_client.Gauge("flask_exporter_info", "Of another package", registry=registry)
    make()
    client.get("/nope")
    assert "flask_http_request_total" not in client.get("/metrics").text
    assert "Choose another prefix or registry" in caplog.text


@pytest.mark.parametrize("label", ["method", "status"])
def test_durations_are_not_grouped_by_a_label_that_they_have(make, label):
    def group(_request):
        return "x"

    group.__name__ = label
    with pytest.raises(ValueError, match=label):
        make(group_by=group)


def test_an_sdk_that_is_switched_off_counts_nothing_and_the_log_says_so(
    make, serve, client, scrape, monkeypatch, caplog
):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    serve("/", make().counter("calls", "Calls", labels={"a": lambda: 1})(lambda: "OK"))
    assert client.get("/").status_code == 200
    assert scrape().families["calls_total"] == "counter"
    assert "OTEL_SDK_DISABLED" in caplog.text


def test_a_registry_that_is_let_go_takes_its_metrics_along():
    import gc
    import weakref

    registry = prometheus_client.CollectorRegistry()
    app = flask.Flask("gone")
    PrometheusMetrics(app, registry=registry)
    app.test_client().get("/nope")
    gone = weakref.ref(registry)
    del app, registry
    gc.collect()
    assert gone() is None


def test_help_and_labels_with_signs_are_escaped(make, serve, client):
    metrics = make(path="/metrics", export_defaults=False)
    odd = 'a "b" \\ c\nd'
    serve("/", metrics.counter("odd", odd, labels={"k": odd})(lambda: "OK"))
    client.get("/")
    text = client.get("/metrics").text
    assert re.search(r'^odd_total\{k="a \\"b\\" \\\\ c\\nd"\} 1\.0$', text, re.MULTILINE)
