"""A client of HTTP/2 without TLS that keeps what it is told, in order."""

from __future__ import annotations

import socket
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

REQUESTS: tuple[tuple[str, str, bytes], ...] = (
    ("GET", "/text", b""),
    ("POST", "/echo", b"said over http/2"),
    ("GET", "/say/events", b""),
    ("GET", "/say/twice", b""),
    ("GET", "/odd/hints", b""),
    ("GET", "/odd/trailers", b""),
    ("GET", "/file", b""),
)
"""Method, path and body: each on a stream of its own of one connection. No HEAD: Granian sends
what the app says then, and h2 refuses that."""


def talk(address: tuple[str, int], trace_id: str) -> dict[int, list[Any]]:
    """Send all requests at once, and give what came back by stream; `Date` is left out."""
    connection = H2Connection(H2Configuration(header_encoding="utf-8"))
    said: dict[int, list[Any]] = {}
    with socket.create_connection(address, timeout=30) as client:
        connection.initiate_connection()
        for index, (method, path, body) in enumerate(REQUESTS):
            _ask(connection, 2 * index + 1, method, path, body, trace_id)
            said[2 * index + 1] = [b""]
        client.sendall(connection.data_to_send())
        ended: set[int] = set()
        while len(ended) < len(REQUESTS):
            data = client.recv(65536)
            assert data, f"closed before the end: {said}"
            for event in connection.receive_data(data):
                if isinstance(event, StreamEnded | StreamReset):
                    ended.add(event.stream_id)
                _note(connection, event, said)
            client.sendall(connection.data_to_send())
    return said


def _ask(
    connection: H2Connection, stream: int, method: str, path: str, body: bytes, trace_id: str
) -> None:
    headers = [
        (":method", method),
        (":scheme", "http"),
        (":authority", "api.example"),
        (":path", path),
        ("content-type", "text/plain; charset=utf-8"),
        ("traceparent", f"00-{trace_id}-{stream:016x}-01"),
    ]
    connection.send_headers(stream, headers, end_stream=not body)
    if body:
        connection.send_data(stream, body, end_stream=True)


def _note(connection: H2Connection, event: Any, said: dict[int, list[Any]]) -> None:
    if isinstance(event, DataReceived):
        connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        # Frames may be cut anywhere: what counts is what is in them.
        said[event.stream_id][0] += event.data
    elif isinstance(event, InformationalResponseReceived | ResponseReceived | TrailersReceived):
        headers = [header for header in event.headers if header[0] != "date"]
        said[event.stream_id].append((type(event).__name__, headers))
    elif isinstance(event, StreamReset):
        said[event.stream_id].append("reset")
