"""Instrumentation scopes as labels."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from otel_apimetrics.prometheus.families import NO_SCOPE, Family, Labels, Scope
from otel_apimetrics.prometheus.naming import make_room
from otel_apimetrics.prometheus.translation import warn_twice

_NAME: Final = "otel_scope_name"
_VERSION: Final = "otel_scope_version"
_SCHEMA: Final = "otel_scope_schema_url"


def told_apart(families: Iterable[Family], *, whole: bool) -> list[Family]:
    """Give each series the labels of its scope, where its family has several scopes.

    Args:
        families: with the scope of each series, from one process or from several together.
        whole: each series has the name, version and schema of its scope, whatever there is.

    Returns:
        The same families; no series comes twice.
    """
    for family in families:
        _tell_apart(family, whole=whole)
    return list(families)


def _tell_apart(family: Family, *, whole: bool) -> None:
    scopes = {series.scope for series in family.series}
    if scopes == {NO_SCOPE} or (len(scopes) == 1 and not whole):
        return
    seen: set[Labels] = set()
    kept = []
    for series in family.series:
        extra = _labels(series.scope, whole=whole)
        own = dict(series.labels)
        for name in extra:
            make_room(own, name)
        labels = tuple(sorted({**own, **extra}.items()))
        if labels not in seen:
            seen.add(labels)
            kept.append(replace(series, labels=labels))
        else:
            warn_twice(family, series.scope)
    family.series = kept


def _labels(scope: Scope, *, whole: bool) -> dict[str, str]:
    name, version, schema = scope
    if scope == NO_SCOPE:
        return {}
    if whole:
        return {_NAME: name, _VERSION: version, _SCHEMA: schema}
    return {_NAME: name, _VERSION: version} if version else {_NAME: name}
