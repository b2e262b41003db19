"""What a collection of a registry sees of an app's processes, gathered once.

prometheus_client asks each metric of a registry by itself, and for each all processes would be
asked again. Nobody says where a collection begins and ends, but it asks no metric twice.
"""

import threading
from collections.abc import Mapping
from time import monotonic

from otel_apimetrics.prometheus.families import Family
from otel_apimetrics.prometheus.reader import PrometheusReader

_SECONDS = 0.05
"""Between two metrics of one collection."""


class Glance(threading.local):
    """Of one registry and one reader, on each thread by itself.

    Args:
        reader: alone in its process it is asked each time, which costs little.
    """

    def __init__(self, reader: PrometheusReader) -> None:
        self._reader = reader
        self._seen: Mapping[str, Family] = {}
        self._asked: set[object] = set()
        self._until = 0.0

    def seen_by(self, metric: object) -> Mapping[str, Family]:
        """Give families by the keys that declare them.

        Args:
            metric: in the registry; one that asks again sees what there is by then.
        """
        if self._reader.place is None:
            return self._shown()
        if metric in self._asked or monotonic() >= self._until:
            self._seen = self._shown()
            self._asked = set()
        self._asked.add(metric)
        self._until = monotonic() + _SECONDS
        return self._seen

    def _shown(self) -> Mapping[str, Family]:
        return self._reader.apart()
