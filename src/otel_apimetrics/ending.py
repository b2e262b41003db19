"""The ends of a process at which Python runs no `atexit` handlers.

A signal that nobody handles, and the end of a process of `multiprocessing`: Werkzeug's own server
and Waitress die by the first, Granian's workers by the second. What was recorded would be lost.
"""

import os
import signal
import sys
import threading
from time import monotonic
from types import FrameType
from typing import Any

from otel_apimetrics import _guard, forked, open_requests

PATIENCE = 5.0
"""Seconds that the end of a process may wait for backends."""

LAST = 1.0
"""Seconds of these that are left for the last step, whatever those before it have taken."""

_fork = threading.local()
_until = 0.0
"""When the end that somebody has begun is to be over, seconds of the monotonic clock."""
_armed = 0
"""The process whose end is looked after."""
_taken_back = False
"""This process was forked from one whose signal we handle, and has the default action again."""


def end_by() -> float:
    """Give the time at which the end of the process is to be over, all steps of it together.

    The first step begins it: a lifespan that flushes, a signal, a handler of `atexit`. Those that
    follow have what it has left, `LAST` seconds at least.

    Returns:
        Seconds of the monotonic clock.
    """
    global _until  # noqa: PLW0603  one end of the process
    now = monotonic()
    if now > _until + PATIENCE:  # else of the end that has begun
        _until = now + PATIENCE
    return max(_until, now + LAST)


def go_on() -> None:
    """Forget the end that has begun: nothing was left to do, and the process may go on."""
    global _until  # noqa: PLW0603  one end of the process
    _until = 0.0


def arm_signal() -> None:
    """Hand on what there is when SIGTERM ends this process, and let it end the process.

    Only where nobody handles the signal; a server that sets its handler later has it to itself.
    Handlers are set in the main thread alone, so this is called when the app is instrumented.
    """
    try:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
            and "mod_wsgi" not in sys.modules  # it refuses, with a warning, and ends in peace
        ):
            signal.signal(signal.SIGTERM, _handle)
    except Exception as error:
        _guard.swallow("ending.signal", error)


def disarm_signal() -> None:
    """Undo `arm_signal`, if nobody has set another handler since."""
    global _taken_back  # noqa: PLW0603  of this process
    _taken_back = False
    if signal.getsignal(signal.SIGTERM) is _handle and (
        threading.current_thread() is threading.main_thread()
    ):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def arm_process() -> None:
    """Look after the end of a process of `multiprocessing`, at its first request."""
    global _armed, _taken_back  # noqa: PLW0603  once a process
    if _armed == os.getpid():
        return
    _armed = os.getpid()
    if _taken_back:  # a child that serves: its signal would cost what it has recorded
        _taken_back = False
        arm_signal()
    try:
        multiprocessing: Any = sys.modules.get("multiprocessing.process")
        if multiprocessing is not None and multiprocessing.parent_process() is not None:
            from multiprocessing.util import Finalize

            Finalize(None, hand_on, exitpriority=0)
    except Exception as error:
        _guard.swallow("ending.process", error)


def hand_on() -> None:
    """Make the records in flight, and have exporters and providers hand on what they hold.

    Blocks until `end_by`, never raises. In a thread of its own: the one that ends the
    process may hold a lock that a provider waits for.
    """
    try:
        thread = threading.Thread(target=_hand_on, daemon=True)
        thread.start()
        thread.join(end_by() - monotonic())
    except Exception as error:
        _guard.swallow("ending.hand_on", error)


def _hand_on() -> None:
    open_requests.abandon_all()
    flushes = [
        threading.Thread(target=_flush, args=(provider,), daemon=True)
        for provider in forked.providers()
    ]
    for thread in flushes:
        thread.start()
    for thread in flushes:
        thread.join(PATIENCE)


def _flush(provider: Any) -> None:
    try:
        flush = getattr(provider, "force_flush", None)
        if flush is not None:
            flush(int(PATIENCE * 1_000))
    except Exception as error:
        _guard.swallow("ending.flush", error, reveal=True)


def _hold_signal() -> None:
    """Keep SIGTERM waiting over a fork.

    Python forgets signals that reach a child before it has begun; the default action does not.
    """
    if signal.getsignal(signal.SIGTERM) is _handle:
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        _fork.held = signal.SIGTERM not in held


def _give_back_signal() -> None:
    """Give a child the default action again: what it is for is none of our business."""
    global _taken_back  # noqa: PLW0603  of this process
    if signal.getsignal(signal.SIGTERM) is _handle and (
        threading.current_thread() is threading.main_thread()
    ):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _taken_back = True
    _release_signal()


def _release_signal() -> None:
    if getattr(_fork, "held", False):
        _fork.held = False
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _handle(number: int, _frame: FrameType | None) -> None:
    # Also where a handler of the app's, in our place, calls us as what was there before.
    if _armed == os.getpid():
        hand_on()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_hold_signal, after_in_parent=_release_signal, after_in_child=_give_back_signal
    )
