"""One kind of message on its way to a backend, on a thread of its own: none waits for another."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread
from time import monotonic
from typing import Final, TypeAlias

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_apimetrics import _guard, forked, health
from otel_apimetrics.exporters.parcel import UNREADABLE, Answer, Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.retry_after import LONGEST_ASKED
from otel_apimetrics.exporters.sender import Sender
from otel_apimetrics.exporters.spool import Spool

EXPORTER: Final = "apitally"
INLINE: Final = 1.0
"""Seconds that a beat may keep a request waiting, where no thread runs."""
_ROOM: Final = 64 * 1024 * 1024
"""Bytes of the parcels that wait for a backend that is away; past it the oldest are dropped."""
_SPLITS: Final = 16
"""Parcels that are made of one which the backend could not read."""

Pack: TypeAlias = Callable[[Sequence[bytes]], Parcel]


@dataclass(eq=False, slots=True)
class Load:
    """A parcel that waits for its delivery."""

    parcel: Parcel
    events: Sequence[bytes] = ()
    """What it was packed of, where halves of it can be packed too."""
    since: float = field(default_factory=monotonic)
    splits: int = _SPLITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a lane is for."""

    signal: str
    """For the thread's name, and the reasons of losses."""
    interval: Callable[[], float]
    """Gives the seconds between two beats."""
    keep: float
    """Seconds after which a parcel is given up."""
    first: float = 0.0
    """Seconds before the first beat."""
    pack: Pack | None = None
    """Makes a parcel of events again, where one of them could not be read."""
    counts: bool = True
    """Its parcels stand for the exchanges: what is taken is counted as sent. Losses of other
    lanes are counted under reasons that begin with the signal."""
    spool: Spool | None = None
    """Where parcels wait for the next process."""


class Lane:
    """Collects at each beat what there is to say, and sends it in order.

    What the backend does not take now stays, with the same bytes, and goes first at the next
    beat.

    Args:
        kind: what it is for.
        sender: to the backend. Lanes do not share one's attempts.
        collect: gives what has come together since the last beat. May raise.
        answered: looks at each answer. Must not block.
    """

    def __init__(
        self,
        kind: Kind,
        sender: Sender,
        collect: Callable[[], Iterable[Load]],
        answered: Callable[[Answer], object] = lambda _: None,
    ) -> None:
        self._kind: Final = kind
        self._sender: Final = sender
        self._collect: Final = collect
        self._answered: Final = answered
        self._patience: Final = Patience()
        self._changed: Final = Condition()
        self._beating: Final = Lock()
        self._waiting: Final[deque[Load]] = deque()
        self._asked = 0
        self._done = 0
        self._due = monotonic() + kind.first
        self._rests_until = 0.0
        self._closed = False
        self._thread: Thread | None = None
        self._is_inline = False

    def tend(self, patience: Patience) -> None:
        """Start the thread; where none runs, beat here once it is time. Never raises."""
        if self._thread is None and not self._is_inline:
            self._start()
        if self._is_inline and monotonic() >= max(self._due, self._rests_until):
            with suppress_instrumentation():
                self._beat(patience.within(INLINE))

    def hurry(self) -> int:
        """Have a beat now. Does not block.

        Returns:
            A ticket for `wait`.
        """
        with self._changed:
            self._asked += 1
            self._changed.notify_all()
            return self._asked

    def wait(self, ticket: int, patience: Patience) -> bool:
        """Wait for the beat of a ticket; True where the backend has everything after it."""
        if self._thread is None:
            with suppress_instrumentation():
                self._beat(patience)
        with self._changed:
            while self._done < ticket:
                left = patience.left()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 60.0))
            return not self._waiting

    def drop(self, reason: str) -> None:
        """Give up what waits, and count it."""
        with self._changed:
            given_up = list(self._waiting)
            self._waiting.clear()
        for load in given_up:
            self._lose("dropped", reason, load.parcel)

    def begin_close(self, deadline: float) -> None:
        """Have one last beat and no more.

        Args:
            deadline: of the monotonic clock.
        """
        self._patience.end_by(deadline)
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def close(self, deadline: float) -> None:
        """Wait for the last beat; what is left goes to the disk, or is dropped and counted."""
        self.begin_close(deadline)
        if self._thread is None:
            with suppress_instrumentation():
                self._beat(self._patience)
        else:
            self._thread.join(max(deadline - monotonic(), 0.1))
        if self._kind.spool is not None:
            with self._changed:
                left = list(self._waiting)
                self._waiting.clear()
                self._waiting.extend(load for load in left if not self._kind.spool.put(load.parcel))
        self.drop("shutdown")

    # -- on the thread -------------------------------------------------------------------

    def _start(self) -> None:
        with self._changed:
            if self._thread is not None or self._closed:
                return
            if forked.has_no_threads():
                self._is_inline = True
                return
            name = f"apimetrics-{EXPORTER}-{self._kind.signal}"
            thread = Thread(target=self._work, name=name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter ends, or the system has no more of them
                self._is_inline = True
            else:
                self._thread = thread

    def _work(self) -> None:
        with suppress_instrumentation():
            while self._sleep():
                self._beat(self._patience.within(max(self._kind.interval(), INLINE)))
            self._beat(self._patience)

    def _sleep(self) -> bool:
        """Wait until a beat is due; False once the lane is closed."""
        with self._changed:
            while not self._closed:
                now = monotonic()
                due = self._due if self._asked == self._done else now
                left = max(due, self._rests_until) - now
                if left <= 0:
                    break
                self._changed.wait(min(left, 60.0))
            return not self._closed

    def _beat(self, patience: Patience) -> None:
        with self._beating:
            with self._changed:
                ticket = self._asked
            try:
                self._forget_old()
                taken = self._send_all(patience)
                for load in self._collect():
                    with self._changed:
                        self._waiting.append(load)
                    taken = taken and self._send_all(patience)
                self._forget_old()
                if taken and self._kind.spool is not None:
                    self._send_spooled(self._kind.spool, patience)
            except Exception as error:
                _guard.swallow(f"apitally.{self._kind.signal}", error)
            with self._changed:
                self._done = max(self._done, ticket)
                self._due = monotonic() + self._kind.interval()
                self._changed.notify_all()

    def _forget_old(self) -> None:
        now = monotonic()
        size = sum(len(load.parcel.body) for load in self._waiting)
        while self._waiting:
            oldest = self._waiting[0]
            expired = now - oldest.since > self._kind.keep
            if not expired and size <= _ROOM:
                return
            self._take(oldest)
            size -= len(oldest.parcel.body)
            self._lose("dropped", "expired" if expired else "queue_full", oldest.parcel)

    def _send_all(self, patience: Patience) -> bool:
        while (load := self._next()) is not None:
            answer = self._sender.send(load.parcel, patience)
            self._answered(answer)
            if not (answer.taken or answer.refused):
                self._rest(answer)
                return False
            if not self._take(load):
                continue  # dropped meanwhile, and counted
            if answer.taken:
                self._count(load.parcel)
            elif not self._split(load, answer):
                self._lose("failed", "refused", load.parcel)
        return True

    def _rest(self, answer: Answer) -> None:
        """Ask nothing more for as long as the backend has asked not to be."""
        asked = answer.headers.get("retry-after", "").strip()
        if asked.isascii() and asked.isdigit():
            self._rests_until = monotonic() + min(float(asked[:9]), LONGEST_ASKED)

    def _split(self, load: Load, answer: Answer) -> bool:
        """Put halves in the place of what holds one record that the backend cannot read."""
        pack, events = self._kind.pack, load.events
        if pack is None or answer.status not in UNREADABLE or len(events) < 2 or not load.splits:  # noqa: PLR2004
            return False
        middle = len(events) // 2
        left = load.splits - 1
        with self._changed:
            for part, splits in ((events[middle:], left // 2), (events[:middle], left - left // 2)):
                self._waiting.appendleft(Load(pack(part), part, load.since, splits))
        return True

    def _next(self) -> Load | None:
        with self._changed:
            return self._waiting[0] if self._waiting else None

    def _take(self, load: Load) -> bool:
        with self._changed:
            if self._waiting and self._waiting[0] is load:
                self._waiting.popleft()
                return True
            return False

    def _send_spooled(self, spool: Spool, patience: Patience) -> None:
        while patience.left() > 0:
            with spool.take() as waiting:
                if waiting is None:
                    return
                answer = self._sender.send(waiting.parcel, patience)
                self._answered(answer)
                if not (answer.taken or answer.refused):
                    return
                waiting.done()
            if answer.taken:
                self._count(waiting.parcel)
            else:
                self._lose("failed", "refused", waiting.parcel)

    def _count(self, parcel: Parcel) -> None:
        if self._kind.counts and parcel.count:
            health.count("sent", EXPORTER, number=parcel.count)

    def _lose(self, outcome: health.Outcome, reason: str, parcel: Parcel) -> None:
        if parcel.count:
            told = reason if self._kind.counts else f"{self._kind.signal}_{reason}"
            health.count(outcome, EXPORTER, told, parcel.count)
