"""A backend that answers a byte at a time, for as long as it is there."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Event, Thread

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


class Trickle:
    """Answers every request with `begins`, and then a byte every fiftieth of a second.

    Args:
        begins: what is sent at once.
        reads: whether it reads requests at all.
    """

    def __init__(self, begins: bytes, *, reads: bool = True) -> None:
        self.requests = 0
        self._begins = begins
        self._reads = reads
        self._changed = Condition()
        self._over = Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._accepting = Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def wait_for(self, number: int, seconds: float = 20.0) -> None:
        """Return once so many requests have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.requests >= number, seconds)

    def close(self) -> None:
        self._over.set()
        # Wakes the thread, which would else wait on, under a number that another socket gets.
        self._server.shutdown(socket.SHUT_RDWR)
        self._accepting.join(20)
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                Thread(target=self._serve, args=(self._server.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if self._reads:
                client.recv(65_536)
            with self._changed:
                self.requests += 1
                self._changed.notify_all()
            client.sendall(self._begins)
            while not self._over.wait(0.02) and self._reads:
                client.sendall(b"x")
            self._over.wait(60)


@contextmanager
def trickle(begins: bytes, *, reads: bool = True) -> Iterator[Trickle]:
    made = Trickle(begins, reads=reads)
    try:
        yield made
    finally:
        made.close()
