"""What several processes measure with prometheus_client itself."""

import os
import stat
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from otel_apimetrics import _guard
from otel_apimetrics.config import ConfigError

_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def directory() -> str | None:
    """Give the directory that processes share, `None` where there is one process."""
    older = os.environ.get("prometheus_multiproc_dir")  # noqa: SIM112  its former name
    return os.environ.get("PROMETHEUS_MULTIPROC_DIR", older)


def would_begin_with_nothing() -> bool:
    """Tell whether prometheus_client keeps its numbers in files, and has none of this process.

    It would make them if it were asked, as those of a child that has inherited nothing.
    """
    path = directory()
    if path is None or not getattr(values.ValueClass, "_multiprocess", False):
        return False
    return not any(Path(path).glob(f"*_{os.getpid()}.db"))


def of_client(path: str | None) -> list[Metric]:
    """Give what all processes measure with prometheus_client itself."""
    try:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path)  # type: ignore[no-untyped-call]
        return list(registry.collect())
    except Exception as error:
        _guard.swallow("prometheus.multiprocess", error, reveal=True)
        return []


def private(path: str) -> str:
    """Give a directory for our own files: this one, or where others may write there, one in it.

    Volumes are often everybody's (mode 0777), and an app that does not run as root cannot make
    them its own. All processes of a user find the same one.

    Args:
        path: with symbolic links resolved.

    Raises:
        ConfigError: somebody else has made the one in it.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  what the variable holds
    except OSError:
        return path  # it is made
    if not mode & _OTHERS_MAY_WRITE:
        return path
    user = os.geteuid()
    own = os.path.join(path, f"otel-apimetrics-{user}")  # noqa: PTH118
    try:
        os.mkdir(own, 0o700)  # noqa: PTH102
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"directory={own}: {error}.") from error
    found = os.lstat(own)  # somebody may have put a link there
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == user
    if not is_own or found.st_mode & _OTHERS_MAY_WRITE:
        raise ConfigError(
            f"directory={own}: it is another user's, a link, or others may write there. Take it"
            " away, or name a directory that is the app's own in"
            " OTEL_EXPORTER_PROMETHEUS_DIRECTORY."
        )
    return own
