"""From what a `MeterProvider` collected to families.

Two instruments that would have one name are never mixed up: of one kind in two scopes, they are
told apart by `otel_scope_name`; otherwise the first is exposed and the log names the other.
"""

from collections.abc import Iterator, Mapping
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
from otel_apimetrics.prometheus.families import Exemplar, Family, Kind, Labels, Series
from otel_apimetrics.prometheus.naming import family_name, label_name

_NANO: Final = 1e9
_SCOPE: Final = "otel_scope_name"
_SCOPE_VERSION: Final = "otel_scope_version"
_SCOPE_SCHEMA: Final = "otel_scope_schema_url"

_Scope = tuple[str, str, str]
"""Name, version and schema of an instrumentation scope; empty where it has none."""


def families_of(data: MetricsData, *, scope_labels: bool, target_info: bool) -> list[Family]:
    """Translate what was collected.

    Args:
        data: cumulative, as a reader received it.
        scope_labels: each series has the name, version and schema of its instrumentation scope.
        target_info: the resource's attributes are the labels of `target_info`.

    Returns:
        Families of different names, in the order of their instruments; no series comes twice.
    """
    found: dict[str, _Found] = {}
    for scope, metric in _metrics(data):
        try:
            family = _family(metric)
            same = found.setdefault(family.name, _Found(family, type(metric.data)))
            same.add(scope, metric, family)
        except Exception as error:  # noqa: PERF203  one metric fails, the others are exposed
            _guard.swallow("prometheus.metric", error)
    families = [same.whole(scope_labels=scope_labels) for same in found.values()]
    target = [_target(data)] if target_info else []
    return [family for family in (*target, *families) if family.series]


class _Found:
    """What the instruments of one name hold."""

    def __init__(self, family: Family, kind: type) -> None:
        self._family: Final = family
        self._kind: Final = kind
        self._series: Final[dict[_Scope, list[Series]]] = {}

    def add(self, scope: Any, metric: Metric, family: Family) -> None:
        """Add what one instrument holds, unless it is of another kind."""
        if (family.kind, type(metric.data)) != (self._family.kind, self._kind):
            _guard.warn_once(
                f"prometheus.kind.{family.name}",
                "%s of %s is not exposed: another instrument of that name is no %s. Rename one of"
                " them with a View.",
                metric.name,
                scope.name,
                type(metric.data).__name__.lower(),
            )
            return
        self._family.help = self._family.help or family.help
        made = [_series(point) for point in metric.data.data_points]
        key = scope.name, scope.version or "", scope.schema_url or ""
        self._series.setdefault(key, []).extend(made)

    def whole(self, *, scope_labels: bool) -> Family:
        """Give all of it, told apart by scope where there are several."""
        apart = scope_labels or len(self._series) > 1
        seen: set[Labels] = set()
        for scope, all_series in self._series.items():
            extra = _scope_labels(scope, whole=scope_labels) if apart else {}
            for series in all_series:
                labels = tuple(sorted({**dict(series.labels), **extra}.items()))
                if labels not in seen:
                    self._family.series.append(replace(series, labels=labels))
                    seen.add(labels)
                else:
                    _guard.warn_once(
                        f"prometheus.twice.{self._family.name}",
                        "%s has two series of the same labels, of which the first is exposed: two"
                        " instruments or Views of %s have one name.",
                        self._family.name,
                        scope[0],
                    )
        return self._family


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
    return Family(name, kind, metric.description or "", unit)


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


def _series(point: Any) -> Series:
    labels = _labels(point.attributes or {})
    created = (point.start_time_unix_nano or 0) / _NANO
    exemplars = tuple(map(_exemplar, getattr(point, "exemplars", ())))
    if isinstance(point, NumberDataPoint):
        return Series(labels, float(point.value), created=created, exemplars=exemplars)
    if isinstance(point, HistogramDataPoint):
        return Series(
            labels,
            float(point.sum),
            point.count,
            tuple(point.bucket_counts),
            tuple(map(float, point.explicit_bounds)),
            created,
            exemplars,
        )
    assert isinstance(point, ExponentialHistogramDataPoint)  # noqa: S101  the SDK has no other
    return Series(labels, float(point.sum), point.count, created=created)


def _exemplar(exemplar: Any) -> Exemplar:
    # The attributes that a View took away stay away.
    return Exemplar(
        float(exemplar.value),
        exemplar.time_unix_nano / _NANO,
        format_trace_id(exemplar.trace_id) if exemplar.trace_id else "",
        format_span_id(exemplar.span_id) if exemplar.span_id else "",
    )


def _labels(attributes: Mapping[str, Any]) -> Labels:
    labels: dict[str, str] = {}
    for key, value in sorted(attributes.items()):
        name = label_name(key)
        # Two keys may become one name: the specification joins their values.
        labels[name] = f"{labels[name]};{value}" if name in labels else str(value)
    return tuple(sorted(labels.items()))


def _scope_labels(scope: _Scope, *, whole: bool) -> dict[str, str]:
    name, version, schema = scope
    if whole:
        return {_SCOPE: name, _SCOPE_VERSION: version, _SCOPE_SCHEMA: schema}
    return {_SCOPE: name, _SCOPE_VERSION: version} if version else {_SCOPE: name}


def _target(data: MetricsData) -> Family:
    family = Family("target_info", "gauge", "Target metadata")
    for resource in data.resource_metrics:
        family.series.append(Series(_labels(resource.resource.attributes), 1.0))
    return family
