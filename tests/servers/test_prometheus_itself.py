"""A real Prometheus scrapes a server whose workers are killed: no counter falls, none is lost."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from tests.grafana.prometheus_server import Prometheus, prometheus
from tests.servers.serving import BIN, Process, environment, serving
from tests.servers.test_prometheus_workers import APPS, TOTAL, ask, until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("prometheus")]

COUNTERS = (
    TOTAL,
    "apimetrics_request_duration_seconds_count",
    "apimetrics_request_duration_seconds_sum",
    "apimetrics_request_duration_seconds_bucket",
    "mine_total",
    "process_cpu_seconds_total",
    "python_gc_collections_total",
)
GUNICORN = [
    BIN / "gunicorn", "--bind", "127.0.0.1:{port}", "-w", "3", "--preload",
    "-k", "gthread", "--threads", "2", "scraped_wsgi:app",
]  # fmt: skip
SECONDS = 60
"""From the first sample that it has to the last."""
FEWEST = 15
"""Samples: a machine that is busy with other things scrapes late."""


class Load:
    """Clients that ask one request after another, until they are stopped."""

    def __init__(self, process: Process, clients: int) -> None:
        self.process = process
        self.answered = 0
        self.failed = 0
        self._lock = threading.Lock()
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._asking = 0
        self._idle = threading.Condition(self._lock)
        self._ended = False
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No request is on its way in the block."""
        self._goes_on.clear()
        with self._idle:
            self._idle.wait_for(lambda: self._asking == 0)
        yield
        self._goes_on.set()

    def more(self, number: int) -> None:
        """Wait for so many more answers."""
        wanted = self.answered + number
        until(lambda: self.answered >= wanted, self.process)

    def end(self) -> None:
        self._ended = True
        self._goes_on.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._ended:
            self._goes_on.wait()
            with self._lock:
                if not self._goes_on.is_set():
                    continue
                self._asking += 1
            try:
                ask(self.process, "/items/1")
                done = True
            except (OSError, http.client.HTTPException):
                done = False
            with self._lock:
                self._asking -= 1
                self.answered += done
                self.failed += not done
                self._idle.notify_all()
            time.sleep(0.005)  # a steady load, not the most that this machine can do


def test_no_counter_falls_and_none_is_lost_while_workers_are_killed(tmp_path: Path):
    env = environment(
        GATES=str(tmp_path), OTEL_EXPORTER_PROMETHEUS_DIRECTORY=str(tmp_path / "workers")
    )
    env["PYTHONPATH"] += os.pathsep + str(APPS)
    with serving(GUNICORN, tmp_path / "log", env, directory=APPS) as app:
        scraped = {
            "job_name": "app",
            "metrics_path": "/metrics/",
            "static_configs": [{"targets": [f"127.0.0.1:{app.port}"]}],
        }
        with prometheus(tmp_path, scraped) as server:
            load = Load(app, clients=3)
            try:
                for number in cycle((signal.SIGKILL, signal.SIGTERM)):
                    load.more(250)
                    _end_one(number, app, load, server)
                    if _seconds(server) >= SECONDS:
                        break
                with load.paused():
                    assert load.failed == 0
                    _until_shown(load.answered, server)
                shown = load.answered

                # These lose what they have counted since they told last, and nothing else.
                for _ in range(2):
                    load.more(250)
                    os.kill(_workers(app)[-1], signal.SIGKILL)
                before = load.answered
                load.more(250)
            finally:
                load.end()
            server.wait(TOTAL, lambda values: sum(values) >= shown + load.answered - before)
            for name in COUNTERS:
                _never_falls(name, server)
            assert value(TOTAL, server) <= load.answered + load.failed
    assert "swallowed" not in app.log.read_text()


def _end_one(number: int, app: Process, load: Load, server: Prometheus) -> None:
    if number == signal.SIGTERM:  # it finishes its requests, and tells for the last time
        os.kill(_workers(app)[0], number)
        return
    with load.paused():
        _until_shown(load.answered, server)
        os.kill(_workers(app)[0], number)


def _until_shown(total: int, server: Prometheus) -> None:
    server.wait(TOTAL, lambda values: sum(values) >= total)
    assert value(TOTAL, server) == total


def value(query: str, server: Prometheus) -> float:
    return sum(float(one["values"][0][1]) for one in server.instant(query))


def _workers(app: Process) -> list[int]:
    children = Path(f"/proc/{app.pid}/task/{app.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def _seconds(server: Prometheus) -> float:
    """Give how long it has scraped, by what it has."""
    found = server.ask("query", query=f"{TOTAL}[1h]")["result"]
    times = [float(time) for series in found for time, _ in series["values"]]
    return max(times, default=0.0) - min(times, default=0.0)


def _never_falls(name: str, server: Prometheus) -> None:
    found = server.ask("query", query=f"{name}[1h]")["result"]
    assert max(len(series["values"]) for series in found) >= FEWEST, name
    for series in found:
        values = [float(one) for _, one in series["values"]]
        assert values == sorted(values), (name, series)
    assert value(f"resets({name}[1h])", server) == 0, name
    for series in server.over_time(f"rate({name}[5s])"):
        assert min(float(one) for _, one in series["values"]) >= 0
