"""What a queue has handed on and has not yet heard of."""

from collections.abc import Sequence
from threading import Condition, get_ident
from time import monotonic
from typing import Final

from otel_apimetrics import health
from otel_apimetrics.exchange import Exchange


class Batch(health.Account):
    """Exchanges that this thread hands on while it has entered them."""

    def __init__(self, exchanges: Sequence[Exchange], in_flight: "InFlight") -> None:
        super().__init__(len(exchanges))
        self._in_flight: Final = in_flight
        self.exchanges: Final = exchanges
        self.thread: Final = get_ident()

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        self._in_flight.remove(self)


class InFlight:
    """The batches of one queue that are being handed on. False where there are none.

    Args:
        changed: notified when one has ended; its lock may be held by the caller.
    """

    def __init__(self, changed: Condition) -> None:
        self._changed: Final = changed
        self._batches: set[Batch] = set()

    def __bool__(self) -> bool:
        return bool(self._batches)

    def add(self, exchanges: Sequence[Exchange]) -> Batch:
        """Note what is about to be handed on by this thread."""
        batch = Batch(exchanges, self)
        with self._changed:
            self._batches.add(batch)
        return batch

    def remove(self, batch: Batch) -> None:
        """Note that a batch was handed on."""
        with self._changed:
            self._batches.discard(batch)
            self._changed.notify_all()

    def give_up(self, deadline: float) -> int:
        """Wait for all batches but those that this thread itself has interrupted.

        Args:
            deadline: of the monotonic clock.

        Returns:
            The exchanges of which nothing is known by then; they are the caller's to count.
        """
        with self._changed:
            while self._is_waited_for() and (left := deadline - monotonic()) > 0:
                self._changed.wait(left)
            return sum(batch.give_up() for batch in self._batches)

    def _is_waited_for(self) -> bool:
        return any(batch.thread != get_ident() for batch in self._batches)
