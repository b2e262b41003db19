"""The directory in which the processes of an app meet.

Each process has a name there, and three files: `NAME.live`, on which it holds a lock as long as it
lives; `NAME.sock`, on which it answers; and `NAME.numbers`, what it last told. What ends with
`.new` becomes one of these. A lock and no process id tells who lives: ids come again, and are
others in another container. `lockf` and no `flock`: a child inherits the latter.
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from otel_apimetrics import _guard
from otel_apimetrics.config import ConfigError

_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_LONGEST: Final = 103
"""Bytes of a socket's path that every system takes; Linux takes 107."""
_FILES: Final = Path("/proc/self/fd")
_TURN: Final = 1.0
"""Seconds that a scrape waits for another one."""
_AGAIN: Final = 0.005
"""Seconds between two looks whether it has finished."""
_held: Final[set[tuple[int, str]]] = set()
"""Names whose locks processes hold, by their ids. One that this process holds cannot be tried:
to close another descriptor of the file gives the lock back."""


class Place:
    """The directory, and in it the files of one reader of each process.

    Args:
        directory: is made, for this user alone, where it is absent.
        number: of the reader in its process; readers of other numbers do not meet.

    Raises:
        ConfigError: it cannot be used, or others may write there.
    """

    def __init__(self, directory: str | os.PathLike[str], number: int) -> None:
        self._directory: Final = Path(directory).absolute()
        self._number: Final = number
        self.key: Final = str(self._directory), number
        self.make()
        longest = self._directory / f"{number}-{2**22}-{'0' * 8}.sock"
        if len(os.fsencode(longest)) > _LONGEST and not _FILES.is_dir():
            raise ConfigError(
                f"directory={directory!s}: the path of a socket is longer. Shorten it."
            )

    def make(self) -> None:
        """Make the directory where it is absent, or see that nobody else may write there.

        Raises:
            ConfigError: it cannot be made, or somebody may.
        """
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self._directory.lstat()  # nobody has put a link in its place meanwhile
        except OSError as error:
            raise ConfigError(f"directory={self._directory}: {error}.") from error
        mine = os.geteuid() in {found.st_uid, 0} or found.st_uid == 0
        if not mine or found.st_mode & _OTHERS_MAY_WRITE:
            raise ConfigError(
                f"directory={self._directory}: others may write there, and would be believed."
                f" Give one that is the app's own (chmod 700), or none, which is then made."
            )

    def new_name(self) -> str:
        """Give this process a name that no other has had."""
        return f"{self._number}-{os.getpid()}-{os.urandom(4).hex()}"

    def names(self) -> list[str]:
        """Give the names of all processes that have left a file, the oldest first."""
        found = {
            path.stem
            for path in self._directory.glob(f"{self._number}-*-*.*")
            if path.suffix in {".live", ".numbers", ".sock"}
        }
        return sorted(found, key=lambda name: (self._begun(name), name))

    def pid_of(self, name: str) -> int:
        """Give the process id in a name."""
        return int(name.split("-")[1])

    def hold(self, name: str) -> int:
        """Hold the lock that tells others that this process lives.

        Returns:
            A descriptor, to be closed where the process lives no more.
        """
        # Locked before it has its name: nobody finds it without the lock.
        path = self._directory / f"{name}.new"
        descriptor = self._open(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
            path.replace(self._directory / f"{name}.live")
        except OSError:
            os.close(descriptor)
            raise
        _held.add((os.getpid(), name))
        return descriptor

    def release(self, name: str, descriptor: int) -> None:
        """Hold the lock no more; in a child, close what its parent holds."""
        _held.discard((os.getpid(), name))
        os.close(descriptor)

    def lives(self, name: str) -> bool:
        """Tell whether a process holds its lock."""
        return (os.getpid(), name) in _held or _is_held(self._directory / f"{name}.live")

    def has_lock(self, name: str) -> bool:
        """Tell whether others find its lock."""
        return (self._directory / f"{name}.live").exists()

    def has(self, name: str) -> bool:
        """Tell whether a process has told something that nobody has taken."""
        return (self._directory / f"{name}.numbers").exists()

    def write(self, name: str, data: bytes) -> None:
        """Put down what a process tells, whole at any time."""
        # Workers may write the same at once: what uWSGI's master had counted.
        path = self._directory / f"{name}.{os.getpid()}.new"
        descriptor = self._open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            path.replace(self._directory / f"{name}.numbers")
        except OSError:
            path.unlink(missing_ok=True)  # half of it takes what is left of a full disk
            raise

    def read(self, name: str) -> bytes | None:
        """Give what a process told last; `None`: nothing."""
        try:
            return (self._directory / f"{name}.numbers").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except IsADirectoryError as error:  # none of ours has made it, and it tells nothing
            _guard.swallow("prometheus.read", error, reveal=True)
            return None

    def forget(self, name: str) -> None:
        """Take away all files of a process, and what was left unfinished of the ended ones'."""
        for path in (
            *self._directory.glob(f"{name}.*"),
            *self._directory.glob(f"{self.ended}.*.new"),
        ):
            path.unlink(missing_ok=True)

    @property
    def ended(self) -> str:
        """The name under which those are kept that have ended."""
        return f"ended-{self._number}"

    @contextmanager
    def address(self, name: str) -> Iterator[str]:
        """Give the path of a process's socket, by a shorter way where it is too long."""
        path = str(self._directory / f"{name}.sock")
        if len(os.fsencode(path)) <= _LONGEST:
            yield path
            return
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield f"{_FILES}/{descriptor}/{name}.sock"
        finally:
            os.close(descriptor)

    def own(self, path: str) -> None:
        """Give a file that root has made to the directory's user, whom servers may become."""
        if os.geteuid() == 0:
            found = self._directory.stat()
            os.chown(path, found.st_uid, found.st_gid)

    @contextmanager
    def turn(self, purpose: str = "scrape", patience: float = _TURN) -> Iterator[None]:
        """Keep other processes out of the block.

        Raises:
            TimeoutError: another one is in it for longer than `patience` seconds.
        """
        path = self._directory / f"{self._number}-{purpose}.lock"
        descriptor = self._open(path, os.O_RDWR | os.O_CREAT)
        try:
            _wait_for(descriptor, patience)
            yield
        finally:
            os.close(descriptor)

    def claim(self, purpose: str) -> int | None:
        """Take what only one process may have, such as a port.

        Returns:
            A descriptor: closed, another process may take it. `None`: another one has it.
        """
        path = self._directory / f"{self._number}-{purpose}.lock"
        descriptor = self._open(path, os.O_RDWR | os.O_CREAT)
        if _is_locked(descriptor):
            return descriptor
        os.close(descriptor)
        return None

    def _begun(self, name: str) -> float:
        try:
            return (self._directory / f"{name}.live").stat().st_mtime
        except OSError:
            return 0.0

    def _open(self, path: Path, flags: int) -> int:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self.own(str(path))
        return descriptor


def was_left(directory: Path) -> bool:
    """Tell whether processes of this user have met there, of which none lives but this one."""
    try:
        is_mine = directory.stat().st_uid == os.geteuid()
    except OSError:  # gone meanwhile
        return False
    paths = list(directory.glob("*.live"))
    others = (path for path in paths if path.name.split("-")[1] != str(os.getpid()))
    have_met = bool(paths) or any(directory.glob("ended-*"))
    return is_mine and have_met and not any(map(_is_held, others))


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not _is_locked(descriptor)
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, patience: float) -> None:
    """Lock a file. Asked again and again: under gevent a call that blocks stops all requests."""
    deadline = time.monotonic() + patience
    while not _is_locked(descriptor):
        if time.monotonic() >= deadline:
            raise TimeoutError("another process has not finished its scrape")
        time.sleep(_AGAIN)


def _is_locked(descriptor: int) -> bool:
    """Lock a file, if no other process has."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
