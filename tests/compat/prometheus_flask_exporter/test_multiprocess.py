"""The classes for servers of many processes, in one process; servers are tried elsewhere."""

import http.client
import os
import subprocess
import sys
from types import ModuleType

import flask
import pytest

from otel_apimetrics.compat.prometheus_flask_exporter import multiprocess
from otel_apimetrics.compat.prometheus_flask_exporter.multiprocess import (
    GunicornInternalPrometheusMetrics,
    GunicornPrometheusMetrics,
    MultiprocessInternalPrometheusMetrics,
    MultiprocessPrometheusMetrics,
    UWsgiPrometheusMetrics,
)
from tests.ports import free_port

INTERNAL = [MultiprocessInternalPrometheusMetrics, GunicornInternalPrometheusMetrics]
ALL = [
    MultiprocessPrometheusMetrics,
    UWsgiPrometheusMetrics,
    GunicornPrometheusMetrics,
    *INTERNAL,
]
TOTAL = 'flask_http_request_total{method="GET",status="404"} 1.0'


@pytest.fixture
def directory(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


class OnPort(MultiprocessPrometheusMetrics):
    """Serves from the one process that there is."""

    def should_start_http_server(self):
        return True


def ask(port, path="/metrics"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.row(71)
@pytest.mark.parametrize("kind", ALL)
def test_each_class_needs_a_directory_that_is_there(kind, app, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="PROMETHEUS_MULTIPROC_DIR"):
        kind(app)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "absent"))
    with pytest.raises(ValueError, match="absent"):
        kind(app)
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    monkeypatch.setenv("prometheus_multiproc_dir", str(tmp_path))
    kind(app)


@pytest.mark.row(72)
def test_the_base_class_serves_each_path_of_a_port_and_none_of_the_app(
    app, client, directory, monkeypatch
):
    metrics = OnPort(app, path="/ignored")
    client.get("/nope")
    assert client.get("/ignored").status_code == client.get("/metrics").status_code == 404
    port = free_port()
    metrics.start_http_server(port, "127.0.0.1", endpoint="/ignored", ssl={"cert": "ignored"})
    for path in ("/metrics", "/", "/any"):
        status, text = ask(port, path)
        assert status == 200
        assert 'flask_http_request_total{method="GET",status="404"} 3.0' in text


@pytest.mark.row(72)
def test_a_process_that_should_not_serves_no_port(app, directory):
    class Never(OnPort):
        def should_start_http_server(self):
            return False

    port = free_port()
    Never(app).start_http_server(port, "127.0.0.1")
    with pytest.raises(ConnectionRefusedError):
        ask(port)


@pytest.mark.row(73)
@pytest.mark.parametrize("kind", INTERNAL)
@pytest.mark.parametrize("late", [False, True])
def test_the_internal_classes_show_the_metrics_in_the_app(kind, app, client, directory, late):
    if late:
        kind(path="/inner").init_app(app)
    else:
        kind(app, path="/inner")
    client.get("/nope")
    answer = client.get("/inner")
    assert answer.status_code == 200
    assert TOTAL in answer.text


@pytest.mark.row(73)
@pytest.mark.parametrize("kind", INTERNAL)
def test_the_internal_classes_start_no_server_and_say_so(kind, app, directory):
    port = free_port()
    with pytest.warns(UserWarning, match="starts nothing"):
        kind.start_http_server_when_ready(port, "127.0.0.1")
    kind(app).start_http_server(port, "127.0.0.1")
    with pytest.raises(ConnectionRefusedError):
        ask(port)


@pytest.mark.row(74)
def test_gunicorns_master_serves_what_the_app_counts(app, client, directory):
    GunicornPrometheusMetrics(app)
    client.get("/nope")
    assert client.get("/metrics").status_code == 404
    port = free_port()
    GunicornPrometheusMetrics.start_http_server_when_ready(port, "127.0.0.1")
    status, text = ask(port)
    assert status == 200
    assert 'flask_http_request_total{method="GET",status="404"} 2.0' in text


@pytest.mark.row(74)
def test_a_worker_that_ended_is_noted_for_what_prometheus_client_measures(directory):
    left = directory / "gauge_livesum_4711.db"
    left.write_bytes(b"\0" * 8)
    GunicornPrometheusMetrics.mark_process_dead_on_child_exit(4711)
    assert not left.exists()


@pytest.mark.row(75)
@pytest.mark.parametrize("is_master", [True, False])
def test_uwsgis_master_alone_serves_the_port(app, directory, monkeypatch, is_master):
    uwsgi = ModuleType("uwsgi")
    uwsgi.masterpid = lambda: os.getpid() if is_master else 1
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)
    port = free_port()
    UWsgiPrometheusMetrics(app).start_http_server(port, "127.0.0.1")
    if is_master:
        assert ask(port)[0] == 200
    else:
        with pytest.raises(ConnectionRefusedError):
            ask(port)


@pytest.mark.row(75)
def test_uwsgis_metrics_may_be_shown_in_the_app(app, client, directory):
    UWsgiPrometheusMetrics(app).register_endpoint("/metrics")
    client.get("/nope")
    assert TOTAL in client.get("/metrics").text


def test_two_apps_of_one_directory_are_counted_together(directory):
    apps = [flask.Flask(name) for name in ("one", "two")]
    for app in apps:
        MultiprocessInternalPrometheusMetrics(app)
        app.test_client().get("/nope")
    assert TOTAL.replace("1.0", "2.0") in apps[0].test_client().get("/metrics").text


def test_what_prometheus_client_measures_in_other_processes_is_shown_too(
    app, client, directory, tmp_path
):
    code = "import prometheus_client as c; c.Counter('other', 'Other').inc(3)"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})
    MultiprocessInternalPrometheusMetrics(app)
    assert "other_total 3.0" in client.get("/metrics").text


@pytest.mark.swallows_errors
def test_files_that_are_none_of_prometheus_clients_hide_nothing_of_ours(
    app, client, directory, no_swallowed_errors
):
    (directory / "counter_1.db").write_bytes(b"broken")
    MultiprocessInternalPrometheusMetrics(app)
    client.get("/nope")
    assert TOTAL in client.get("/metrics").text
    assert {place for place, _ in no_swallowed_errors} == {"prometheus.multiprocess"}


def test_the_public_names_are_upstreams():
    names = {name for name in vars(multiprocess) if name.endswith("PrometheusMetrics")}
    assert names == {kind.__name__ for kind in ALL} | {"PrometheusMetrics"}
