"""The classes for many processes, behind real servers: exact sums, whoever is killed."""

import os
import re
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.servers.serving import BIN, PATIENCE, Process, environment, serving, uwsgi

pytestmark = pytest.mark.e2e

APPS = Path(__file__).parent / "apps"
REQUESTS = 12


def _gunicorn(*more: str) -> list[str | Path]:
    return [BIN / "gunicorn", "--bind", "127.0.0.1:{port}", "-w", "2", *more]


IN_THE_APP = {
    "gunicorn": _gunicorn("many_in_app:app"),
    "gunicorn-preload": _gunicorn("--preload", "many_in_app:app"),
}
ON_A_PORT = {
    "gunicorn": _gunicorn("-c", "python:gunicorn_hooks", "many_on_a_port:app"),
    "uwsgi": uwsgi(
        "--processes", "2", "--env", "UWSGI=1", "--enable-threads", "--module", "many_on_a_port:app"
    ),
}


class Served:
    """An app and where its metrics are."""

    def __init__(self, process: Process, metrics: str) -> None:
        self.process = process
        self._metrics = metrics
        self.directory = process.log.parent / "metrics"

    def ask(self, times: int) -> set[int]:
        """Ask for items; give the workers that answered."""
        url = f"http://127.0.0.1:{self.process.port}/items"
        return {int(read(url)) for _ in range(times)}

    def scrape(self) -> str:
        return read(self._metrics)

    def until_it_shows(self, name: str, expected: float) -> str:
        """Scrape until a metric's sum is what was sent; no scrape shows more."""
        deadline = time.monotonic() + PATIENCE
        while True:
            text = self.scrape()
            shown = total(text, name)
            assert shown <= expected
            if shown == expected:
                return text
            assert time.monotonic() < deadline, f"{text}\n{self.process.tail()}"
            time.sleep(0.02)

    def lose(self, worker: int) -> None:
        """Kill a worker, and wait until it is gone."""
        os.kill(worker, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{worker}/cmdline").exists() or is_zombie(worker))


def is_zombie(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def read(url: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return answer.read().decode()
        except OSError:  # the worker that was to answer has been killed, or none listens yet
            assert time.monotonic() < deadline
            time.sleep(0.05)


def total(text: str, name: str) -> float:
    return sum(map(float, re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)))


@contextmanager
def served(command: list[str | Path], directory: Path, metrics_port: int = 0) -> Iterator[Served]:
    metrics = directory / "metrics"
    metrics.mkdir(0o700)
    env = environment(PROMETHEUS_MULTIPROC_DIR=str(metrics), METRICS_PORT=str(metrics_port))
    env["PYTHONPATH"] += os.pathsep + str(APPS)
    with serving(command, directory / "log", env, directory=APPS) as process:
        yield Served(process, f"http://127.0.0.1:{metrics_port or process.port}/metrics")


@pytest.mark.row(73, 76, 77)
@pytest.mark.parametrize("command", IN_THE_APP.values(), ids=IN_THE_APP)
def test_a_scrape_of_any_worker_shows_the_sum_of_all_and_no_kill_lowers_it(command, tmp_path):
    with served(command, tmp_path) as app:
        workers = app.ask(REQUESTS)
        text = app.until_it_shows("items_total", REQUESTS)
        app.until_it_shows("flask_http_request_total", REQUESTS)
        assert text.count("\nflask_exporter_info{") == 1
        assert text.count("\napp_info{") == 1
        assert total(text, "busy") == 0

        app.lose(workers.pop())
        assert total(app.scrape(), "items_total") == REQUESTS
        app.ask(REQUESTS)
        app.until_it_shows("items_total", 2 * REQUESTS)
        files = {path.name for path in app.directory.iterdir()}
        assert not {name for name in files if name.endswith(".db")}
        assert len(files) <= 12


@pytest.mark.row(74, 75, 76)
@pytest.mark.parametrize(
    "server", ["gunicorn", pytest.param("uwsgi", marks=pytest.mark.needs("uwsgi"))]
)
def test_one_process_shows_the_sum_of_all_on_a_port(server, tmp_path):
    with served(ON_A_PORT[server], tmp_path, free_port()) as app:
        workers = app.ask(REQUESTS)
        app.until_it_shows("items_total", REQUESTS)
        app.until_it_shows("flask_http_request_total", REQUESTS)

        app.lose(workers.pop())
        app.ask(REQUESTS)
        app.until_it_shows("items_total", 2 * REQUESTS)
