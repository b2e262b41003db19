"""Brings events to a backend: whole batches first, and then what stands in the way of others.

A batch that the backend answers with an error of its own, or not at all, is set aside, so that
others pass it, and halved until the record is found that makes it fail. That one is dropped, alone,
and only when the backend has taken something else between its failures: otherwise it is away.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from time import time_ns
from typing import Final, TypeAlias

from otel_apimetrics import _guard, health
from otel_apimetrics.exporters.aside import Aside, Line, Piece
from otel_apimetrics.exporters.backend import Backend
from otel_apimetrics.exporters.other_accounts import OtherAccounts
from otel_apimetrics.exporters.parcel import UNREADABLE, Answer, Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import LONGEST_PAUSE, Sender
from otel_apimetrics.exporters.spool import Spool

SPOOL_AFTER: Final = 10.0
"""Seconds for which a backend may be away before parcels go to the disk, where there is one."""
ERRORS: Final = 5
"""Answers with an error of the backend's own, in a row, after which a batch lets others pass."""
FAILURES: Final = 3
"""Failures of a single record, something else taken between them, after which it is dropped."""
_IN_A_ROW: Final = 8
"""Errors without anything taken after which the backend rather than a record is ill: more than it
takes to halve a batch down to one record."""
_MOST_HALVED: Final = 240
"""Parts, in a row, that the backend cannot read before what it cannot read is given up whole."""
_AGAIN: Final = 5.0
_LONGEST: Final = 300.0
"""Seconds until what was set aside is tried though nothing was taken: the first, and the most."""

Pack: TypeAlias = Callable[[Sequence[bytes], Parcel | None], Parcel]
"""Puts events into one request: into a part of that parcel, where one is given."""
Count: TypeAlias = Callable[[health.Outcome, str, int], None]
"""Counts exchanges by what became of them and why."""


class Courier:
    """Delivers events, and remembers what could not be. Safe between threads and forks.

    Args:
        name: of the exporter, for counters and log lines.
        sender: to the backend.
        batches: bounds what goes into one request.
        pack: puts events into one request.
        answered: called with each answer; must not block.
        spool: where events wait that could not be delivered in time.
        aside: where they wait without a spool.
        count: counts them; `None`: for the exporter.
    """

    def __init__(
        self,
        name: str,
        sender: Sender,
        *,
        batches: Callable[[Sequence[bytes]], Iterable[Sequence[bytes]]],
        pack: Pack,
        answered: Callable[[Answer], None],
        spool: Spool | None,
        aside: Aside | None = None,
        count: Count | None = None,
    ) -> None:
        self._name: Final = name
        # Where there is a disk, nobody need wait.
        self._backend: Final = Backend(sender, answered, waits=spool is None)
        self._batches: Final = batches
        self._pack: Final = pack
        self._spool: Final = spool
        self._aside: Final = Aside() if aside is None else aside
        self._line: Final[Line] = self._aside if spool is None else spool
        self._count: Final[Count] = count or (
            lambda outcome, reason, number: health.count(outcome, name, reason, number)
        )
        self._others: Final = (
            None if spool is None else OtherAccounts(name, spool, partial(self._count, "dropped"))
        )
        self._taken_at = 0
        """When the backend last took something, in nanoseconds since the epoch."""
        self._errors = 0
        """Attempts at what waits that have failed since then."""
        self._halved = 0
        """Parts that the backend could not read since then."""
        self._tried_at = 0
        """When what waits was last tried, in nanoseconds since the epoch."""

    def deliver(self, events: Sequence[bytes], patience: Patience) -> bool:
        """Deliver events, and then what was set aside before.

        Returns:
            True where the backend has all of the events.
        """
        before = self._taken_at
        taken = True
        for batch in self._batches(events):
            taken = self.send(self._pack(batch, None), batch, patience) and taken
        if not events or self._taken_at != before:
            self.try_again(patience)
        return taken

    def send(self, parcel: Parcel, events: Sequence[bytes], patience: Patience) -> bool:
        """Deliver a parcel.

        Args:
            parcel: the request.
            events: what it is made of, where it may be split.
            patience: how long it may go on.

        Returns:
            True where the backend has all of it.
        """
        self._halved, taken = 0, True
        parts = [(parcel, events)]
        while parts:
            part, inside = parts.pop()
            answer = self._attempts(part, inside, patience)
            if answer.taken:
                self._took(part.count)
            elif self._may_halve(answer, inside):
                # One record may be what it stumbles over: halves find it, and the others arrive.
                parts += reversed(self._halves(part, inside))
            else:
                taken = False
                self._not_taken(part, inside, answer, patience)
        return taken

    def again(self) -> float | None:
        """Give the seconds after which `deliver` has something to do though nothing is new.

        Returns:
            `None` where nothing waits.
        """
        oldest = self._line.oldest()
        return None if oldest is None else max(self._rest(oldest), self._backend.closed(), 0.0)

    def clear(self, outcome: health.Outcome, reason: str) -> None:
        """Give up what waits in memory, and count it."""
        if left := self._aside.clear():
            self._count(outcome, reason, left)

    def close(self) -> None:
        """Count what is left in memory."""
        self.clear("failed", "unavailable")

    def _not_taken(
        self, parcel: Parcel, events: Sequence[bytes], answer: Answer, patience: Patience
    ) -> None:
        if answer.refused:
            self._count("failed", "refused", parcel.count)
        elif self._keep(parcel, events, answer, patience):
            return
        elif patience.hurried and not answer.attempts:
            self._count("dropped", "shutdown", parcel.count)
        else:
            self._count("failed", "unavailable", parcel.count)

    def _attempts(self, parcel: Parcel, events: Sequence[bytes], patience: Patience) -> Answer:
        if self._spool is not None:
            return self._backend.post(parcel, patience.within(SPOOL_AFTER), ERRORS)
        attempts = 0
        while True:
            has_room = self._aside.has_room(len(events))
            in_turns = not has_room or self._is_away()
            answer = self._backend.post(parcel, patience, 1 if in_turns else ERRORS)
            attempts += answer.attempts
            if not (in_turns and (answer.failing or answer.away)) or patience.hurried:
                return answer
            if has_room and attempts >= ERRORS:
                return replace(answer, attempts=attempts)
            # What waits may go now, and this batch be what the backend fails at: in turns, then.
            self._errors += 1
            self.try_again(patience, forced=True)
            if not patience.wait(min(_AGAIN * self._errors, LONGEST_PAUSE)):
                return answer

    def _is_away(self) -> bool:
        """Tell whether the backend is silent, and has taken nothing since something was set aside.

        Then it is asked less often.
        """
        if self._aside.is_for_all or not self._backend.is_silent:
            return False
        oldest = self._aside.oldest()
        return oldest is not None and oldest >= self._taken_at

    def _keep(
        self, parcel: Parcel, events: Sequence[bytes], answer: Answer, patience: Patience
    ) -> bool:
        if self._spool is not None:
            return self._spool.put(parcel, events, int(answer.failing))
        passes = answer.failing or (answer.away and answer.attempts >= ERRORS)
        if patience.hurried or not (passes or self._aside.is_for_all):
            return False
        return self._aside.put(parcel, events, int(passes))

    def _took(self, number: int) -> None:
        self._taken_at, self._errors, self._halved = time_ns(), 0, 0
        if number:
            self._count("sent", "", number)

    def try_again(self, patience: Patience, *, forced: bool = False) -> None:
        """Deliver what was set aside before.

        Args:
            patience: how long it may go on.
            forced: also what has been tried a short while ago.
        """
        # What waits is counted for itself, and not for the batch that is handed on meanwhile.
        with health.Account(0):
            self._go_through(patience, forced=forced)

    def _go_through(self, patience: Patience, *, forced: bool) -> None:
        if self._others is not None:
            self._others.tidy()
        if self._spool is not None and (patience.hurried or self._backend.closed() > 0):
            return  # it is safe on the disk
        forced = forced or patience.hurried
        began, most = time_ns(), self._errors + _IN_A_ROW
        self._halved = 0
        while patience.left() > 0 and self._errors <= most:
            with self._line.take() as piece:
                if piece is None:
                    break
                is_fresh = piece.since < began
                if not (self._is_due(piece) or (forced and is_fresh)):
                    break
                if not self._retry(piece, patience):
                    break
        self._tried_at = time_ns()

    def _is_due(self, piece: Piece) -> bool:
        return piece.since < self._taken_at or self._rest(piece.since) <= 0

    def _rest(self, since: int) -> float:
        """Give the seconds until what was tried then is tried though nothing was taken."""
        pause = min(_AGAIN * (1 << min(self._errors, 9)), _LONGEST)
        return pause - (time_ns() - max(since, self._tried_at)) / 1e9

    def _retry(self, piece: Piece, patience: Patience) -> bool:
        """Try what waits once. False where the backend is away, and nothing else has a chance."""
        answer = self._backend.post(piece.parcel, patience.within(SPOOL_AFTER), 1)
        # Who is silent to this one, and took others meanwhile, is not away: it fails at this one.
        was_asked = answer.attempts and not patience.hurried
        failing = answer.failing or bool(was_asked and answer.away and piece.since < self._taken_at)
        may_halve = self._may_halve(answer, piece.events)
        if answer.taken:
            self._took(piece.parcel.count if piece.done() else 0)
            return True
        if may_halve or (failing and piece.failures and len(piece.events) > 1):
            self._errors += failing
            if piece.split(self._halves(piece.parcel, piece.events)):
                return True
        elif answer.refused:
            if piece.done():
                self._count("failed", "refused", piece.parcel.count)
            return True
        if failing:
            return self._fail(piece)
        self._errors += 1
        return False

    def _may_halve(self, answer: Answer, events: Sequence[bytes]) -> bool:
        if answer.status not in UNREADABLE or len(events) < 2:  # noqa: PLR2004
            return False
        self._halved += 1
        return self._halved <= _MOST_HALVED

    def _halves(
        self, parcel: Parcel, events: Sequence[bytes]
    ) -> list[tuple[Parcel, Sequence[bytes]]]:
        middle = len(events) // 2
        halves = events[:middle], events[middle:]
        # Bounds may have changed, where events come from a disk.
        return [(self._pack(part, parcel), part) for half in halves for part in self._batches(half)]

    def _fail(self, piece: Piece) -> bool:
        self._errors += 1
        failures = piece.failures + (piece.since < self._taken_at)
        if len(piece.events) <= 1 and failures > FAILURES:
            if piece.done():
                self._count("failed", "refused", piece.parcel.count)
            _guard.warn(
                f"exporter.{self._name}.poisonous",
                "%s fails at a record of the exporter %s and takes others. The record is dropped,"
                " and counted in apimetrics.exporter.failed as refused. Look at the backend's log.",
                self._backend.url,
                self._name,
            )
        else:
            piece.later(failures)
        return True
