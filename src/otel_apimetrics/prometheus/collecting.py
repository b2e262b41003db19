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
"""Seconds that a fork waits."""

_lock = threading.RLock()
_waited = threading.local()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let no fork of this process happen in the block, by another thread."""
    with _lock:
        yield


def _before() -> None:
    _waited.got = _lock.acquire(timeout=_PATIENCE)


def _after_in_parent() -> None:
    if getattr(_waited, "got", False):
        _waited.got = False
        _lock.release()


def _after_in_child() -> None:
    global _lock, _waited  # noqa: PLW0603  one that another thread held is held by nobody here
    _lock = threading.RLock()
    _waited = threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
