"""A counter that is told of requests by the dozen.

`Counter.add` cleans, sorts and hashes its attributes at each call: a twentieth of what a record
costs. Here those of one set of attributes are counted, and the counter is told when somebody
collects, or when there are `MOST`. It has no lock, so that nothing waits for one after a fork or
a signal.
"""

import os
import sys
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry import trace
from opentelemetry.context import Context, set_value

from otel_apimetrics import _guard

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 64
"""Requests of one set of attributes that are not told yet, at most."""

_NOBODY: Final = set_value("otel_apimetrics-tally", value=True, context=Context())
"""Holds no span. Not empty: the SDK would take what is current instead."""


class Counts(Protocol):
    """What is done with a counter of OpenTelemetry's here."""

    def add(self, amount: int, attributes: "Mapping[str, Any]", context: Context | None) -> None:
        """Count. Does not block."""
        ...


class _Cell:
    """The requests of one set of attributes."""

    __slots__ = ("attributes", "exemplar", "waiting")

    def __init__(self, attributes: "Mapping[str, Any]") -> None:
        self.attributes = attributes
        self.waiting: deque[None] = deque()
        """One item for each; its operations are atomic."""
        self.exemplar: trace.SpanContext | None = None
        """A sampled span of one of them."""


class Tally:
    """Stands before a counter.

    Args:
        counter: of the SDK. Somebody calls `tell` before it is collected.
    """

    def __init__(self, counter: Counts) -> None:
        self._counter: Final = counter
        self._cells: Final[dict[int, _Cell]] = {}
        self.is_left = False
        """Nobody counts with it any more."""

    def add(self, amount: int, attributes: "Mapping[str, Any]", context: Context | None) -> None:
        """Count a request.

        Args:
            amount: 1, as often as this is called.
            attributes: the same object for each request of its set; it never changes. There are
                as many as `Cardinality` admits.
            context: holds the request's span, for exemplars.
        """
        cell = self._cells.get(id(attributes))
        # It is counted last in either way: whoever is interrupted before that counts it again.
        if cell is None:
            self._cells.setdefault(id(attributes), _Cell(attributes))
            # At once: the sum begins with the first of them.
            self._counter.add(amount, attributes, context)
            return
        if cell.exemplar is None and context is not None:
            span = trace.get_current_span(context).get_span_context()
            cell.exemplar = span if span.trace_flags.sampled else None
        if len(cell.waiting) >= MOST:
            self._tell(cell)
        cell.waiting.append(None)

    def tell(self) -> None:
        """Tell the counter of all that wait."""
        for cell in tuple(self._cells.values()):
            if cell.waiting:
                self._tell(cell)

    def _tell(self, cell: _Cell) -> None:
        exemplar, number = cell.exemplar, 0
        context = _NOBODY
        if exemplar is not None:
            context = trace.set_span_in_context(trace.NonRecordingSpan(exemplar), _NOBODY)
        try:
            # Whoever takes one tells of it: several threads may be here.
            while cell.waiting:
                cell.waiting.pop()
                number += 1
        except IndexError:
            pass
        finally:
            cell.exemplar = None
            if number > 1:
                self._counter.add(number - 1, cell.attributes, _NOBODY)
            if number:
                self._counter.add(1, cell.attributes, context)

    def leave(self) -> None:
        """Note that whoever counted with it is gone. What waits is still to be told."""
        self.is_left = True

    def forget(self) -> None:
        """Forget what waits: in a forked child, whose parent tells of it."""
        for cell in self._cells.values():
            cell.waiting.clear()
            cell.exemplar = None


_tallies: set[Tally] = set()


def counting(counter: Counts, owner: object) -> Counts:
    """Give what counts requests for a counter: a tally where it is one of the SDK's.

    Args:
        counter: of a provider for whose collections `tell_all` is called.
        owner: counts with what is given, as long as it lives.
    """
    sdk: Any = sys.modules.get("opentelemetry.sdk.metrics")
    if sdk is None or not isinstance(counter, sdk.Counter):
        return counter
    tally = Tally(counter)
    _tallies.add(tally)
    weakref.finalize(owner, tally.leave).atexit = False
    return tally


def tell_all() -> None:
    """Tell every counter what waits. Called before metrics are collected. Never raises."""
    try:
        for tally in tuple(_tallies):
            is_left = tally.is_left  # nothing is added to one that is
            tally.tell()
            if is_left:
                _tallies.discard(tally)
    except Exception as error:
        _guard.swallow("metrics.tally", error)


def forget_all() -> None:
    """Forget what waits in this process: its parent tells of that."""
    for tally in tuple(_tallies):
        tally.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_all)
