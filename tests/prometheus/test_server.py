"""`/metrics` on a port of its own, alone and by its name."""

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics import ConfigError
from otel_apimetrics.prometheus import PrometheusReader, ScrapeServer
from otel_apimetrics.prometheus.by_name import PrometheusByName
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def reader():
    made = PrometheusReader(registry=CollectorRegistry(), target_info=False, created=False)
    provider = MeterProvider([made], shutdown_on_exit=False)
    provider.get_meter("shop").create_counter("orders").add(1)
    return made


def get(url, **options):
    with urllib.request.urlopen(url, timeout=10, **options) as answer:
        return answer.status, answer.read()


def test_a_server_shows_the_metrics_and_stops_when_it_is_closed(reader):
    server = ScrapeServer(reader, port=0)
    try:
        assert server.url == f"http://127.0.0.1:{server.port}/metrics"
        status, body = get(server.url)
        assert (status, body.splitlines()[-1]) == (200, b"orders_total 1.0")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(server.url.replace("/metrics", "/"))
    finally:
        server.close()
    with pytest.raises(urllib.error.URLError):
        get(server.url)


def test_a_port_that_is_taken_names_the_remedy(reader):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            ConfigError, match=rf"127\.0\.0\.1:{port}.*OTEL_EXPORTER_PROMETHEUS_PORT"
        ):
            ScrapeServer(reader, port=port)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("port", [99_999, -1, "9464"])
def test_a_port_that_there_is_not_is_refused(reader, port):
    with pytest.raises(ConfigError, match=rf"port={port!r} is no port: .*65535"):
        ScrapeServer(reader, port=port)


def test_a_port_of_the_environment_that_there_is_not_is_one_line_in_the_log(
    monkeypatch, caplog, tmp_path
):
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "99999")
    reader = PrometheusByName(registry=CollectorRegistry(), directory=tmp_path / "workers")
    assert reader.server is None
    assert caplog.text.count("99999 is no port") == 1
    reader.shutdown()


def test_a_certificate_makes_it_tls(reader, tmp_path):
    pem = tmp_path / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", pem],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ScrapeServer(reader, port=0, certificate=str(pem), key=str(tmp_path / "key.pem"))
    try:
        trusted = ssl.create_default_context(cafile=str(pem))
        assert server.url.startswith("https://")
        assert get(server.url, context=trusted)[0] == 200
    finally:
        server.close()
    with pytest.raises(ConfigError, match="certificate"):
        ScrapeServer(reader, port=0, certificate=str(tmp_path / "missing.pem"))


def test_a_key_without_its_certificate_is_refused(reader):
    with pytest.raises(ConfigError, match="no certificate, so there would be no TLS"):
        ScrapeServer(reader, port=0, key="key.pem")


def test_clients_that_say_nothing_do_not_hold_up_the_others(reader):
    server = ScrapeServer(reader, port=0)
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(7)]
    try:
        assert get(server.url)[0] == 200
        silent += [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
        assert silent[-1].recv(1) == b""
    finally:
        for one in silent:
            one.close()
        server.close()


@pytest.mark.e2e
def test_one_process_has_the_port_and_another_takes_it_when_it_is_killed(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "tests.prometheus.shared_port", str(tmp_path / "d"), str(port)]
    started = []
    try:
        for said in ("listens\n", "waits\n"):
            started.append(
                subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
                )
            )
            assert started[-1].stdout.readline() == said
        url = f"http://127.0.0.1:{port}/metrics"
        assert b"orders_total 2.0" in get(url)[1]
        started[0].kill()
        started[0].wait()
        deadline = time.monotonic() + 60
        while True:
            try:
                assert b"orders_total 2.0" in get(url)[1]
                break
            except urllib.error.URLError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    finally:
        for one in started:
            one.kill()
            one.communicate()


def test_what_another_program_has_is_an_error_in_every_process(tmp_path):
    made = PrometheusReader(registry=CollectorRegistry(), directory=tmp_path / "d")
    provider = MeterProvider([made])
    try:
        with socket.create_server(("127.0.0.1", 0)) as other:
            with pytest.raises(ConfigError, match="OTEL_EXPORTER_PROMETHEUS_PORT"):
                ScrapeServer(made, port=other.getsockname()[1])
    finally:
        provider.shutdown()


def test_a_directory_made_for_the_exporter_is_taken_away_once_nobody_lives_there(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", str(free_port()))
    left = tmp_path / "otel-apimetrics-left"
    new = tmp_path / "otel-apimetrics-new"
    for directory in (left, new):
        directory.mkdir()
    (left / "0-1-abcdefab.live").touch()
    made = PrometheusByName(registry=CollectorRegistry())
    provider = MeterProvider([made])
    try:
        (mine,) = set(tmp_path.iterdir()) - {new}
        assert mine != left, "whoever met there has ended"
        assert os.environ["OTEL_EXPORTER_PROMETHEUS_DIRECTORY"] == str(mine)
        provider.get_meter("shop").create_gauge("fill").set(1)
        _, body = get(made.server.url)
        assert b"\nfill 1.0\n" in body, "a process alone needs no pid"
    finally:
        provider.shutdown()
        os.environ.pop("OTEL_EXPORTER_PROMETHEUS_DIRECTORY", None)


PROGRAM = """
import os, urllib.request
from opentelemetry import metrics
metrics.get_meter("shop").create_counter("orders").add(1)
url = f"http://localhost:{os.environ['PORT']}/metrics"
print(urllib.request.urlopen(url, timeout=10).read().decode())
"""


def run(program, **environment):
    port = str(free_port())
    command = [
        str(Path(sys.executable).with_name("opentelemetry-instrument")),
        sys.executable,
        "-c",
        program,
    ]
    variables = {
        **os.environ,
        "OTEL_METRICS_EXPORTER": "apimetrics_prometheus",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_PROMETHEUS_HOST": "localhost",
        "OTEL_EXPORTER_PROMETHEUS_PORT": port,
        "PORT": port,
        **environment,
    }
    return subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.e2e
def test_opentelemetry_instrument_serves_it_by_its_name():
    done = run(PROGRAM)
    assert "orders_total 1.0" in done.stdout, done.stderr
    assert "process_resident_memory_bytes" in done.stdout


@pytest.mark.e2e
def test_what_it_cannot_do_is_one_line_and_the_app_runs_on():
    done = run("print('runs')", OTEL_EXPORTER_PROMETHEUS_PORT="web")
    assert done.stdout == "runs\n"
    assert done.stderr.count("OTEL_EXPORTER_PROMETHEUS_PORT='web' is no port") == 1
    assert "Traceback" not in done.stderr
