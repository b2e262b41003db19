"""Counts that an observable instrument tells when it is asked.

A synchronous instrument of the SDK takes some ten microseconds a count, this one less than one.
"""

import time
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Final

from opentelemetry.metrics import CallbackOptions, Observation

from otel_apimetrics.prometheus.families import Labels

Values = Mapping[str, str]
"""Of labels, by name."""


class Tally:
    """Numbers by labels. Safe between threads.

    Args:
        initial: labels that stand at zero before anything is counted.
    """

    def __init__(self, initial: Values | None) -> None:
        self._numbers: Final[dict[tuple[str, ...], float]] = {}
        self._labels: Final[dict[tuple[str, ...], Values]] = {}
        self._lock: Final = Lock()
        self.began: Final[dict[Labels, float]] = {}
        """Seconds of the Unix epoch; the SDK knows when it first asked."""
        if initial is not None:
            self.add(0, initial)

    def add(self, change: float, labels: Values) -> None:
        """Count up or down.

        Args:
            change: to the number.
            labels: the same names in the same order each time.
        """
        key = (*labels.values(),)
        with self._lock:
            if key in self._numbers:
                self._numbers[key] += change
            else:
                self._labels[key] = dict(labels)
                self.began[tuple(sorted(labels.items()))] = time.time()
                self._numbers[key] = change

    def add_again(self, change: float, key: tuple[str, ...]) -> bool:
        """Count under labels that were counted before, and tell whether they were.

        Args:
            change: to the number.
            key: the values of the labels.
        """
        with self._lock:
            if key not in self._numbers:
                return False
            self._numbers[key] += change
        return True

    def observe(self, _options: CallbackOptions) -> Iterable[Observation]:
        """Tell the numbers: what an observable instrument calls."""
        with self._lock:
            numbers = tuple(self._numbers.items())
        return [Observation(number, self._labels[key]) for key, number in numbers]
