"""Parcels that wait on a disk until their backend is back, or for the next process.

One file a parcel, so that any number of processes may put and take: a file is written under
another name and then renamed, and who takes one holds its lock, which ends with the process.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from time import time_ns
from typing import Final

from otel_apimetrics import _guard, health
from otel_apimetrics.exporters.parcel import Parcel

MAX_BYTES: Final = 64 * 1024 * 1024
"""Of all parcels of one destination, in all processes together."""

_SUFFIX: Final = ".parcel"
_STALE: Final = 600 * 1_000_000_000
"""Nanoseconds after which a file that was never renamed belongs to a process that died."""


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
        self._prefix: Final = f"{name}-{sha256(destination.encode()).hexdigest()[:16]}-"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(f"{directory} cannot be written to")

    def put(self, parcel: Parcel) -> bool:
        """Keep a parcel. False where there is no room or the disk refuses; never raises."""
        head = {"path": parcel.path, "headers": parcel.headers, "count": parcel.count}
        data = json.dumps(head).encode() + b"\n" + parcel.body
        try:
            if self._size() + len(data) > MAX_BYTES:
                return False
            # Sorted by time, and no two processes choose the same.
            name = f"{self._prefix}{time_ns():020d}-{secrets.token_hex(4)}"
            unfinished = self._directory / f"{name}.unfinished"
            file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(file)
            unfinished.rename(self._directory / f"{name}{_SUFFIX}")
        except OSError as error:
            _guard.swallow("spool.put", error, reveal=True)
            return False
        health.keep(parcel.count)
        return True

    def waiting(self) -> bool:
        """Tell whether there may be a parcel to take. Cheap."""
        return any(True for _ in self._files(_SUFFIX))

    @contextmanager
    def take(self) -> Iterator["Taken | None"]:
        """Take the oldest parcel that no other process holds; `None`: there is none.

        Unless it is `done` inside of the block, it stays.
        """
        for path in sorted(self._files(_SUFFIX)):
            try:
                file = os.open(path, os.O_RDWR)
            except OSError:
                continue  # another process was quicker
            with os.fdopen(file, "rb") as stream:
                try:
                    self._lock.flock(file, self._lock.LOCK_EX | self._lock.LOCK_NB)
                    if os.fstat(file).st_nlink == 0:
                        continue
                except OSError:
                    continue
                taken = self._read(path, stream.read())
                if taken is not None:
                    try:
                        yield taken
                    finally:
                        # Closing alone would leave it to a worker that was forked meanwhile.
                        self._lock.flock(file, self._lock.LOCK_UN)
                    return
        yield None

    def _read(self, path: Path, data: bytes) -> "Taken | None":
        try:
            head, _, body = data.partition(b"\n")
            said = json.loads(head)
            headers = tuple((str(name), str(value)) for name, value in said["headers"])
            parcel = Parcel(str(said["path"]), body, headers, int(said["count"]))
        except (ValueError, KeyError, TypeError) as error:
            _guard.swallow("spool.read", error)
            path.unlink(missing_ok=True)
            return None
        return Taken(path, parcel)

    def _size(self) -> int:
        size = 0
        for path in (*self._files(_SUFFIX), *self._files(".unfinished")):
            try:
                size += path.stat().st_size
                if path.suffix == ".unfinished" and time_ns() - path.stat().st_mtime_ns > _STALE:
                    path.unlink(missing_ok=True)
            except FileNotFoundError:  # noqa: PERF203  another process has taken it
                continue
        return size

    def _files(self, suffix: str) -> Iterator[Path]:
        try:
            for path in self._directory.iterdir():
                if path.name.startswith(self._prefix) and path.suffix == suffix:
                    yield path
        except OSError:
            return


class Taken:
    """A parcel whose file is held."""

    def __init__(self, path: Path, parcel: Parcel) -> None:
        self._path = path
        self.parcel: Final = parcel

    def done(self) -> None:
        """Take its file away: it was delivered, or will never be."""
        self._path.unlink(missing_ok=True)
