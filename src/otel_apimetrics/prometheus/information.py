"""Information as a gauge, whose labels tell it."""

import time
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Final

from opentelemetry.metrics import _Gauge as Gauge

from otel_apimetrics.prometheus.encodable import encodable
from otel_apimetrics.prometheus.tally import Values


class Information:
    """A gauge of 1 that an app may set otherwise. Safe between threads."""

    def __init__(self, gauge: Gauge, labels: Values) -> None:
        self._gauge: Final = gauge
        self._labels: Final = labels
        self._lock: Final = Lock()
        self._value = 0.0
        self.set(1)

    def set(self, value: float) -> None:
        """Set it."""
        with self._lock:
            self._value = float(value)
            self._gauge.set(self._value, self._labels)

    def inc(self, amount: float = 1) -> None:
        """Make it greater."""
        with self._lock:
            self._value += amount
            self._gauge.set(self._value, self._labels)

    def dec(self, amount: float = 1) -> None:
        """Make it less."""
        self.inc(-amount)

    def set_to_current_time(self) -> None:
        """Set it to the seconds of the Unix epoch."""
        self.set(time.time())


def labels_of(
    names: Sequence[str] | None, values: Sequence[Any] | None, named: Mapping[str, Any]
) -> dict[str, str]:
    """Give the labels in either of two forms: names and values, or keywords.

    Raises:
        ValueError: both forms are used, or there is not a value for each name.
    """
    if names and named:
        raise ValueError("Give labels by keyword, or their names and values; not both.")
    if names and len(values or ()) != len(names):
        raise ValueError(f"Give a value for each of the labels {', '.join(names)}.")
    pairs = dict(zip(names, values or (), strict=True)) if names else named
    return {str(name): encodable(value) for name, value in pairs.items()}
