"""The numbers of several processes, put together.

Counters and histograms are added up, over the processes that live and those that have ended, so
that no total ever falls; what goes up and down is added up over those that live. Nothing here
knows where the numbers come from.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.families import Exemplar, Family, Labels, Scope, Series
from otel_apimetrics.prometheus.naming import make_room

_Key = tuple[str, Scope, Labels]
Baseline = dict[_Key, Series]
"""What a process has inherited through a fork, by the names of families."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one process has to tell."""

    families: Sequence[Family]
    """Of different names; no series comes twice in one scope."""
    pid: int = 0
    """0: processes that have ended, already put together."""
    is_live: bool = False


def merged(parts: Iterable[Part]) -> list[Family]:
    """Put processes together.

    A family that two processes have of different kinds is the first one's.

    Args:
        parts: those that live first: what has ended may have been another version of the app.
    """
    made: dict[str, _Merged] = {}
    for part in parts:
        for family in part.families:
            same = made.setdefault(family.name, _Merged(family))
            same.add(family, part)
    return [family for one in made.values() if (family := one.whole()).series]


def folded(parts: Iterable[Part]) -> list[Family]:
    """Put processes that have ended together, into what stands for all of them.

    Whatever comes later, `merged` gives the same with this as with each of them.
    """
    return merged(Part(part.families) for part in parts)


def baseline_of(families: Iterable[Family]) -> Baseline:
    """Give what `without` takes away."""
    return {
        (family.name, series.scope, series.labels): series
        for family in families
        for series in family.series
    }


def renewed(baseline: Baseline, families: Iterable[Family]) -> Baseline:
    """Give the baseline of a process that goes on under another name.

    What it has counted is told under the old one; what goes up and down is told by those that
    live alone, so under the new one.

    Args:
        baseline: what it has inherited.
        families: what it had when it told last.
    """
    return {**baseline, **baseline_of(counting(families))}


def without(families: Iterable[Family], baseline: Baseline) -> list[Family]:
    """Take away what was inherited, which the process that counted it tells.

    A count below the inherited one has begun again; nothing is taken from it then or later.

    Args:
        families: what a process has, inherited or its own.
        baseline: what it had at first; loses what has begun again.
    """
    if not baseline:
        return list(families)
    return [replace(family, series=list(_own(family, baseline))) for family in families]


def completed(families: Sequence[Family], before: Iterable[Family]) -> list[Family]:
    """Give what was collected, and what counts as it was before where it is missing.

    A count that fails to be told for a moment has not fallen.

    Args:
        families: of which some may be missing, or some of their series.
        before: what was collected before.
    """
    found = {family.name: family for family in families}
    for old in before:
        family = found.setdefault(old.name, replace(old, series=[]))
        if _counts(old) and family.kind == old.kind:
            there = {(one.scope, one.labels) for one in family.series}
            left = [one for one in old.series if (one.scope, one.labels) not in there]
            if left:
                found[old.name] = replace(family, series=[*family.series, *left])
    return [family for family in found.values() if family.series]


def missing(families: Iterable[Family], before: Iterable[Family]) -> Iterable[Family]:
    """Give of what was collected before what may be missing because something has failed.

    The SDK does not tell which callback has failed: all that an observable shows is missing then.
    """
    if not getattr(families, "is_whole", True):
        return before
    found = {family.name for family in families}
    return [family for family in before if family.is_observed and family.name not in found]


def counting(families: Iterable[Family]) -> list[Family]:
    """Give the families that count."""
    return [family for family in families if _counts(family)]


def as_written(families: Iterable[Family], written: Iterable[Family]) -> list[Family]:
    """Give gauges as they are, and what counts as it was when it was written down."""
    before = {family.name: family for family in written}
    return [
        before.get(family.name, replace(family, series=[])) if _counts(family) else family
        for family in families
    ]


def _own(family: Family, baseline: Baseline) -> Iterable[Series]:
    for series in family.series:
        key = family.name, series.scope, series.labels
        base = baseline.get(key)
        if base is None or not (_counts(family) or _is_kept_up(family)):
            yield series
        elif _counts(family) and (series.count, series.value) < (base.count, base.value):
            del baseline[key]
            yield series
        elif (series.value, series.count) != (base.value, base.count):
            yield replace(
                _together(series, replace(base, exemplars=()), sign=-1), created=series.created
            )


def _is_kept_up(family: Family) -> bool:
    """Tell whether each change is added to what a process has inherited, up and down."""
    return family.mode == "livesum" and not family.is_observed


def _counts(family: Family) -> bool:
    return family.kind in {"counter", "histogram", "summary"}


class _Merged:
    """A family of several processes."""

    def __init__(self, first: Family) -> None:
        self._family: Final = replace(first, series=[])
        self._series: Final[dict[tuple[Scope, Labels], Series]] = {}

    def add(self, family: Family, part: Part) -> None:
        """Add what a process has of it."""
        if (family.kind, family.mode) != (self._family.kind, self._family.mode):
            _guard.warn_once(
                f"prometheus.workers.{family.name}",
                "%s of process %s is not exposed: another process has another kind of metric of"
                " that name.",
                family.name,
                part.pid,
            )
            return
        mode = family.mode
        if not part.is_live and (mode == "all" or mode.startswith("live")):
            return
        combine = _COMBINE[mode.removeprefix("live")]
        for series in family.series:
            if mode == "all":
                series = _of_process(series, part.pid)  # noqa: PLW2901
            key = series.scope, series.labels
            before = self._series.get(key)
            self._series[key] = series if before is None else combine(before, series)

    def whole(self) -> Family:
        """Give all of it."""
        self._family.series = list(self._series.values())
        return self._family


def _of_process(series: Series, pid: int) -> Series:
    labels = dict(series.labels)
    make_room(labels, "pid")
    labels["pid"] = str(pid)
    return replace(series, labels=tuple(sorted(labels.items())))


def _together(one: Series, other: Series, *, sign: int = 1) -> Series:
    """Add two series up, in the buckets that both of them have."""
    if one.bounds == other.bounds and len(one.buckets) == len(other.buckets):
        bounds = one.bounds
        buckets = tuple(a + sign * b for a, b in zip(one.buckets, other.buckets, strict=True))
    else:
        bounds, buckets = _in_common(one, other, sign)
    exemplars = one.exemplars or other.exemplars
    if one.exemplars and other.exemplars:
        exemplars = newest((*one.exemplars, *other.exemplars), bounds)
    return Series(
        one.labels,
        one.value + sign * other.value,
        one.count + sign * other.count,
        buckets,
        bounds,
        min(one.created, other.created) or max(one.created, other.created),
        exemplars,
        one.scope,
    )


def _in_common(one: Series, other: Series, sign: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
    bounds = tuple(sorted({*one.bounds} & {*other.bounds}))
    below = [_below(one, bound) + sign * _below(other, bound) for bound in (*bounds, float("inf"))]
    return bounds, tuple(upper - lower for lower, upper in zip((0, *below), below, strict=False))


def _below(series: Series, bound: float) -> int:
    upper = (*series.bounds, float("inf"))
    return sum(
        count
        for limit, count in zip(upper, series.buckets or (series.count,), strict=False)
        if limit <= bound
    )


def newest(exemplars: Iterable[Exemplar], bounds: Sequence[float]) -> tuple[Exemplar, ...]:
    """Give the newest exemplar of each bucket; without bounds that is one."""
    found = {
        bisect_left(bounds, one.value): one
        for one in sorted(exemplars, key=lambda one: one.seconds)
    }
    return tuple(found.values())


def _of_all(one: Series, other: Series) -> Series:
    return other if other.created >= one.created else one  # two processes of one pid


_COMBINE: Final = {
    "sum": _together,
    "all": _of_all,
    "max": lambda one, other: other if other.value > one.value else one,
    "min": lambda one, other: other if other.value < one.value else one,
    "mostrecent": _of_all,
}
