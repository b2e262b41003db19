"""A process that counts, is scraped and forks as it is told to, line by line."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import IO

from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics import forked
from otel_apimetrics.prometheus import PrometheusReader, collecting


class Counting:
    """One process; a child has what its parent had."""

    def __init__(self) -> None:
        self.reader: PrometheusReader | None = None
        self.counter = self.open = None

    def do(self, command: str, *arguments: str) -> str:
        return str(getattr(self, f"do_{command}")(*arguments))

    def do_meet(self, directory: str) -> int:
        self.reader = PrometheusReader(
            registry=CollectorRegistry(), target_info=False, created=False, directory=directory
        )
        meter = MeterProvider([self.reader]).get_meter("shop")
        self.counter = meter.create_counter("orders")
        self.open = meter.create_up_down_counter("open")
        return os.getpid()

    def do_count(self, number: str) -> int:
        forked.begin_process()
        self.counter.add(int(number))
        self.open.add(int(number))
        return 0

    def do_scrape(self) -> str:
        lines = self.reader.scrape().body.decode().splitlines()
        found = dict(line.split(" ") for line in lines if line[0] != "#")
        return f"{found.get('orders_total', 0)} {found.get('open', 0)}"

    def do_disk(self, state: str) -> int:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0 if state == "full" else most, most))
        return 0

    def do_shut(self) -> int:
        self.reader.shutdown()
        return 0

    def do_end(self) -> None:
        sys.exit()

    def do_fork(self, pipes: str, way: str) -> int:
        while way == "c" and collecting._collecting:
            time.sleep(0.001)  # uWSGI forks where no thread could hold a lock
        pid = ctypes.PyDLL(None).fork() if way == "c" else os.fork()
        if pid == 0:
            with Path(f"{pipes}.in").open() as commands, Path(f"{pipes}.out").open("w") as answers:
                run(self, commands, answers)
            sys.exit()
        return pid


def run(counting: Counting, commands: IO[str], answers: IO[str]) -> None:
    for line in iter(commands.readline, ""):
        print(counting.do(*line.split()), file=answers, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for children
    run(Counting(), sys.stdin, sys.stdout)
