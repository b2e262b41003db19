"""What the vendor is told of the process: its age, its work and its memory."""

import os
import sys
from pathlib import Path
from threading import Lock
from time import monotonic, process_time, time
from typing import Final

_STATM: Final = Path("/proc/self/statm")
_STAT: Final = Path("/proc/self/stat")
_UPTIME: Final = Path("/proc/uptime")
_imported: Final = time()


class Work:
    """Measures the processor time between two questions."""

    def __init__(self) -> None:
        self._lock: Final = Lock()
        self._last: tuple[float, float] | None = None

    def share(self) -> float | None:
        """Give the seconds of work a second since the last question; `None` at the first."""
        now = monotonic(), process_time()
        with self._lock:
            last, self._last = self._last, now
        if last is None or now[0] <= last[0]:
            return None
        return max(now[1] - last[1], 0.0) / (now[0] - last[0])


def memory() -> int:
    """Give the bytes in memory; where the system does not tell, the most that there ever were."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def age() -> float:
    """Give the seconds since the process began, or since it has imported this."""
    try:
        began = int(_STAT.read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        return max(float(_UPTIME.read_text().split()[0]) - began, 0.0)
    except (OSError, ValueError, IndexError):
        return max(time() - _imported, 0.0)
