"""The endpoint's answers."""

import gzip
import http.client

import pytest

from otel_apimetrics.compat.prometheus_flask_exporter.multiprocess import (
    GunicornPrometheusMetrics,
    MultiprocessInternalPrometheusMetrics,
)
from tests.ports import free_port

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.mark.row(46)
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("name[]=flask_exporter_info", {"flask_exporter_info"}),
        ("name[]=flask_http_request_duration_seconds_sum", {"flask_http_request_duration_seconds_sum"}),
        ("name[]=flask_http_request_total&name[]=flask_exporter_info", {"flask_http_request_total", "flask_exporter_info"}),
        ("name[]=flask_http_request_duration_seconds", set()),
        ("name[]=unknown", set()),
        ("name[]=", set()),
    ],
)  # fmt: skip
def test_samples_are_chosen_by_their_names(make, client, scrape, query, shown):
    make()
    client.get("/")
    found = scrape(f"/metrics?{query}")
    assert {key[0] for key in found.samples} == shown
    assert bool(found.families) == bool(shown)


@pytest.mark.row(46)
def test_a_name_without_brackets_chooses_nothing(make, client, scrape):
    make()
    assert "flask_http_request_total" in scrape("/metrics?name=flask_exporter_info").families


@pytest.mark.row(47)
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, PLAIN),
        ("*/*", PLAIN),
        ("text/html", PLAIN),
        ("application/vnd.google.protobuf", PLAIN),
        ("application/openmetrics-text", OPEN),
        ("application/openmetrics-text; version=1.0.0", f"{OPEN}; escaping=underscores"),
        ("application/openmetrics-text; version=0.0.1", PLAIN),
        ("text/plain;version=1.0.0;escaping=allow-utf-8", "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"),
    ],
)  # fmt: skip
def test_the_format_is_chosen_by_the_client_and_never_refused(make, client, accept, content_type):
    make()
    answer = client.get("/metrics", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)


@pytest.mark.row(48)
def test_the_apps_endpoint_codes_nothing_and_the_servers_does(make, client, monkeypatch, tmp_path):
    make()
    answer = client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    port = free_port()
    GunicornPrometheusMetrics.start_http_server_when_ready(port, "127.0.0.1")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/any", headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.read()) is not None
    connection.close()


@pytest.mark.row(49)
def test_samples_of_all_processes_are_chosen_by_their_names(
    app, registry, client, scrape, monkeypatch, tmp_path
):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    MultiprocessInternalPrometheusMetrics(app)
    client.get("/")
    found = scrape("/metrics?name[]=flask_http_request_total")
    assert {key[0] for key in found.samples} == {"flask_http_request_total"}
