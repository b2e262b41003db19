"""The metrics of a `prometheus_client` registry as families, to be put together with others'."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar as ClientExemplar
from prometheus_client.samples import Sample

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.encodable import encodable, encodable_labels
from otel_apimetrics.prometheus.families import (
    Collection,
    Exemplar,
    Family,
    Kind,
    Labels,
    Mode,
    Series,
)

_KINDS: Final[Mapping[str, Kind]] = {
    "counter": "counter", "gauge": "gauge", "histogram": "histogram", "summary": "summary",
    "info": "info", "stateset": "stateset", "unknown": "unknown", "untyped": "unknown",
}  # fmt: skip
_MODES: Final[Mapping[str, Mode]] = {
    "sum": "sum", "livesum": "livesum", "all": "all", "liveall": "all", "max": "max",
    "livemax": "livemax", "min": "min", "livemin": "livemin", "mostrecent": "mostrecent",
    "livemostrecent": "livemostrecent",
}  # fmt: skip
"""By the names of `multiprocess_mode`."""
_SPAN: Final = {"trace_id", "span_id"}


def families_in(registry: Collector, metrics: Iterable[Metric]) -> Collection:
    """Translate what a registry has collected.

    A value that means no number takes its series with it, and the log says so.

    Args:
        registry: tells the `multiprocess_mode` of gauges.
        metrics: what it has collected.
    """
    collectors: Mapping[str, Any] = getattr(registry, "_names_to_collectors", {})
    families = Collection()
    for metric in metrics:
        try:
            family = _family(metric, collectors)
            if family is not None:
                family.series, is_whole = _series(metric)
                families.append(family)
                families.is_whole = families.is_whole and is_whole
        except Exception as error:  # noqa: PERF203  one is odd, the others are exposed
            families.is_whole = False
            _guard.swallow("prometheus.metric", error)
    return families


def _family(metric: Metric, collectors: Mapping[str, Any]) -> Family | None:
    kind = _KINDS.get(metric.type)
    if kind is None:
        _guard.warn_once(
            f"prometheus.type.{metric.name}",
            "%s of prometheus_client is not exposed: a %s of several processes cannot be put"
            " together.",
            metric.name,
            metric.type,
        )
        return None
    name, unit = encodable(metric.name), encodable(getattr(metric, "unit", "") or "")
    mode = _mode(kind, name, collectors.get(name))
    return Family(name, kind, encodable(metric.documentation or ""), unit, mode=mode)


def _mode(kind: Kind, name: str, collector: Any) -> Mode:
    if kind in {"counter", "histogram", "summary"}:
        return "sum"
    if kind == "info" or name.endswith("_info"):
        return "livemax"
    if name == "process_start_time_seconds":
        return "livemin"  # since when the app runs, whose workers come and go
    # What the app has chosen for prometheus_client's own mode of several processes.
    return mode_named(getattr(collector, "_multiprocess_mode", "all"))


def mode_named(name: str) -> Mode:
    """Give the mode that prometheus_client calls so; `all` where it has no such."""
    return _MODES.get(name, "all")


@dataclass(slots=True)
class _Collected:
    """The samples of one set of labels."""

    value: float = 0.0
    count: float = 0
    created: float = 0.0
    below: dict[float, float] = field(default_factory=dict)
    exemplars: list[Exemplar] = field(default_factory=list)


def _series(metric: Metric) -> tuple[list[Series], bool]:
    """Give the series of a metric, and whether none is left out."""
    found: dict[Labels, _Collected] = {}
    odd: set[Labels] = set()
    for sample in (Sample(*each) for each in metric.samples):  # also of plain tuples
        if "quantile" in sample.labels and metric.type == "summary":
            continue  # of one process alone
        named = {name: value for name, value in sample.labels.items() if name != "le"}
        given = named if metric.type == "histogram" else sample.labels
        labels = encodable_labels(sorted(given.items()))
        try:
            _add(found.setdefault(labels, _Collected()), sample, sample.name[len(metric.name) :])
        except Exception as error:
            _leave_out(labels, odd, error)
    series = []
    for labels, one in found.items():
        if labels not in odd:
            try:
                series.append(_whole(labels, one))
            except Exception as error:
                _leave_out(labels, odd, error)
    return series, not odd


def _leave_out(labels: Labels, odd: set[Labels], error: Exception) -> None:
    odd.add(labels)
    _guard.swallow("prometheus.sample", error)


def _add(one: _Collected, sample: Sample, suffix: str) -> None:
    value = float(sample.value)
    if suffix == "_created":
        one.created = value
    elif suffix == "_count":
        one.count = value
    elif suffix == "_bucket":
        one.below[float(sample.labels["le"])] = value
    else:
        one.value = value
    if sample.exemplar is not None:
        one.exemplars.append(_exemplar(sample.exemplar))


def _whole(labels: Labels, one: _Collected) -> Series:
    below = [0.0, *(count for _, count in sorted(one.below.items()))]
    buckets = tuple(int(upper - lower) for lower, upper in pairwise(below))
    bounds = tuple(sorted(one.below)[:-1])
    return Series(
        labels, one.value, int(one.count), buckets, bounds, one.created, tuple(one.exemplars)
    )


def _exemplar(exemplar: ClientExemplar) -> Exemplar:
    labels = {encodable(name): encodable(value) for name, value in exemplar.labels.items()}
    value, seconds = float(exemplar.value), float(exemplar.timestamp or 0.0)
    if labels.keys() == _SPAN:
        return Exemplar(value, seconds, labels["trace_id"], labels["span_id"])
    return Exemplar(value, seconds, "", "", tuple(labels.items()))
