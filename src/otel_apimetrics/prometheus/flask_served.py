"""Which function serves a request of Flask's."""

import inspect
from collections.abc import Iterator
from functools import partial
from types import FunctionType
from typing import Any, Final

import flask

_PASSES_ON: Final = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
_DEEPEST: Final = 8
"""Decorators upon each other that do not say what they decorate."""
_MOST: Final = 64
"""Functions and other objects that are looked at for one call of a view."""


def is_view(request: Any, function: Any) -> bool:
    """Tell whether a function is the one that an endpoint serves, below whatever decorates it.

    Args:
        request: that is being served.
        function: that one of our decorators was given.
    """
    endpoint = request.endpoint
    served = flask.current_app.view_functions.get(endpoint) if endpoint else None
    mine = getattr(function, "__func__", function)
    if _stands_for(served, mine):
        return True
    kind = getattr(served, "view_class", None)
    if kind is None:
        return _leads_to(served, mine)
    method = request.method
    names = (method.lower(), "get" if method == "HEAD" else "", "dispatch_request")
    found = [getattr(kind, name, None) for name in names]
    return any(_stands_for(each, mine) or _leads_to(each, mine) for each in found)


def _stands_for(function: Any, mine: Any) -> bool:
    """Tell whether a function is another one, or decorates it and says so."""
    return any(each is mine for each in _unwrapped(function))


def _unwrapped(function: Any) -> Iterator[Any]:
    while function is not None:
        yield getattr(function, "__func__", function)
        function = getattr(function, "__wrapped__", None)


def _leads_to(function: Any, mine: Any) -> bool:
    """Tell whether a function decorates another one without `functools.wraps`."""
    looked_at = [function]
    seen: set[int] = set()
    for _ in range(_DEEPEST):
        held = [
            one
            for each in looked_at
            for inner in _unwrapped(each)
            for one in _held(inner, mine)
            if callable(one) and id(one) not in seen
        ]
        if any(_stands_for(one, mine) for one in held):
            return True
        seen.update(map(id, held))
        if not held or len(seen) > _MOST:
            return False
        looked_at = held
    return False


def _held(function: Any, mine: Any) -> Iterator[Any]:
    """Give what a function may pass calls on to."""
    if isinstance(function, partial):
        yield function.func
    elif isinstance(function, FunctionType):
        # A view knows the functions that it calls in the same way, but takes what its URL has.
        passes_on = function.__code__.co_flags & _PASSES_ON == _PASSES_ON
        if passes_on or function.__name__ == getattr(mine, "__name__", None):
            for cell in function.__closure__ or ():
                try:
                    yield cell.cell_contents
                except ValueError:  # noqa: PERF203  it is empty yet
                    continue
    elif not isinstance(function, type):
        yield from tuple(getattr(function, "__dict__", {}).values())
