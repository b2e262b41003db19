"""A fork waits while instruments are asked, and instruments are asked later while one is made.

A child has the locks of its parent as they were. One that was held by another thread is held for
ever, and the next request that counts would wait for it.

Nothing is held here that could stay held: a signal handler may raise wherever the main thread is,
also between taking a lock and noting that, and what it raises in a handler of a fork is not even
seen. There are notes of who is collecting and of who forks. What takes a note away is the first
call of a `finally`, or is C code alone, which no handler interrupts.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

_PATIENCE: Final = 1.0
"""Seconds that a fork waits, and that instruments are asked later for a fork's sake."""
_AGAIN: Final = 0.001
"""Seconds between two looks."""

_collecting: Final[dict[object, int]] = {}
"""The threads that collect, by a note of each collection."""
_forking: Final[deque[None]] = deque()
"""Is not empty while a process is being forked."""


def undisturbed(collect: Callable[[], None]) -> None:
    """Ask instruments, and let no fork of this process happen meanwhile, by another thread.

    Nobody waits for ever: one who collects for long, or has ended in the middle, is left alone.
    """
    note = object()
    try:
        _begin(note)
        collect()
    finally:
        _collecting.pop(note, None)


def _begin(note: object) -> None:
    thread = threading.get_ident()
    is_within = thread in tuple(_collecting.values())
    _collecting[note] = thread
    # A fork that began before waits for nobody that it has not seen; one that begins now sees us.
    deadline = time.monotonic() + _PATIENCE
    while _forking and not is_within:
        _collecting.pop(note, None)
        if time.monotonic() >= deadline:
            _forking.clear()  # noted by a process that was forked in C meanwhile
        else:
            time.sleep(_AGAIN)
        _collecting[note] = thread


def _wait() -> None:
    deadline = time.monotonic() + _PATIENCE
    thread = threading.get_ident()
    while others := [note for note, one in tuple(_collecting.items()) if one != thread]:
        if time.monotonic() >= deadline:
            for note in others:
                _collecting.pop(note, None)
            return
        if not _forking:  # the fork of another thread has ended meanwhile
            _forking.append(None)
        time.sleep(_AGAIN)


if hasattr(os, "register_at_fork"):
    # Those before a fork run in the opposite order.
    os.register_at_fork(before=_wait)
    os.register_at_fork(
        before=partial(_forking.append, None),
        after_in_parent=_forking.clear,
        after_in_child=_forking.clear,
    )
    os.register_at_fork(after_in_child=_collecting.clear)
