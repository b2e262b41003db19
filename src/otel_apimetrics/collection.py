"""Whether this thread is collecting garbage.

The collector runs wherever something is allocated, also where the SDK, an exporter or we hold a
lock, and what it finds may be a response that nobody closed. To make that record at once would
wait for the lock for ever.
"""

import gc
from threading import get_ident

_collector = 0
"""The thread that collects; 0: none does."""


def watch() -> None:
    """Know from now on when garbage is collected. Called again it does nothing."""
    if _note not in gc.callbacks:
        gc.callbacks.append(_note)


def is_running() -> bool:
    """Tell whether this thread is in the middle of a collection."""
    return _collector != 0 and _collector == get_ident()


def _note(phase: str, _info: dict[str, int]) -> None:
    global _collector  # noqa: PLW0603  one collection at a time in a process
    _collector = get_ident() if phase == "start" else 0
