"""Decorators of views of ASGI frameworks, and of functions that views call."""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from functools import partial, wraps
from time import perf_counter
from typing import Any, Final

from starlette.responses import Response

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.asgi_served import Served, current
from otel_apimetrics.prometheus.decorators import Decorator, View
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.tally import Values

Begin = Callable[[View], "Call | None"]


@dataclass(frozen=True, slots=True)
class Tracked:
    """What a decorator measures, and how responses are read."""

    instrument: Any
    """A `Tally`, or a histogram of seconds."""
    labels: LabelValues
    kind: str
    """"counter"; "gauge", of calls in progress; "histogram" and "summary", of seconds."""
    convert: Callable[[Any], Any] | None
    """Makes a response of what a view returns; `None` waits for the response itself."""
    is_left_out: Callable[[str], bool]
    """Tells of a path whether nothing is measured there."""

    def decorator(self, view: View) -> View:
        """Measure the calls of a function within requests; outside it is called as it is.

        Raises:
            TypeError: it is a class.
        """
        return wrapped(view, self._begin)

    def _begin(self, view: View) -> "Call | None":
        served = current()
        if served is None or self.is_left_out(served.scope["path"]):
            return None
        return Call(self, view, served)


class Call:
    """One call of a function that is measured."""

    def __init__(self, tracked: Tracked, view: View, served: Served) -> None:
        self._tracked: Final = tracked
        self._view: Final = view
        self._served: Final = served
        self._entered: Values | None = None
        if tracked.kind == "gauge":
            labels = tracked.labels.of(None)
            tracked.instrument.add(1, labels)
            self._entered = labels
        self._start: Final = perf_counter()

    def returned(self, returned: Any) -> None:
        """Measure a call that has returned."""
        measure = partial(self._measure, self._leave())
        if not self._is_view():
            measure(returned)
        elif self._tracked.convert is None:
            self._served.when_answered(measure)
        else:
            measure(self._tracked.convert(returned))

    def raised(self, error: BaseException) -> None:
        """Measure a call that has raised. What ends a task or a process is not measured."""
        measure = partial(self._measure, self._leave())
        if not isinstance(error, Exception):
            return
        if self._is_view():
            # Handlers of the app may answer it.
            self._served.when_answered(measure)
        else:
            measure(Response(status_code=int(getattr(error, "status_code", 500))))

    def _leave(self) -> float:
        seconds = perf_counter() - self._start
        labels, self._entered = self._entered, None
        if labels is not None:
            self._tracked.instrument.add(-1, labels)
        return max(seconds, 0.0)

    def _measure(self, seconds: float, response: Any) -> None:
        tracked = self._tracked
        if tracked.kind == "gauge" or self._served.is_excluded:
            return
        labels = tracked.labels.of(response)
        if tracked.kind == "counter":
            tracked.instrument.add(1, labels)
        else:
            tracked.instrument.record(seconds, labels)

    def _is_view(self) -> bool:
        endpoint = self._served.scope.get("endpoint")
        mine = _innermost(self._view)
        if _innermost(endpoint) is mine:
            return True
        if not inspect.isclass(endpoint):
            return False
        method = str(self._served.scope.get("method", "")).lower()
        names = (method, "get" if method == "head" else "", "on_connect", "on_receive")
        return any(_innermost(getattr(endpoint, name, None)) is mine for name in names)


def marking(attribute: str) -> Decorator:
    """Make a decorator that sets an attribute of the request that is served."""

    def begin(_view: View) -> None:
        served = current()
        if served is not None:
            setattr(served, attribute, True)

    return lambda view: wrapped(view, begin)


def wrapped(view: View, begin: Begin) -> View:
    """Make a function of the same kind, with the same signature, whose calls are begun first.

    Raises:
        TypeError: it is a class.
    """
    if inspect.isclass(view):
        raise TypeError(f"{view.__qualname__} is a class: decorate its methods.")
    made = _of_kind(view)(view, partial(_guarded_begin, begin, view))
    made.__name__ = type(view).__name__  # of a partial, which has no name of its own
    wraps(view)(made)
    signature = _resolved(view)
    if signature is not None:
        made.__signature__ = signature  # type: ignore[attr-defined]
    return made


def _of_kind(view: View) -> Callable[[View, Callable[[], "Call | None"]], View]:
    called = view if inspect.isroutine(view) else getattr(view, "__call__", view)  # noqa: B004
    if inspect.isasyncgenfunction(view):
        return _async_generator
    if inspect.isgeneratorfunction(view):
        return _generator
    if inspect.iscoroutinefunction(view) or inspect.iscoroutinefunction(called):
        return _coroutine
    return _function


def _function(view: View, begin: Callable[[], Call | None]) -> View:
    def measured(*args: Any, **kwargs: Any) -> Any:
        call = begin()
        try:
            returned = view(*args, **kwargs)
        except BaseException as error:
            _told(call, "raised", error)
            raise
        _told(call, "returned", returned)
        return returned

    return measured


def _coroutine(view: View, begin: Callable[[], Call | None]) -> View:
    async def measured(*args: Any, **kwargs: Any) -> Any:
        call = begin()
        try:
            returned = await view(*args, **kwargs)
        except BaseException as error:
            _told(call, "raised", error)
            raise
        _told(call, "returned", returned)
        return returned

    return measured


def _generator(view: View, begin: Callable[[], Call | None]) -> View:
    def measured(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = begin()
        try:
            returned = yield from view(*args, **kwargs)
        except BaseException as error:
            _told(call, "raised", error)
            raise
        _told(call, "returned", returned)
        return returned

    return measured


def _async_generator(view: View, begin: Callable[[], Call | None]) -> View:
    async def measured(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call = begin()
        inner = view(*args, **kwargs)
        try:
            # What `yield from` does, which async generators lack: dependencies are told of
            # exceptions where they yield.
            item = await anext(inner)
            while True:
                try:
                    sent = yield item
                except GeneratorExit:  # noqa: PERF203  both are the inner one's
                    await inner.aclose()
                    raise
                except BaseException as error:
                    item = await inner.athrow(error)
                else:
                    item = await inner.asend(sent)
        except StopAsyncIteration:
            _told(call, "returned", None)
        except BaseException as error:
            _told(call, "raised", error)
            raise

    return measured


def _guarded_begin(begin: Begin, view: View) -> Call | None:
    try:
        return begin(view)
    except Exception as error:
        _guard.swallow("prometheus.begin", error)
        return None


def _told(call: Call | None, what: str, outcome: Any) -> None:
    if call is None:
        return
    try:
        getattr(call, what)(outcome)
    except Exception as error:
        _guard.swallow(f"prometheus.{what}", error)


def _resolved(view: View) -> inspect.Signature | None:
    """Give the signature where it is written in strings, which belong to the view's module."""
    try:
        signature = inspect.signature(view)
        annotations = [one.annotation for one in signature.parameters.values()]
        if not any(isinstance(one, str) for one in (*annotations, signature.return_annotation)):
            return None
        return inspect.signature(view, eval_str=True)
    except Exception:
        # The framework says it better, as it does without us.
        return None


def _innermost(function: Any) -> Any:
    if function is None:
        return None
    plain = inspect.unwrap(function)
    return getattr(plain, "__func__", plain)
