"""The default metrics."""

import time
from http import HTTPStatus

import flask
import prometheus_client
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from werkzeug.exceptions import Conflict

from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics

LE = ["0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0", "7.5", "10.0", "+Inf"]  # fmt: skip
TOTAL = 'flask_http_request_total{method="%s",status="%s"}'
DURATIONS = 'flask_http_request_duration_seconds_count{method="%s",path="%s",status="%s"}'
EXCEPTIONS = 'flask_http_request_exceptions_total{method="GET",status="500"}'


@pytest.fixture(autouse=True)
def metrics(make, serve):
    made = make()
    serve("/test", lambda: "OK")
    return made


@pytest.mark.row(1)
def test_durations_are_a_histogram_by_method_path_and_status(client, scrape):
    client.get("/test")
    client.get("/test")
    shown = scrape()
    assert shown[DURATIONS % ("GET", "/test", 200)] == 2
    name = "flask_http_request_duration_seconds"
    keys = [f'{name}_bucket{{le="{le}",method="GET",path="/test",status="200"}}' for le in LE]
    assert [line.rpartition(" ")[0] for line in shown.of(f"{name}_bucket")] == keys
    counts = [shown[key] for key in keys]
    assert counts == sorted(counts)  # each holds those before it
    assert counts[-1] == 2
    assert 0 < shown[f'{name}_sum{{method="GET",path="/test",status="200"}}'] < 2
    assert shown.families[name] == "histogram"


@pytest.mark.row(2)
def test_requests_are_counted_by_method_and_status_without_a_path(client, scrape):
    for path in ("/test", "/test", "/nowhere"):
        client.get(path)
    shown = scrape()
    assert shown[TOTAL % ("GET", 200)] == 2
    assert shown[TOTAL % ("GET", 404)] == 1
    assert len(shown.of("flask_http_request_total")) == 2


@pytest.mark.row(1, 2, 3)
def test_methods_that_nobody_has_named_are_one(serve, client, scrape):
    serve("/boom", lambda: 1 / 0, methods=["GET", "BREW", "POUR"])
    for method in ("BREW", "POUR", "PATCH"):
        client.open("/test", method=method)
        client.open("/boom", method=method)
    shown = scrape()
    assert sorted(shown.of("flask_http_request_total")) == [
        'flask_http_request_total{method="PATCH",status="405"} 2.0',
        'flask_http_request_total{method="_OTHER",status="405"} 2.0',
        'flask_http_request_total{method="_OTHER",status="500"} 2.0',
    ]
    assert shown[DURATIONS % ("_OTHER", "/test", 405)] == 2
    assert shown['flask_http_request_exceptions_total{method="_OTHER",status="500"}'] == 2


@pytest.mark.row(3)
def test_uncaught_exceptions_are_counted_and_shown_before_there_are_any(serve, client, scrape):
    serve("/boom", lambda: 1 / 0)
    before = scrape()
    assert before.families["flask_http_request_exceptions_total"] == "counter"
    assert "flask_http_request_exceptions_total" not in before
    assert "# HELP flask_http_request_exceptions_total Total number of" in before.text
    client.get("/boom")
    assert scrape()[EXCEPTIONS] == 1


@pytest.mark.row(4)
def test_the_exporter_tells_its_version_before_any_request_and_without_default_labels(scrape):
    other = flask.Flask("other")
    registry = prometheus_client.CollectorRegistry()
    PrometheusMetrics(other, registry=registry, default_labels={"region": "eu"})
    shown = scrape(client=other.test_client())
    assert shown.of("flask_exporter_info") == ['flask_exporter_info{version="0.23.2"} 1.0']
    assert shown.families["flask_exporter_info"] == "gauge"


@pytest.mark.row(5)
def test_each_series_tells_since_when_it_counts_unless_that_is_switched_off(client, scrape):
    before = time.time()
    client.get("/test")
    after = time.time()
    shown = scrape()
    since = {name: kind for name, kind in shown.families.items() if name.endswith("_created")}
    assert since == {
        "flask_http_request_created": "gauge",
        "flask_http_request_duration_seconds_created": "gauge",
    }
    assert before <= shown['flask_http_request_created{method="GET",status="200"}'] <= after
    prometheus_client.disable_created_metrics()
    try:
        assert "_created" not in scrape().text
    finally:
        prometheus_client.enable_created_metrics()


@pytest.mark.row(6)
def test_openmetrics_has_the_same_data_in_its_own_shape(client):
    client.get("/test")
    text = client.get("/metrics", headers={"Accept": "application/openmetrics-text"}).text
    families = {family.name: family for family in parse_openmetrics(text)}
    total = families["flask_http_request"]
    assert total.type == "counter"
    assert [sample.name for sample in total.samples] == [
        "flask_http_request_total",
        "flask_http_request_created",
    ]
    assert text.endswith("# EOF\n")


@pytest.mark.row(7)
def test_the_status_is_the_one_that_later_hooks_leave(app, client, scrape):
    @app.after_request
    def later(response):
        response.status_code = 299 if flask.request.path == "/test" else 200
        return response

    client.get("/test")
    assert scrape()[TOTAL % ("GET", 299)] == 1


@pytest.mark.row(7)
def test_requests_that_no_view_serves_are_counted_and_a_status_may_be_a_name(serve, client, scrape):
    serve("/empty", lambda: ("", HTTPStatus.NO_CONTENT))
    client.head("/test")
    client.options("/test")
    client.post("/test")
    client.get("/empty")
    client.get("/nowhere")
    shown = scrape()
    for method, status in (("HEAD", 200), ("OPTIONS", 200), ("POST", 405), ("GET", 204), ("GET", 404)):  # fmt: skip
        assert shown[TOTAL % (method, status)] == 1


@pytest.mark.row(7)
def test_what_an_earlier_hook_answers_is_counted_without_a_duration(registry):
    app = flask.Flask("late")
    app.before_request(lambda: flask.abort(400) if flask.request.path == "/no" else None)
    PrometheusMetrics(app, defaults_prefix="late")
    app.test_client().get("/no")
    text = app.test_client().get("/metrics").text
    assert 'late_http_request_total{method="GET",status="400"} 1.0' in text
    assert "late_http_request_duration_seconds_count" not in text


@pytest.mark.row(8)
def test_the_path_of_an_unknown_address_is_the_one_that_was_asked_for(client, scrape):
    client.get("/nope/17")
    assert scrape()[DURATIONS % ("GET", "/nope/17", 404)] == 1


@pytest.mark.row(8)
def test_there_may_be_more_paths_than_opentelemetry_limits_series_to(client, scrape):
    for number in range(2_005):
        client.get(f"/nope/{number}")
    shown = scrape()
    assert len(shown.of("flask_http_request_duration_seconds_count")) == 2_005
    assert "overflow" not in shown.text


@pytest.mark.row(9)
def test_scrapes_are_not_counted_and_other_requests_to_the_endpoint_are(client, scrape):
    client.get("/metrics")
    client.head("/metrics")
    assert "flask_http_request_total" not in scrape()
    assert client.post("/metrics").status_code == 405
    assert client.options("/metrics").status_code == 200
    shown = scrape()
    assert shown[DURATIONS % ("POST", "/metrics", 405)] == 1
    assert shown[DURATIONS % ("OPTIONS", "/metrics", 200)] == 1


@pytest.mark.row(9)
def test_a_scrape_that_a_decorator_refuses_is_counted(registry):
    app, letting_in = flask.Flask("closed"), []

    def login(view):
        return lambda: view() if letting_in else ("log in", 401)

    PrometheusMetrics(app, defaults_prefix="closed", metrics_decorator=login)
    client = app.test_client()
    assert client.get("/metrics").status_code == 401
    letting_in.append(True)
    assert 'closed_http_request_total{method="GET",status="401"} 1.0' in client.get("/metrics").text


@pytest.mark.row(10)
@pytest.mark.parametrize("testing", [False, True])
def test_an_uncaught_exception_counts_once_in_each_metric(serve, app, client, scrape, testing):
    app.testing = testing
    serve("/boom", lambda: 1 / 0)
    if testing:
        with pytest.raises(ZeroDivisionError):
            client.get("/boom")
    else:
        assert client.get("/boom").status_code == 500
    shown = scrape()
    assert shown[TOTAL % ("GET", 500)] == 1
    assert shown[DURATIONS % ("GET", "/boom", 500)] == 1
    assert shown[EXCEPTIONS] == 1


@pytest.mark.row(10)
def test_an_answer_that_is_raised_or_returned_is_no_exception(serve, client, scrape):
    serve("/aborted", lambda: flask.abort(409))
    serve("/returned", Conflict)
    client.get("/aborted")
    client.get("/returned")
    shown = scrape()
    assert shown[TOTAL % ("GET", 409)] == 2
    assert "flask_http_request_exceptions_total" not in shown


@pytest.mark.row(11)
def test_an_exception_that_a_handler_answers_has_the_handlers_status(serve, app, client, scrape):
    app.errorhandler(ZeroDivisionError)(lambda _error: ("teapot", 418))
    serve("/boom", lambda: 1 / 0)
    client.get("/boom")
    shown = scrape()
    assert shown[TOTAL % ("GET", 418)] == 1
    assert "flask_http_request_exceptions_total" not in shown


@pytest.mark.row(12)
def test_a_duration_ends_when_the_view_returns_not_when_its_body_does(serve, app, client, scrape):
    during = []

    def body():
        during.append(scrape_in_the_middle())
        yield "done"

    def scrape_in_the_middle():
        return app.test_client().get("/metrics").text

    serve("/stream", lambda: flask.Response(body()))
    client.get("/stream")
    assert 'path="/stream",status="200"} 1.0' in during[0]


@pytest.mark.row(13)
def test_a_duration_begins_at_our_hook_before_those_that_were_added_later(registry):
    app, started = flask.Flask("hooks"), []
    app.before_request(lambda: started.append(hasattr(flask.request, "prom_start_time")))
    PrometheusMetrics(app, defaults_prefix="hooks")
    app.before_request(lambda: started.append(hasattr(flask.request, "prom_start_time")))
    app.test_client().get("/")
    assert started == [False, True]


@pytest.mark.row(14)
def test_the_process_and_the_interpreter_are_shown_with_the_default_registry(registry, monkeypatch):
    monkeypatch.undo()
    plain = flask.Flask("plain")
    PrometheusMetrics(plain, export_defaults=False)
    text = plain.test_client().get("/metrics").text
    assert "python_info{" in text
    assert "python_gc_collections_total{" in text
    assert "process_cpu_seconds_total " in text
