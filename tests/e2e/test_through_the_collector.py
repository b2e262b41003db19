"""Real servers under `opentelemetry-instrument`, through the real Collector with our file.

What the project promises first: one enriched SERVER span a request, counts that know the
consumer and are the requests that were sent, and no password anywhere.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from examples import traffic
from tests.collector_process import CollectorProcess
from tests.ports import free_port

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
REQUESTS = 32
GUNICORN = ["gunicorn", "-w", "2", "--log-level", "warning", "-b"]

SERVERS = {
    "flask": ("flask_app", [*GUNICORN, "{address}", "app:app"]),
    "fastapi": (
        "fastapi_app",
        ["uvicorn", "--log-level", "warning", "--host", "127.0.0.1", "--port", "{port}", "app:app"],
    ),
    "django-wsgi": ("django_app", [*GUNICORN, "{address}", "wsgi:application"]),
    "django-asgi": (
        "django_app",
        [
            "uvicorn", "--log-level", "warning", "--host", "127.0.0.1", "--port", "{port}",
            "asgi:application",
        ],
    ),
}  # fmt: skip


@contextmanager
def serving(
    server: str, collector: CollectorProcess, service: str, **extra: str
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Run an example as the issue's command line does; its service name tells tests apart."""
    folder, command = SERVERS[server]
    port = free_port()
    environment = {
        "OTEL_SERVICE_NAME": service,
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "64",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
        "OTEL_APIMETRICS_CAPTURE_BODY": "all",
        "OTEL_APIMETRICS_IDENTIFY": "header:x-client",
        **extra,
    }
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("OTEL") and not name.lower().endswith("_proxy")
    }
    address = f"127.0.0.1:{port}"
    filled = [part.format(address=address, port=port) for part in command]
    process = subprocess.Popen(
        [str(BIN / "opentelemetry-instrument"), str(BIN / filled[0]), *filled[1:]],
        cwd=ROOT / "examples" / folder,
        env={**kept, **environment},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_it_answers(f"http://{address}/healthz")
        yield f"http://{address}", process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def only_ours() -> str:
    names = {point.name for point in entry_points(group="opentelemetry_instrumentor")}
    return ",".join(sorted(names - {"apimetrics"}))


def server_spans(collector: CollectorProcess, service: str) -> list[dict]:
    return [
        span
        for span in collector.spans()
        if span["resource"]["service.name"] == service
        and span["kind"] == 2
        and span["attributes"]["url.path" if "url.path" in span["attributes"] else "http.target"]
        != "/healthz"
    ]


def counted(collector: CollectorProcess, service: str) -> Counter[tuple[str, str, str, str]]:
    """What Prometheus would scrape of `apimetrics_requests_total`, health checks left out."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    for line in collector.metrics_text().splitlines():
        if line.startswith("apimetrics_requests_total{") and f'job="{service}"' in line:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
            if labels["http_route"] != "/healthz":
                key = (
                    labels["http_request_method"],
                    re.sub(r"[<{][^>}]+[>}]", "{id}", labels["http_route"]).rstrip("/"),
                    labels["http_response_status_code"],
                    labels["apimetrics_consumer_id"],
                )
                found[key] += int(float(line.rsplit(" ", 1)[1]))
    return found


def sent_by_traffic(sent: Counter[traffic.Sent]) -> Counter[tuple[str, str, str, str]]:
    return Counter(
        {
            (s.method, s.route, str(s.status), s.consumer): n
            for s, n in sent.items()
            if s.route != "/healthz"
        }
    )


@pytest.mark.parametrize("beside", ["alone", "beside contrib"])
@pytest.mark.parametrize("server", SERVERS)
def test_every_request_is_one_enriched_span_and_counted_by_consumer_and_route(
    server: str,
    beside: str,
    collector: CollectorProcess,
):
    service = f"{server}-{beside}".replace(" ", "-")
    off = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": only_ours()} if beside == "alone" else {}
    with serving(server, collector, service, DJANGO_SETTINGS_MODULE="settings", **off) as (url, _):
        sent = sent_by_traffic(traffic.send(url, REQUESTS))
        total = sum(sent.values())
        collector.wait(lambda: counted(collector, service), lambda c: sum(c.values()) >= total)
        collector.wait(lambda: server_spans(collector, service), lambda s: len(s) >= total)

    spans = server_spans(collector, service)
    assert len(spans) == total
    assert all("apimetrics.exchange.id" in span["attributes"] for span in spans)
    assert len({span["attributes"]["apimetrics.exchange.id"] for span in spans}) == total
    assert Counter(span["attributes"].get("apimetrics.consumer.id", "") for span in spans) == (
        total_by_consumer(sent)
    )
    logins = [s for s in spans if s["attributes"].get("http.route", "").rstrip("/") == "/sessions"]
    assert logins
    for span in logins:
        assert "[REDACTED]" in span["attributes"]["http.request.body.content"]
    assert counted(collector, service) == sent
    assert traffic.PASSWORD not in collector.file.read_text()


def total_by_consumer(sent: Counter[tuple[str, str, str, str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (_, _, _, consumer), number in sent.items():
        found[consumer] += number
    return found


def test_counts_stay_the_requests_sent_when_a_worker_is_replaced_and_nothing_is_sampled(
    collector: CollectorProcess,
):
    service = "replaced-worker"
    with serving("flask", collector, service, OTEL_TRACES_SAMPLER="always_off") as (url, gunicorn):
        sent = sent_by_traffic(traffic.send(url, REQUESTS))
        (worker, *_) = workers_of(gunicorn.pid)
        os.kill(worker, signal.SIGTERM)
        wait_for_new_worker(gunicorn.pid, worker)
        sent += sent_by_traffic(traffic.send(url, REQUESTS))
        collector.wait(
            lambda: counted(collector, service), lambda c: sum(c.values()) >= sum(sent.values())
        )

    assert counted(collector, service) == sent
    assert server_spans(collector, service) == []


def workers_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for_new_worker(pid: int, gone: int) -> None:
    deadline = time.monotonic() + 20
    while gone in workers_of(pid) or len(workers_of(pid)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)  # until the new worker accepts


def test_a_client_that_leaves_a_stream_half_way_is_one_record_with_an_error_type(
    collector: CollectorProcess,
):
    service = "gone-client"
    with serving("flask", collector, service) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"data:" in receive_until(client, b"data:")
        collector.wait(lambda: server_spans(collector, service), lambda s: len(s) >= 1)

    (span,) = server_spans(collector, service)
    assert span["attributes"]["error.type"] == "client_disconnect"
    assert span["attributes"]["http.response.status_code"] == 200


def receive_until(client: socket.socket, mark: bytes) -> bytes:
    client.settimeout(10)
    received = b""
    while mark not in received:
        chunk = client.recv(4096)
        if not chunk:
            break
        received += chunk
    return received
