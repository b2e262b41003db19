"""Parcels that wait on a disk until their backend is back, or for the next process.

One file a parcel, so that any number of processes may put and take: a file is written under
another name and then renamed, and who takes one holds its lock, which ends with the process.
Its name has its place in the line and the failures against it: after its exporter and a digest of
its destination come nanoseconds since the epoch, a random part, and their number where there are
any. Inside are a line of JSON (`path`, `headers`, `count`, `packed`, and in `events` the beginning
and end of each event in the body, where it may be split) and the body.
"""

import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from time import time, time_ns
from typing import Any, Final

from otel_apimetrics import _guard, health
from otel_apimetrics.exporters.directories import make_directory, tell_denied
from otel_apimetrics.exporters.parcel import Parcel

MAX_BYTES: Final = 64 * 1024 * 1024
"""Of all parcels of one destination, in all processes together."""

SUFFIX: Final = ".parcel"
_STALE: Final = 600 * 1_000_000_000
"""Nanoseconds after which a file that was never renamed belongs to a process that died."""

_ABANDONED: Final = 24 * 3600
"""Seconds after which what nobody has looked at is of an account that is no longer used."""


class Spool:
    """The parcels of one destination in one directory.

    Args:
        directory: made, with access for its owner alone, where it is missing.
        name: of the exporter.
        destination: address and credentials; their digest is in the names, so that what was meant
            for one account never reaches another.

    Raises:
        OSError: the directory can be neither made nor written to.
        ImportError: this system has no locks on files.
    """

    def __init__(self, directory: Path, name: str, destination: str) -> None:
        import fcntl

        self._lock: Final = fcntl
        self._directory: Final = directory
        self._name: Final = name
        self._prefix: Final = f"{name}-{sha256(destination.encode()).hexdigest()[:16]}-"
        make_directory(directory)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(f"{directory} cannot be written to")
        for path in self._files(SUFFIX):
            _touch(path)
            break

    def put(self, parcel: Parcel, events: Sequence[bytes] = (), failures: int = 0) -> bool:
        """Keep a parcel. False where there is no room or the disk refuses; never raises.

        Args:
            parcel: the request.
            events: what it is made of, in its body as they are, where it may be split.
            failures: against it, so far.
        """
        data = _written(parcel, events)
        try:
            if self._size() + len(data) > MAX_BYTES:
                return False
            self._write(data, time_ns(), failures)
        except PermissionError:
            tell_denied(self._name, "spool", self._directory)
            return False
        except OSError as error:
            _guard.swallow("spool.put", error, reveal=True)
            return False
        health.keep(parcel.count)
        return True

    def _write(self, data: bytes, since: int, failures: int) -> Path:
        path = self._place(since, failures)
        unfinished = path.with_suffix(".unfinished")
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(file)
        return unfinished.rename(path)

    def _place(self, since: int, failures: int) -> Path:
        # Sorted by time, and no two processes choose the same.
        end = f"-{failures}" if failures else ""
        name = f"{self._prefix}{since:020d}-{secrets.token_hex(4)}{end}{SUFFIX}"
        return self._directory / name

    def has_room(self, number: int) -> bool:  # noqa: ARG002
        """Tell whether so many events may wait: it is seen when they are put."""
        return True

    def oldest(self) -> int | None:
        """Give the time of the first of the line, in nanoseconds since the epoch."""
        return min((_place_of(path, self._prefix)[0] for path in self._files(SUFFIX)), default=None)

    def waiting(self) -> bool:
        """Tell whether there may be a parcel to take. Cheap."""
        return any(True for _ in self._files(SUFFIX))

    @contextmanager
    def take(self) -> Iterator["Taken | None"]:
        """Take the oldest parcel that no other process holds; `None`: there is none.

        Unless it is `done` inside of the block, it stays.
        """
        for path in sorted(self._files(SUFFIX)):
            try:
                file = os.open(path, os.O_RDWR)
            except OSError:
                continue  # another process was quicker
            with os.fdopen(file, "rb") as stream:
                try:
                    self._lock.flock(file, self._lock.LOCK_EX | self._lock.LOCK_NB)
                    if os.fstat(file).st_ino != path.stat().st_ino:
                        continue  # another process has put it elsewhere, or is done with it
                except OSError:
                    continue
                _touch(path)
                taken = self._read(path, stream.read())
                if taken is not None:
                    try:
                        yield taken
                    finally:
                        # Closing alone would leave it to a worker that was forked meanwhile.
                        self._lock.flock(file, self._lock.LOCK_UN)
                    return
        yield None

    def drop_abandoned(self) -> int:
        """Take away what other accounts of this exporter have left, and nobody has looked at.

        Who uses an account looks at a parcel of it every few minutes, and when it starts. After
        its credentials were changed nobody does: whether the new ones are of the same account
        cannot be known, and what was meant for one must not reach another.

        Returns:
            How many exchanges that were.
        """
        known = re.compile(rf"({re.escape(self._name)}-[0-9a-f]{{16}}-)\d{{20}}-")
        others: dict[str, list[Path]] = {}
        for path in self._files(SUFFIX, f"{self._name}-"):
            if (found := known.match(path.name)) and found[1] != self._prefix:
                others.setdefault(found[1], []).append(path)
        number = 0
        for paths in others.values():
            try:
                if time() - max(path.stat().st_mtime for path in paths) > _ABANDONED:
                    number += sum(_dropped(path) for path in paths)
            except FileNotFoundError:  # noqa: PERF203  another process is there
                continue
        return number

    def _read(self, path: Path, data: bytes) -> "Taken | None":
        try:
            parcel, events = _parcel(data)
        except (ValueError, KeyError, TypeError) as error:
            _guard.swallow("spool.read", error)
            path.unlink(missing_ok=True)
            return None
        return Taken(self, path, parcel, events)

    def move(self, path: Path, failures: int) -> Path:
        """Put a file to the end of the line."""
        try:
            return path.rename(self._place(time_ns(), failures))
        except OSError as error:
            _guard.swallow("spool.move", error, reveal=True)
            return path

    def replace(self, path: Path, parts: Sequence[tuple[Parcel, Sequence[bytes]]]) -> bool:
        """Put parts of a parcel in its place. False where the disk refuses: then it stays."""
        since, failures = _place_of(path, self._prefix)
        made: list[Path] = []
        try:
            for parcel, events in parts:
                # As much again as one parcel, for a moment: no room has to be found for it.
                made.append(self._write(_written(parcel, events), since, max(failures, 1)))
        except OSError as error:
            _guard.swallow("spool.split", error, reveal=True)
            for part in made:
                part.unlink(missing_ok=True)
            return False
        path.unlink(missing_ok=True)
        return True

    def place_of(self, path: Path) -> tuple[int, int]:
        """Give the time of a file in the line, in nanoseconds, and the failures against it."""
        return _place_of(path, self._prefix)

    def _size(self) -> int:
        size = 0
        for path in (*self._files(SUFFIX), *self._files(".unfinished")):
            try:
                size += path.stat().st_size
                if path.suffix == ".unfinished" and time_ns() - path.stat().st_mtime_ns > _STALE:
                    path.unlink(missing_ok=True)
            except FileNotFoundError:  # noqa: PERF203  another process has taken it
                continue
        return size

    def _files(self, suffix: str, prefix: str | None = None) -> Iterator[Path]:
        prefix = self._prefix if prefix is None else prefix
        try:
            for path in self._directory.iterdir():
                if path.name.startswith(prefix) and path.suffix == suffix:
                    yield path
        except OSError:
            return


class Taken:
    """A parcel whose file is held."""

    def __init__(self, spool: Spool, path: Path, parcel: Parcel, events: Sequence[bytes]) -> None:
        self._spool: Final = spool
        self._path = path
        self.parcel: Final = parcel
        self.events: Final = tuple(events)
        """What it is made of; nothing where that is not known, and it cannot be split."""
        self.since, self.failures = spool.place_of(path)

    def done(self) -> bool:
        """Take its file away: it was delivered, or will never be."""
        self._path.unlink(missing_ok=True)
        return True

    def later(self, failures: int) -> None:
        """Let it wait behind all others."""
        self._path = self._spool.move(self._path, failures)

    def split(self, parts: Sequence[tuple[Parcel, Sequence[bytes]]]) -> bool:
        """Put parts in its place. False where the disk refuses."""
        return self._spool.replace(self._path, parts)


def _touch(path: Path) -> None:
    with suppress(OSError):
        os.utime(path)


def _dropped(path: Path) -> int:
    """Take a file away. The exchanges inside: one where that cannot be read."""
    try:
        number = _parcel(path.read_bytes())[0].count
    except (ValueError, KeyError, TypeError):
        number = 1
    path.unlink()
    return number


def _place_of(path: Path, prefix: str) -> tuple[int, int]:
    since, _, end = path.stem.removeprefix(prefix).partition("-")
    failures = end.partition("-")[2]
    return (
        int(since) if since.isascii() and since.isdigit() else 0,
        int(failures) if failures.isascii() and failures.isdigit() else 0,
    )


def _written(parcel: Parcel, events: Sequence[bytes]) -> bytes:
    head: dict[str, Any] = {"path": parcel.path, "headers": parcel.headers, "count": parcel.count}
    if parcel.packed:
        head["packed"] = True
    places: list[tuple[int, int]] = []
    end = 0
    for event in events:
        begin = parcel.body.find(event, end)
        if begin < 0:
            break
        end = begin + len(event)
        places.append((begin, end))
    if len(places) == len(events):
        head["events"] = places
    return json.dumps(head).encode() + b"\n" + parcel.body


def _parcel(data: bytes) -> tuple[Parcel, list[bytes]]:
    head, _, body = data.partition(b"\n")
    said = json.loads(head)
    headers = tuple((str(name), str(value)) for name, value in said["headers"])
    events = [body[int(begin) : int(end)] for begin, end in said.get("events", ())]
    packed = said.get("packed") is True
    return Parcel(str(said["path"]), body, headers, int(said["count"]), packed=packed), events
