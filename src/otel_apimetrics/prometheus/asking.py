"""Asking the other processes of an app what they have counted."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Final

from otel_apimetrics.prometheus.place import Place

LENGTH: Final = struct.Struct("!Q")
"""Before an answer. The end of a connection says nothing: a child that is forked meanwhile has
the connection too."""
_PATIENCE: Final = 0.25
"""Seconds for the processes to answer; what one told last stands for one that does not."""
_AT_LEAST: Final = 0.001
"""Seconds for one, though another has taken all: it may have answered long ago."""


def ask(place: Place, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Ask several processes at once; those that do not answer in time are left out."""
    deadline = time.monotonic() + _PATIENCE
    with ExitStack() as stack:
        asked = []
        for name in names:
            connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            connection.settimeout(_left(deadline))
            with suppress(OSError), place.address(name) as path:
                connection.connect(path)
                asked.append((name, connection))
        for name, connection in asked:
            with suppress(OSError):
                yield name, _received(connection, deadline)


def _received(connection: socket.socket, deadline: float) -> bytes:
    (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size, deadline))
    return _exactly(connection, length, deadline)


def _exactly(connection: socket.socket, length: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < length:
        connection.settimeout(_left(deadline))
        more = connection.recv(min(length - len(data), 1 << 18))
        if not more:
            raise ConnectionError("closed before its end")
        data += more
    return bytes(data)


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), _AT_LEAST)
