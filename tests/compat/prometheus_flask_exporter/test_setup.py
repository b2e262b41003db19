"""Setting up: app factories, endpoints, ports, what every view is measured by."""

import http.client
import ssl
import subprocess
import threading

import flask
import pytest

from otel_apimetrics import ConfigError
from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics
from tests.ports import free_port

TOTAL = 'flask_http_request_total{method="GET",status="200"}'


@pytest.mark.row(36)
def test_an_app_factory_gives_metrics_an_app_later(registry, app, client, scrape):
    metrics = PrometheusMetrics.for_app_factory(defaults_prefix="www", path="/inner")
    blueprint = flask.Blueprint("b", __name__)
    blueprint.get("/b")(metrics.counter("early", "Early")(lambda: "OK"))
    app.register_blueprint(blueprint)
    metrics.init_app(app)
    assert metrics.app is None
    client.get("/b")
    shown = scrape("/inner")
    assert shown["early_total"] == 1
    assert shown['www_http_request_total{method="GET",status="200"}'] == 1


@pytest.mark.row(36)
def test_what_was_set_before_there_is_an_app_counts(registry, app, client, scrape):
    class Mine(PrometheusMetrics):
        exported = ()

        def export_defaults(self, *arguments, **options):
            self.exported = sorted(options)
            super().export_defaults(*arguments, **options)

    metrics = Mine.for_app_factory()
    metrics.buckets, metrics.group_by, metrics.excluded_paths = (1,), "endpoint", ["/left"]
    metrics.init_app(app)
    assert metrics.exported == ["app", "buckets", "group_by", "latency_as_histogram", "prefix"]
    client.get("/left/out")
    client.get("/nope")
    name = "flask_http_request_duration_seconds_bucket"
    assert scrape().of(name) == [
        f'{name}{{endpoint="None",le="{le}",method="GET",status="404"}} 1.0'
        for le in ("1.0", "+Inf")
    ]


@pytest.mark.row(37)
def test_one_instance_tracks_two_apps(registry):
    metrics = PrometheusMetrics.for_app_factory()
    apps = [flask.Flask(name) for name in ("one", "two")]
    for app in apps:
        metrics.init_app(app)
        app.get("/")(lambda: "OK")
    clients = [app.test_client() for app in apps]
    for client in clients:
        client.get("/")
    for client in clients:
        assert f"{TOTAL} 2.0" in client.get("/metrics").text


@pytest.mark.row(37)
def test_two_instances_track_one_app_once_and_two_apps_together(registry, app, make, serve, client):
    make()
    other = flask.Flask("other")
    PrometheusMetrics(other)
    PrometheusMetrics(app, path="/second", metrics_decorator=lambda view: lambda: view())
    serve("/", lambda: "OK")
    client.get("/")
    assert f"{TOTAL} 1.0" in client.get("/metrics").text
    assert f"{TOTAL} 1.0" in other.test_client().get("/metrics").text


@pytest.mark.row(37)
def test_an_instance_with_other_labels_on_the_same_names_is_told_and_tracks_nothing(
    registry, make, caplog
):
    make()
    other = flask.Flask("other")
    PrometheusMetrics(other, default_labels={"a": 1})
    other.test_client().get("/")
    assert "flask_http_request_total{" not in other.test_client().get("/metrics").text
    assert "Choose another prefix or registry" in caplog.text


@pytest.mark.row(38)
def test_a_second_endpoint_on_one_app_is_refused_by_flask(app, make):
    metrics = make()
    with pytest.raises(AssertionError, match="prometheus_metrics"):
        metrics.init_app(app)
    with pytest.raises(AssertionError, match="prometheus_metrics"):
        metrics.register_endpoint("/other")


@pytest.mark.row(39)
def test_an_endpoint_goes_to_the_app_that_is_given_or_current(registry, app, client):
    metrics = PrometheusMetrics(None)
    with pytest.raises(RuntimeError, match="application context"):
        metrics.register_endpoint("/metrics")
    other = flask.Flask("other")
    metrics.register_endpoint("/given", other)
    assert other.test_client().get("/given").status_code == 200
    with app.app_context():
        metrics.register_endpoint("/current")
    assert client.get("/current").status_code == 200


@pytest.mark.row(40)
def test_the_defaults_may_be_exported_late_but_not_after_the_first_request(
    make, serve, client, scrape
):
    metrics = make(export_defaults=False)
    metrics.export_defaults(buckets=(1,), group_by="endpoint", prefix="late")
    serve("/", lambda: "OK", endpoint="root")
    client.get("/")
    shown = scrape()
    assert shown['late_http_request_duration_seconds_count{endpoint="root",method="GET",status="200"}'] == 1  # fmt: skip
    with pytest.raises(AssertionError, match="first request"):
        metrics.export_defaults(prefix="too_late")


@pytest.mark.row(41)
def test_all_views_of_the_moment_are_measured_the_endpoint_and_files_included(
    app, make, serve, client, scrape
):
    metrics = make()
    serve("/early", lambda: "OK", endpoint="early")
    labels = {"path": lambda: flask.request.path}
    metrics.register_default(
        metrics.counter("by_path", "Paths", labels=labels), metrics.gauge("now", "Now")
    )
    serve("/later", lambda: "OK", endpoint="later")
    for path in ("/early", "/later", "/nowhere", "/static/nothing", "/metrics"):
        client.get(path)
    shown = scrape()
    assert sorted(shown.of("by_path_total")) == [
        'by_path_total{path="/early"} 1.0',
        'by_path_total{path="/metrics"} 1.0',
        'by_path_total{path="/static/nothing"} 1.0',
    ]
    assert shown["now"] == 1
    assert "<lambda>" not in shown.text


def ask(port, path, context=None):
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    connection = kind("127.0.0.1", port, timeout=20, **({"context": context} if context else {}))
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.row(42)
def test_the_metrics_have_a_port_of_their_own(make, serve, client):
    port, before = free_port(), threading.active_count()
    metrics = make(path=None)
    metrics.start_http_server(port, "127.0.0.1", "/inner")
    started = threading.enumerate()[before:]
    assert all(thread.daemon for thread in started)
    serve("/", lambda: "OK")
    client.get("/")
    status, text = ask(port, "/inner")
    assert status == 200
    assert f"{TOTAL} 1.0" in text
    assert ask(port, "/metrics")[0] == 404
    with pytest.raises(ConfigError, match=str(port)):
        metrics.start_http_server(port, "127.0.0.1")


@pytest.mark.row(42)
@pytest.mark.needs("openssl")
def test_the_port_may_speak_tls(make, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    make().start_http_server(port, "127.0.0.1", ssl={"cert": str(certificate), "key": str(key)})
    status, text = ask(port, "/metrics", ssl.create_default_context(cafile=str(certificate)))
    assert (status, "flask_exporter_info" in text) == (200, True)


@pytest.mark.row(42)
def test_the_reloaders_child_serves_no_port(make, monkeypatch):
    port = free_port()
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    make(path=None).start_http_server(port, "127.0.0.1")
    with pytest.raises(ConnectionRefusedError):
        ask(port, "/metrics")


@pytest.mark.row(43)
def test_an_app_may_serve_the_text_itself(make):
    metrics = make(path=None)
    text, content_type = metrics.generate_metrics()
    assert 'flask_exporter_info{version="0.23.2"} 1.0' in text
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    text, content_type = metrics.generate_metrics(
        accept_header="application/openmetrics-text", names=["flask_exporter_info"]
    )
    assert text.splitlines()[2:] == ['flask_exporter_info{version="0.23.2"} 1.0', "# EOF"]
    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.mark.row(44)
@pytest.mark.parametrize(("value", "status"), [(None, 404), ("", 404), ("1", 200), ("0", 200)])
def test_the_reloaders_child_shows_the_metrics_where_it_is_told_to(
    make, client, monkeypatch, value, status
):
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    if value is not None:
        monkeypatch.setenv("DEBUG_METRICS", value)
    make()
    assert client.get("/metrics").status_code == status


@pytest.mark.row(45)
@pytest.mark.parametrize("name", ["PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"])
def test_the_plain_class_shows_all_processes_where_they_share_a_directory(
    make, serve, client, monkeypatch, tmp_path, name
):
    monkeypatch.setenv(name, str(tmp_path))
    make()
    serve("/", lambda: "OK")
    client.get("/")
    text = client.get("/metrics").text
    assert f"{TOTAL} 1.0" in text
    assert "_created" not in text
    assert "python_info" not in text
