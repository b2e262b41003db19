"""Translated events that wait for their lane's next beat, bounded by bytes."""

from collections import deque
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Final

from otel_apimetrics import health
from otel_apimetrics.exporters.apitally.lane import EXPORTER, Load, Pack

ROOM: Final = 16 * 1024 * 1024
"""Bytes; past them the oldest events are dropped, and counted."""
ENOUGH: Final = 1024 * 1024
"""Bytes that are worth a beat of their own."""
_MOST_BYTES: Final = 4 * 1024 * 1024
"""Of one parcel, before it is compressed."""


class Buffer:
    """Takes events on one thread and gives them away, packed, on another.

    Args:
        prefix: of the reason that what did not fit is counted under.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix: Final = prefix
        self._events: deque[bytes] = deque()
        self._bytes = 0
        self._lock: Final = Lock()

    def put(self, events: Sequence[bytes]) -> bool:
        """Add events; True where there are enough for a beat."""
        dropped = 0
        with self._lock:
            self._events.extend(events)
            self._bytes += sum(map(len, events))
            while self._bytes > ROOM:
                self._bytes -= len(self._events.popleft())
                dropped += 1
            enough = self._bytes >= ENOUGH
        if dropped:
            health.count("dropped", EXPORTER, f"{self._prefix}queue_full", dropped)
        return enough

    def take(self, pack: Pack) -> Iterator[Load]:
        """Take everything out, in parcels."""
        with self._lock:
            events, self._events, self._bytes = self._events, deque(), 0
        batch: list[bytes] = []
        size = 0
        for event in events:
            if batch and size + len(event) > _MOST_BYTES:
                yield Load(pack(batch), batch)
                batch, size = [], 0
            batch.append(event)
            size += len(event)
        if batch:
            yield Load(pack(batch), batch)

    def clear(self) -> int:
        """Throw everything away; gives how much it was."""
        with self._lock:
            number = len(self._events)
            self._events.clear()
            self._bytes = 0
        return number
