"""The bytes of a body as they pass: all counted, the first few kept, within one bound for all."""

import os
from typing import Final

from otel_apimetrics._guard import warn_once

MOST_IN_FLIGHT: Final = 64 * 1024 * 1024
"""Bytes that the bodies of all requests in flight may keep together, in one process."""

_PER_CHUNK: Final = 64
"""Bytes of memory that a kept chunk takes besides its content."""


class Ledger:
    """What the buffers of this process keep at this moment.

    It has no lock: one that another thread held at a fork would stop the child. An addition
    calls nothing, so the interpreter changes threads before or after it.

    Attributes:
        held: bytes.
    """

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0


_ledger = Ledger()


def in_flight() -> int:
    """Give the bytes that the bodies of all requests in flight keep."""
    return _ledger.held


def forget() -> None:
    """Begin a ledger for a forked child; what the parent's buffers kept is not the child's."""
    global _ledger  # noqa: PLW0603  one ledger a process
    _ledger = Ledger()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget)


class BodyBuffer:
    """Count a body's bytes and keep the first `limit` of them.

    `write` runs once a chunk of every body, a download of a gibibyte too: once full, or with
    a limit of 0, it only adds. One request owns a buffer; it has no lock. Where all buffers
    together would pass `MOST_IN_FLIGHT`, it lets go of what it kept and only counts. Whoever
    owns it calls `clear` at the end.

    Attributes:
        size: bytes written so far, kept or not.
    """

    __slots__ = ("_chunks", "_ledger", "_room", "_taken", "size")

    def __init__(self, limit: int) -> None:
        self.size = 0
        self._room = max(limit, 0)
        self._chunks: list[bytes] = []
        self._ledger = _ledger
        self._taken = 0

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the body.

        Args:
            chunk: what the app or its server passed on. `bytes` are kept by reference; a
                `bytearray` or a `memoryview` is copied, because its owner may write to it again.
        """
        room = self._room
        # The length of a memoryview counts items, which need not be bytes.
        length = len(chunk) if type(chunk) is bytes else memoryview(chunk).nbytes
        self.size += length
        if room and length:
            kept = (chunk if type(chunk) is bytes else _copy(memoryview(chunk), room))[:room]
            length = len(kept)
            ledger, taken = self._ledger, length + _PER_CHUNK
            if ledger.held + taken > MOST_IN_FLIGHT:
                self._give_up()
                return
            ledger.held += taken
            self._taken += taken
            self._chunks.append(kept)
            self._room = room - length

    @property
    def data(self) -> bytes:
        """The kept bytes, joined once."""
        if len(self._chunks) != 1:
            self._chunks = [b"".join(self._chunks)]
        return self._chunks[0]

    @property
    def truncated(self) -> bool:
        """True where `data` is shorter than what was written."""
        return self.size > sum(map(len, self._chunks))

    def clear(self) -> None:
        """Free what was kept and keep nothing more; `size` goes on counting."""
        self._room = 0
        self._chunks = []
        taken, self._taken = self._taken, 0
        self._ledger.held -= taken

    def _give_up(self) -> None:
        self.clear()
        warn_once(
            "content.in_flight",
            "The requests in flight keep %d MiB of bodies: further ones are recorded by their"
            " size alone. Lower max_body_size, or capture less.",
            MOST_IN_FLIGHT // (1024 * 1024),
        )


def _copy(view: memoryview, room: int) -> bytes:
    # Only one dimension can be sliced; the first `room` items hold at least `room` bytes.
    return bytes(view[:room]) if view.ndim == 1 else view.tobytes()
