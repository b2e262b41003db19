"""The values of labels: as they stand, or asked of the app for each measurement."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from otel_apimetrics import _guard, interruptions
from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.encodable import encodable

Ask = Callable[[Any], Any]


class LabelValues:
    """The labels of a metric.

    A value is what it is, or a callable that is asked within the request: without an argument, or
    with the response. One that raises gives `""`: the measurement counts, the response goes out.

    Args:
        labels: values or callables by name.
        defaults: more of them; they win.

    Raises:
        ConfigError: a callable is a coroutine function, or wants more than the response.
        TypeError: `labels` is no mapping.
    """

    def __init__(self, labels: Mapping[str, Any] | None, defaults: Mapping[str, Any]) -> None:
        if labels is not None and not isinstance(labels, Mapping):
            raise TypeError(
                f"labels={labels!r} is no dictionary of values or callables by label name."
            )
        merged = {**(labels or {}), **defaults}
        self.names: Final = tuple(map(str, merged))
        self._fixed: Final = {
            str(name): encodable(value) for name, value in merged.items() if not callable(value)
        }
        self._before: Final[list[tuple[str, Ask]]] = []
        self._after: Final[list[tuple[str, Ask]]] = []
        for name, value in merged.items():
            if callable(value):
                require_function(f"labels: {name}", value, 0, 1)
                if _takes_response(value):
                    self._after.append((str(name), value))
                else:
                    self._before.append((str(name), _without_response(value)))

    @property
    def fixed(self) -> Mapping[str, str] | None:
        """Give the values where none is asked for, `None` where one is."""
        return None if self._before or self._after else self._fixed

    def of(self, response: Any) -> Mapping[str, str]:
        """Give the values for one measurement.

        Args:
            response: what the callables get; `None` before there is one.
        """
        return self.after(self.before(), response)

    def before(self) -> Mapping[str, str]:
        """Give the values that need no response."""
        return _with(self._fixed, self._before, None)

    def after(self, before: Mapping[str, str], response: Any) -> Mapping[str, str]:
        """Give all values.

        Args:
            before: what `before` gave.
            response: what the callables get.
        """
        return _with(before, self._after, response)


def asked(ask: Ask, about: Any) -> str:
    """Ask the app for the value of a label; `""` where it raises by itself, whatever it raises."""
    try:
        return encodable(ask(about))
    except BaseException as error:
        if not interruptions.is_own(error):
            raise
        _guard.swallow("prometheus.label", error)
        return ""


def refuse_async(what: str, value: Any) -> None:
    """Refuse a coroutine function where a plain one is called.

    Args:
        what: names it in the error.
        value: anything.

    Raises:
        ConfigError: it is one.
    """
    if _is_async(value) or _is_async(getattr(type(value), "__call__", None)):  # noqa: B004  its code
        raise ConfigError(f"{what} is a coroutine function, which nobody awaits. Give a plain one.")


def require_function(what: str, value: Any, *counts: int) -> None:
    """Refuse what is no plain function of so many values.

    Args:
        what: names it in the error.
        value: anything.
        counts: of values that it may be called with.

    Raises:
        ConfigError: it is none.
    """
    if not callable(value):
        raise ConfigError(f"{what}={value!r} is no function.")
    refuse_async(what, value)
    if not any(takes(value, count) for count in counts):
        many = " or ".join(map(str, counts))
        raise ConfigError(f"{what} is called with {many} values, which it does not take.")


def takes(value: Callable[..., Any], count: int) -> bool:
    """Tell whether a callable may be called with so many values."""
    try:
        inspect.signature(value).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # some built-in types tell nothing
        return True
    return True


def _with(
    known: Mapping[str, str], more: Sequence[tuple[str, Ask]], response: Any
) -> Mapping[str, str]:
    if not more:
        return known
    values = dict(known)
    for name, ask in more:
        values[name] = asked(ask, response)
    return values


def _without_response(value: Callable[[], Any]) -> Ask:
    return lambda _response: value()


def _is_async(value: Any) -> bool:
    return inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)


def _takes_response(value: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):  # some built-in types tell nothing, and take one value
        return True
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(parameter.kind in positional for parameter in parameters)
