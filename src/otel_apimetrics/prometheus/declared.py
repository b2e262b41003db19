"""What is exposed of a metric before anything was measured, and how it is called.

OpenTelemetry knows an instrument by a name of its own rules, and shows it once it holds something.
Prometheus' clients show a metric from the moment it is made: its help, its type, and where all its
labels are known its first zero.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Final

from prometheus_client import CollectorRegistry

from otel_apimetrics.prometheus.distribution import Distribution
from otel_apimetrics.prometheus.exemplars import Exemplars
from otel_apimetrics.prometheus.families import Family, Labels
from otel_apimetrics.prometheus.same_names import as_one

_looks: ContextVar[Mapping[int, Mapping[str, Family]] | None] = ContextVar("looks", default=None)
"""By `id(Declared)`: what a scrape that is under way has collected, by its keys."""

_NOT_KNOWN: Final[Mapping[Labels, float]] = {}


class Declared:
    """The declarations of one reader. Safe between threads."""

    def __init__(self) -> None:
        self._templates: Final[dict[str, tuple[Family, Mapping[Labels, float]]]] = {}
        self._own: Final[dict[str, tuple[Family, Distribution]]] = {}
        self.registry: Final = CollectorRegistry()
        """Of the reader alone: knows the names of what is declared, and no scrape asks it."""
        self.exemplars: Final = Exemplars()
        """Those that the app gives to metrics that are declared."""

    def add(self, key: str, template: Family, began: Mapping[Labels, float] = _NOT_KNOWN) -> None:
        """Declare a metric.

        Args:
            key: the name of the family that its instrument becomes.
            template: its own name, kind, help and unit; its series are shown until such with
                their labels are measured.
            began: seconds of the Unix epoch from which series count, where that is known better
                than to the SDK; it may grow.
        """
        self.exemplars.forget(template.name)
        self._templates[key] = template, began

    def add_own(self, key: str, template: Family, measured: Distribution) -> None:
        """Declare a metric that is measured without an instrument."""
        self.add(key, template)
        self._own[key] = template, measured

    def names(self) -> frozenset[str]:
        """Give the names of what was declared."""
        return frozenset(template.name for template, _ in tuple(self._templates.values()))

    def own(self) -> list[Family]:
        """Give what this process has measured without instruments."""
        return [
            replace(template, name=key, series=measured.series())
            for key, (template, measured) in tuple(self._own.items())
        ]

    def apart(self, families: Iterable[Family]) -> dict[str, Family]:
        """Give what was declared, in that order, with what was measured; then the rest.

        It is by the keys: metrics of several registries may have one name.
        """
        left = {family.name: family for family in families}
        declared = {
            key: _complete(template, left.pop(key, None))
            for key, (template, _) in tuple(self._templates.items())
        }
        return {**declared, **left}

    def complete(self, families: Iterable[Family]) -> list[Family]:
        """Give the same with each name once."""
        return as_one(self.apart(families))

    def dated(self, families: Iterable[Family]) -> list[Family]:
        """Give what one process has measured, with since when and the modes of gauges."""
        return [
            self._dated(family, *self._templates[family.name])
            if family.name in self._templates
            else family
            for family in families
        ]

    @contextmanager
    def looked_at(self, apart: Mapping[str, Family] | tuple[()]) -> Iterator[None]:
        """Let all who look while this is entered see the same, collected once.

        Args:
            apart: what `apart` gives; empty shows nothing.
        """
        token = _looks.set({**(_looks.get() or {}), id(self): dict(apart)})
        try:
            yield
        finally:
            _looks.reset(token)

    def seen(self) -> Mapping[str, Family] | None:
        """Give what was collected for the scrape that is under way; `None` where none is."""
        return (_looks.get() or {}).get(id(self))

    def _dated(self, family: Family, template: Family, began: Mapping[Labels, float]) -> Family:
        if family.kind != template.kind:
            return family
        series = [
            replace(
                one,
                created=began.get(one.labels, one.created),
                exemplars=self.exemplars.of(template.name, one.labels) or one.exemplars,
            )
            for one in family.series
        ]
        mode = template.mode if family.kind == "gauge" else family.mode
        return replace(family, series=series, mode=mode)


def _complete(template: Family, measured: Family | None) -> Family:
    series = [] if measured is None or measured.kind != template.kind else measured.series
    known = {one.labels for one in series}
    first = [one for one in template.series if one.labels not in known]
    return replace(template, series=[*first, *series])
