"""The queue between requests and an exporter.

Bounded by count and by bytes, so that a slow backend costs memory up to a limit and a
request nothing. What does not fit is dropped, the oldest first, and counted.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, RLock, Thread
from time import monotonic
from typing import TypeAlias

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_apimetrics import _guard, forked, health, interruptions, open_requests
from otel_apimetrics.beginning import Beginning
from otel_apimetrics.content import MOST_TEXT
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.closing import CLOSE, close_all, queues
from otel_apimetrics.exporters.in_flight import Batch, InFlight
from otel_apimetrics.exporters.memory import size_of
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.thinning import Rate, thinned

Export: TypeAlias = Callable[[Sequence[Exchange], Patience], bool]
"""Hands exchanges to a backend; True where it took them. May block with patience, may raise."""

MAX_COUNT = 8_192
MAX_BYTES = 16 * 1024 * 1024
BATCH = 120  # a request costs as much as twenty translations; four of ReadMe's hold 30 logs each
DELAY = 1.0
"""Seconds after which a batch goes out although it is not full."""
RESERVE = 1.0
"""Seconds of these, a fifth at most, that are left to keep on a disk what cannot be sent."""
INLINE = 1.0
"""Seconds that a backend may keep a request waiting which hands a batch on itself."""
REST = 4
"""How many times as long as a batch has taken no other goes out, where requests wait for it."""


class DeliveryQueue:
    """Hands exchanges to one exporter from a thread of its own.

    The thread is started at the first exchange of a process, compared by pid: a forked
    worker has a queue of its own, and uWSGI forks without running any handler.

    Where no thread runs (an old uWSGI without `enable-threads`, an interpreter that ends) a
    request hands a batch on itself: one at most, once a second or when it is full, and then
    for `REST` times as long none.

    Args:
        name: of the exporter, for counters and log lines.
        export: called on the thread, with instrumentation suppressed.
        rate: share of the exchanges that go in, with more weight, 0 to 1 or a function of each.
        max_body_size: bytes of each body that its exchanges have.
        shutdown: called at the end, after the last export.
        counts: count what was handed on and what failed; an exporter may do so itself.
        app_started: called at an app's first request with framework and routes; must not block.
        again: gives the seconds after which to export nothing where nothing is new, or `None`.
    """

    is_patient: bool = False
    """Its exporter gives up when its patience ends."""

    def __init__(
        self,
        name: str,
        export: Export,
        *,
        rate: Rate = 1.0,
        max_body_size: int = MOST_TEXT,
        shutdown: Callable[[], object] = lambda: None,
        counts: bool = True,
        app_started: Callable[[str, Sequence[str]], object] = lambda *_: None,
        again: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.name, self.max_body_size = name, max_body_size
        self.app_started, self._again = app_started, again
        self._export, self._shutdown = export, shutdown
        self._counts, self._rate = counts, rate
        self._beginning = Beginning()
        self._own()
        queues.add(self)

    def _begin(self) -> None:
        self._patience = Patience()
        self._waiting: deque[tuple[Exchange, int]] = deque()
        self._bytes = 0
        self._closed = self._is_over = self._hurried = self._is_last = False
        # Entered itself: a signal handler may raise in the Python of a condition's `__enter__`.
        self._lock = RLock()
        self._changed = Condition(self._lock)
        self._in_flight = InFlight(self._changed)
        self._thread: Thread | None = None
        self._is_inline = False
        self._rests_until = self._due_at = 0.0

    def accept(self, exchange: Exchange) -> None:
        """Queue an exchange. Never raises, does not block."""
        try:
            if (kept := thinned(exchange, self._rate)) is not None:
                self._put(kept, size_of(kept))
        except BaseException as error:  # of `sample_rate`, or an exporter's that is called here
            if not interruptions.is_own(error):
                raise
            health.count("dropped", self.name, "error")
            _guard.swallow("delivery.accept", error)

    def resume(self) -> None:
        """Hand on what a former process has left, before the first exchange. Never raises.

        Where this process, or that which has forked it, exports by itself, it does that too.
        """
        try:
            if self._thread is None and not self._closed and self._again() is not None:
                self._own()
                with self._lock:
                    self._start()
        except Exception as error:
            _guard.swallow("delivery.resume", error)

    def flush(self, timeout: float) -> bool:
        """Wait until what was accepted so far was handed on; False after `timeout` seconds."""
        deadline = monotonic() + timeout
        self._own()
        if self._is_inline:
            self._hand_on(deadline)
        with self._lock:
            self._hurried = True
            self._changed.notify_all()
            while self._waiting or self._in_flight:
                left = deadline - monotonic()
                if self._thread is None and not self._closed:  # it has died
                    self._start()
                if left <= 0 or self._thread is None:
                    self._hurried = False
                    return False
                self._changed.wait(left)
            self._hurried = False
        return True

    def close(self, timeout: float = CLOSE) -> None:
        """Hand on what is waiting, within `timeout` seconds; the rest is dropped and counted.

        So is what is in flight by then, unless the exporter has counted it or kept it on a disk.
        """
        deadline = monotonic() + timeout
        self.begin_close(deadline)
        if (thread := self._thread) is not None:
            thread.join(timeout)
        # Where there is no thread, and what a request that ends just now has added since.
        self._hand_on(deadline)
        with self._lock:
            self._is_over = True
            left = len(self._waiting)
            self._waiting.clear()
        left += self._in_flight.give_up(deadline)
        if left:
            with health.Account(left):  # not of a batch that this thread has interrupted
                health.count("dropped", self.name, "shutdown", left)
        try:
            self._shutdown()
        except BaseException as error:
            if not interruptions.is_own(error):
                raise
            _guard.swallow("delivery.shutdown", error, reveal=True)

    def begin_close(self, deadline: float) -> None:
        """Take nothing more up than what is waiting, try nothing again in vain, cut off attempts.

        Args:
            deadline: of the monotonic clock.
        """
        self._own()
        self._patience.end_by(deadline - min(RESERVE, (deadline - monotonic()) / 5))
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def _own(self) -> None:
        """Begin anew in a forked worker: what the parent holds is the parent's to hand on."""
        if self._beginning.pid != os.getpid():
            self._beginning.make_sure(self._begin)

    def _put(self, exchange: Exchange, size: int) -> None:
        self._own()
        dropped = 0
        with self._lock:
            if self._is_over:
                health.count("dropped", self.name, "shutdown")
                return
            self._waiting.append((exchange, size))
            self._bytes += size
            while len(self._waiting) > MAX_COUNT or self._bytes > MAX_BYTES:
                self._bytes -= self._waiting.popleft()[1]
                dropped += 1
            if self._thread is None:
                self._start()
            elif len(self._waiting) == 1 or self._is_due():
                self._changed.notify_all()
        if self._is_inline:
            self._hand_on()
        if dropped:
            health.count("dropped", self.name, "queue_full", dropped)
            _guard.warn_once(
                f"delivery.{self.name}",
                "The exporter %s does not keep up: the oldest exchanges are dropped, and counted in"
                " apimetrics.exporter.dropped. Lower sample_rate, or look at the backend.",
                self.name,
            )

    def _start(self) -> None:
        if self._is_inline or self._thread is not None:
            return
        if close_all not in open_requests.at_end:
            open_requests.at_end.append(close_all)
        self._is_inline = forked.has_no_threads()
        if self._is_inline:
            return
        thread = Thread(target=self._work, name=f"apimetrics-{self.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends, or the system has no more of them
            self._is_inline = True
        else:
            self._thread = thread

    def _hand_on(self, deadline: float = 0.0) -> None:
        """Hand on from this thread: one batch if it is time, or all of them until `deadline`."""
        while True:
            began = monotonic()
            with self._lock:
                is_time = began >= (self._rests_until if self._is_due() else self._due_at)
                if self._in_flight or not self._waiting or not (is_time or began < deadline):
                    return
                batch = self._batch()
            try:
                with suppress_instrumentation():
                    self._deliver(batch, self._patience.within(max(INLINE, deadline - began)))
            finally:
                ended = monotonic()
                with self._lock:
                    self._rests_until = ended + REST * (ended - began)
                    self._due_at = max(ended + DELAY, self._rests_until)
            if ended >= deadline:
                return

    def _work(self) -> None:
        try:
            with suppress_instrumentation():
                while (batch := self._take()) is not None:
                    self._deliver(batch, self._patience)
        except BaseException:
            self._thread = None  # the next exchange starts another
            raise

    def _take(self) -> Batch | None:
        """Wait for a batch; `None` once the queue is closed and empty."""
        with self._lock:
            while not self._waiting:
                after = self._again()
                if self._closed and (after is None or self._is_last):
                    return None
                if self._closed or not self._changed.wait(after):
                    self._is_last = self._closed
                    return self._in_flight.add([])
            if not self._is_due():
                self._changed.wait_for(self._is_due, DELAY)
            return self._batch()

    def _batch(self) -> Batch:
        """Take a batch out, with the lock held."""
        batch: list[Exchange] = []
        while self._waiting and len(batch) < BATCH:
            exchange, size = self._waiting.popleft()
            self._bytes -= size
            batch.append(exchange)
        return self._in_flight.add(batch)

    def _is_due(self) -> bool:
        full = len(self._waiting) >= BATCH or self._bytes >= MAX_BYTES // 4
        return self._closed or self._hurried or full

    def _deliver(self, batch: Batch, patience: Patience) -> None:
        with batch:
            try:
                taken = self._export(batch.exchanges, patience)
            except BaseException as error:  # an exit: it would end the thread without a word
                health.count("failed", self.name, "error", batch.left)
                if not interruptions.is_own(error):
                    raise
                _guard.swallow(f"exporter.{self.name}", error)
                return
            if self._counts and taken:
                health.count("sent", self.name, number=len(batch.exchanges))
            elif self._counts:
                health.count("failed", self.name, "refused", len(batch.exchanges))
