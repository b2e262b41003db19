"""The privacy tests' apps in real servers under `opentelemetry-instrument`, and their client."""

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final
from urllib.request import ProxyHandler, build_opener

from tests.collector_process import CollectorProcess
from tests.e2e.canaries.fill import Step
from tests.ports import free_port
from tests.servers.serving import INHERITED

APPS: Final = Path(__file__).resolve().parent.parent / "apps"
BIN: Final = Path(sys.executable).parent
SERVERS: Final = {
    "flask": [
        "gunicorn", "-w", "1", "-k", "gthread", "--threads", "4", "--log-level", "warning",
        "--limit-request-line", "8190", "--header-map", "dangerous", "-b", "127.0.0.1:{port}",
        "flask_app:app",
    ],
    # At this level uvicorn does not log what an app raises: the app's own word, not ours.
    "fastapi": [
        "uvicorn", "--log-level", "critical", "--host", "127.0.0.1", "--port", "{port}",
        "fastapi_app:app",
    ],
}  # fmt: skip
_CLIENTS: Final = 3
_opener = build_opener(ProxyHandler({}))


@dataclass
class Running:
    """An app that answers."""

    port: int
    log: Path
    """What it wrote to stdout and stderr."""


@contextmanager
def serving(
    server: str, collector: CollectorProcess, directory: Path, **extra: str
) -> Iterator[Running]:
    """Run an app; at the end it has said all that it had to say."""
    port = free_port()
    log = directory / f"{server}.log"
    command = [part.format(port=port) for part in SERVERS[server]]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [BIN / "opentelemetry-instrument", BIN / command[0], *command[1:]],
            cwd=APPS,
            env=_environment(server, collector, directory, extra),
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_it_answers(port, process)
        yield Running(port, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _environment(
    server: str, collector: CollectorProcess, directory: Path, extra: dict[str, str]
) -> dict[str, str]:
    return {
        **INHERITED,
        "CANARY_SCRIPT": str(directory / "script.jsonl"),
        "OTEL_SERVICE_NAME": f"canaries-{server}",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "64",
        "OTEL_BSP_MAX_QUEUE_SIZE": "20000",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "30000",
        # Ours and contrib's spelling of each header are on one span.
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "512",
        "OTEL_APIMETRICS_CAPTURE_BODY": "all",
        "OTEL_APIMETRICS_CAPTURE_HEADERS": "all",
        "OTEL_APIMETRICS_IDENTIFY": "header:x-client",
        "OTEL_APIMETRICS_LABEL": "script:label",
        "OTEL_APIMETRICS_SKIP": "script:skip",
        "OTEL_APIMETRICS_METRICS": "all,semconv",
        "OTEL_APIMETRICS_METRIC_LABELS": "tier",
        **extra,
    }


def only_ours() -> str:
    """Give the setting that turns the other instrumentations off."""
    names = {point.name for point in entry_points(group="opentelemetry_instrumentor")}
    return ",".join(sorted(names - {"apimetrics"}))


def _wait_until_it_answers(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with _opener.open(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def send(port: int, steps: Iterable[Step]) -> list[tuple[Step, int]]:
    """Send the requests; give each with the status of its answer."""
    planned = list(steps)
    with ThreadPoolExecutor(_CLIENTS) as clients:
        shares = [planned[at::_CLIENTS] for at in range(_CLIENTS)]
        return [
            row for rows in clients.map(lambda share: _send(port, share), shares) for row in rows
        ]


def _send(port: int, steps: list[Step]) -> list[tuple[Step, int]]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        return [(step, _ask(client, step)) for step in steps]


def _ask(client: http.client.HTTPConnection, step: Step) -> int:
    target = f"{step.path}?{step.query}" if step.query else step.path
    has_host = any(name == "Host" for name, _ in step.headers)
    client.putrequest(step.method, target, skip_host=has_host, skip_accept_encoding=True)
    client.putheader("traceparent", f"00-{step.trace}-{'1' * 16}-01")
    for name, value in step.headers:
        client.putheader(name, value)
    if step.chunked:
        client.putheader("Transfer-Encoding", "chunked")
        client.endheaders(_chunks(step.body), encode_chunked=True)
    else:
        client.putheader("Content-Length", str(len(step.body)))
        client.endheaders(step.body)
    with client.getresponse() as response:
        response.read()
    if response.status >= 500:
        client.close()  # uvicorn closes the connection behind an exception
    return response.status


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 3_000):
        yield body[start : start + 3_000]
