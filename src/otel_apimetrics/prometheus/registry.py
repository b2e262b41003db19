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
from otel_apimetrics.prometheus.families import Exemplar, Family, Kind, Labels, Mode, Series

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


def families_in(registry: Collector, metrics: Iterable[Metric]) -> list[Family]:
    """Translate what a registry has collected.

    Args:
        registry: tells the `multiprocess_mode` of gauges.
        metrics: what it has collected.
    """
    collectors: Mapping[str, Any] = getattr(registry, "_names_to_collectors", {})
    families = []
    for metric in metrics:
        kind = _KINDS.get(metric.type)
        if kind is None:
            _guard.warn_once(
                f"prometheus.type.{metric.name}",
                "%s of prometheus_client is not exposed: a %s of several processes cannot be put"
                " together.",
                metric.name,
                metric.type,
            )
            continue
        mode = _mode(kind, metric.name, collectors.get(metric.name))
        family = Family(metric.name, kind, encodable(metric.documentation), metric.unit, mode=mode)
        family.series = _series(metric)
        families.append(family)
    return families


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


def _series(metric: Metric) -> list[Series]:
    found: dict[Labels, _Collected] = {}
    for sample in metric.samples:
        if "quantile" in sample.labels and metric.type == "summary":
            continue  # of one process alone
        named = {name: value for name, value in sample.labels.items() if name != "le"}
        labels = tuple(sorted((named if metric.type == "histogram" else sample.labels).items()))
        labels = encodable_labels(labels)
        _add(found.setdefault(labels, _Collected()), sample, sample.name[len(metric.name) :])
    return [_whole(labels, one) for labels, one in found.items()]


def _add(one: _Collected, sample: Sample, suffix: str) -> None:
    value = sample.value
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
    return Exemplar(
        exemplar.value,
        float(exemplar.timestamp or 0.0),
        exemplar.labels.get("trace_id", ""),
        exemplar.labels.get("span_id", ""),
    )
