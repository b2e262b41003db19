"""What a forked process has inherited, noted at its fork: it may count before it takes part.

A child may be forked while another thread of its parent's holds the lock of a counter, which is
held for ever then. So it is read by a thread, and nobody waits for that for long.
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

from otel_apimetrics import _guard, forked
from otel_apimetrics.prometheus import merging
from otel_apimetrics.prometheus.families import Family

_PATIENCE: Final = 0.5
"""Seconds for the locks of what is read."""


class Inheritance:
    """Of one reader.

    Args:
        held: gives what this process holds that was counted in it or inherited, and asks none
            of the app's code.
    """

    def __init__(self, held: Callable[[], list[Family]]) -> None:
        self._held: Final = held
        self._pid = 0
        self._noted: list[Family] = []

    def note(self) -> None:
        """Note in a child, in the fork itself, what it has inherited. Never raises."""
        found: list[list[Family]] = []
        try:
            _run(lambda: found.append(self._held()))
        except Exception as error:
            _guard.swallow("prometheus.inherit", error)
        if found:
            self._pid, self._noted = os.getpid(), found[0]

    def of(self, collected: list[Family]) -> list[Family]:
        """Give what this process has inherited.

        Args:
            collected: what it has now: taken for inherited where there is no note, as in a process
                that was forked in C, and where only the app could have told at the fork.
        """
        if self._pid != os.getpid():
            return collected
        names = {family.name for family in self._held()}
        return [*self._noted, *(family for family in collected if family.name not in names)]

    def has_grown(self) -> bool:
        """Tell whether this process, forked and noted, has counted anything since."""
        if self._pid != os.getpid():
            return False
        counted = merging.counting(self._held())
        grown = merging.without(counted, merging.baseline_of(self._noted))
        return any(one.value or one.count for family in grown for one in family.series)


def at_end_of_job(tell: Callable[[], None], owner: Any) -> None:
    """Call something at the end of the process that multiprocessing is forking, if it is.

    Such a process runs no handlers of `atexit`.

    Args:
        tell: what to call.
        owner: lives as long as that may be called.
    """
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None:
        # It forgets what is to be done at the end, and then asks these.
        util.register_after_fork(owner, lambda _: util.Finalize(None, tell, exitpriority=0))


def _run(read: Callable[[], None]) -> None:
    if _has_real_threads():
        thread = threading.Thread(target=_guarded, args=(read,), daemon=True)
        thread.start()
        thread.join(_PATIENCE)
    else:
        read()  # and no thread has been stopped within a lock


def _guarded(read: Callable[[], None]) -> None:
    try:
        read()
    except Exception as error:
        _guard.swallow("prometheus.inherit", error)


def _has_real_threads() -> bool:
    monkey: Any = sys.modules.get("gevent.monkey")
    is_patched = monkey is not None and monkey.is_module_patched("threading")
    return not is_patched and not forked.has_no_threads()
