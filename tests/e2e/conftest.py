"""The fixture of a running Collector."""

from tests.collector_process import collector

__all__ = ["collector"]
