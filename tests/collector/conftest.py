from tests.collector_process import collector

__all__ = ["collector"]
