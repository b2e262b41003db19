"""Decorators of Flask's views, and of functions that views call."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

import flask

from otel_apimetrics import _guard, forked
from otel_apimetrics.prometheus.decorators import Decorator, View
from otel_apimetrics.prometheus.flask_calls import Call, Measured
from otel_apimetrics.prometheus.request_marks import the_request

Begin = Callable[[View], "Call | None"]


@dataclass(frozen=True, slots=True)
class Tracked:
    """Measures calls within requests."""

    measured: Measured
    is_left_out: Callable[[str], bool]
    """Tells of a path whether nothing is measured there."""

    def decorator(self, view: View) -> View:
        """Measure the calls of a function; outside a request it is called as it is."""
        return wrapped(view, self._begin)

    def _begin(self, view: View) -> Call | None:
        request = the_request()
        forked.begin_process()
        if self.is_left_out(request.path):
            return None
        return Call(self.measured, view, request)


def marking(name: str, value: Any = True) -> Decorator:
    """Make a decorator that sets an attribute of the request before the view runs."""

    def begin(_view: View) -> None:
        setattr(the_request(), name, value)

    return lambda view: wrapped(view, begin)


def wrapped(view: View, begin: Begin) -> View:
    """Make a function of the same kind, a coroutine function of one, whose calls are begun first.

    What it returns and raises is the view's.
    """

    @wraps(view)
    def measured(*args: Any, **kwargs: Any) -> Any:
        call = _begun(begin, view)
        try:
            returned = view(*args, **kwargs)
        except BaseException as error:
            _raised(call, error)
            raise
        return _returned(call, returned)

    @wraps(view)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        call = _begun(begin, view)
        try:
            returned = await view(*args, **kwargs)
        except BaseException as error:
            _raised(call, error)
            raise
        return _returned(call, returned)

    return awaited if iscoroutinefunction(view) else measured


def _begun(begin: Begin, view: View) -> Call | None:
    try:
        return begin(view) if flask.has_request_context() else None
    except Exception as error:
        _guard.swallow("prometheus.begin", error)
        return None


def _returned(call: Call | None, returned: Any) -> Any:
    try:
        return returned if call is None else call.returned(returned)
    except Exception as error:
        _guard.swallow("prometheus.returned", error)
        return returned


def _raised(call: Call | None, error: BaseException) -> None:
    try:
        if call is not None:
            call.raised(error)
    except Exception as ours:
        _guard.swallow("prometheus.raised", ours)
