"""What is known of series from earlier collections: since when, and by which exemplars."""

import time
from dataclasses import replace
from typing import Any

from otel_apimetrics.prometheus import merging
from otel_apimetrics.prometheus.families import Exemplar, Family


class Remembered:
    """Of one process."""

    def __init__(self) -> None:
        self._gauges: dict[Any, tuple[float, float]] = {}
        self._exemplars: dict[Any, tuple[Exemplar, ...]] = {}

    def complete(self, families: list[Family]) -> None:
        """Give series what a collection alone does not tell."""
        self._date(families)
        self._keep_exemplars(families)

    def _date(self, families: list[Family]) -> None:
        """Note since when gauges have had their values, to the second or so."""
        now = time.time()
        before, self._gauges = self._gauges, {}
        for family in families:
            if "mostrecent" in family.mode:
                for at, series in enumerate(family.series):
                    key = family.name, series.scope, series.labels
                    value, since = before.get(key, (None, now))
                    since = since if value == series.value else now
                    self._gauges[key] = series.value, since
                    family.series[at] = replace(series, created=since)

    def _keep_exemplars(self, families: list[Family]) -> None:
        """Have each series keep its exemplars: the SDK gives them to one collection alone."""
        kept = self._exemplars
        for family in families:
            for at, series in enumerate(family.series):
                if not kept and not series.exemplars:
                    continue
                key = family.name, series.scope, series.labels
                before = kept.get(key, ())
                if series.exemplars:
                    kept[key] = merging.newest((*before, *series.exemplars), series.bounds)
                if before:
                    family.series[at] = replace(series, exemplars=kept[key])
