"""How long a delivery may go on."""

from threading import Event
from time import monotonic


class Patience:
    """Shared by those who deliver and the one who ends them. Safe between threads.

    Args:
        seconds: from now; `None`: until somebody ends it.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._deadline = float("inf") if seconds is None else monotonic() + seconds
        self._parent: Patience | None = None
        self._hurried = Event()

    def within(self, seconds: float) -> "Patience":
        """Give one that ends after `seconds`, or with this one."""
        child = Patience(seconds)
        child._parent = self
        child._hurried = self._hurried
        return child

    def end_by(self, deadline: float) -> None:
        """Shorten it, and wake who waits: the process ends.

        Args:
            deadline: of the monotonic clock.
        """
        self._deadline = min(self._deadline, deadline)
        self._hurried.set()

    def left(self) -> float:
        """Give the seconds that are left: infinite where nobody has said, 0 where none are."""
        own = max(self._deadline - monotonic(), 0.0)
        return own if self._parent is None else min(own, self._parent.left())

    @property
    def hurried(self) -> bool:
        """Tell whether the process ends: one more attempt is all that there is time for."""
        return self._hurried.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait before another attempt; not at all, once it is hurried.

        Returns:
            False, at once, where the wait would take more time than is left.
        """
        if not self.hurried and seconds >= self.left():
            return False
        self._hurried.wait(seconds)
        return self.left() > 0
