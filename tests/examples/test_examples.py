"""The examples, started by the commands of their READMEs, with real servers and real OTLP."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from examples.traffic import MIXTURE, PASSWORD, Sent, Step, login, send, send_step
from tests.collector_process import CollectorProcess
from tests.examples.running import (
    COMMANDS,
    EXAMPLES,
    NEVER,
    QUICK,
    Command,
    Gateway,
    Run,
    counted,
    environment,
    expected,
    gateway,
    line_with,
    records,
    row_of,
    served,
    server_spans,
    wait,
)

pytestmark = pytest.mark.e2e

ROUNDS = 2
EVENTS = Step("acme", "GET", "/events")
LOGIN = Step("globex", "POST", "/sessions", *login())
ORDER = Step("acme", "GET", "/orders/1")

each_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory):
    with gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(scope="module")
def run(receiver: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Command], Run]:
    """Runs a command once, for all tests that look at what it left."""
    kept: dict[Command, Run] = {}

    def run_once(command: Command) -> Run:
        if command not in kept:
            kept[command] = use(command, receiver, tmp_path_factory.mktemp("run"))
        return kept[command]

    return run_once


def use(command: Command, receiver: Gateway, directory: Path) -> Run:
    """Serve an example, send the mixture, wait until all of it arrived, and end the server."""
    log = directory / "app.log"
    offset = receiver.file.stat().st_size
    with served(command, receiver.port, log, **QUICK) as (url, sent):
        bodies = {}
        for step in (EVENTS, LOGIN):
            answer = send_step(url, step)
            bodies[step.path] = answer.body
            sent[Sent(step.method, step.route, answer.status, step.consumer)] += 1
        sent += send(url, ROUNDS * len(MIXTURE))

        def arrived() -> bool:
            recorded = records(receiver.since(offset), directory)
            return min(recorded.total, len(server_spans(recorded))) >= sent.total()

        wait("telemetry of every request", arrived, log)
    received = receiver.since(offset)
    return Run(sent, bodies, received, records(received, directory), log.read_text())


def test_the_readmes_show_both_ways_for_every_example_and_server():
    assert set(COMMANDS) == {
        "django_app in code gunicorn",
        "django_app in code uvicorn",
        "django_app outside gunicorn",
        "django_app outside uvicorn",
        "fastapi_app in code uvicorn",
        "fastapi_app outside gunicorn asgi",
        "fastapi_app outside uvicorn",
        "flask_app in code gunicorn",
        "flask_app outside gunicorn",
        "wsgi_app in code gunicorn",
        "wsgi_app outside gunicorn",
    }


@each_command
def test_every_example_answers_the_same(command: Command, run: Callable[[Command], Run]):
    statuses = {(sent.method, sent.route, sent.status) for sent in run(command).sent}

    assert statuses == {
        ("GET", "/customers", 200),
        ("GET", "/events", 200),
        ("GET", "/fail", 500),
        ("GET", "/healthz", 200),
        ("GET", "/orders/{id}", 200),
        ("GET", "/orders/{id}", 404),
        ("POST", "/sessions", 200),
        ("POST", "/orders", 201),
        ("POST", "/orders", 422),
        ("POST", "/uploads", 201),
    }


@each_command
def test_every_request_is_counted_once_by_consumer_and_route(
    command: Command, run: Callable[[Command], Run]
):
    result = run(command)

    assert counted(result.recorded) == expected(result.sent, command.example)


@each_command
def test_every_request_is_one_server_span_with_the_record(
    command: Command, run: Callable[[Command], Run]
):
    result = run(command)

    assert Counter(map(row_of, result.server_spans)) == expected(result.sent, command.example)
    ids = {span["attributes"]["apimetrics.exchange.id"] for span in result.server_spans}
    assert len(ids) == len(result.server_spans)


@each_command
def test_no_password_and_no_token_leaves(command: Command, run: Callable[[Command], Run]):
    result = run(command)
    token = json.loads(result.bodies["/sessions"])["token"]
    contents = [
        span["attributes"]["http.request.body.content"]
        for span in result.server_spans
        if span["attributes"]["url.path"] == "/sessions"
    ]

    assert [json.loads(content) for content in contents] == (
        [{"user": "ada", "password": "[REDACTED]"}] * (ROUNDS * 2 + 1)
    )
    for secret in (PASSWORD, token):
        assert secret not in result.received.decode()
        assert secret not in result.log


@each_command
def test_the_event_stream_passes_whole_and_is_recorded_to_its_end(
    command: Command, run: Callable[[Command], Run]
):
    result = run(command)
    body = result.bodies["/events"]
    sizes = [
        span["attributes"]["http.response.body.size"]
        for span in result.server_spans
        if span["attributes"]["url.path"] == "/events"
    ]

    assert body == b"".join(b"data: %d\n\n" % number for number in range(5))
    assert sizes == [len(body)] * (ROUNDS + 1)


@each_command
def test_what_the_handler_says_of_the_consumer_is_on_its_span(
    command: Command, run: Callable[[Command], Run]
):
    said = {
        (
            attributes["apimetrics.consumer.name"],
            attributes["apimetrics.consumer.group"],
            attributes["apimetrics.label.order_size"],
        )
        for attributes in (span["attributes"] for span in run(command).server_spans)
        if attributes["url.path"] == "/orders" and attributes["http.response.status_code"] == 201
    }

    assert said == {("Acme Corp", "enterprise", "single"), ("Globex Ltd", "free", "bulk")}


@each_command
def test_the_app_logs_no_traceback_but_that_of_the_route_that_fails(
    command: Command, run: Callable[[Command], Run]
):
    log = run(command).log

    tracebacks = re.findall(r"^Traceback .*\n(?:^ .*\n)*^(\S.*)$", log, re.MULTILINE)
    assert len(tracebacks) == log.count("Traceback")
    assert set(tracebacks) <= {"RuntimeError: The payment provider is down"}
    assert len(tracebacks) <= ROUNDS
    assert "otel-apimetrics" not in log
    assert "xporter" not in log


@pytest.mark.parametrize(
    "command",
    [
        "django_app outside gunicorn",
        "django_app outside uvicorn",
        "fastapi_app outside uvicorn",
        "fastapi_app in code uvicorn",
    ],
)
def test_what_was_recorded_last_leaves_before_sigterm_ends_the_server(
    command: str, receiver: Gateway, tmp_path: Path
):
    offset = receiver.file.stat().st_size
    with served(COMMANDS[command], receiver.port, tmp_path / "app.log", **NEVER) as (url, sent):
        sent[Sent("GET", "/orders/{id}", send_step(url, ORDER).status, "acme")] += 1

    recorded = records(receiver.since(offset), tmp_path)
    assert counted(recorded) == expected(sent, COMMANDS[command].example)
    assert len(server_spans(recorded)) == sent.total()


def test_through_the_collector_prometheus_sums_the_workers_by_consumer(tmp_path: Path):
    command = COMMANDS["flask_app outside gunicorn"]
    with CollectorProcess(tmp_path) as collector:
        port = int(collector.http_endpoint.rpartition(":")[2])
        with served(command, port, tmp_path / "app.log", **QUICK) as (url, sent):
            script = line_with(command.example, "traffic.py").replace("http://127.0.0.1:8000", url)
            told = subprocess.run(
                ["sh", "-euc", script],
                cwd=EXAMPLES / command.example,
                env=environment(),
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            ).stdout
            collector.wait_for_spans(49, where=lambda span: span["kind"] == 2)
        page = collector.wait(
            collector.metrics_text, lambda page: sum(requests_in(page).values()) >= 49
        )

    assert told == (
        f"48 requests to {url}: acme 24, globex 21, nobody 3;"
        " 200 x 27, 201 x 12, 404 x 3, 422 x 3, 500 x 3\n"
    )
    assert requests_in(page) == Counter({"acme": 24, "globex": 21, "": 3 + sent.total()})
    assert PASSWORD not in collector.file.read_text()


def requests_in(page: str) -> Counter[str]:
    """Requests by consumer, as a Prometheus page has them, summed over the workers."""
    sums: Counter[str] = Counter()
    for labels, value in re.findall(
        r"^apimetrics_requests_total\{(.*)\} (\S+)", page, re.MULTILINE
    ):
        consumer = re.search(r'apimetrics_consumer_id="([^"]*)"', labels)
        sums[consumer[1] if consumer else ""] += int(float(value))
    return sums
