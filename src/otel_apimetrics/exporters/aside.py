"""Events that wait in memory, where there is no disk, while others pass them."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from time import time_ns
from typing import ClassVar, Final, Protocol

from otel_apimetrics import health
from otel_apimetrics.beginning import Beginning
from otel_apimetrics.exporters.parcel import Parcel

MOST: Final = 480
"""Events that wait, at most: where there is no more room, who delivers waits with the next."""


class Piece(Protocol):
    """A parcel that waits in a line, and is held by who has taken it."""

    @property
    def parcel(self) -> Parcel:
        """The request."""

    @property
    def events(self) -> tuple[bytes, ...]:
        """What it is made of; nothing where that is not known."""

    @property
    def failures(self) -> int:
        """Answers of the backend's that spoke against this parcel, and not against all."""

    @property
    def since(self) -> int:
        """When it was last tried, in nanoseconds since the epoch. The place in the line."""

    def done(self) -> bool:
        """Take it out of the line. False where it was not there any more, and is counted."""

    def later(self, failures: int) -> None:
        """Let it wait behind all others."""

    def split(self, parts: "Sequence[tuple[Parcel, Sequence[bytes]]]") -> bool:
        """Put parts in its place. False where there is no room."""


class Line(Protocol):
    """Where parcels wait: in memory, or on a disk."""

    def put(self, parcel: Parcel, events: Sequence[bytes] = (), failures: int = 0) -> bool:
        """Let a parcel wait. False where there is no room."""

    def has_room(self, number: int) -> bool:
        """Tell whether so many events may wait."""

    def oldest(self) -> int | None:
        """Give when the first of the line was last tried, in nanoseconds since the epoch."""

    def take(self) -> AbstractContextManager[Piece | None]:
        """Hold the first that nobody holds; `None`: there is none."""


class Aside:
    """A line in memory. Safe between threads; a forked worker's is empty."""

    is_for_all: ClassVar[bool] = False
    """It takes all that was not taken; else what the backend failed at, and who delivers waits
    with the rest."""

    def __init__(self) -> None:
        self._beginning = Beginning()
        self._own()

    def put(self, parcel: Parcel, events: Sequence[bytes] = (), failures: int = 0) -> bool:
        """Let a parcel wait. False where there is no room."""
        with self._own():
            if not self.has_room(len(events)):
                return False
            self._pieces.append(_Piece(self, parcel, tuple(events), failures, time_ns()))
        health.keep(parcel.count)
        return True

    def has_room(self, number: int) -> bool:
        """Tell whether so many events may wait."""
        with self._own():
            return sum(len(piece.events) for piece in self._pieces) + number <= MOST

    def oldest(self) -> int | None:
        """Give when the first of the line was last tried."""
        with self._own():
            return min((piece.since for piece in self._pieces), default=None)

    @contextmanager
    def take(self) -> "Iterator[_Piece | None]":
        """Hold the first that nobody holds; `None`: there is none.

        Unless it is `done` inside of the block, it stays.
        """
        with self._own():
            free = [piece for piece in self._pieces if not piece.held]
            piece = min(free, key=lambda each: each.since, default=None)
            if piece is not None:
                piece.held = True
        try:
            yield piece
        finally:
            if piece is not None:
                piece.held = False

    def clear(self) -> int:
        """Forget all, and tell how many exchanges they were."""
        with self._own():
            number = sum(piece.parcel.count for piece in self._pieces)
            self._pieces.clear()
        return number

    def replace(self, piece: "_Piece", others: "Sequence[_Piece]") -> bool:
        """Put others in the place of one, if it is there still."""
        with self._own():
            if piece not in self._pieces:
                return False
            self._pieces.remove(piece)
            self._pieces.extend(others)
        return True

    def _own(self) -> "AbstractContextManager[object]":
        """Begin anew in a forked worker: what the parent holds is the parent's to send.

        So is the lock, which a thread of the parent's may have held.
        """
        self._beginning.make_sure(self._begin)
        return self._lock

    def _begin(self) -> None:
        self._lock = RLock()
        self._pieces: list[_Piece] = []


class _Piece:
    def __init__(
        self, line: Aside, parcel: Parcel, events: tuple[bytes, ...], failures: int, since: int
    ) -> None:
        self._line: Final = line
        self.parcel: Final = parcel
        self.events: Final = events
        self.failures = failures
        self.since = since
        self.born = since
        self.held = False

    def done(self) -> bool:
        return self._line.replace(self, ())

    def later(self, failures: int) -> None:
        self.failures, self.since = failures, time_ns()

    def split(self, parts: Sequence[tuple[Parcel, Sequence[bytes]]]) -> bool:
        failures = max(self.failures, 1)
        made = [
            _Piece(self._line, parcel, tuple(events), failures, self.since)
            for parcel, events in parts
        ]
        for piece in made:
            piece.born = self.born
        return self._line.replace(self, made)
