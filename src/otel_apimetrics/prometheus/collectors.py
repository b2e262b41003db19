"""The collectors of a registry of prometheus_client, each asked on its own.

They are the app's, and ask databases and pools: one that fails is missing from a scrape, and takes
no other with it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from otel_apimetrics import _guard, interruptions

_Collect = Callable[[], Iterable[Metric]]


class Asked:
    """What the collectors of a registry have given."""

    def __init__(self) -> None:
        self.metrics: Final[list[Metric]] = []
        self.is_whole = True
        """None has failed."""

    def ask(self, registry: Collector, names: Sequence[str] = ()) -> None:
        """Ask all collectors; what one raises by itself, whatever it raises, is logged.

        Args:
            registry: whose collectors they are, or one that is asked as a whole.
            names: of samples, whose collectors alone are asked; empty asks all.
        """
        for collect in _collects(registry, names):
            try:
                self.metrics.extend(_checked(collect()))
            except BaseException as error:  # noqa: PERF203  one fails, the others are asked
                if not interruptions.is_own(error):
                    raise
                self.is_whole = False
                _guard.swallow("prometheus.registry", error, reveal=True)


def asked(registry: Collector) -> list[Metric]:
    """Give what the collectors of a registry give, without those that fail."""
    found = Asked()
    found.ask(registry)
    return found.metrics


def kept(registry: Any) -> list[Metric]:
    """Give what metrics of prometheus_client's own hold, where changes are added to that.

    None of the app's code runs.
    """
    found = []
    for one in list(getattr(registry, "_collector_to_names", ())):
        if _keeps(one):
            found.extend(one.collect())
    return found


def _keeps(collector: Any) -> bool:
    if getattr(type(collector), "collect", None) is not MetricWrapperBase.collect:
        return False
    if isinstance(collector, Gauge):
        # One of them may ask a function.
        each = (collector, *getattr(collector, "_metrics", {}).values())
        asks = any("_child_samples" in vars(one) for one in each)
        return not asks and getattr(collector, "_multiprocess_mode", "") == "livesum"
    return isinstance(collector, (Counter, Histogram, Summary))


class Guarded:
    """A registry as prometheus_client's encoders take it, that one of its collectors fails not."""

    def __init__(self, registry: Collector) -> None:
        self._registry: Final = registry

    def collect(self) -> list[Metric]:
        """Give what all collectors give, without those that fail."""
        return asked(self._registry)

    def restricted_registry(self, names: Sequence[str]) -> "Restricted":
        """Give the registry with samples of these names alone."""
        found = Asked()
        found.ask(self._registry, names)
        return Restricted(found.metrics, names)


class Restricted:
    """The samples of some names."""

    def __init__(self, metrics: Iterable[Metric], names: Sequence[str]) -> None:
        self._metrics: Final = [
            kept for one in metrics if (kept := with_samples(one, names)) is not None
        ]

    def collect(self) -> list[Metric]:
        """Give them."""
        return self._metrics


def with_samples(metric: Metric, names: Sequence[str]) -> Metric | None:
    """Give a metric with the samples of these names alone; `None` where it has none."""
    samples = [sample for sample in metric.samples if sample[0] in names]
    if not samples:
        return None
    kept = Metric(metric.name, metric.documentation, metric.type)
    kept.samples = samples
    return kept


def _checked(metrics: Iterable[Metric]) -> list[Metric]:
    found = list(metrics)
    for one in found:
        if not isinstance(getattr(one, "samples", None), (list, tuple)):
            raise TypeError(f"a {type(one).__qualname__} is no metric")
    return found


def _collects(registry: Any, names: Sequence[str]) -> list[_Collect]:
    if type(registry).collect is not CollectorRegistry.collect:
        return [registry.collect]  # of the app's own kind, or one collector
    with registry._lock:  # noqa: SLF001
        by_name = dict(registry._names_to_collectors)  # noqa: SLF001
        collectors = list(registry._collector_to_names)  # noqa: SLF001
        has_target = bool(registry._target_info)  # noqa: SLF001
        target = registry._target_info_metric() if has_target else None  # noqa: SLF001
    if names:
        nameless = getattr(registry, "_collectors_without_names", ())  # not in older versions
        wanted = {*map(id, nameless), *(id(by_name[name]) for name in names if name in by_name)}
        collectors = [one for one in collectors if id(one) in wanted]
        target = target if "target_info" in names else None
    first: list[_Collect] = [] if target is None else [lambda: [target]]
    return [*first, *(one.collect for one in collectors)]
