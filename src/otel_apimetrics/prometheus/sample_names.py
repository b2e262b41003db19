"""Which samples a metric has, and what happens where two metrics have one of the same name.

A text that has both is refused by parsers, or one number is taken for the other. What is exposed
depends on what there is alone, and not on the order in which it was measured: every process of an
app shows the same.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from prometheus_client.metrics_core import Metric

from otel_apimetrics import _guard

_SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "histogram": ("", "_bucket", "_count", "_sum", "_created"),
    "gaugehistogram": ("", "_bucket", "_gcount", "_gsum"),
    "summary": ("", "_count", "_sum", "_created"),
    "counter": ("_total", "_created"),
    "info": ("", "_info"),
}
"""By the kind; in this order one goes before another. Others have samples of their own name."""
_ORDER: Final = {kind: place for place, kind in enumerate(_SUFFIXES)}


def sample_names(name: str, kind: str) -> list[str]:
    """Give the names that a metric takes: those of its samples, also of those it does not show.

    Args:
        name: of the family.
        kind: as prometheus_client calls it.
    """
    return [f"{name}{suffix}" for suffix in _SUFFIXES.get(kind, ("",))]


def without_clashes(
    metrics: Iterable[Metric], declared: Collection[str] = (), others: Collection[str] = ()
) -> list[Metric]:
    """Leave out each metric of which another has a sample's name, and say so once.

    A counter whose samples are its own, and whose family alone has such a name, is shown with
    the same samples as of no known kind: OpenMetrics would take one family for the other.

    Args:
        metrics: of different names.
        declared: names of those that go before all others.
        others: names of those of prometheus_client, behind all others.

    Returns:
        What is left, in the same order.
    """
    given = list(metrics)
    owners: dict[str, Metric] = {}
    left_out = set()
    for metric in sorted(given, key=lambda one: _place(one, declared, others)):
        names = sample_names(metric.name, metric.type)
        owner = next((owners[name] for name in names if name in owners), None)
        if owner is None:
            owners.update(dict.fromkeys(names, metric))
        else:
            left_out.add(metric.name)
            _warn(metric, owner)
    kept = [metric for metric in given if metric.name not in left_out]
    return [_of_no_kind(one) if _is_taken(one, owners) else one for one in kept]


def _place(
    metric: Metric, declared: Collection[str], others: Collection[str]
) -> tuple[bool, bool, int, str]:
    order = _ORDER.get(metric.type, len(_ORDER))
    return metric.name in others, metric.name not in declared, order, str(metric.name)


def _is_taken(metric: Metric, owners: Mapping[str, Metric]) -> bool:
    return metric.type == "counter" and metric.name in owners


def _of_no_kind(counter: Metric) -> Metric:
    name = f"{counter.name}_total"
    kept = Metric(name, counter.documentation, "unknown")
    for sample in counter.samples:
        if sample.name == name:
            kept.add_sample(name, sample.labels, sample.value, sample.timestamp)
    return kept


def _warn(metric: Metric, owner: Metric) -> None:
    _guard.warn_once(
        f"prometheus.samples.{metric.name}",
        "The %s %s is not exposed: the %s %s has samples of the same name. Rename one of them,"
        " an OpenTelemetry instrument with a View.",
        metric.type,
        metric.name,
        owner.type,
        owner.name,
    )
