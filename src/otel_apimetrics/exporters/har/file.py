"""A HAR file that is whole whenever somebody opens it."""

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import BinaryIO, Final

from otel_apimetrics.exporters.directories import make_directory
from otel_apimetrics.exporters.json_bytes import json_bytes
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.version import __version__

_CREATOR: Final = json_bytes({"name": "otel-apimetrics", "version": __version__})
_HEAD: Final = b'{"log":{"version":"1.2","creator":' + _CREATOR + b',"entries":[\n'
_TAIL: Final = b"\n]}}\n"
_EMPTY: Final = b'"entries":[\n' + _TAIL
WAIT: Final = 10.0
"""Seconds that another process may hold the file's lock."""
_POLL: Final = 0.005
"""Seconds between two looks at a lock: nobody can wait for one and for the end of a process."""


class HarFile:
    """Appends entries to one file. Safe between threads and processes.

    A new file takes the place of the old one at once, so that no reader meets half an entry,
    whatever happens to the process. Once it has `most_bytes` it is put aside under a number
    (`api.har` becomes `api.1.har`) and the next one begins.

    Args:
        path: made with access for its owner alone, and what directories are missing too.
        most_bytes: of one file, but for the last entries.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.path: Final = path
        self._most: Final = most_bytes

    def begin(self) -> None:
        """Make the file, or look whether what is there can be gone on with.

        Raises:
            OSError: it cannot be written, or another process writes.
            ValueError: it is no file of this exporter's.
        """
        self.append(())

    def append(self, entries: Sequence[bytes], patience: Patience | None = None) -> None:
        """Append entries; raises what `begin` raises.

        Args:
            entries: JSON.
            patience: how long another process may keep it waiting, `WAIT` seconds at most.
        """
        patience = (patience or Patience()).within(WAIT)
        self._refuse_what_is_no_file()
        make_directory(self.path.parent)
        with self._locked(patience):
            size = self._size()
            if size > self._most:
                self.path.rename(self._aside())
                size = 0
            if size and not entries:
                return
            self._replace(size, entries)

    def _refuse_what_is_no_file(self) -> None:
        """Leave devices, pipes and links alone: a new file would take their place for good."""
        try:
            mode = self.path.lstat().st_mode
        except OSError:
            return
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise ValueError(f"{self.path} is a device, a pipe or a link, and no file")

    def _size(self) -> int:
        """Give the size of the file, 0 where there is none."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return 0
        if not size:
            return 0
        with self.path.open("rb") as old:
            begins = old.read(len(b'{"log":{'))
            old.seek(max(size - len(_EMPTY), 0))
            if begins != b'{"log":{' or not old.read().endswith(_TAIL):
                raise ValueError(f"{self.path} is there and was not written by this exporter")
        return size

    def _replace(self, size: int, entries: Sequence[bytes]) -> None:
        # One name, and whoever writes holds the lock: what a killed process left is in the way of
        # nobody. Made anew, so that no link is followed.
        unfinished = self.path.with_name(f".{self.path.name}.unfinished")
        unfinished.unlink(missing_ok=True)
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(file, "wb") as new:
                is_first = self._copy(size, new)
                if entries:
                    new.write((b"" if is_first else b",\n") + b",\n".join(entries))
                new.write(_TAIL)
            unfinished.replace(self.path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise

    def _copy(self, size: int, new: BinaryIO) -> bool:
        """Copy all but the tail; tell whether the next entry is the first."""
        if not size:
            new.write(_HEAD)
            return True
        with self.path.open("rb") as old:
            shutil.copyfileobj(old, new, 1024 * 1024)
            old.seek(-len(_EMPTY), os.SEEK_END)
            is_empty = old.read() == _EMPTY
        new.seek(-len(_TAIL), os.SEEK_END)
        new.truncate()
        return is_empty

    def _aside(self) -> Path:
        number = 1
        while (
            path := self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")
        ).exists():
            number += 1
        return path

    @contextmanager
    def _locked(self, patience: Patience) -> Iterator[None]:
        import fcntl

        # A file of its own: the other one is replaced while its lock is waited for.
        lock = self.path.with_name(f".{self.path.name}.lock")
        file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _is_locked(file):
                if (left := patience.left()) <= 0:
                    raise TimeoutError(f"another process holds {lock}")
                sleep(min(_POLL, left))
            try:
                yield
            finally:
                # Closing alone would leave it to a worker that was forked meanwhile.
                fcntl.flock(file, fcntl.LOCK_UN)
        finally:
            os.close(file)


def _is_locked(file: int) -> bool:
    """Take the lock of a file; False where another process has it."""
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
