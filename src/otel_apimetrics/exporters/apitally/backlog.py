"""What a lane has not delivered yet: all of it, up to a time and a number of bytes."""

from collections.abc import Callable, Sequence
from time import time_ns
from typing import ClassVar, Final

from otel_apimetrics import health
from otel_apimetrics.exporters.aside import Aside
from otel_apimetrics.exporters.parcel import Parcel

_ROOM: Final = 64 * 1024 * 1024
"""Bytes; past them the oldest parcels are dropped."""


class Backlog(Aside):
    """Parcels that wait in memory for a backend that is away.

    Args:
        keep: seconds after which a parcel is given up.
        dropped: counts exchanges that are given up, by reason.
    """

    is_for_all: ClassVar[bool] = True

    def __init__(self, keep: float, dropped: Callable[[str, int], object]) -> None:
        super().__init__()
        self._keep_ns: Final = int(keep * 1e9)
        self._dropped: Final = dropped

    def has_room(self, number: int) -> bool:  # noqa: ARG002
        """Give way to what is new."""
        return True

    def put(self, parcel: Parcel, events: Sequence[bytes] = (), failures: int = 0) -> bool:
        """Let a parcel wait; the oldest ones make room for it."""
        super().put(parcel, events, failures)
        self.tidy()
        return True

    def tidy(self) -> None:
        """Give up what is too old, and the oldest of what is too much."""
        self._give_up("expired", lambda born, _: time_ns() - born > self._keep_ns)
        self._give_up("queue_full", lambda _, size: size > _ROOM)

    def _give_up(self, reason: str, is_over: Callable[[int, int], bool]) -> None:
        number = 0
        with self._own():
            waiting = sorted(self._pieces, key=lambda piece: piece.born)
            size = sum(len(piece.parcel.body) for piece in waiting)
            for piece in waiting:
                if not is_over(piece.born, size):
                    break
                size -= len(piece.parcel.body)
                self._pieces.remove(piece)
                number += piece.parcel.count
        if number:
            # They are none of those that are being handed on meanwhile.
            with health.Account(0):
                self._dropped(reason, number)
