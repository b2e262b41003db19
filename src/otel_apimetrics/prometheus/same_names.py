"""Metrics of one name that several registries of a process have, put together for one page."""

from collections.abc import Mapping
from dataclasses import replace

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.families import Family, Mode
from otel_apimetrics.prometheus.merging import Part, merged


def as_one(apart: Mapping[str, Family]) -> list[Family]:
    """Give families of different names. Those of one name are added up; nothing is left out.

    Args:
        apart: families by what is theirs alone. One of another kind than the first of its name
            is called so, and the log says it.
    """
    made: dict[str, Family] = {}
    for key, family in apart.items():
        before = made.get(family.name)
        if before is None:
            made[family.name] = family
        elif (before.kind, before.unit) == (family.kind, family.unit):
            made[family.name] = _together(before, family)
        else:
            name = _free(key, made)
            made[name] = replace(family, name=name)
            _guard.warn_once(
                f"prometheus.names.{name}",
                "%s is a %s and a %s, in different registries: the latter is shown as %s. Choose"
                " another name.",
                family.name,
                before.kind,
                family.kind,
                name,
            )
    return [*made.values()]


def _together(one: Family, other: Family) -> Family:
    # Both are of the same processes, each told apart by its `pid` already.
    mode: Mode = "sum" if one.mode in {"all", "livesum"} else one.mode
    parts = (Part([replace(each, mode=mode)], is_live=True) for each in (one, other))
    series = [series for family in merged(parts) for series in family.series]
    return replace(one, series=series)


def _free(wanted: str, taken: Mapping[str, Family]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name
