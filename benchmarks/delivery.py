"""How many exchanges a second an exporter delivers: `python -m benchmarks.delivery`.

A process of its own takes what comes and counts. What is handed on is what a JSON API records: a
request and an answer of 1 KiB each, ten headers. Nothing may be lost.
"""

import argparse
import gzip
import multiprocessing
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final

from otel_apimetrics import health
from otel_apimetrics.exchange import Body, Consumer, Exchange, Request, Response
from otel_apimetrics.exporters.delivery import DeliveryQueue

_BODY: Final = '{"items": [' + ", ".join(f'{{"id": {n}, "name": "x{n}"}}' for n in range(40)) + "]}"
_HEADERS: Final = tuple((f"x-header-{n}", f"value {n}") for n in range(10))
_TICKS: Final = 50
"""Bursts a second."""


def _moesif(url: str) -> Any:
    from otel_apimetrics.exporters.moesif import MoesifSpanExporter

    return MoesifSpanExporter(application_id="app", base_uri=url)


def _metlo(url: str) -> Any:
    from otel_apimetrics.exporters.metlo import MetloSpanExporter

    return MetloSpanExporter(host=url, api_key="key")


def _readme(url: str) -> Any:
    from otel_apimetrics.exporters.readme import ReadMeSpanExporter

    return ReadMeSpanExporter(api_key="key", url=url)


VENDORS: Final[dict[str, tuple[Callable[[str], Any], bytes]]] = {
    "moesif": (_moesif, b'"transaction_id"'),
    "metlo": (_metlo, b'"metloSource"'),
    "readme": (_readme, b'"clientIPAddress"'),
}
"""How an exporter is made, and what stands once in each of its events."""


def main(arguments: list[str] | None = None) -> None:
    """Measure and print a line an exporter."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("vendors", nargs="*", default=list(VENDORS), metavar="VENDOR")
    parser.add_argument("--seconds", type=float, default=20.0, help="default 20")
    parser.add_argument("--rate", type=int, default=3_000, help="exchanges a second; default 3000")
    asked = parser.parse_args(arguments)
    for vendor in asked.vendors:
        print(measure(vendor, asked.seconds, asked.rate), flush=True)


def measure(vendor: str, seconds: float, rate: int) -> str:
    """Hand exchanges to one exporter at a steady rate, and tell what arrived."""
    make, marker = VENDORS[vendor]
    ours, theirs = multiprocessing.Pipe()
    sink = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, marker))
    sink.start()
    port = ours.recv()
    exporter = make(f"http://127.0.0.1:{port}")
    queue = DeliveryQueue(vendor, exporter.export_exchanges, counts=False)
    began, worked = time.monotonic(), time.process_time()
    handed = 0
    for tick in range(int(seconds * _TICKS)):
        for _ in range(rate // _TICKS):
            queue.accept(_exchange(handed))
            handed += 1
        left = began + (tick + 1) / _TICKS - time.monotonic()
        if left > 0:
            time.sleep(left)
    took = time.monotonic() - began
    queue.flush(30)
    worked = time.process_time() - worked
    ours.send(None)
    arrived = ours.recv()
    sink.join(10)
    queue.close()
    return (
        f"{vendor}: {handed} handed on in {took:.1f} s ({handed / took:.0f} a second),"
        f" {arrived} arrived, {handed - arrived} lost,"
        f" {worked / handed * 1e6:.0f} us of CPU an exchange;"
        f" {health.counts('dropped') or 'no drops'}"
    )


def _exchange(number: int) -> Exchange:
    body = Body(content=_BODY, size=len(_BODY))
    return Exchange(
        id=f"{number:032x}",
        request=Request(
            method="POST", host="api.example", path=f"/items/{number}", route="/items/{item}",
            query="page=2", headers=_HEADERS, body=body, client_address="192.0.2.7",
            client_port=4711,
        ),
        response=Response(status=200, headers=_HEADERS, body=body),
        started_ns=time.time_ns(),
        duration_ns=1_000_000,
        consumer=Consumer(id=f"consumer-{number % 50}"),
    )  # fmt: skip


def serve(pipe: Connection, marker: bytes) -> None:
    """Take requests on one connection after the other, and count the events."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    pipe.send(listener.getsockname()[1])
    arrived = 0
    while not pipe.poll():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        connection.settimeout(0.5)
        with connection, connection.makefile("rb") as stream:
            while not pipe.poll():
                try:
                    body = _body(stream)
                except (TimeoutError, OSError):
                    break
                if body is None:
                    break
                arrived += body.count(marker)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
    pipe.send(arrived)


def _body(stream: Any) -> bytes | None:
    headers: dict[bytes, bytes] = {}
    if not stream.readline():
        return None
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    body: bytes = stream.read(int(headers.get(b"content-length", b"0")))
    return gzip.decompress(body) if headers.get(b"content-encoding") == b"gzip" else body


if __name__ == "__main__":
    main()
