"""The end of a process: every queue is closed, all of them within one time."""

from time import monotonic
from typing import Final, Protocol
from weakref import WeakSet

CLOSE: Final = 5.0
"""Seconds that the process waits at its end."""


class Closable(Protocol):
    """A queue in front of an exporter."""

    def resume(self) -> None:
        """Hand on what a former process has left."""

    def begin_close(self, deadline: float) -> None:
        """Take nothing more up; see `DeliveryQueue`."""

    def close(self, timeout: float = ...) -> None:
        """Hand on what is waiting, within seconds; see `DeliveryQueue`."""


queues: "WeakSet[Closable]" = WeakSet()


def close_all() -> None:
    """Close every queue of the process, each within its time."""
    deadline = monotonic() + CLOSE
    made = tuple(queues)
    for queue in made:
        # All at once: the first one's backend may hang.
        queue.begin_close(deadline)
    for queue in made:
        queue.close(max(deadline - monotonic(), 0.1))
