"""Ports of loopback for the servers that tests start."""

import random
import socket

_PORTS = range(15_000, 32_000)
"""Below those that systems give to outgoing connections: one of these may take a port between the
time it was found free and the time a server listens on it."""

_given: set[int] = set()


def free_port() -> int:
    """Give a port that nobody listens on, and never the same one twice."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
