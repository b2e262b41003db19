"""Decorators of Flask's views, and of functions that views call."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from time import perf_counter
from typing import Any, Final

import flask
from werkzeug.exceptions import HTTPException

from otel_apimetrics import _guard, forked
from otel_apimetrics.prometheus.decorators import Decorator, View
from otel_apimetrics.prometheus.flask_defaults import failed
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.request_marks import is_excluded, the_request
from otel_apimetrics.prometheus.tally import Values


@dataclass(frozen=True, slots=True)
class Tracked:
    """What a decorator measures, and how responses are read."""

    instrument: Any
    """A `Tally`, or a histogram of seconds."""
    labels: LabelValues
    kind: str
    """"counter"; "gauge", of calls in progress; "histogram" and "summary", of seconds."""
    convert: Callable[[Any], Any]
    """Makes a response of what a view returns."""
    is_left_out: Callable[[str], bool]
    """Tells of a path whether nothing is measured there."""

    def decorator(self, view: View) -> View:
        """Measure the calls of a function within requests.

        Raises of its own only outside a request: Flask's RuntimeError.
        """
        call = synchronous(view)

        @wraps(view)
        def measured(*args: Any, **kwargs: Any) -> Any:
            request = the_request()
            forked.begin_process()
            if self.is_left_out(request.path):
                return call(*args, **kwargs)
            return _Call(self, view, request).run(call, args, kwargs)

        return measured


class _Call:
    """One call of a function that is measured."""

    def __init__(self, tracked: Tracked, view: View, request: Any) -> None:
        self._tracked: Final = tracked
        self._view: Final = view
        self._request: Final = request
        self._entered: Values | None = None

    def run(self, call: View, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._tracked.kind == "gauge":
            self._enter()
        start = perf_counter()
        try:
            returned = call(*args, **kwargs)
        except Exception as error:
            return self._raised(error, start)
        except BaseException:
            self._leave()
            raise
        return self._returned(returned, perf_counter() - start)

    def _enter(self) -> None:
        try:
            labels = self._tracked.labels.of(None)
            self._tracked.instrument.add(1, labels)
            self._entered = labels
        except Exception as error:
            _guard.swallow("prometheus.enter", error)

    def _leave(self) -> None:
        labels, self._entered = self._entered, None
        if labels is not None:
            try:
                self._tracked.instrument.add(-1, labels)
            except Exception as error:
                _guard.swallow("prometheus.leave", error)

    def _returned(self, returned: Any, seconds: float) -> Any:
        self._leave()
        if self._tracked.kind == "gauge" or is_excluded(self._request):
            return returned
        response = returned
        if not isinstance(returned, flask.Response) and self._is_view():
            try:
                response = self._tracked.convert(returned)
            except Exception as error:
                # Flask says it better, or a framework above it can do what we cannot.
                _guard.warn(
                    "prometheus.convert",
                    "A request to %s is not counted by a decorator: what its view returned is no"
                    " response (%s). Give a response_converter.",
                    self._request.endpoint,
                    type(error).__qualname__,
                )
                return returned
        self._measure(response, seconds)
        return response

    def _raised(self, error: Exception, start: float) -> Any:
        """Measure what became of an exception, as Flask and the app's handlers decide."""
        seconds = perf_counter() - start
        if not self._is_view():
            # Whoever called this function may expect the exception.
            self._failed(_answer, error, seconds)
            raise error
        try:
            returned = flask.current_app.handle_user_exception(error)
        except Exception as unhandled:
            self._failed(failed, unhandled, seconds)
            raise
        return self._returned(returned, seconds)

    def _failed(self, answer: Callable[[Exception], Any], error: Exception, seconds: float) -> None:
        self._leave()
        if is_excluded(self._request):
            return
        try:
            response = answer(error)
        except Exception as broken:
            _guard.swallow("prometheus.answer", broken)
        else:
            self._measure(response, seconds)

    def _measure(self, response: Any, seconds: float) -> None:
        tracked = self._tracked
        if tracked.kind == "gauge":
            return
        try:
            labels = tracked.labels.of(response)
            if tracked.kind == "counter":
                tracked.instrument.add(1, labels)
            else:
                tracked.instrument.record(max(seconds, 0.0), labels)
        except Exception as error:
            _guard.swallow("prometheus.measure", error)

    def _is_view(self) -> bool:
        try:
            endpoint = self._request.endpoint
            served = flask.current_app.view_functions.get(endpoint) if endpoint else None
            mine = getattr(self._view, "__func__", self._view)
            return any(each is mine for each in _behind(served, self._request.method))
        except Exception as error:
            _guard.swallow("prometheus.view", error)
            return False


def synchronous(view: View) -> View:
    """Give a function that Flask may call without awaiting it."""
    if not iscoroutinefunction(view):
        return view

    def call(*args: Any, **kwargs: Any) -> Any:
        return flask.current_app.ensure_sync(view)(*args, **kwargs)

    return call


def marking(name: str, value: Any = True) -> Decorator:
    """Make a decorator that sets an attribute of the request before the view runs."""

    def decorator(view: View) -> View:
        call = synchronous(view)

        @wraps(view)
        def marked(*args: Any, **kwargs: Any) -> Any:
            setattr(the_request(), name, value)
            return call(*args, **kwargs)

        return marked

    return decorator


def _behind(served: Any, method: str) -> Iterator[Any]:
    """Give the functions that a view function stands for, its decorators first."""
    yield from _chain(served)
    kind = getattr(served, "view_class", None)
    if kind is not None:
        names = (method.lower(), "get" if method == "HEAD" else "", "dispatch_request")
        for name in names:
            yield from _chain(getattr(kind, name, None))


def _chain(function: Any) -> Iterator[Any]:
    while function is not None:
        yield getattr(function, "__func__", function)
        function = getattr(function, "__wrapped__", None)


def _answer(error: Exception) -> Any:
    if isinstance(error, HTTPException):
        return flask.make_response(error)
    return failed(error)
