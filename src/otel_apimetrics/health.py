"""Our own health: what was handed on, what was dropped and what failed, counted."""

import os
from collections.abc import Callable
from contextvars import ContextVar, Token
from threading import Lock
from typing import Any, Literal, TypeAlias
from weakref import WeakMethod

from otel_apimetrics.beginning import Beginning

Outcome: TypeAlias = Literal["sent", "dropped", "failed"]

_lock = Lock()
_beginning = Beginning(os.getpid())
_counts: dict[tuple[Outcome, str, str], int] = {}
_watchers: list["WeakMethod[Callable[[], Any]]"] = []
_account: ContextVar["Account | None"] = ContextVar("apimetrics_account", default=None)


class Account:
    """Exchanges that are being handed on: each is counted once, though it is given up meanwhile.

    While it is entered, all that is counted in this context is counted of it.

    Args:
        number: how many.
    """

    def __init__(self, number: int) -> None:
        self._left = number
        self._is_given_up = False
        self._token: Token[Account | None] | None = None

    def __enter__(self) -> None:
        self._token = _account.set(self)

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _account.reset(self._token)

    @property
    def left(self) -> int:
        """How many have not been counted."""
        return max(self._left, 0)

    def give_up(self) -> int:
        """Have nothing of it counted any more.

        Returns:
            How many have not been, for the caller to count.
        """
        with _lock:
            left = 0 if self._is_given_up else self.left
            self._is_given_up = True
            return left

    def settle(self, number: int) -> bool:
        """Take so many out, with the lock held; False where they have been given up."""
        self._left -= number
        return not self._is_given_up


def count(outcome: Outcome, exporter: str, reason: str = "", number: int = 1) -> None:
    """Count exchanges.

    Args:
        outcome: "sent": taken by the exporter; "dropped": given up before it was asked;
            "failed": refused by it.
        exporter: its name.
        reason: why, of a fixed set ("queue_full"); "" where there is none to give.
        number: how many.
    """
    begin_process()
    key = outcome, exporter, reason
    account = _account.get()
    with _lock:
        if account is not None and not account.settle(number):
            return
        is_new = key not in _counts
        _counts[key] = _counts.get(key, 0) + number
    if is_new:
        for watcher in tuple(_watchers):
            if (call := watcher()) is not None:
                call()


def watch(call: Callable[[], Any]) -> None:
    """Have a method called when something is counted for the first time in a process.

    Not before: a process that counts nothing may be a server's master, which forks.

    Args:
        call: a bound method, which is held weakly. Called on any thread, and again for each
            exporter and reason; must not raise.
    """
    _watchers[:] = [each for each in _watchers if each() is not None]
    _watchers.append(WeakMethod(call))


def keep(number: int) -> None:
    """Note exchanges that are neither sent nor lost: they wait on a disk."""
    account = _account.get()
    if account is not None:
        with _lock:
            account.settle(number)


def counts(outcome: Outcome) -> dict[tuple[str, str], int]:
    """Return the counts of one outcome by exporter and reason, since the process began."""
    with _lock:
        return {key[1:]: number for key, number in _counts.items() if key[0] == outcome}


def begin_process() -> None:
    """Start again from nothing in a forked child: what the parent has counted is the parent's."""
    _beginning.make_sure(forget)


def forget() -> None:
    """Start again from nothing: for a forked child, and for tests."""
    global _lock  # noqa: PLW0603  a lock inherited through fork may be held by no thread
    _lock = Lock()
    _counts.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=begin_process)
