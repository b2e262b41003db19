"""How many exchanges a second an exporter delivers: `python -m benchmarks.delivery`.

Three processes: one generates load at a steady rate, one makes records of it and hands them on to
the exporter, as an app does, and one takes what the exporter sends and counts it. A record is that
of a JSON API: a request and an answer of 1 KiB each, ten headers. Nothing may be lost.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

from benchmarks.delivery_sink import serve
from otel_apimetrics import health
from otel_apimetrics.exchange import Body, Consumer, Exchange, Request, Response
from otel_apimetrics.exporters.delivery import DeliveryQueue

_BODY: Final = ", ".join(f'{{"id": {n}, "name": "x{n}"}}' for n in range(40))
_HEADERS: Final = (
    ("content-type", "application/json"),
    *((f"x-header-{n}", f"value {n}") for n in range(9)),
)
_TICKS: Final = 50
"""Bursts a second."""
_ALL: Final = {
    "capture_request_headers": True,
    "capture_request_body": True,
    "capture_response_body": True,
}
_spawn: Final = multiprocessing.get_context("spawn")


def _moesif(url: str) -> Any:
    from otel_apimetrics.exporters.moesif import MoesifSpanExporter

    return MoesifSpanExporter(application_id="app", base_uri=url)


def _metlo(url: str) -> Any:
    from otel_apimetrics.exporters.metlo import MetloSpanExporter

    return MetloSpanExporter(host=url, api_key="key")


def _readme(url: str) -> Any:
    from otel_apimetrics.exporters.readme import ReadMeSpanExporter

    return ReadMeSpanExporter(api_key="key", url=url)


def _apitally(url: str) -> Any:
    from otel_apimetrics.exporters.apitally import ApitallySpanExporter

    return ApitallySpanExporter(endpoint=url, write_token="apt_" + "a" * 24, **_ALL)


def _apitally_hub(url: str) -> Any:
    from otel_apimetrics.exporters.apitally import ApitallySpanExporter

    account = "00000000-0000-4000-8000-000000000000"
    return ApitallySpanExporter(endpoint=url, client_id=account, request_logs=True, **_ALL)


VENDORS: Final[dict[str, tuple[Callable[[str], Any], bytes]]] = {
    "moesif": (_moesif, b'"transaction_id"'),
    "metlo": (_metlo, b'"metloSource"'),
    "readme": (_readme, b'"clientIPAddress"'),
    "apitally": (_apitally, b"http.route"),
    "apitally-hub": (_apitally_hub, b'"status_code"'),
}
"""How an exporter is made, and what stands once in each of its events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run has found."""

    vendor: str
    handed: int
    seconds: float
    """From the first exchange to the last."""
    arrived: int
    """Events, each of one exchange."""
    counted: int | None
    """Exchanges in the counts that arrived; `None` where the vendor is sent none."""
    cpu: float
    """Seconds, of the process that hands on and exports."""
    handing: float
    """Seconds of these on the thread that hands on: to read load off a pipe and to make records."""
    waiting: int
    """Exchanges in the queue, at most."""
    drops: dict[tuple[str, str], int]

    @property
    def lost(self) -> int:
        """Exchanges that are missing among the events, or among the counts."""
        return self.handed - min(
            self.arrived, self.arrived if self.counted is None else self.counted
        )

    def __str__(self) -> str:
        counts = "" if self.counted is None else f" and {self.counted} in counts"
        exported = (self.cpu - self.handing) / self.handed * 1e6
        return (
            f"{self.vendor}: {self.handed} handed on in {self.seconds:.1f} s"
            f" ({self.handed / self.seconds:.0f} a second), {self.arrived} arrived{counts},"
            f" {self.lost} lost; {exported:.0f} us of CPU an exchange to export,"
            f" {self.handing / self.handed * 1e6:.0f} to hand on; {self.waiting} waiting at most;"
            f" {self.drops or 'no drops'}"
        )


def main(arguments: list[str] | None = None) -> int:
    """Measure and print a line an exporter; 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("vendors", nargs="*", default=list(VENDORS), metavar="VENDOR")
    parser.add_argument("--seconds", type=float, default=20.0, help="default 20")
    parser.add_argument("--rate", type=int, default=3_000, help="exchanges a second; default 3000")
    asked = parser.parse_args(arguments)
    lost = 0
    for vendor in asked.vendors:
        found = measure(vendor, asked.seconds, asked.rate)
        print(found, flush=True)
        lost += found.lost
    return 1 if lost else 0


def measure(vendor: str, seconds: float, rate: int) -> Found:
    """Hand exchanges to one exporter at a steady rate, and tell what arrived."""
    make, marker = VENDORS[vendor]
    sink, at_sink = _spawn.Pipe()
    source, at_source = _spawn.Pipe()
    processes = [
        _spawn.Process(target=serve, args=(at_sink, marker), daemon=True),
        _spawn.Process(target=generate, args=(at_source, seconds, rate), daemon=True),
    ]
    for process in processes:
        process.start()
    for theirs in (at_sink, at_source):
        theirs.close()  # so that a process that fails ends what it is listened to by
    health.forget()
    exporter = make(f"http://127.0.0.1:{sink.recv()}")
    queue = DeliveryQueue(vendor, exporter.export_exchanges, counts=False)
    source.recv()  # it is ready
    source.send(None)
    began, worked, handed_by = time.monotonic(), time.process_time(), time.thread_time()
    handed = waiting = 0
    while burst := source.recv():
        for load in burst:
            queue.accept(_exchange(*load))
        handed += len(burst)
        waiting = max(waiting, len(queue._waiting))
    took, handing = time.monotonic() - began, time.thread_time() - handed_by
    queue.flush(30)
    exporter.force_flush()
    worked = time.process_time() - worked
    queue.close()
    exporter.shutdown()
    sink.send(None)
    arrived, counted = sink.recv()
    for process in processes:
        process.join(10)
    return Found(
        vendor=vendor, handed=handed, seconds=took, arrived=arrived, counted=counted,
        cpu=worked, handing=handing, waiting=waiting, drops=health.counts("dropped"),
    )  # fmt: skip


def generate(pipe: Connection, seconds: float, rate: int) -> None:
    """Send bursts of load when they are due, and an empty one at the end."""
    pipe.send(None)
    pipe.recv()
    began = time.monotonic()
    ticks = int(seconds * _TICKS)
    for tick in range(ticks):
        first, end = (round(at * rate / _TICKS) for at in (tick, tick + 1))
        pipe.send([_load(number) for number in range(first, end)])
        left = began + (tick + 1) / _TICKS - time.monotonic()
        if left > 0:
            time.sleep(left)
    pipe.send([])


def _load(number: int) -> tuple[int, int, str]:
    return number, time.time_ns(), f'{{"page": {number}, "items": [{_BODY}]}}'


def _exchange(number: int, started_ns: int, content: str) -> Exchange:
    body = Body(content=content, size=len(content))
    return Exchange(
        id=f"{number:032x}",
        request=Request(
            method="POST", host="api.example", path=f"/items/{number}", route="/items/{item}",
            query="page=2", headers=_HEADERS, body=body, client_address="192.0.2.7",
            client_port=4711,
        ),
        response=Response(status=200, headers=_HEADERS, body=body),
        started_ns=started_ns,
        duration_ns=1_000_000,
        consumer=Consumer(id=f"consumer-{number % 50}"),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
