"""The end of a process: every queue is closed, all of them within one time."""

from time import monotonic
from typing import Final, Protocol
from weakref import WeakSet

from otel_apimetrics import ending

CLOSE: Final = ending.PATIENCE
"""Seconds that a queue has where it is closed alone."""


class Closable(Protocol):
    """A queue in front of an exporter."""

    is_patient: bool
    """Its exporter gives up when it is told to."""

    def resume(self) -> None:
        """Hand on what a former process has left."""

    def begin_close(self, deadline: float) -> None:
        """Take nothing more up; see `DeliveryQueue`."""

    def close(self, timeout: float = ...) -> None:
        """Hand on what is waiting, within seconds; see `DeliveryQueue`."""


queues: "WeakSet[Closable]" = WeakSet()


def close_all() -> None:
    """Close every queue of the process, all within the time that its end has."""
    deadline = ending.end_by()
    # Who may hang until the deadline comes last: others still have something to do until then.
    made = sorted(queues, key=lambda queue: not queue.is_patient)
    for queue in made:
        # All at once: the first one's backend may hang.
        queue.begin_close(deadline)
    for queue in made:
        queue.close(max(deadline - monotonic(), 0.1))
    if monotonic() < deadline - ending.LAST:
        ending.go_on()
