"""How a metric is called: Prometheus' rules, as prometheus_client applies them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Literal

from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.encodable import encodable
from otel_apimetrics.prometheus.families import OWN_LABELS, Kind

DURATION_BUCKETS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
"""Seconds: the bounds that prometheus_client has by default."""

_MODES: Final = frozenset(
    f"{live}{mode}" for live in ("", "live") for mode in ("all", "min", "max", "sum", "mostrecent")
)

Arguments = Mapping[str, Any]
"""Of a metric: `namespace`, `subsystem` and `unit`, which shape its name; `buckets` of a histogram;
`multiprocess_mode` of a gauge."""

_ALLOWED: Final[Mapping[Kind, frozenset[str]]] = {
    "counter": frozenset(),
    "gauge": frozenset({"multiprocess_mode"}),
    "histogram": frozenset({"buckets"}),
    "summary": frozenset(),
}
_NAMING: Final = frozenset({"namespace", "subsystem", "unit"})


@dataclass(frozen=True, slots=True)
class Description:
    """A metric that may be made."""

    kind: Kind
    name: str
    """Of its family: with namespace, subsystem and unit, without `_total`."""
    help: str
    labels: tuple[str, ...]
    unit: str = ""
    bounds: tuple[float, ...] = ()
    """Of a histogram, ascending; the last, infinity, is left out."""
    mode: Literal["all", "max"] | str = field(default="all")  # noqa: PYI051  the two that we use
    """Of a gauge: how the values of several processes become one."""


def describe(
    kind: Kind, name: str, text: str, labels: Iterable[str], arguments: Arguments
) -> Description:
    """Check a metric, and give its name.

    Raises:
        TypeError: there is no such argument.
        ConfigError: a label or a bound is not possible.
        ValueError: a name or the mode is not.
    """
    unknown = sorted(arguments.keys() - _NAMING - _ALLOWED[kind])
    if unknown:
        raise TypeError(f"{kind} {name}: there is no argument {', '.join(unknown)}.")
    names = tuple(map(str, labels))
    _check_labels(kind, name, names)
    mode = arguments.get("multiprocess_mode", "all")
    if mode not in _MODES:
        raise ValueError(
            f"{name}: multiprocess_mode={mode!r} is none of {', '.join(sorted(_MODES))}."
        )
    bounds = bounds_of(name, arguments.get("buckets")) if kind == "histogram" else ()
    unit = arguments.get("unit") or ""
    full = _full(kind, name, arguments, unit)
    return Description(kind, full, encodable(text), names, unit, bounds, mode)


def _full(kind: Kind, name: str, arguments: Arguments, unit: str) -> str:
    if not name:
        raise ValueError("A metric has a name.")
    parts = (arguments.get("namespace"), arguments.get("subsystem"), name)
    full = "_".join(part for part in parts if part)
    if kind == "counter":
        full = full.removesuffix("_total")
    return full if not unit or full.endswith(f"_{unit}") else f"{full}_{unit}"


def _check_labels(kind: Kind, name: str, labels: tuple[str, ...]) -> None:
    for label in labels:
        if not label or label.startswith("__") or label == OWN_LABELS.get(kind):
            raise ConfigError(f"{name}: {label!r} cannot be the name of a label.")
    if len(set(labels)) < len(labels):
        raise ConfigError(f"{name}: a label comes twice among {', '.join(labels)}.")


def bounds_of(name: str, buckets: Sequence[Any] | None) -> tuple[float, ...]:
    """Give the bounds of a histogram's buckets, without infinity.

    Args:
        name: of what has them, for the error.
        buckets: bounds; `None` for prometheus_client's.

    Raises:
        ConfigError: there is none, or they are not ascending numbers.
    """
    if buckets is None:
        return DURATION_BUCKETS
    try:
        given = tuple(map(float, buckets))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name}: buckets={buckets!r}: {error}. Give numbers.") from error
    bounds = given[:-1] if given and given[-1] == math.inf else given
    ascending = all(low < high for low, high in pairwise(bounds))
    if not bounds or not ascending or not all(map(math.isfinite, bounds)):
        raise ConfigError(f"{name}: the bounds of its buckets are not ascending: {given}.")
    return bounds
