"""What happens to an error of ours: it is logged once a minute a place, counted, and swallowed.

Our code runs inside someone else's request. Every boundary guards our own statements
and never the app's call; only `Exception` is caught there, so `KeyboardInterrupt`,
`CancelledError` and their like pass. What a signal handler of the app's raises passes too.
"""

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic

from otel_apimetrics import interruptions

_logger = logging.getLogger("otel_apimetrics")

_INTERVAL = 60.0
"""Seconds between two log lines about one place."""

_lock = Lock()
_last_logged: dict[str, float] = {}
_counts: dict[str, int] = {}

observers: list[Callable[[str, BaseException], None]] = []
"""Called with each swallowed error: the test suite turns them into failures."""


def swallow(place: str, error: BaseException, *, reveal: bool = False) -> None:
    """Count an error of ours and log it, at most once a minute a place.

    The error's message is withheld unless `reveal` is set: it may quote what a request
    carried. Its type and the line where it was raised are logged always.

    Args:
        place: dotted name of the boundary ("wsgi.finish"); a fixed set, it becomes a label.
        error: what was caught.
        reveal: the error is about configuration or delivery and quotes no request.

    Raises:
        BaseException: `error` itself, where a signal handler has raised it: it is the app's.
    """
    if interruptions.came_by_signal(error):
        raise error
    now = monotonic()
    with _lock:
        _counts[place] = _counts.get(place, 0) + 1
        due = now - _last_logged.get(place, -_INTERVAL) >= _INTERVAL
        if due:
            _last_logged[place] = now
    for observer in tuple(observers):
        observer(place, error)
    if due:
        _logger.error(
            "An error inside otel-apimetrics was swallowed; your app is not affected,"
            " this request has less telemetry. Place: %s. Error: %s%s at %s",
            place,
            type(error).__qualname__,
            f": {error}" if reveal else "",
            _where(error),
        )


def counts() -> dict[str, int]:
    """Swallowed errors by place since the process began."""
    with _lock:
        return dict(_counts)


def warn_once(key: str, message: str, *arguments: object) -> None:
    """Log a warning the first time that `key` is seen in this process."""
    with _lock:
        if key in _last_logged:
            return
        _last_logged[key] = float("inf")
    _logger.warning(message, *arguments)


def warn(key: str, message: str, *arguments: object) -> None:
    """Log a warning, at most once a minute a key: for what may be mended and come again."""
    now = monotonic()
    with _lock:
        if now - _last_logged.get(key, -_INTERVAL) < _INTERVAL:
            return
        _last_logged[key] = now
    _logger.warning(message, *arguments)


def forget() -> None:
    """Start again from nothing: for tests, and for a forked child."""
    global _lock  # noqa: PLW0603  a lock inherited through fork may be held by no living thread
    _lock = Lock()
    _last_logged.clear()
    _counts.clear()


def _where(error: BaseException) -> str:
    traceback = error.__traceback__
    if traceback is None:
        return "an unknown line"
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    code = traceback.tb_frame.f_code
    return f"{code.co_filename}:{traceback.tb_lineno} in {code.co_name}"
