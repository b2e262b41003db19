"""What a process makes for itself, once: a forked one uses nothing of what its parent has made.

Compared by pid where it is needed, and not by `os.register_at_fork` alone: uWSGI forks in C and
runs no handlers. The first requests of a process come on several threads at once.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import RLock


class Beginning:
    """Whether this process has begun. Safe between threads and forks.

    Args:
        pid: of the process that has begun already; 0: none has.
    """

    __slots__ = ("_locks", "pid")

    def __init__(self, pid: int = 0) -> None:
        self.pid = pid
        """The process that has begun last, for those who look before they call."""
        self._locks: dict[int, AbstractContextManager[object]] = {}

    def make_sure(self, begin: Callable[[], object]) -> None:
        """Begin, unless this process has. Who comes meanwhile waits: half begun is not begun.

        Args:
            begin: must not fork. Called again by the next who comes, where it raises.

        Raises:
            Exception: of `begin`.
        """
        pid = os.getpid()
        if self.pid == pid:
            return
        # Made in this process: one of the parent's may be held by a thread that is not here.
        with self._locks.setdefault(pid, RLock()):
            if self.pid != pid:
                begin()
                self.pid = pid
                self._locks = {}
