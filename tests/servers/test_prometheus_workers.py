"""A scrape of any worker shows what all of them have counted, whoever is killed."""

from __future__ import annotations

import http.client
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics.prometheus import PrometheusReader
from tests.ports import free_port
from tests.servers.serving import BIN, PATIENCE, Process, environment, serving, uwsgi

pytestmark = pytest.mark.e2e

APPS = Path(__file__).parent / "apps"
REQUESTS = 20
TOTAL = "apimetrics_requests_total"
IN_FLIGHT = "apimetrics_active_requests"


def _gunicorn(*more: str, app: str = "scraped_wsgi:app") -> list[str | Path]:
    return [BIN / "gunicorn", "--bind", "127.0.0.1:{port}", "-w", "2", *more, app]


def _uwsgi(*more: str) -> list[str | Path]:
    return uwsgi("--processes", "2", *more, "--module", "scraped_wsgi:app")


SERVERS = {
    "gunicorn-sync": _gunicorn(),
    "gunicorn-preload": _gunicorn("--preload"),
    "gunicorn-gthread": _gunicorn("-k", "gthread", "--threads", "2"),
    "gunicorn-gevent": _gunicorn("-k", "gevent"),
    "gunicorn-gevent-preload": _gunicorn("-k", "gevent", "--preload"),
    "uwsgi-prefork": _uwsgi(),
    "uwsgi-lazy-apps": _uwsgi("--lazy-apps"),
    "uwsgi-threads": _uwsgi("--threads", "2", "--enable-threads"),
    "gunicorn-asgi-preload": _gunicorn("-k", "asgi", "--preload", app="scraped_asgi:app"),
    "uvicorn-workers": [
        BIN / "uvicorn", "--port", "{port}", "--workers", "2", "scraped_asgi:app",
    ],
}  # fmt: skip
# There prometheus_client keeps the app's own metrics in files, by a mode of its own.
WITH_FILES_OF_PROMETHEUS_CLIENT = {"gunicorn-gthread"}
LOADED_ONCE = {
    "gunicorn-preload",
    "gunicorn-asgi-preload",
    "gunicorn-gevent-preload",
    "uwsgi-prefork",
    "uwsgi-threads",
}


@dataclass
class Asked:
    """A server and what it was asked."""

    process: Process
    port: int = 0
    """For scrapes; 0: the app's."""
    starts: bool = False
    """The app counts the starts of workers."""
    answered: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        return sum(self.answered.values())

    def ask(self, times: int = 1) -> None:
        self.answered.update(ask(self.process, "/items/1") for _ in range(times))

    def scrape(self, name: str) -> float:
        text = ask(self.process, "/metrics" if self.port else "/metrics/", self.port)
        return value(text, name)

    def settle(self, times: int) -> None:
        """Scrape until so many scrapes have shown all; none shows more, or less than before.

        The client has its answer before it is counted, and a busy worker is told of as it was.
        """
        shown = [0.0]

        def is_settled() -> bool:
            shown.append(self.scrape(TOTAL))
            assert shown[-2] <= shown[-1] <= self.sent
            return shown.count(self.sent) >= times

        until(is_settled, self.process)


def ask(process: Process, path: str, port: int = 0) -> str:
    address = process.address[0], port or process.port
    with closing(http.client.HTTPConnection(*address, timeout=60)) as client:
        client.request("GET", path, headers={"Connection": "close"})
        response = client.getresponse()
        assert response.status == 200, process.tail()
        return response.read().decode()


def value(text: str, name: str) -> float:
    found = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))


def until(found: Callable[[], bool], process: Process) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, process.tail()
        time.sleep(0.02)


@contextmanager
def scraped(name: str, directory: Path) -> Iterator[Asked]:
    workers = directory / "workers"
    if name in WITH_FILES_OF_PROMETHEUS_CLIENT:
        workers.mkdir(0o700)
        variables = {"PROMETHEUS_MULTIPROC_DIR": str(workers)}
    else:
        variables = {"OTEL_EXPORTER_PROMETHEUS_DIRECTORY": str(workers)}
    env = environment(GATES=str(directory), **variables)
    env["PYTHONPATH"] += os.pathsep + str(APPS)
    with serving(SERVERS[name], directory / "log", env, directory=APPS) as process:
        yield Asked(process)
    assert "swallowed" not in process.log.read_text()


@pytest.fixture(scope="module")
def tried(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[tuple[Any, str], Future[None]]]:
    """Each server that is tried here, several at once: they wait most of their time."""
    chosen = {
        (item.callspec.params["story"], item.callspec.params["name"]): None
        for item in request.session.items
        if item.module is request.module and "tried" in item.fixturenames
    }
    with ThreadPoolExecutor(3) as pool:
        yield {
            (story, name): pool.submit(story, name, tmp_path_factory.mktemp(name))
            for story, name in chosen
        }


def _tries(story: Callable[[str, Path], None], names: Iterable[str]) -> pytest.MarkDecorator:
    """Have a test try a story on each server."""
    return pytest.mark.parametrize(
        ("story", "name"),
        [
            pytest.param(
                story, name, marks=pytest.mark.needs("uwsgi") if "uwsgi" in name else (), id=name
            )
            for name in names
        ],
    )


def _try_killing(name: str, directory: Path) -> None:
    with scraped(name, directory) as asked:
        asked.starts = SERVERS[name][-1] == "scraped_asgi:app"
        _kill_one(asked, directory, loaded=1 if name in LOADED_ONCE else 2)


@_tries(_try_killing, SERVERS)
def test_every_worker_shows_all_requests_also_of_those_that_were_killed(
    story: object, name: str, tried: dict[tuple[Any, str], Future[None]]
):
    tried[story, name].result()


def _kill_one(asked: Asked, directory: Path, *, loaded: int) -> None:
    process = asked.process
    asked.ask(REQUESTS)
    until(lambda: asked.ask() or len(asked.answered) > 1, process)
    asked.settle(6)
    assert asked.scrape("loaded_total") == loaded
    until(lambda: asked.scrape("mine_total") == asked.sent, process)
    assert asked.scrape("python_info") == 1
    assert asked.scrape("started_total") == 2 * asked.starts

    # One is in the middle of a request: it still tells, and what it had counted stays.
    gate = directory / "gate"
    gate.touch()
    with ThreadPoolExecutor() as pool, suppress(OSError, http.client.HTTPException):
        held = pool.submit(ask, process, "/held/gate")
        try:
            until(gate.with_suffix(".pid").exists, process)
            until(lambda: gate.with_suffix(".pid").read_text() != "", process)
            victim = int(gate.with_suffix(".pid").read_text())
            asked.ask(3)
            until(lambda: asked.scrape(IN_FLIGHT) == 1, process)
            asked.settle(2)
            assert f'pid="{victim}"' in ask(process, "/metrics/")
            os.kill(victim, signal.SIGKILL)
        finally:
            gate.unlink()
        held.result()
    until(lambda: not _lives(victim), process)
    assert asked.scrape(TOTAL) == asked.sent
    until(lambda: asked.scrape(IN_FLIGHT) == 0, process)
    assert f'pid="{victim}"' not in ask(process, "/metrics/")

    # Another takes its place; uWSGI forgets one that is not up yet when it ends.
    until(lambda: asked.ask() or len(asked.answered) > 2, process)
    asked.settle(4)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_what_workers_had_counted_at_their_end_is_there_afterwards(tmp_path: Path):
    with scraped("gunicorn-sync", tmp_path) as asked:
        asked.ask(REQUESTS)
    reader = PrometheusReader(registry=CollectorRegistry(), directory=tmp_path / "workers")
    provider = MeterProvider([reader])
    try:
        assert value(reader.scrape().body.decode(), TOTAL) == REQUESTS
        (ended,) = (tmp_path / "workers").glob("ended-*")
        assert len(list((tmp_path / "workers").iterdir())) == 5, "its own three, and one lock"
        assert ended.stat().st_size > 0
    finally:
        provider.shutdown()


BY_NAME = {
    "gunicorn": [BIN / "gunicorn", "--bind", "127.0.0.1:{port}", "-w", "2", "counted_wsgi:app"],
    "uwsgi-prefork": uwsgi("--processes", "2", "--module", "counted_wsgi:app"),
    "uvicorn-workers": [
        BIN / "uvicorn", "--port", "{port}", "--workers", "2", "counted_asgi:app",
    ],
}  # fmt: skip


def _try_by_name(name: str, directory: Path) -> None:
    temporary = directory / "tmp"
    temporary.mkdir()
    port = free_port()
    env = environment(
        OTEL_METRICS_EXPORTER="apimetrics_prometheus",
        OTEL_TRACES_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
        OTEL_EXPORTER_PROMETHEUS_PORT=str(port),
        TMPDIR=str(temporary),
    )
    env["PYTHONPATH"] += os.pathsep + str(APPS)
    command = [BIN / "opentelemetry-instrument", *BY_NAME[name]]
    with serving(command, directory / "log", env, directory=APPS) as process:
        asked = Asked(process, port=port)
        asked.ask(REQUESTS)
        until(lambda: asked.ask() or len(asked.answered) > 1, process)
        asked.settle(3)
    log = process.log.read_text()
    assert "ddress already in use" not in log
    assert "swallowed" not in log
    # Neither uWSGI's master nor uvicorn's processes run handlers at their end.
    assert len(list(temporary.glob("otel-apimetrics-*"))) == (name != "gunicorn")


@_tries(_try_by_name, BY_NAME)
def test_by_its_name_one_process_has_the_port_and_shows_all_of_them(
    story: object, name: str, tried: dict[tuple[Any, str], Future[None]]
):
    tried[story, name].result()
