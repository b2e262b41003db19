"""Takes what an exporter delivers, on sockets that stay open, and counts the exchanges in it."""

import gzip
import json
import socket
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import IO, Final

_ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_DURATIONS: Final = "http.server.request.duration"


class Sink:
    """Counts, of any number of connections at once.

    Args:
        marker: stands once in each event.
    """

    def __init__(self, marker: bytes) -> None:
        self._marker: Final = marker
        self._lock: Final = Lock()
        self.arrived = 0
        self.counted: int | None = None

    def take(self, connection: socket.socket) -> None:
        """Answer one connection until the other side closes it."""
        with connection, connection.makefile("rb") as stream:
            while (request := _request(stream)) is not None:
                self._count(*request)
                connection.sendall(_ANSWER)

    def _count(self, path: str, body: bytes) -> None:
        counts = _counts(path, body)
        with self._lock:
            if counts is None:
                self.arrived += body.count(self._marker)
            else:
                self.counted = (self.counted or 0) + counts


def serve(pipe: Connection, marker: bytes) -> None:
    """Say the port; once asked, say how many exchanges came as events, and how many in counts."""
    sink = Sink(marker)
    listener = socket.create_server(("127.0.0.1", 0))
    Thread(target=_listen, args=(listener, sink), daemon=True).start()
    pipe.send(listener.getsockname()[1])
    pipe.recv()
    pipe.send((sink.arrived, sink.counted))


def _listen(listener: socket.socket, sink: Sink) -> None:
    while True:
        connection, _ = listener.accept()
        Thread(target=sink.take, args=(connection,), daemon=True).start()


def _request(stream: IO[bytes]) -> tuple[str, bytes] | None:
    line = stream.readline()
    if not line:
        return None
    headers: dict[bytes, bytes] = {}
    while (header := stream.readline().strip()) != b"":
        name, _, value = header.partition(b":")
        headers[name.lower()] = value.strip()
    path = line.split(b" ")[1].decode("ascii").partition("?")[0]
    body = stream.read(int(headers.get(b"content-length", b"0")))
    # Apitally's request logs are files of gzip, without a content-coding.
    return path, gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def _counts(path: str, body: bytes) -> int | None:
    """Give the exchanges in a message of counts; `None` for one of events."""
    if path.endswith("/sync"):
        return sum(each["request_count"] for each in json.loads(body)["requests"])
    return _durations(body) if path.endswith("/v1/metrics") else None


def _durations(body: bytes) -> int:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )

    told = ExportMetricsServiceRequest.FromString(body)
    return sum(
        point.count
        for resource in told.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == _DURATIONS
        for point in metric.exponential_histogram.data_points
    )
