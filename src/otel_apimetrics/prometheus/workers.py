"""All processes of an app, seen from whichever is scraped."""

import atexit
import os
import socket
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Final

from otel_apimetrics import _guard, forked, metrics
from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus import merging, wire
from otel_apimetrics.prometheus.families import Family
from otel_apimetrics.prometheus.member import LENGTH, Member
from otel_apimetrics.prometheus.place import Place

_REMEDY: Final = "Give a directory= that belongs to the user whom workers run as."
_PATIENCE: Final = 0.25
"""Seconds for the processes to answer; what one told last stands for one that does not."""
_LOOKS: Final = 10
"""At files that another process changes at the same time."""
_AT_LEAST: Final = 0.001
"""Seconds for one, though another has taken all: it may have answered long ago."""


class Workers:
    """Tells others what this process has counted, and puts together what they tell.

    Args:
        place: where they meet.
        collect: gives all that this process has, inherited or its own.
    """

    def __init__(self, place: Place, collect: Callable[[], list[Family]]) -> None:
        self.place: Final = place
        self._collect: Final = collect
        self._member: Member | None = None
        self._is_closed = False
        self.is_plain_alone: bool = False
        """Gauges have no `pid` as long as there is no other process and never was."""
        try:
            self._begin()
        except OSError as error:
            raise ConfigError(f"{error}. {_REMEDY}") from error
        _all.add(self)
        atexit.register(self.tell)
        forked.at_begin.append(self.begin)
        metrics.recorded.append(self._note)

    def begin(self) -> None:
        """Take part from now on; where this process does already, do nothing.

        A process that was forked begins with what it has inherited, which its parent tells.
        """
        try:
            self._begin()
        except (OSError, ConfigError) as error:
            _guard.warn_once(
                "prometheus.join",
                "No scrape shows what this process counts: %s. %s",
                error,
                _REMEDY,
            )

    def _begin(self) -> None:
        parent = self._member
        if self._is_closed or (parent is not None and parent.pid == os.getpid()):
            return
        baseline: merging.Baseline = {}
        if parent is not None:
            collected = self._collect()
            baseline = merging.baseline_of(collected)
            parent.leave_to_parent()
            if not parent.threaded:
                self._tell_for(parent, collected)
        self._member = Member(
            self.place, self._collect, baseline, threaded=forked.may_have_thread()
        )

    def _tell_for(self, parent: Member, collected: list[Family]) -> None:
        try:
            parent.tell_for_parent(collected)
        except OSError as error:  # its counts are lost, and this process takes part all the same
            _guard.swallow("prometheus.write", error, reveal=True)

    def gather(self) -> list[Family]:
        """Ask all processes, and put together what they tell.

        Where another process does not finish its scrape, nothing is put down for those that have
        ended: each is read for itself.

        Raises:
            OSError: this process cannot take part.
        """
        forked.begin_process()
        self._begin()
        member = self._member
        if member is None or member.pid != os.getpid():
            raise ProcessLookupError("the reader was shut down before this process was forked")
        with member.turn:
            # The app's own callbacks may take long: nobody waits for them but this scrape.
            member.tell()
            parts = self._parts_in_turn(member)
        if self.is_plain_alone and not any(part.families for part in parts[1:]):
            parts = [replace(parts[0], families=[*map(_plain, parts[0].families)])]
        return merging.merged(parts)

    def tell(self) -> None:
        """Write down what this process has counted, if it takes part."""
        member = self._member
        if member is not None and member.pid == os.getpid():
            member.tell()

    def close(self) -> None:
        """Tell for the last time."""
        self._is_closed = True
        atexit.unregister(self.tell)
        with suppress(ValueError):
            forked.at_begin.remove(self.begin)
            metrics.recorded.remove(self._note)
        member = self._member
        if member is not None and member.pid == os.getpid():
            member.end()

    def leave_to_parent(self) -> None:
        """Close, in a child that is none of us yet, what its parent has open."""
        if self._member is not None:
            self._member.leave_to_parent()

    def _note(self) -> None:
        member = self._member
        if member is not None:
            member.note()

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

    def _parts_out_of_turn(self, member: Member) -> list[merging.Part]:
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
        self, member: Member, ended_of: Callable[[list[str]], list[Family]]
    ) -> list[merging.Part]:
        # What another process has shown of this one meanwhile is not less than this.
        families = member.told()
        names = [name for name in self.place.names() if name != member.name]
        live = [name for name in names if self.place.lives(name)]
        ended = ended_of([name for name in names if name not in live])
        told = dict(_ask(self.place, live))
        parts = [merging.Part(families, member.pid, is_live=True)]
        for name in live:
            heard = told.get(name) or self.place.read(name)
            parts.append(merging.Part(_families(heard), self.place.pid_of(name), is_live=True))
        return [*parts, merging.Part(ended)]

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


def _ask(place: Place, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Ask several processes at once; those that do not answer in time are left out."""
    deadline = time.monotonic() + _PATIENCE
    with ExitStack() as stack:
        asked = []
        for name in names:
            connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            connection.settimeout(_left(deadline))
            with suppress(OSError), place.address(name) as path:
                connection.connect(path)
                asked.append((name, connection))
        for name, connection in asked:
            with suppress(OSError):
                yield name, _received(connection, deadline)


def _received(connection: socket.socket, deadline: float) -> bytes:
    (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size, deadline))
    return _exactly(connection, length, deadline)


def _exactly(connection: socket.socket, length: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < length:
        connection.settimeout(_left(deadline))
        more = connection.recv(min(length - len(data), 1 << 18))
        if not more:
            raise ConnectionError("closed before its end")
        data += more
    return bytes(data)


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), _AT_LEAST)


_all: "weakref.WeakSet[Workers]" = weakref.WeakSet()


def _leave_to_parent() -> None:
    for workers in tuple(_all):
        workers.leave_to_parent()


os.register_at_fork(after_in_child=_leave_to_parent)
