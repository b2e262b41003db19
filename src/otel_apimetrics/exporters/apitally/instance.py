"""Who this process is to the vendor: an id that a restart finds again.

Plans are limited by instances, and each worker is one. The files are those of the vendor's own
SDK, so that who changes over keeps the instances.
"""

import os
import tempfile
from hashlib import sha256
from pathlib import Path
from time import time
from typing import Any, Final
from uuid import UUID, uuid4

SLOTS: Final = 100
_STALE: Final = 24 * 3600
"""Seconds after which a file that nobody holds is forgotten."""


class Instance:
    """Holds one slot of this machine's while the process lives.

    Args:
        account: client id and environment: each has slots of its own.
        directory: of the slots.
    """

    def __init__(self, account: str, directory: Path | None = None) -> None:
        self._file: Any = None
        self._prefix: Final = f"instance_{sha256(account.encode()).hexdigest()[:8]}_"
        try:
            place = Path(tempfile.gettempdir()) / "apitally" if directory is None else directory
            self.id = self._claim(place)
        except (OSError, ImportError):  # nowhere to write, or no locks on files here
            self.id = str(uuid4())

    def release(self) -> None:
        """Give the slot back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _claim(self, directory: Path) -> str:
        import fcntl

        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for slot in range(SLOTS):
            path = directory / f"{self._prefix}{slot}.lock"
            # No symbolic link that somebody else has put there is followed.
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            file = os.fdopen(os.open(path, flags, 0o600), "r+")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                continue
            self._file = file
            return _identity(file)
        return str(uuid4())


def _identity(file: Any) -> str:
    """Read the id in a slot, or write a new one where there is none or it is old."""
    kept = file.read(64).strip()
    try:
        if time() - os.fstat(file.fileno()).st_mtime <= _STALE:
            found = str(UUID(kept))
            os.utime(file.fileno())
            return found
    except ValueError:
        pass
    made = str(uuid4())
    file.seek(0)
    file.truncate()
    file.write(made)
    file.flush()
    return made
