"""From what a `MeterProvider` collected to families.

Two instruments that would have one name are never mixed up: of one kind in two scopes, they are
told apart by their scope; otherwise the first is exposed and the log names the other.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from opentelemetry.sdk.metrics.export import (
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    Sum,
)
from opentelemetry.trace import format_span_id, format_trace_id

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.encodable import encodable
from otel_apimetrics.prometheus.families import (
    OWN_LABELS,
    Exemplar,
    Family,
    Kind,
    Labels,
    Mode,
    Scope,
    Series,
)
from otel_apimetrics.prometheus.naming import family_name, label_name, make_room

_NANO: Final = 1e9
_OF_PROCESS: Final = frozenset(
    {"service.instance.id", "process.pid", "process.parent_pid", "process.creation.time"}
)
"""Attributes of a resource that each worker has its own of."""


def families_of(
    data: MetricsData,
    *,
    target_info: bool,
    shared: bool = False,
    observed: Container[tuple[str, str]] = frozenset(),
) -> list[Family]:
    """Translate what was collected.

    Args:
        data: cumulative, as a reader received it.
        target_info: the resource's attributes are the labels of `target_info`.
        shared: leave out of these what each process of an app has its own of.
        observed: scopes and names of what comes from observable instruments.

    Returns:
        Families of different names, in the order of their instruments; none is empty, and no
        series comes twice in one scope.
    """
    target = [_target(data, _OF_PROCESS if shared else frozenset())] if target_info else []
    found = {family.name: _Found(family, type(None)) for family in target}
    for scope, metric in _metrics(data):
        try:
            family = _family(metric)
            family.is_observed = (scope.name, metric.name) in observed
            same = found.setdefault(family.name, _Found(family, type(metric.data)))
            same.add(scope, metric, family)
        except Exception as error:  # noqa: PERF203  one metric fails, the others are exposed
            _guard.swallow("prometheus.metric", error)
    return [same.family for same in found.values() if same.family.series]


class _Found:
    """What the instruments of one name hold."""

    def __init__(self, family: Family, kind: type) -> None:
        self.family: Final = family
        self._kind: Final = kind
        self._seen: Final[set[tuple[Scope, Labels]]] = set()

    def add(self, scope: Any, metric: Metric, family: Family) -> None:
        """Add what one instrument holds, unless it is of another kind."""
        if (family.kind, type(metric.data)) != (self.family.kind, self._kind):
            _guard.warn_once(
                f"prometheus.kind.{family.name}",
                "%s of %s is not exposed: another instrument of that name is no %s. Rename one of"
                " them with a View.",
                metric.name,
                scope.name,
                type(metric.data).__name__.lower(),
            )
            return
        self.family.help = self.family.help or family.help
        key = scope.name, scope.version or "", scope.schema_url or ""
        for point in metric.data.data_points:
            series = self._freed(_series(point, key))
            if (key, series.labels) not in self._seen:
                self._seen.add((key, series.labels))
                self.family.series.append(series)
            else:
                warn_twice(self.family, key)

    def _freed(self, series: Series) -> Series:
        """Leave the name of a label to the bounds of buckets, where the app has given it too."""
        own = OWN_LABELS.get(self.family.kind, "")
        labels = dict(series.labels)
        if not make_room(labels, own):
            return series
        _guard.warn_once(
            f"prometheus.label.{self.family.name}",
            "%s has a label %s, which means something else on a %s: it is exposed as exported_%s.",
            self.family.name,
            own,
            self.family.kind,
            own,
        )
        return replace(series, labels=tuple(sorted(labels.items())))


def warn_twice(family: Family, scope: Scope) -> None:
    """Say that one of two series of a family is left out."""
    _guard.warn_once(
        f"prometheus.twice.{family.name}",
        "%s has two series of the same labels, of which the first is exposed: two instruments or"
        " Views of %s have one name.",
        family.name,
        scope[0],
    )


def _metrics(data: MetricsData) -> Iterator[tuple[Any, Metric]]:
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                yield scope.scope, metric


def _family(metric: Metric) -> Family:
    kind = _kind(metric)
    name, unit = family_name(
        metric.name, metric.unit or "", counts=kind == "counter", ratio=kind == "gauge"
    )
    return Family(name, kind, encodable(metric.description or ""), unit, mode=_mode(metric, name))


def _mode(metric: Metric, name: str) -> Mode:
    if isinstance(metric.data, Gauge):
        return "livemax" if name.endswith("_info") else "all"
    # What goes up and down, as requests in flight do, is given back when a process ends.
    ends = isinstance(metric.data, Sum) and not metric.data.is_monotonic
    return "livesum" if ends else "sum"


def _kind(metric: Metric) -> Kind:
    data = metric.data
    if isinstance(data, Sum):
        return "counter" if data.is_monotonic else "gauge"
    if isinstance(data, Gauge):
        return "gauge"
    if isinstance(data, Histogram):
        # An instrument without bounds asks for the count and the sum alone.
        bounded = any(point.explicit_bounds for point in data.data_points)
        return "histogram" if bounded else "summary"
    _guard.warn_once(
        f"prometheus.exponential.{metric.name}",
        "%s is an exponential histogram, which Prometheus' text formats cannot hold: its count and"
        " its sum are exposed, its buckets are not. Use a View with"
        " ExplicitBucketHistogramAggregation, or push OTLP to Prometheus.",
        metric.name,
    )
    return "summary"


def _series(point: Any, scope: Scope) -> Series:
    labels = labels_of(point.attributes or {})
    created = (point.start_time_unix_nano or 0) / _NANO
    exemplars = tuple(map(_exemplar, getattr(point, "exemplars", ())))
    if isinstance(point, NumberDataPoint):
        value = float(point.value)
        return Series(labels, value, created=created, exemplars=exemplars, scope=scope)
    if isinstance(point, HistogramDataPoint):
        return Series(
            labels,
            float(point.sum),
            point.count,
            tuple(point.bucket_counts),
            tuple(map(float, point.explicit_bounds)),
            created,
            exemplars,
            scope,
        )
    assert isinstance(point, ExponentialHistogramDataPoint)  # noqa: S101  the SDK has no other
    return Series(labels, float(point.sum), point.count, created=created, scope=scope)


def _exemplar(exemplar: Any) -> Exemplar:
    # The attributes that a View took away stay away.
    return Exemplar(
        float(exemplar.value),
        exemplar.time_unix_nano / _NANO,
        format_trace_id(exemplar.trace_id) if exemplar.trace_id else "",
        format_span_id(exemplar.span_id) if exemplar.span_id else "",
    )


def labels_of(attributes: Mapping[str, Any]) -> Labels:
    """Give attributes as labels."""
    labels: dict[str, str] = {}
    for key, value in sorted(attributes.items()):
        name = label_name(key)
        # Two keys may become one name: the specification joins their values.
        said = encodable(value)
        labels[name] = f"{labels[name]};{said}" if name in labels else said
    return tuple(sorted(labels.items()))


def _target(data: MetricsData, without: frozenset[str]) -> Family:
    family = Family("target_info", "gauge", "Target metadata", mode="livemax")
    for resource in data.resource_metrics:
        attributes = resource.resource.attributes
        shown = {key: value for key, value in attributes.items() if key not in without}
        family.series.append(Series(labels_of(shown), 1.0))
    return family
