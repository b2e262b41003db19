"""What several processes measure with prometheus_client itself."""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from otel_apimetrics import _guard


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
