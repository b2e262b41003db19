"""A fork waits while instruments are asked.

A child has the locks of its parent as they were. One that was held by another thread is held for
ever, and the next request that counts would wait for it.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_PATIENCE: Final = 1.0
"""Seconds that a fork waits, and that instruments are asked later for another collection's sake."""

_lock = threading.RLock()
_waited = threading.local()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let no fork of this process happen in the block, by another thread.

    Nobody waits for ever: one who collects for long, or has ended in the middle, is left alone.
    """
    global _lock  # noqa: PLW0603  the next one is not to wait for the same
    lock = _lock
    is_held = lock.acquire(timeout=_PATIENCE)
    if not is_held and _lock is lock:
        _lock = threading.RLock()
    try:
        yield
    finally:
        if is_held:
            lock.release()


def _before() -> None:
    lock = _lock
    _waited.lock = lock if lock.acquire(timeout=_PATIENCE) else None


def _after_in_parent() -> None:
    lock, _waited.lock = getattr(_waited, "lock", None), None
    if lock is not None:
        lock.release()


def _after_in_child() -> None:
    global _lock, _waited  # noqa: PLW0603  one that another thread held is held by nobody here
    _lock = threading.RLock()
    _waited = threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
