"""Processes that fork, are recycled, reloaded and ended: what was answered is accounted for.

Nothing leaves before its time: what a receiver has got in the end, left at the end.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.left import Left, Receiver, receiver
from tests.servers.serving import BIN, Process, environment, serving, uwsgi

pytestmark = pytest.mark.e2e

APPS = Path(__file__).parent / "apps"
REQUESTS = 12
TERM, INT = signal.SIGTERM, signal.SIGINT


@pytest.fixture(scope="module")
def otlp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("otlp")) as running:
        yield running


def _gunicorn(*more: str) -> list[str | Path]:
    return [BIN / "gunicorn", "--bind", "127.0.0.1:{port}", *more, "counted_wsgi:app"]


def _uwsgi(*more: str) -> list[str | Path]:
    return uwsgi("--module", "counted_wsgi:app", *more)


def _granian(kind: str) -> list[str | Path]:
    return [BIN / "granian", "--port", "{port}", "--interface", kind, f"counted_{kind}:app"]


WERKZEUG: list[str | Path] = [Path(sys.executable), "counted_wsgi.py", "{port}"]
UVICORN: list[str | Path] = [BIN / "uvicorn", "--port", "{port}", "counted_asgi:app"]
HYPERCORN: list[str | Path] = [BIN / "hypercorn", "--bind", "127.0.0.1:{port}", "counted_asgi:app"]
WAITRESS: list[str | Path] = [
    BIN / "waitress-serve", "--listen", "127.0.0.1:{port}", "counted_wsgi:app",
]  # fmt: skip

ENDED = {
    "gunicorn": (_gunicorn("--workers", "2"), TERM),
    # Its other workers leave a request at once, wherever it is.
    "gunicorn-interrupted": (_gunicorn("-k", "gthread", "--threads", "2"), INT),
    "gunicorn-preload": (_gunicorn("--workers", "2", "--preload"), TERM),
    "gunicorn-threads": (_gunicorn("-k", "gthread", "--threads", "2", "--preload"), TERM),
    "gunicorn-recycled": (_gunicorn("--max-requests", "5"), TERM),
    "gunicorn-gevent": (_gunicorn("-k", "gevent", "--workers", "2"), TERM),
    "uwsgi-prefork": (_uwsgi("--processes", "2"), TERM),
    "uwsgi-lazy-apps": (_uwsgi("--lazy-apps"), TERM),
    "uwsgi-threads": (_uwsgi("--threads", "2", "--enable-threads"), TERM),
    "uwsgi-fork-hooks": (_uwsgi("--py-call-uwsgi-fork-hooks"), TERM),
    "uwsgi-recycled": (_uwsgi("--max-requests", "5", "--min-worker-lifetime", "0"), TERM),
    "uvicorn": (UVICORN, TERM),
    "uvicorn-interrupted": (UVICORN, INT),
    "uvicorn-workers": ([*UVICORN, "--workers", "2"], TERM),
    "hypercorn": (HYPERCORN, TERM),
    "granian-wsgi": (_granian("wsgi"), TERM),
    "granian-asgi": (_granian("asgi"), TERM),
    "waitress": (WAITRESS, TERM),
    "waitress-interrupted": (WAITRESS, INT),
    "werkzeug": (WERKZEUG, TERM),
    "werkzeug-interrupted": (WERKZEUG, INT),
}


def ask(process: Process, path: str) -> str:
    with closing(http.client.HTTPConnection(*process.address, timeout=30)) as client:
        client.request("GET", path, headers={"Connection": "close"})
        response = client.getresponse()
        assert response.status == 200, process.tail()
        return response.read().decode()


def served(
    otlp: Receiver,
    service: str,
    command: list[str | Path],
    log: Path,
    *,
    directory: Path = APPS,
    **options: Any,
) -> AbstractContextManager[Process]:
    env = environment(**otlp.environment(service))
    env["PYTHONPATH"] += os.pathsep + str(directory)
    instrumented = [BIN / "opentelemetry-instrument", *command]
    return serving(instrumented, log, env, directory=directory, **options)


def by_count(counts: Counter[str]) -> list[int]:
    return sorted(counts.values())


@dataclass(frozen=True)
class Ended:
    """A server that was asked, and ended."""

    answered: Counter[str]
    """Requests by the process that answered."""
    left: Left
    log: str


def ask_and_end(name: str, otlp: Receiver, directory: Path) -> Ended:
    command, number = ENDED[name]
    log = directory / f"{name}.log"
    with served(otlp, name, command, log, end_with=number) as process:
        answered = Counter(ask(process, f"/items/{at}") for at in range(REQUESTS))
        while "prefork" in name and len(answered) < 2:  # uWSGI forgets one that is not up yet
            answered.update([ask(process, "/items/1")])
    return Ended(answered, otlp.left(name), process.tail())


@pytest.fixture(scope="module")
def ended(
    otlp: Receiver, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, Future[Ended]]]:
    """Each server that is tested here, several at once: they wait most of their time."""
    chosen = {
        item.callspec.params["name"]: None
        for item in request.session.items
        if item.module is request.module and "ended" in item.fixturenames
    }
    directory = tmp_path_factory.mktemp("ended")
    with ThreadPoolExecutor(4) as pool:
        yield {name: pool.submit(ask_and_end, name, otlp, directory) for name in chosen}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.needs("uwsgi") if name.startswith("uwsgi") else ())
        for name in ENDED
    ],
)
def test_what_was_answered_is_accounted_for_when_the_server_is_ended(
    name: str, ended: dict[str, Future[Ended]]
):
    server = ended[name].result()
    left = server.left

    # One instance a process, each with its own requests, on all three ways.
    assert by_count(left.spans) == by_count(server.answered), server.log
    assert left.exchanges == left.requests == left.spans, server.log
    assert ("recycled" in name) <= (len(server.answered) > 1)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_that_a_request_starts_counts_nothing_again(
    method: str, otlp: Receiver, tmp_path: Path
):
    service = f"multiprocessing-{method}"
    with served(otlp, service, _gunicorn(), tmp_path / "log") as process:
        for _ in range(2):
            ask(process, "/items/1")
            ask(process, f"/spawned/{method}")
    left = otlp.left(service)

    assert by_count(left.spans) == by_count(left.requests) == [4]
    assert left.exchanges == left.spans


@pytest.mark.needs("uwsgi")
def test_the_second_app_of_a_uwsgi_runs_without_us_and_the_log_says_why(
    otlp: Receiver, tmp_path: Path
):
    mounts = [f"--mount=/{name}=counted_wsgi.py" for name in ("one", "two")]
    # Its apps are loaded behind the fork: one in C, while threads of the SDK hold a lock, may hang.
    command = uwsgi(*mounts, "--callable", "app", "--manage-script-name", "--lazy-apps")
    log = tmp_path / "log"
    with served(otlp, "two-apps", command, log) as process:
        assert ask(process, "/one/items/1") == ask(process, "/two/items/1")
    left = otlp.left("two-apps")

    assert by_count(left.spans) == by_count(left.requests) == [1]
    (line,) = [line for line in log.read_text().splitlines() if "otel-apimetrics is off" in line]
    assert "single-interpreter = true" in line


RELOADING = {
    "werkzeug": ([*WERKZEUG, "reload"], "counted_wsgi.py"),
    "uvicorn": ([*UVICORN, "--reload"], "counted_asgi.py"),
}


@pytest.mark.parametrize("server", RELOADING)
def test_a_reload_loses_nothing(server: str, otlp: Receiver, tmp_path: Path):
    command, file = RELOADING[server]
    service = f"{server}-reload"
    shutil.copy(APPS / file, tmp_path)
    log = tmp_path / "log"
    with served(
        otlp, service, command, log, directory=tmp_path, end_with=INT, group=True
    ) as process:
        answered = Counter(ask(process, f"/items/{at}") for at in range(REQUESTS))
        (before,) = answered
        (tmp_path / file).write_text((APPS / file).read_text() + "# changed\n")
        wait_for(lambda: not Path(f"/proc/{before}").exists(), process)
        answered.update([wait_for(lambda: answer_if_up(process), process)])
    left = otlp.left(service)

    assert by_count(answered) == [1, REQUESTS]
    # The second is killed soon after the signal, by Werkzeug's parent process.
    (first,) = [instance for instance, count in left.spans.items() if count == REQUESTS]
    assert left.exchanges[first] == left.requests[first] == REQUESTS, process.tail()


def test_a_kill_loses_what_was_in_memory_and_nothing_else(otlp: Receiver, tmp_path: Path):
    soon = ["env", "OTEL_METRIC_EXPORT_INTERVAL=50", "OTEL_BSP_SCHEDULE_DELAY=50"]
    with served(otlp, "killed", [*soon, *_gunicorn()], tmp_path / "log") as process:
        (pid,) = {ask(process, f"/items/{at}") for at in range(REQUESTS)}
        everything = Counter({REQUESTS: 1})
        for count in ("spans", "exchanges", "requests"):
            wait_for(
                lambda count=count: (
                    Counter(getattr(otlp.left("killed"), count).values()) == everything
                ),
                process,
            )
        os.kill(int(pid), signal.SIGKILL)
        assert ask(process, "/items/1") != pid
    left = otlp.left("killed")

    assert by_count(left.spans) == [1, REQUESTS]
    assert left.exchanges == left.requests == left.spans


def answer_if_up(process: Process) -> str | None:
    try:
        return ask(process, "/items/1")
    except OSError:
        return None


def wait_for(done: Callable[[], Any], process: Process) -> Any:
    deadline = time.monotonic() + 60
    while not (found := done()):
        assert time.monotonic() < deadline, process.tail()
        time.sleep(0.05)
    return found
