"""Our own health: what was handed on, what was dropped and what failed, counted."""

from threading import Lock
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["sent", "dropped", "failed"]

_lock = Lock()
_counts: dict[tuple[Outcome, str, str], int] = {}


def count(outcome: Outcome, exporter: str, reason: str = "", number: int = 1) -> None:
    """Count exchanges.

    Args:
        outcome: "sent": taken by the exporter; "dropped": given up before it was asked;
            "failed": refused by it.
        exporter: its name.
        reason: why, of a fixed set ("queue_full"); "" where there is none to give.
        number: how many.
    """
    key = outcome, exporter, reason
    with _lock:
        _counts[key] = _counts.get(key, 0) + number


def counts(outcome: Outcome) -> dict[tuple[str, str], int]:
    """Return the counts of one outcome by exporter and reason, since the process began."""
    with _lock:
        return {key[1:]: number for key, number in _counts.items() if key[0] == outcome}


def forget() -> None:
    """Start again from nothing: for a forked child, and for tests."""
    global _lock  # noqa: PLW0603  a lock inherited through fork may be held by no living thread
    _lock = Lock()
    _counts.clear()
