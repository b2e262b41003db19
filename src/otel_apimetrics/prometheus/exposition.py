"""From families to the bytes of a scrape, by prometheus_client's encoders."""

import gzip
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar as ClientExemplar
from prometheus_client.utils import INF, floatToGoString

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.accepting import best
from otel_apimetrics.prometheus.collectors import with_samples
from otel_apimetrics.prometheus.encodable import encodable_metric
from otel_apimetrics.prometheus.families import Exemplar, Family, Series
from otel_apimetrics.prometheus.sample_names import without_clashes

_FAST: Final = 4
"""Level of gzip: a scrape is read once."""
_WEIGHT: Final = re.compile(r"\s*q\s*=\s*([01](?:\.[0-9]*)?)\s*")


class Scrape(NamedTuple):
    """The answer to a scrape."""

    body: bytes
    content_type: str
    is_gzip: bool


def expose(
    families: Iterable[Family],
    others: Iterable[Metric] = (),
    *,
    accept: str = "",
    accept_encoding: str = "",
    names: Sequence[str] = (),
    created: bool = True,
    declared: Collection[str] = (),
) -> Scrape:
    """Write families in the format that a client asks for.

    Args:
        families: of different names; of two that have a sample's name in common one is left out.
        others: families of prometheus_client's own; one whose name is taken is left out.
        accept: the header `Accept`: text 0.0.4, text 1.0.0 or OpenMetrics 1.0.0 with exemplars.
        accept_encoding: the header `Accept-Encoding`.
        names: what to expose, by the names of families and of samples; empty exposes all.
        created: with the time at which each series began, as `_created`.
        declared: names of families that go before others where samples have one name.
    """
    metrics = {family.name: as_metric(family, created=created) for family in families}
    ours = len(metrics)
    for other in others:
        if metrics.setdefault(other.name, other) is not other:
            warn_taken(other.name)
    shown = without_clashes(metrics.values(), declared, {*islice(metrics, ours, None)})
    wanted = [kept for one in shown if (kept := _filtered(one, names)) is not None]
    encode, content_type = choose_encoder(best(accept))
    return coded(encoded(encode, wanted), content_type, accept_encoding)


def coded(body: bytes, content_type: str, accept_encoding: str) -> Scrape:
    """Give a body with gzip, where the client takes it and does not like the body itself better.

    Args:
        body: not coded.
        content_type: of the body.
        accept_encoding: the header `Accept-Encoding` (RFC 9110, 12.5.3).
    """
    weights = dict(map(_weighted, accept_encoding.lower().split(",")))
    gzipped = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    if gzipped > 0 and gzipped >= weights.get("identity", 0.0):
        return Scrape(gzip.compress(body, _FAST), content_type, is_gzip=True)
    return Scrape(body, content_type, is_gzip=False)


def _weighted(one: str) -> tuple[str, float]:
    name, *parameters = one.split(";")
    found = next(filter(None, map(_WEIGHT.fullmatch, parameters)), None)
    return name.strip(), 1.0 if found is None else float(found[1])


def encoded(encode: Any, metrics: Iterable[Metric]) -> bytes:
    """Write metrics, without those that cannot be written.

    Args:
        encode: one of prometheus_client's encoders.
        metrics: prometheus_client's own among them, whose values nobody has looked at.
    """
    metrics = list(metrics)
    try:
        return bytes(encode(Collected(metrics)))
    except Exception:  # an odd value, of one of them
        sound = [kept for one in metrics if (kept := _encodable(encode, one)) is not None]
        return bytes(encode(Collected(sound)))


def _encodable(encode: Any, metric: Metric) -> Metric | None:
    """Give a metric that can be written; `None`, and a line in the log, where it cannot."""
    try:
        kept = encodable_metric(metric)
        encode(Collected([kept]))
    except Exception as error:
        _guard.swallow("prometheus.metric", error)
        return None
    return kept


def warn_taken(name: str) -> None:
    """Say that a metric of prometheus_client is left out."""
    _guard.warn_once(
        f"prometheus.registry.{name}",
        "%s of prometheus_client is not exposed: an OpenTelemetry instrument has its name.",
        name,
    )


class Collected(Collector):
    """What the encoders ask for a registry."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics: Final = metrics

    def collect(self) -> list[Metric]:
        """Give metrics that are collected already."""
        return self._metrics


def _filtered(metric: Metric, names: Sequence[str]) -> Metric | None:
    if not names or metric.name in names:
        return metric
    kept = with_samples(metric, names)
    if kept is not None:
        kept.unit = metric.unit
    return kept


def as_metric(family: Family, *, created: bool) -> Metric:
    """Give a family as prometheus_client has it.

    Args:
        family: with a series or without.
        created: with the time at which each series began.
    """
    metric = Metric(family.name, family.help, family.kind, family.unit)
    add = _ADDERS[family.kind]
    for series in family.series:
        add(metric, series)
        if created and series.created and family.kind in _CREATED:
            metric.add_sample(f"{family.name}_created", dict(series.labels), series.created)
    return metric


def _add_counter(metric: Metric, series: Series) -> None:
    newest = max(series.exemplars, key=lambda one: one.seconds, default=None)
    metric.add_sample(
        f"{metric.name}_total", dict(series.labels), series.value, exemplar=_exemplar(newest)
    )


def _add_gauge(metric: Metric, series: Series) -> None:
    metric.add_sample(metric.name, dict(series.labels), series.value)


def _add_info(metric: Metric, series: Series) -> None:
    metric.add_sample(f"{metric.name}_info", dict(series.labels), series.value)


def _add_summary(metric: Metric, series: Series) -> None:
    metric.add_sample(f"{metric.name}_count", dict(series.labels), series.count)
    metric.add_sample(f"{metric.name}_sum", dict(series.labels), series.value)


def _add_histogram(metric: Metric, series: Series) -> None:
    labels = dict(series.labels)
    below = 0
    lower = -INF
    for bound, count in _buckets(series):
        below += count
        metric.add_sample(
            f"{metric.name}_bucket",
            {**labels, "le": _le(bound)},
            below,
            exemplar=_exemplar(_within(series, lower, bound)),
        )
        lower = bound
    metric.add_sample(f"{metric.name}_count", labels, series.count)
    metric.add_sample(f"{metric.name}_sum", labels, series.value)


def _buckets(series: Series) -> Iterator[tuple[float, int]]:
    # One that was recorded before its instrument had bounds holds no bucket.
    counts = series.buckets or (series.count,)
    yield from zip((*series.bounds, INF), counts, strict=True)


@lru_cache(maxsize=1_024)
def _le(bound: float) -> str:
    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]


def _within(series: Series, lower: float, upper: float) -> Exemplar | None:
    found = [one for one in series.exemplars if lower < one.value <= upper]
    return max(found, key=lambda one: one.seconds, default=None)


def _exemplar(exemplar: Exemplar | None) -> ClientExemplar | None:
    if exemplar is None or not (exemplar.trace_id or exemplar.labels):
        return None
    span = {"trace_id": exemplar.trace_id, "span_id": exemplar.span_id}
    labels = dict(exemplar.labels) or span
    return ClientExemplar(labels, exemplar.value, exemplar.seconds or None)


_ADDERS: Final[dict[str, Any]] = {
    "counter": _add_counter,
    "gauge": _add_gauge,
    "summary": _add_summary,
    "histogram": _add_histogram,
    "info": _add_info,
    "stateset": _add_gauge,
    "unknown": _add_gauge,
}
_CREATED: Final = frozenset({"counter", "histogram", "summary"})
