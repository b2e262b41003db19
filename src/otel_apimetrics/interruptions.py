"""Exceptions that come from outside of the code they pass through.

A signal handler raises wherever the main thread happens to be, and gevent, greenlet, asyncio and
Trio throw into a greenlet or a coroutine that waits. Such an exception is the app's affair, also
where it meets code of ours or a user's hook. One that a hook has raised by itself is not.
"""

import signal
import sys
from collections.abc import Iterator
from functools import partial
from opcode import opmap
from types import CodeType, TracebackType
from typing import Any

_RAISE = opmap["RAISE_VARARGS"]
_ACQUIRING = frozenset({"acquire", "__enter__"})


def is_own(error: BaseException) -> bool:
    """Tell whether the code that was called has raised this by itself.

    An exit, a cancellation or a generator's exit is its own unless a signal handler has raised
    it, or the task is being cancelled. Anything else that is no `Exception` (a keyboard interrupt,
    a timeout or kill of gevent's) is so where a `raise` statement was its source: what comes from
    outside is thrown by the interpreter or by C code. Trio's cancellation never is.

    Args:
        error: just caught, behind a call of a user's callable.
    """
    if came_by_signal(error):
        return False
    if isinstance(error, (Exception, SystemExit, GeneratorExit)):
        return True
    kind = type(error)
    if kind.__name__ == "CancelledError" and kind.__module__.startswith("asyncio"):
        return not _is_being_cancelled(error)
    if kind.__module__.startswith("trio"):
        return False
    return _was_raised_by_a_statement(error)


def came_by_signal(error: BaseException) -> bool:
    """Tell whether a Python function that handles a signal has raised this."""
    codes = {frame.tb_frame.f_code for frame in _frames(error.__traceback__)}
    return not codes.isdisjoint(_handlers())


def may_hold_lock(error: BaseException) -> bool:
    """Tell whether what was interrupted may have left a lock held that nobody gives back.

    One that a Python function acquires (gevent's do; `threading.Condition`) is held by nobody
    where the function is left by an exception once it is acquired.

    Args:
        error: of the interruption.
    """
    return any(
        frame.tb_frame.f_code.co_name in _ACQUIRING for frame in _frames(error.__traceback__)
    )


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _handlers() -> Iterator[CodeType]:
    for number in signal.valid_signals():
        handler: Any = signal.getsignal(number)
        if callable(handler):
            code = _code_of(handler)
            if code is not None:
                yield code


def _code_of(handler: Any) -> CodeType | None:
    while isinstance(handler, partial):
        handler = handler.func
    handler = getattr(handler, "__func__", handler)
    if not hasattr(handler, "__code__"):
        handler = getattr(type(handler), "__call__", None)  # noqa: B004  its code, not its presence
    code = getattr(handler, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _is_being_cancelled(error: BaseException) -> bool:
    try:
        task: Any = sys.modules["asyncio"].current_task()
    except (KeyError, RuntimeError):  # no event loop of asyncio's runs here
        return False
    cancelling = getattr(task, "cancelling", None)
    if cancelling is None:  # Python 3.10 does not tell
        return task is not None and not _was_raised_by_a_statement(error)
    return bool(cancelling() > 0)


def _was_raised_by_a_statement(error: BaseException) -> bool:
    frames = list(_frames(error.__traceback__))
    if not frames:
        return False
    code, at = frames[-1].tb_frame.f_code.co_code, frames[-1].tb_lasti
    return 0 <= at < len(code) and code[at] == _RAISE
