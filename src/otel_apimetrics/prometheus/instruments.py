"""The instruments of a provider, as one reader collects them.

The SDK asks all of them at once, and one observable whose callback is left by what is no
`Exception` leaves the whole collection. What it holds itself can be had without asking anybody.
"""

from typing import Any, Final

from opentelemetry.metrics import Asynchronous
from opentelemetry.sdk.metrics.export import MetricReader, MetricsData

_NONE: Final[frozenset[tuple[str, str]]] = frozenset()


def held(reader: MetricReader) -> MetricsData | None:
    """Give what was counted, and what observables have told to a collection that failed.

    None of the app's code runs. `None` where the reader has no provider.
    """
    storage = _storage(reader)
    if storage is None:
        return None
    # Observables that are being asked have told half of what that collection shows.
    collect: Any = reader._collect  # noqa: SLF001
    with collect.__self__._lock:  # noqa: SLF001
        held: MetricsData | None = storage.collect()
    return held


def observed(reader: MetricReader) -> frozenset[tuple[str, str]]:
    """Give the names of what observable instruments give, each with its scope's.

    Both are those under which they are collected, as Views may have named them.
    """
    matches: Any = getattr(_storage(reader), "_instrument_view_instrument_matches", None)
    if matches is None:
        return _NONE
    return frozenset(
        (match._instrument.instrumentation_scope.name, match._name)  # noqa: SLF001
        for instrument, found in tuple(matches.items())
        if isinstance(instrument, Asynchronous)
        for match in found
    )


def _storage(reader: MetricReader) -> Any:
    consumer = getattr(reader._collect, "__self__", None)  # noqa: SLF001
    return getattr(consumer, "_reader_storages", {}).get(reader)
