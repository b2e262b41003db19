"""What waits for its lane's next beat, to be translated there; bounded by bytes."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Final, Generic, TypeVar

from otel_apimetrics import _guard, health, interruptions
from otel_apimetrics.exporters.apitally.lane import EXPORTER, Load
from otel_apimetrics.exporters.courier import Pack

ROOM: Final = 16 * 1024 * 1024
"""Bytes; past them the oldest are dropped, and counted."""
ENOUGH: Final = 1024 * 1024
"""Bytes that are worth a beat of their own."""
_MOST_BYTES: Final = 1024 * 1024
"""Of one parcel, before it is compressed."""

T = TypeVar("T")


class Buffer(Generic[T]):
    """Takes items on one thread and gives them away, translated and packed, on another.

    To count an exchange takes a few microseconds, to translate one some hundreds: whoever counts
    does not wait for this.

    Args:
        translate: gives the events of an item. May raise: the item alone is dropped.
        prefix: of the reasons that losses are counted under.
    """

    def __init__(self, translate: Callable[[T], Sequence[bytes]], prefix: str = "") -> None:
        self._translate: Final = translate
        self._prefix: Final = prefix
        self._items: Final[deque[tuple[T, int]]] = deque()
        self._bytes = 0
        self._lock: Final = Lock()

    def put(self, item: T, size: int) -> bool:
        """Add an item; True where there are enough for a beat.

        Args:
            item: as `translate` takes it.
            size: bytes of memory, about.
        """
        dropped = 0
        with self._lock:
            self._items.append((item, size))
            self._bytes += size
            while self._bytes > ROOM:
                self._bytes -= self._items.popleft()[1]
                dropped += 1
            enough = self._bytes >= ENOUGH
        if dropped:
            self._drop("queue_full", dropped)
            _guard.warn_once(
                "apitally.buffer",
                "Apitally's request logs do not keep up: they are dropped, the oldest first, and"
                " counted in apimetrics.exporter.dropped. Requests are counted there as before."
                " Lower OTEL_EXPORTER_APITALLY_SAMPLE_RATE, or look at the backend.",
            )
        return enough

    def take(self, pack: Pack) -> Iterator[Load]:
        """Take out, in parcels, what is here now."""
        left = len(self._items)
        while left:
            batch: list[bytes] = []
            size = items = 0
            try:
                while left and size < _MOST_BYTES:
                    left -= 1
                    events = self._next()
                    items += bool(events)
                    batch += events
                    size += sum(map(len, events))
            except BaseException:  # the thread ends, and what it has taken out with it
                self._drop("error", items)
                raise
            if batch:
                yield Load(pack(batch, None), batch)

    def clear(self) -> int:
        """Throw everything away; gives how much it was."""
        with self._lock:
            number = len(self._items)
            self._items.clear()
            self._bytes = 0
        return number

    def give_up(self) -> None:
        """Drop what no beat has taken out, and count it."""
        self._drop("shutdown", self.clear())

    def _next(self) -> Sequence[bytes]:
        with self._lock:
            if not self._items:
                return ()
            item, size = self._items.popleft()
            self._bytes -= size
        try:
            return self._translate(item)
        except BaseException as error:
            self._drop("untranslatable", 1)
            if not interruptions.is_own(error):
                raise
            _guard.swallow("exporter.apitally.event", error)
            return ()

    def _drop(self, reason: str, number: int) -> None:
        if number:
            health.count("dropped", EXPORTER, f"{self._prefix}{reason}", number)
