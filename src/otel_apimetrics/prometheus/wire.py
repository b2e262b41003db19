"""What a process tells the others, as bytes: JSON, which runs no code when it is read."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.encodable import encodable, encodable_labels
from otel_apimetrics.prometheus.families import Exemplar, Family, Kind, Mode, Series

_VERSION: Final = 1
_KINDS: Final = frozenset(get_args(Kind))
_MODES: Final = frozenset(get_args(Mode))


@dataclass(frozen=True, slots=True)
class Told:
    """What was told."""

    families: list[Family]
    names: list[str]
    """Of processes, in the file of those that have ended: whose numbers it holds."""


def written(families: Iterable[Family], names: Sequence[str] = ()) -> bytes:
    """Write families down, without any that holds what is no number.

    Bounds and scopes, which many series share, are written once.
    """
    kept = list(families)
    try:
        return _written(kept, names)
    except (TypeError, ValueError):
        return _written([family for family in kept if _is_sound(family)], names)


def _is_sound(family: Family) -> bool:
    try:
        _written([family], ())
    except (TypeError, ValueError) as error:
        _guard.swallow("prometheus.metric", error)
        return False
    return True


def _written(families: Iterable[Family], names: Sequence[str]) -> bytes:
    bounds: dict[Any, int] = {}
    scopes: dict[Any, int] = {}
    rows = []
    for family in families:
        series = [
            (
                scopes.setdefault(one.scope, len(scopes)),
                one.labels,
                one.value,
                one.count,
                one.buckets,
                bounds.setdefault(one.bounds, len(bounds)),
                one.created,
                [
                    (each.value, each.seconds, each.trace_id, each.span_id, each.labels)
                    for each in one.exemplars
                ],
            )
            for one in family.series
        ]
        rows.append((family.name, family.kind, family.mode, family.help, family.unit, series))
    told = {
        "version": _VERSION,
        "names": list(names),
        "bounds": list(bounds),
        "scopes": list(scopes),
        "families": rows,
    }
    # Numbers of other kinds, of NumPy and the like, are told as Python's own.
    return json.dumps(told, separators=(",", ":"), default=float).encode()


def read(data: bytes) -> Told:
    """Read what `written` gave.

    Raises:
        ValueError: it is none of it, or that of another version.
    """
    told = json.loads(data)
    try:
        if told["version"] != _VERSION:
            raise ValueError(f"version {told['version']!r}, not {_VERSION}")
        bounds = [tuple(map(float, one)) for one in told["bounds"]]
        scopes = [tuple(map(str, one)) for one in told["scopes"]]
        families = [_family(row, bounds, scopes) for row in told["families"]]
        return Told(families, [str(name) for name in told["names"]])
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not of this form: {error!r}") from error


def _family(row: Any, bounds: list[Any], scopes: list[Any]) -> Family:
    name, kind, mode, text, unit, rows = row
    if kind not in _KINDS or mode not in _MODES:
        raise ValueError(f"neither kind nor mode: {kind!r}, {mode!r}")
    series = [
        Series(
            encodable_labels(labels),
            value,
            count,
            tuple(buckets),
            bounds[at],
            created,
            tuple(map(_exemplar, exemplars)),
            scopes[scope],
        )
        for scope, labels, value, count, buckets, at, created, exemplars in rows
    ]
    return Family(encodable(name), kind, encodable(text), encodable(unit), series, mode)


def _exemplar(row: Any) -> Exemplar:
    value, seconds, trace_id, span_id, labels = row
    return Exemplar(value, seconds, trace_id, span_id, encodable_labels(labels))
