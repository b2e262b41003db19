"""Exemplars that an app gives labels of its own: OpenTelemetry's have a trace and a span."""

import re
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Final

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.encodable import encodable
from otel_apimetrics.prometheus.families import Exemplar, Labels

_NAME: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_MOST: Final = 128
"""Characters of the names and values of one exemplar, as OpenMetrics allows."""


class Exemplars:
    """The newest of each series, in a histogram of each bucket. Safe between threads."""

    def __init__(self) -> None:
        self._newest: Final[dict[tuple[str, Labels], dict[int, Exemplar]]] = {}
        self._lock: Final = Lock()

    def note(
        self,
        name: str,
        labels: Mapping[str, str],
        value: float,
        given: Any,
        bounds: Sequence[float] = (),
    ) -> None:
        """Note one; the log says where it is none that OpenMetrics has.

        Args:
            name: of the family.
            labels: of the series.
            value: that was measured.
            given: labels of the exemplar.
            bounds: of the histogram's buckets, ascending, without infinity.
        """
        told = _told(name, given)
        if told is None:
            return
        noted = Exemplar(value, time.time(), "", "", told)
        key = name, tuple(sorted(labels.items()))
        with self._lock:
            self._newest.setdefault(key, {})[bisect_left(bounds, value)] = noted

    def of(self, name: str, labels: Labels) -> tuple[Exemplar, ...]:
        """Give those of a series; none where none was given."""
        with self._lock:
            return tuple(self._newest.get((name, labels), {}).values())

    def forget(self, name: str) -> None:
        """Give none of a family any more: another metric has its name."""
        with self._lock:
            for key in [key for key in self._newest if key[0] == name]:
                del self._newest[key]


def _told(name: str, given: Any) -> Labels | None:
    try:
        told = {encodable(key): encodable(said) for key, said in given.items()}
    except Exception as error:  # it is the app's, and what was measured counts without it
        _guard.swallow("prometheus.exemplar", error)
        return None
    odd = [key for key in told if not _NAME.fullmatch(key)]
    if odd:
        _guard.warn_once(
            f"prometheus.exemplar.name.{name}",
            "Exemplars of %s with a label %r are left out: OpenMetrics has letters, digits and _ in"
            " names of labels, and no __ at their beginning.",
            name,
            odd[0],
        )
        return None
    if sum(len(key) + len(said) for key, said in told.items()) > _MOST:
        _guard.warn_once(
            f"prometheus.exemplar.{name}",
            "Exemplars of %s with more than %d characters are left out.",
            name,
            _MOST,
        )
        return None
    return tuple(told.items())
