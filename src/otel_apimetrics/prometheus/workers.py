"""All processes of an app, seen from whichever is scraped."""

import atexit
import os
import weakref
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Final

from otel_apimetrics import _guard, forked, metrics
from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus import merging, wire
from otel_apimetrics.prometheus.asking import ask
from otel_apimetrics.prometheus.families import Family
from otel_apimetrics.prometheus.inheritance import Inheritance, at_end_of_job
from otel_apimetrics.prometheus.member import Member
from otel_apimetrics.prometheus.place import Place

_REMEDY: Final = "Give a directory= that belongs to the user whom workers run as."
_PATIENCE: Final = 0.25
"""Seconds in which one that ends waits for a scrape that is under way."""
_LOOKS: Final = 10
"""At files that another process changes at the same time."""


class Workers:
    """Tells others what this process has counted, and puts together what they tell.

    Args:
        place: where they meet.
        collect: gives all that this process has, inherited or its own.
        held: gives what of that can be had without asking the app, as `Inheritance` has it.
    """

    def __init__(
        self,
        place: Place,
        collect: Callable[[], list[Family]],
        held: Callable[[], list[Family]],
    ) -> None:
        self.place: Final = place
        self._inheritance: Final = Inheritance(held)
        self._collect: Final = collect
        self._member: Member | None = None
        self._is_closed = False
        self.is_plain_alone: bool = False
        """Gauges have no `pid` as long as there is no other process and never was."""
        try:
            self._begin(threaded=forked.may_have_thread())
        except OSError as error:
            raise ConfigError(f"{error}. {_REMEDY}") from error
        _all.add(self)
        atexit.register(self.tell_at_end)
        forked.at_begin.append(self.begin)
        metrics.recorded.append(self._note)

    def begin(self) -> None:
        """Take part from now on; where this process does already, do nothing.

        A process that was forked begins with what it has inherited, which its parent tells.
        """
        self._begin_if_possible(threaded=forked.may_have_thread())

    def _begin_if_possible(self, *, threaded: bool) -> None:
        try:
            self._begin(threaded=threaded)
        except (OSError, ConfigError) as error:
            _guard.warn(
                "prometheus.join",
                "No scrape shows what this process counts: %s. %s",
                error,
                _REMEDY,
            )

    def _begin(self, *, threaded: bool) -> None:
        parent = self._member
        if self._is_closed or (parent is not None and parent.pid == os.getpid()):
            return
        baseline: merging.Baseline = {}
        if parent is not None:
            found = self._collect()
            collected = merging.completed(found, merging.missing(found, parent.collected))
            inherited = self._inheritance.of(collected)
            baseline = merging.baseline_of(inherited)
            parent.leave()
            if not parent.threaded:
                self._tell_for(parent, inherited)
        self._member = Member(self.place, self._collect, baseline, threaded=threaded)

    def _tell_for(self, parent: Member, inherited: list[Family]) -> None:
        try:
            parent.tell_for_parent(inherited)
        except OSError as error:  # its counts are lost, and this process takes part all the same
            _guard.swallow("prometheus.write", error, reveal=True)

    def gather(self) -> list[Family]:
        """Ask all processes, and put together what they tell.

        Where another process does not finish its scrape, nothing is put down for those that have
        ended: each is read for itself. So it is where this process does not take part, or no more.
        """
        forked.begin_process()
        self.begin()
        member = self._own()
        parts = self._parts_out_of_turn() if member is None else self._parts_with(member)
        if self.is_plain_alone and not any(part.families for part in parts[1:]):
            parts = [replace(parts[0], families=[*map(_plain, parts[0].families)])]
        return merging.merged(parts)

    def tell(self) -> None:
        """Write down what this process has counted, if it takes part."""
        member = self._own()
        if member is not None:
            try:
                member.tell()
            except Exception as error:
                _guard.swallow("prometheus.tell", error)

    def tell_at_end(self) -> None:
        """Write down what this process has counted, also if it has not taken part until now."""
        self._begin_at_end()
        self.tell()

    def _begin_at_end(self) -> None:
        try:
            if not self._is_closed and self._own() is None and self._inheritance.has_grown():
                self._begin_if_possible(threaded=False)  # none can be started any more
        except Exception as error:
            _guard.swallow("prometheus.worker_end", error)

    def inherit(self) -> None:
        """Note in a child, at its fork, what it has inherited; what it counts is its own."""
        self.leave()
        if not self._is_closed:
            self._inheritance.note()
            at_end_of_job(self.tell_at_end, self)

    def close(self) -> bool:
        """Tell for the last time, and put that to what those have told that have ended.

        Returns:
            It was open until now.
        """
        if self._is_closed:
            return False
        self._begin_at_end()
        self._is_closed = True
        atexit.unregister(self.tell_at_end)
        with suppress(ValueError):
            forked.at_begin.remove(self.begin)
            metrics.recorded.remove(self._note)
        member = self._own()
        if member is not None:
            try:
                member.end()
                self._put_to_the_ended(member)
            except Exception as error:
                _guard.swallow("prometheus.worker_end", error)
        self.leave()
        return True

    def leave(self) -> None:
        """Close what this process has open, or, in a child that is none of us, its parent has."""
        if self._member is not None:
            self._member.leave()

    def _own(self) -> Member | None:
        """Give this process, if it takes part."""
        member = self._member
        return member if member is not None and member.pid == os.getpid() else None

    def _put_to_the_ended(self, member: Member) -> None:
        """Do at once what the next scrape would do, unless one is under way."""
        if member.turn.acquire(timeout=_PATIENCE):
            try:
                with self.place.turn(patience=_PATIENCE):
                    self._fold([*self._ended(), member.name])
            except TimeoutError:
                return
            finally:
                member.turn.release()

    def _note(self) -> None:
        member = self._member
        if member is not None:
            member.note()

    def _parts_with(self, member: Member) -> list[merging.Part]:
        with member.turn:
            # The app's own callbacks may take long: nobody waits for them but this scrape.
            member.tell()
            return self._parts_out_of_turn() if member.has_ended else self._parts_in_turn(member)

    def _parts_in_turn(self, member: Member) -> list[merging.Part]:
        with ExitStack() as stack:
            try:
                stack.enter_context(self.place.turn())
            except OSError as error:
                _guard.warn(
                    "prometheus.turn", "A scrape goes on out of turn: %s. It is whole.", error
                )
                return self._parts_out_of_turn(member)
            return self._parts(member, self._fold)

    def _parts_out_of_turn(self, member: Member | None = None) -> list[merging.Part]:
        """Put nothing down, and look again where another process has done so meanwhile."""
        before = self.place.read(self.place.ended)
        parts = self._parts(member, self._read_ended)
        for _ in range(_LOOKS):
            after = self.place.read(self.place.ended)
            if after == before:
                break
            before, parts = after, self._parts(member, self._read_ended)
        return parts

    def _parts(
        self, member: Member | None, ended_of: Callable[[list[str]], list[Family]]
    ) -> list[merging.Part]:
        parts = []
        if member is not None:
            # What another process has shown of this one meanwhile is not less than this.
            parts.append(merging.Part(member.told(), member.pid, is_live=True))
        own = None if member is None else member.name
        names = [name for name in self.place.names() if name != own]
        live = [name for name in names if self.place.lives(name)]
        ended = ended_of([name for name in names if name not in live])
        told = dict(ask(self.place, live))
        for name in live:
            heard = told.get(name) or self.place.read(name)
            parts.append(merging.Part(_families(heard), self.place.pid_of(name), is_live=True))
        return [*parts, merging.Part(ended)]

    def _ended(self) -> list[str]:
        place = self.place
        return [name for name in place.names() if not place.lives(name)]

    def _read_ended(self, names: list[str]) -> list[Family]:
        """Give what those that have ended have told, and those that had ended before."""
        place = self.place
        before = place.read(place.ended)
        told = wire.Told([], []) if before is None else _told(before)
        if not names:
            return told.families
        new = [name for name in names if name not in told.names]
        parts = [merging.Part(_families(place.read(name))) for name in reversed(new)]
        return merging.folded([*parts, merging.Part(told.families)])

    def _fold(self, names: list[str]) -> list[Family]:
        """Put those that have ended to those that had ended before."""
        place = self.place
        families = self._read_ended(names)
        if names:
            # First this, by one rename, with their names in it: nobody is counted twice or not
            # at all, wherever this process is stopped.
            try:
                place.write(place.ended, wire.written(families, names))
                for name in names:
                    place.forget(name)
            except OSError as error:  # they stay as they are, for the next scrape
                _guard.swallow("prometheus.fold", error, reveal=True)
        return families


def _plain(family: Family) -> Family:
    return replace(family, mode="livemax") if family.mode == "all" else family


def _told(data: bytes) -> wire.Told:
    try:
        return wire.read(data)
    except ValueError as error:
        _guard.swallow("prometheus.read", error, reveal=True)
        return wire.Told([], [])


def _families(data: bytes | None) -> list[Family]:
    return [] if data is None else _told(data).families


_all: "weakref.WeakSet[Workers]" = weakref.WeakSet()


def _leave_to_parent() -> None:
    for workers in tuple(_all):
        workers.inherit()


os.register_at_fork(after_in_child=_leave_to_parent)
