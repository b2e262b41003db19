"""Tells work that grows with the length of a text from work that grows faster."""

import gc
from collections.abc import Callable
from time import process_time
from typing import TypeVar

SMALL, LARGE = 16 * 1024, 64 * 1024
"""Characters, or bytes, of the two texts."""

_GROWTH = 8
"""Times the work of a four times longer text, at most; 16 would be quadratic."""
_NOTHING = 0.01
"""Seconds of CPU that are not looked at any closer."""
_LOOKS = 3
"""Another process may have the machine for a moment: one of them has to be right."""

_T = TypeVar("_T")


def grows_with_its_length(
    work: Callable[[_T], object], make: Callable[[int], _T], part: int = 1
) -> bool:
    """Tell whether four times the text is not much more than four times the work.

    Args:
        work: on a text.
        make: makes a text of a size.
        part: the texts are the shorter by so much.
    """
    small, large = make(SMALL // part), make(LARGE // part)
    for _ in range(_LOOKS):
        cost = _seconds(work, large)
        if cost < _NOTHING or cost <= _GROWTH * _seconds(work, small):
            return True
    return False


def _seconds(work: Callable[[_T], object], text: _T) -> float:
    enabled = gc.isenabled()
    gc.disable()  # it looks through all that pytest holds
    try:
        start = process_time()
        work(text)
        return process_time() - start
    finally:
        if enabled:
            gc.enable()
