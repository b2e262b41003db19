"""One kind of message on its way to a backend, on a thread of its own: none waits for another."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Condition, Lock, Thread
from time import monotonic
from typing import Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_apimetrics import _guard, forked, health, interruptions
from otel_apimetrics.exporters.apitally.backlog import Backlog
from otel_apimetrics.exporters.courier import Courier, Pack
from otel_apimetrics.exporters.parcel import Answer, Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import Sender
from otel_apimetrics.exporters.spool import Spool

EXPORTER: Final = "apitally"
INLINE: Final = 1.0
"""Seconds that a beat may keep a request waiting, where no thread runs."""
_RESERVE: Final = 1.0
"""Seconds of the end, half of it at most, that are left to keep on a disk what cannot be sent."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one request is to carry."""

    parcel: Parcel
    events: Sequence[bytes] = ()
    """What it was packed of, where halves of it can be packed too."""


def whole(events: Sequence[bytes], _: Parcel | None) -> Parcel:
    """Refuse to make a parcel of a part of another: for messages that have no parts.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{len(events)} events of a message that has none")


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
    pack: Pack = whole
    """Makes a parcel of a part of another's events, where one of them is not taken."""
    counts: bool = True
    """Its parcels stand for the exchanges: what is taken is counted as sent. Losses of other
    lanes are counted under reasons that begin with the signal."""
    spool: Spool | None = None
    """Where parcels wait for the next process."""


class Lane:
    """Collects at each beat what there is to say, and sends it.

    What the backend does not take now stays, with the same bytes, and is sent when the backend
    takes something, and at the next beats.

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
        answered: Callable[[Answer], None] = lambda _: None,
    ) -> None:
        self._kind: Final = kind
        self._collect: Final = collect
        self._backlog: Final = Backlog(kind.keep, partial(self._count, "dropped"))
        self._courier: Final = Courier(
            EXPORTER,
            sender,
            batches=lambda events: (events,),
            pack=kind.pack,
            answered=lambda answer: None if answer.status is None else answered(answer),
            spool=kind.spool,
            aside=self._backlog,
            count=self._count,
        )
        self._patience: Final = Patience()
        self._changed: Final = Condition()
        self._beating: Final = Lock()
        self._in_flight = health.Account(0)
        self._asked = 0
        self._done = 0
        self._due = monotonic() + kind.first
        self._closed = False
        self._thread: Thread | None = None
        self._is_inline = False

    def tend(self, patience: Patience) -> None:
        """Start the thread; where none runs, beat here once it is time. Never raises."""
        if self._thread is None and not self._is_inline:
            self._start()
        if self._is_inline and monotonic() >= self._due:
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
        return self._courier.again() is None

    def drop(self, reason: str) -> None:
        """Give up what waits in memory, and count it."""
        self._courier.clear("dropped", reason)

    def begin_close(self, deadline: float) -> None:
        """Have one last beat and no more.

        Args:
            deadline: of the monotonic clock.
        """
        self._patience.end_by(deadline - min(_RESERVE, (deadline - monotonic()) / 2))
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def close(self, deadline: float) -> None:
        """Wait for the last beat; what is left goes to the disk, or is dropped and counted."""
        self.begin_close(deadline)
        if (thread := self._thread) is not None:
            thread.join(max(deadline - monotonic(), 0.1))
        if self._thread is None:  # there was none, or it has died
            with suppress_instrumentation():
                self._beat(self._patience)
        self._courier.close()
        if left := self._in_flight.give_up():
            self._count("dropped", "shutdown", left)

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
        try:
            with suppress_instrumentation():
                while self._sleep():
                    self._beat(self._patience.within(max(self._kind.interval(), INLINE)))
                self._beat(self._patience)
        except BaseException:
            self._thread = None  # the next exchanges start another
            raise

    def _sleep(self) -> bool:
        """Wait until a beat is due; False once the lane is closed."""
        with self._changed:
            while not self._closed:
                now = monotonic()
                left = self._due - now if self._asked == self._done else 0.0
                if left <= 0:
                    break
                self._changed.wait(min(left, 60.0))
            return not self._closed

    def _beat(self, patience: Patience) -> None:
        with self._beating:
            with self._changed:
                ticket = self._asked
            try:
                self._backlog.tidy()
                for load in self._collect():
                    self._in_flight = health.Account(load.parcel.count)
                    with self._in_flight:
                        self._courier.send(load.parcel, load.events, patience)
                self._courier.try_again(patience, forced=True)
            except BaseException as error:
                self._count("failed", "error", self._in_flight.give_up())
                if not interruptions.is_own(error):
                    raise
                _guard.swallow(f"apitally.{self._kind.signal}", error)
            finally:
                with self._changed:
                    self._done = max(self._done, ticket)
                    self._due = monotonic() + self._kind.interval()
                    self._changed.notify_all()

    def _count(self, outcome: health.Outcome, reason: str, number: int) -> None:
        if not number:
            return
        if self._kind.counts:
            health.count(outcome, EXPORTER, reason, number)
        elif outcome == "sent":
            health.keep(number)  # its exchanges are counted by another lane
        else:
            health.count(outcome, EXPORTER, f"{self._kind.signal}_{reason}", number)
