"""The requests in flight: which one this thread or task serves, and all of the process.

The registry is what ends a record that nothing else would: at exit, and when a request
has not moved a byte for ten minutes.
"""

import atexit
import os
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from math import inf
from time import monotonic
from typing import Protocol, TypeAlias

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_apimetrics import _guard, collection, health, tally
from otel_apimetrics.beginning import Beginning
from otel_apimetrics.content import buffer

IDLE = 600.0
"""Seconds without a byte after which a request is given up. A stream that moves is never cut."""

_SWEEP_EVERY = 60.0


class OpenRequest(Protocol):
    """What the registry needs to know of a recording."""

    moved: float
    """When the last byte moved, seconds of the monotonic clock."""

    def abandon(self) -> None:
        """Make the record with what is known. Never raises, does not block."""
        ...


current: ContextVar["OpenRequest | None"] = ContextVar("otel_apimetrics_request", default=None)
"""The request that this thread or task serves.

Set once at entry. What changes is the object behind it: a variable that was set inside a
sync endpoint or below Starlette's `BaseHTTPMiddleware` would be lost.
"""


class LeftOut:
    """Is `current` while an app serves a request that leaves no record of ours."""

    __slots__ = ("_before",)
    moved: float = inf

    def __enter__(self) -> None:
        self._before = current.get()
        current.set(self)

    def __exit__(self, *_: object) -> None:
        # A coroutine that is thrown away may be so from anywhere.
        if current.get() is self:
            current.set(self._before)

    def abandon(self) -> None:
        """Do nothing: there is no record to make."""


Outside: TypeAlias = "tuple[OpenRequest | None, Context]"
"""What is current around a call into an app."""


def outside() -> Outside:
    """Give what is current here, for `Recording.leave`."""
    return current.get(), otel_context.get_current()


at_end: list[Callable[[], None]] = []
"""Run once the last records are made, when the process ends. They must not raise."""

_open: set[OpenRequest] = set()
_postponed: deque[Callable[[], None]] = deque()
"""Ends of requests that the garbage collector found."""
_beginning = Beginning()
_next_sweep = 0.0


def add(request: OpenRequest) -> None:
    """Register a request that begins, and look after forgotten ones once a minute."""
    if os.getpid() != _beginning.pid:
        _beginning.make_sure(_begin_process)
    if _postponed:
        finish_postponed()
    _open.add(request)
    if request.moved >= _next_sweep:
        sweep(request.moved)


def take(request: OpenRequest) -> bool:
    """Take a request out. True for exactly one of all callers, whatever the threads."""
    try:
        _open.remove(request)
    except KeyError:
        return False
    return True


def postpone(end: Callable[[], None]) -> None:
    """Have a request ended when the next one begins, or with the process.

    For requests that are found while garbage is collected: see `collection`.

    Args:
        end: must not raise.
    """
    _postponed.append(end)


def finish_postponed() -> None:
    """End the requests that were postponed."""
    while True:
        try:
            end = _postponed.popleft()
        except IndexError:
            return
        end()


def sweep(now: float) -> None:
    """Abandon what has not moved a byte for `IDLE` seconds before `now`."""
    global _next_sweep  # noqa: PLW0603  one schedule for the process
    _next_sweep = now + _SWEEP_EVERY
    for request in tuple(_open):
        if now - request.moved > IDLE:
            request.abandon()


def abandon_all() -> None:
    """Make the record of every request in flight, then run `at_end`: the process ends."""
    finish_postponed()
    for request in tuple(_open):
        request.abandon()
    for end in tuple(at_end):
        end()


def count() -> int:
    """Give the number of requests in flight."""
    return len(_open)


def _begin_process() -> None:
    """Start a process's registry. What the parent had open is the parent's to record."""
    health.begin_process()
    if _beginning.pid:
        _open.clear()
        _postponed.clear()
        _guard.forget()
        buffer.forget()
        tally.forget_all()
    collection.watch()
    # Handlers run last in, first out: registered at the first request, ours runs before
    # those of the SDK's providers, which shut the exporters down.
    atexit.unregister(abandon_all)
    atexit.register(abandon_all)
    sweep(monotonic())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open.clear)
