"""The values of labels: as they stand, or asked of the app for each measurement."""

import inspect
from collections.abc import Callable, Mapping
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
        ConfigError: a callable is a coroutine function.
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
        self._asked: Final = [
            (str(name), _asker(str(name), value))
            for name, value in merged.items()
            if callable(value)
        ]

    @property
    def fixed(self) -> Mapping[str, str] | None:
        """Give the values where none is asked for, `None` where one is."""
        return None if self._asked else self._fixed

    def of(self, response: Any) -> Mapping[str, str]:
        """Give the values for one measurement.

        Args:
            response: what the callables get; `None` before there is one.
        """
        if not self._asked:
            return self._fixed
        values = dict(self._fixed)
        for name, ask in self._asked:
            values[name] = asked(ask, response)
        return values


def asked(ask: Ask, about: Any) -> str:
    """Ask the app for the value of a label; `""` where it raises by itself, whatever it raises."""
    try:
        return encodable(ask(about))
    except BaseException as error:
        if not interruptions.is_own(error):
            raise
        _guard.swallow("prometheus.label", error)
        return ""


def _asker(name: str, value: Callable[..., Any]) -> Ask:
    if _is_async(value) or _is_async(getattr(type(value), "__call__", None)):  # noqa: B004  its code
        raise ConfigError(
            f"labels: {name} is a coroutine function, which nobody awaits. Give a plain one."
        )
    return value if _takes_response(value) else lambda _response: value()


def _is_async(value: Any) -> bool:
    return inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)


def _takes_response(value: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):  # some built-in types tell nothing, and take one value
        return True
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(parameter.kind in positional for parameter in parameters)
