"""What waits for the response to a request of Flask's."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

import flask
from flask.signals import request_finished, request_tearing_down

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.request_marks import the_request

_WAITING: Final = "prom_waiting"


class Waits(Protocol):
    """What waits. It is told once."""

    def answered(self, response: Any) -> None:
        """Take the response."""
        ...

    def unanswered(self, error: BaseException | None) -> None:
        """Take it that there is none, and what the request ended with."""
        ...


class _Waiting:
    """Those who wait in one request."""

    def __init__(self) -> None:
        self.made: Final[list[Waits]] = []
        self.sent: Final[list[Waits]] = []
        self.is_expected = False
        """Flask will tell of the response as it is made."""


def watch(*, as_made: bool) -> None:
    """Listen to Flask's signals, for all apps. A second time does nothing.

    Args:
        as_made: see `wait`.
    """
    request_tearing_down.connect(_on_teardown)
    if not as_made:
        request_finished.connect(_on_finished)


def wait(request: Any, waits: Waits, *, as_made: bool) -> None:
    """Let someone wait for the response.

    Args:
        request: that is being served.
        waits: is told within the request.
        as_made: of the response as Flask makes it, before any hook; else of the one that goes out,
            after all of them.
    """
    if as_made:
        expect(request).made.append(waits)
    else:
        _waiting_in(request).sent.append(waits)


def expect(request: Any) -> _Waiting:
    """Be told of the response as Flask makes it, before whatever asks to be told later."""
    waiting = _waiting_in(request)
    if not waiting.is_expected:
        flask.after_this_request(partial(_on_made, waiting))
        waiting.is_expected = True
    return waiting


def _waiting_in(request: Any) -> _Waiting:
    waiting: _Waiting | None = getattr(request, _WAITING, None)
    if waiting is None:
        waiting = _Waiting()
        setattr(request, _WAITING, waiting)
    return waiting


def _on_made(waiting: _Waiting, response: Any) -> Any:
    waiting.is_expected = False
    _tell(waiting.made, lambda one: one.answered(response))
    return response


def _on_finished(_app: Any, response: Any, **_named: Any) -> None:
    waiting = _of_the_request()
    if waiting is not None:
        _tell(waiting.sent, lambda one: one.answered(response))


def _on_teardown(_app: Any, exc: BaseException | None = None, **_named: Any) -> None:
    waiting = _of_the_request()
    if waiting is not None:
        _tell(waiting.made, lambda one: one.unanswered(exc))
        _tell(waiting.sent, lambda one: one.unanswered(exc))


def _of_the_request() -> _Waiting | None:
    try:
        found: _Waiting | None = getattr(the_request(), _WAITING, None)
    except Exception as error:
        _guard.swallow("prometheus.waiting", error)
        return None
    return found


def _tell(waiting: list[Waits], tell: Callable[[Waits], None]) -> None:
    told, waiting[:] = tuple(waiting), ()
    for one in told:
        try:
            tell(one)
        except Exception as error:  # noqa: PERF203  the others are told
            _guard.swallow("prometheus.answer", error)
