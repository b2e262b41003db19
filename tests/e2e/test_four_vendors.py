"""One app, four vendors: each is told all of it in its own protocol, whatever ails the others."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event

import pytest

from tests.exporters.sink import Reply, Sink, sink
from tests.servers.serving import Process, environment, serving, uwsgi

pytestmark = pytest.mark.e2e

BIN = Path(sys.executable).parent
APPS = Path(__file__).parents[1] / "servers" / "apps"
NUMBER = 40
CLIENT = "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9"
COMMANDS = {
    "gunicorn": ["gunicorn", "-b", "127.0.0.1:{port}", "--threads", "4", "counted_wsgi:app"],
    "uvicorn": ["uvicorn", "--port", "{port}", "--log-level", "warning", "counted_asgi:app"],
}
Sinks = dict[str, Sink]


@pytest.fixture
def sinks() -> Iterator[Sinks]:
    with ExitStack() as stack:
        made = {
            name: stack.enter_context(sink()) for name in ("readme", "moesif", "metlo", "apitally")
        }
        made["moesif"].by_path["/v1/config"] = Reply()
        made["metlo"].by_path["/api/v1/verify"] = Reply()
        yield made


def variables(sinks: Sinks) -> dict[str, str]:
    return environment(
        OTEL_TRACES_EXPORTER="none",
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
        OTEL_APIMETRICS_EXPORTERS=",".join(sinks),
        OTEL_APIMETRICS_IDENTIFY="header:x-consumer",
        OTEL_EXPORTER_README_API_KEY="rdme_key",
        OTEL_EXPORTER_README_URL=sinks["readme"].url,
        OTEL_EXPORTER_README_ANONYMOUS="nobody",
        OTEL_EXPORTER_MOESIF_APPLICATION_ID="application",
        OTEL_EXPORTER_MOESIF_BASE_URI=sinks["moesif"].url,
        OTEL_EXPORTER_METLO_HOST=sinks["metlo"].url,
        OTEL_EXPORTER_METLO_API_KEY="metlo.key",
        OTEL_EXPORTER_APITALLY_CLIENT_ID=CLIENT,
        OTEL_EXPORTER_APITALLY_REQUEST_LOGS="true",
        OTEL_EXPORTER_APITALLY_ENDPOINT=sinks["apitally"].url,
    )


def command(server: str) -> list[str | Path]:
    if server == "uwsgi":
        instrumented = BIN / "opentelemetry-instrument"
        return [instrumented, *uwsgi("--enable-threads", "--module", "counted_wsgi:app")]
    program, *arguments = COMMANDS[server]
    return [BIN / "opentelemetry-instrument", BIN / program, *arguments]


def ask(process: Process, number: int) -> int:
    connection = HTTPConnection(*process.address, timeout=60)
    try:
        connection.request("GET", f"/items/{number}", headers={"X-Consumer": f"c{number % 3}"})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return answer.status


def told(name: str, backend: Sink) -> list[int]:
    """Give the numbers of the requests that a vendor took (Apitally: counts them instead)."""
    found: list[int] = []
    for request in tuple(backend.received):
        if request.status >= 300:
            continue
        if name == "readme" and request.path == "/v1/request":
            entries = [log["request"]["log"]["entries"][0] for log in request.json]
            found += [int(entry["request"]["url"].rpartition("/")[2]) for entry in entries]
        elif name == "moesif" and request.path == "/v1/events/batch":
            found += [int(event["request"]["uri"].rpartition("/")[2]) for event in request.json]
        elif name == "metlo" and request.path == "/api/v1/log-request/batch":
            paths = [trace["request"]["url"]["path"] for trace in request.json]
            found += [int(path.rpartition("/")[2]) for path in paths]
        elif name == "apitally" and request.path.endswith("/sync"):
            for counted in request.json["requests"]:
                found += [0] * counted["request_count"]
    return found


def wait_for(done: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + 90
    while not done():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


@pytest.mark.parametrize("server", COMMANDS)
def test_each_vendor_gets_its_own_protocol(server: str, sinks: Sinks, tmp_path: Path):
    with serving(command(server), tmp_path / "log", variables(sinks), directory=APPS) as process:
        assert [ask(process, number) for number in range(NUMBER)] == [200] * NUMBER

    for name, backend in sinks.items():
        assert len(told(name, backend)) == NUMBER, name
    by_path = {
        (name, request.path.split("?")[0])
        for name, backend in sinks.items()
        for request in backend.received
    }
    assert by_path >= {
        ("readme", "/v1/request"),
        ("moesif", "/v1/events/batch"),
        ("metlo", "/api/v1/log-request/batch"),
        ("apitally", f"/v2/{CLIENT}/dev/startup"),
        ("apitally", f"/v2/{CLIENT}/dev/sync"),
        ("apitally", f"/v2/{CLIENT}/dev/log"),
    }
    output = (tmp_path / "log").read_text()
    assert "Traceback" not in output
    assert "swallowed" not in output


def test_one_that_hangs_one_that_fails_and_one_that_refuses_cost_the_others_nothing(
    sinks: Sinks, tmp_path: Path
):
    released = Event()
    sinks["readme"].otherwise = Reply(until=released)
    sinks["moesif"].by_path["/v1/events"] = Reply(500)
    sinks["metlo"].by_path["/api/v1/log-request"] = Reply(401)
    log = tmp_path / "log"
    with serving(command("gunicorn"), log, variables(sinks), directory=APPS) as process:
        # All are answered, and Apitally knows of all, while nobody else has taken anything.
        assert [ask(process, number) for number in range(NUMBER)] == [200] * NUMBER
        sinks["moesif"].wait_for(2)
        sinks["metlo"].wait_for(2)
        assert len(sinks["readme"].received) == 1

        released.set()
        sinks["moesif"].by_path["/v1/events"] = Reply(201)
        for name in ("readme", "moesif"):
            wait_for(
                lambda name=name: set(told(name, sinks[name])) == set(range(NUMBER)),
                lambda name=name: f"{name} was told {sorted(told(name, sinks[name]))}",
            )

    assert len(told("apitally", sinks["apitally"])) == NUMBER
    assert told("metlo", sinks["metlo"]) == []
    output = log.read_text()
    assert output.count("OTEL_EXPORTER_METLO_API_KEY") >= 1
    assert "metlo.key" not in output


@pytest.mark.parametrize(
    "server", [*COMMANDS, pytest.param("uwsgi", marks=pytest.mark.needs("uwsgi"))]
)
def test_sigterm_under_load_loses_nothing_that_was_answered(
    server: str, sinks: Sinks, tmp_path: Path
):
    answered: list[int] = []
    log = tmp_path / "log"
    with serving(
        command(server), log, variables(sinks), directory=APPS, end_with=signal.SIGTERM
    ) as process:
        enough = Event()

        def load(first: int) -> None:
            for number in range(first, 4_000, 4):
                try:
                    if ask(process, number) == 200:
                        answered.append(number)
                except (OSError, HTTPException):
                    return  # the server is gone
                if len(answered) >= 200:
                    enough.set()

        threads = [threading.Thread(target=load, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(90)
    for thread in threads:
        thread.join(90)

    for name, backend in sinks.items():
        arrived = told(name, backend)
        if name == "apitally":
            assert len(arrived) >= len(answered), log.read_text()[-2000:]
        else:
            assert set(answered) - set(arrived) == set(), (name, log.read_text()[-2000:])
