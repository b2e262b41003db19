"""A client that sends a row as it stands and keeps every byte of the answer."""

from __future__ import annotations

import io
import re
import socket
import struct
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any

from tests.frameworks.cases.row import Leaves, Request, Row

PATIENCE = 90
"""Seconds without a byte after which the server is taken for dead."""
SWITCHING = 101
_DATE = re.compile(rb"(?i)(?<=\r\n)date: [^\r]*\r\n")
_CLOSE = ("Connection", b"close")
LEAVE = bytes([0x88, 0x82, 0, 0, 0, 0]) + (1001).to_bytes(2, "big")
"""The WebSocket frame that says the client goes away, masked with zeros."""


@dataclass(frozen=True)
class Received:
    """One response that came over a connection."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def talk(address: Any, row: Row) -> bytes:
    """Do on a connection what a row says, and give what came back without `Date`.

    Where the client leaves in mid-response that is the head alone: how much of an endless
    body arrives is chance.

    Args:
        address: of a TCP server (host and port) or of a UNIX socket (its path).
        row: what to send.
    """
    with _connect(address) as connection:
        for index, request in enumerate(row.requests):
            _send(connection, row, index, request)
        if row.leaves is Leaves.IN_REQUEST:
            connection.shutdown(socket.SHUT_WR)
        if row.leaves is Leaves.IN_RESPONSE:
            head = _until(connection, rb"\r\n\r\n.*?first")
            # Reset, so that the server sees it at its next write.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return _DATE.sub(b"", head.partition(b"\r\n\r\n")[0] + b"\r\n")
        received = _web_socket(connection, row) if row.is_web_socket else b""
        received += _until(connection, None)
    return _DATE.sub(b"", received)


def _connect(address: Any) -> socket.socket:
    if isinstance(address, str):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        connection.connect(address)
        return connection
    return socket.create_connection(address, timeout=PATIENCE)


def _send(connection: socket.socket, row: Row, index: int, request: Request) -> None:
    more = [row.traceparent(index)]
    if request is row.requests[-1] and not row.is_web_socket:
        more.append(_CLOSE)
    head = request.head(*more)
    if not row.waits:
        connection.sendall(head + request.wire_body)
        return
    connection.sendall(head)
    # Peeked, not taken: it belongs to what is compared.
    if b" 100 " in _peek_line(connection):
        connection.sendall(request.wire_body)


def _peek_line(connection: socket.socket) -> bytes:
    while True:
        seen = connection.recv(4096, socket.MSG_PEEK)
        if not seen or b"\r\n" in seen:
            return seen.partition(b"\r\n")[0]


def _web_socket(connection: socket.socket, row: Row) -> bytes:
    """Send the frames to a server that switches, and answer the close that it begins."""
    received = _until(connection, rb"\r\n\r\n")
    if not received.startswith(b"HTTP/1.1 101"):
        return received
    for frame in row.frames:
        connection.sendall(frame)
        if frame != LEAVE:
            received += _until(connection, re.escape(frame[6:]) + b"|\x88")
    if row.frames and row.frames[-1] != LEAVE:
        connection.sendall(LEAVE)
    return received


def _until(connection: socket.socket, end: bytes | None) -> bytes:
    received = b""
    while end is None or not re.search(end, received, re.DOTALL):
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            break  # all of the answer came before; the server had not read all of the request
        if not more:
            break
        received += more
    return received


def responses(received: bytes, row: Row) -> list[Received]:
    """Read the final responses out of what came over a connection."""
    stream = _Connection(received)
    found: list[Received] = []
    for request in row.requests:
        response = _final(stream, request.method)
        if response is None:
            break
        body = b"" if response.status == SWITCHING else _read(response)
        found.append(Received(response.status, tuple(response.getheaders()), body))
    return found


def _final(stream: _Connection, method: str) -> HTTPResponse | None:
    while True:
        response = HTTPResponse(stream, method=method)  # type: ignore[arg-type]
        try:
            response.begin()
        except HTTPException:
            return None
        if response.status >= 200 or response.status == SWITCHING:
            return response


def _read(response: HTTPResponse) -> bytes:
    body = b""
    try:
        while piece := response.read1(65536):
            body += piece
    except HTTPException:
        pass  # the server has cut it off
    return body


class _Connection(io.BytesIO):
    """Bytes that `HTTPResponse` takes for a connection which stays open after a response."""

    def makefile(self, *_mode: Any) -> _Connection:
        return self

    def close(self) -> None:
        """Stay open: the next response follows."""
