"""Measurements by labels, in buckets or without, that one reader alone shows.

A record of the SDK's takes some ten microseconds, this one about one. It has no other readers, and
so it is no instrument: see `docs/adr/0020-durations-that-one-reader-shows.md`.
"""

import math
import time
from bisect import bisect_left
from collections.abc import Sequence
from threading import Lock
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, format_span_id, format_trace_id, get_current_span

from otel_apimetrics.prometheus.families import Exemplar, Labels, Scope, Series
from otel_apimetrics.prometheus.tally import Values
from otel_apimetrics.prometheus.translation import labels_of

_Noted = tuple[float, float, int, int]
"""Value, seconds of the Unix epoch, trace and span."""


class _Cell:
    """What was measured under one set of labels."""

    __slots__ = ("buckets", "created", "exemplars", "labels", "sum")

    def __init__(self, labels: Labels, buckets: int) -> None:
        self.labels: Final = labels
        self.created: Final = time.time()
        self.sum: float = 0
        self.buckets: Final = [0] * buckets
        self.exemplars: Final[dict[int, _Noted]] = {}


class Distribution:
    """Safe between threads.

    Args:
        bounds: of the buckets, ascending, without infinity; none for count and sum alone.
        scope: that its series have.
    """

    def __init__(self, bounds: Sequence[float], scope: Scope) -> None:
        self._bounds: Final = tuple(bounds)
        self._scope: Final = scope
        self._cells: Final[dict[tuple[str, ...], _Cell]] = {}
        self._lock: Final = Lock()

    def record(self, value: float, labels: Values, context: Context | None = None) -> None:
        """Record a measurement, with the sampled span that is current as its exemplar.

        Args:
            value: finite and not negative; others are left out, as the SDK leaves them out.
            labels: the same names in the same order each time.
            context: where the span is current; without it, the context that is so now.
        """
        key = (*labels.values(),)
        if key not in self._cells:
            cell = _Cell(labels_of(labels), len(self._bounds) + 1)
            with self._lock:
                self._cells.setdefault(key, cell)
        self.record_again(value, key, context)

    def record_again(
        self, value: float, key: tuple[str, ...], context: Context | None = None
    ) -> bool:
        """Record under labels that were recorded before, and tell whether they were.

        Args:
            value: as `record` has it.
            key: the values of the labels.
            context: as `record` has it.
        """
        cell = self._cells.get(key)
        if cell is None:
            return False
        if 0 <= value < math.inf:
            bucket = bisect_left(self._bounds, value)
            # Summaries show none.
            noted = _noted(value, context) if self._bounds else None
            with self._lock:
                cell.sum += value
                cell.buckets[bucket] += 1
                if noted is not None:
                    cell.exemplars[bucket] = noted
        return True

    def series(self) -> list[Series]:
        """Give what was recorded."""
        with self._lock:
            seen = [
                (cell, cell.sum, tuple(cell.buckets), sorted(cell.exemplars.items()))
                for cell in self._cells.values()
            ]
        return [
            Series(
                cell.labels,
                float(total),
                sum(buckets),
                buckets,
                self._bounds,
                cell.created,
                tuple(_exemplar(*noted) for _, noted in exemplars),
                self._scope,
            )
            for cell, total, buckets, exemplars in seen
            if any(buckets)
        ]


def _noted(value: float, context: Context | None) -> _Noted | None:
    span = get_current_span(context)
    if span is INVALID_SPAN:
        return None
    found = span.get_span_context()
    if not found.trace_flags.sampled:
        return None
    return value, time.time(), found.trace_id, found.span_id


def _exemplar(value: float, seconds: float, trace: int, span: int) -> Exemplar:
    return Exemplar(value, seconds, format_trace_id(trace), format_span_id(span))
