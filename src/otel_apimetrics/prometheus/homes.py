"""What metrics of one registry, or of one reader of the app's, have in common."""

from collections.abc import Callable, Hashable
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

import prometheus_client
from opentelemetry.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.client_processes import directory
from otel_apimetrics.prometheus.described import Description
from otel_apimetrics.prometheus.measures import Durations, Measures, NameTakenError
from otel_apimetrics.prometheus.reader import PrometheusReader
from otel_apimetrics.prometheus.tally import Tally, Values


class Home:
    """Makes instruments, and gives the one that is there to whoever describes it again.

    Frameworks make their middleware anew, and a process may have several apps.
    """

    def __init__(self, measures: Measures) -> None:
        self.measures: Final = measures
        self.defaults: Final[dict[Hashable, Any]] = {}
        """The default metrics that a framework has made, by what tells them from others."""
        self._apps: Final[dict[Hashable, WeakSet[Any]]] = {}
        self._made: Final[WeakKeyDictionary[CollectorRegistry, dict[Description, Any]]] = (
            WeakKeyDictionary()
        )

    def counts(
        self, described: Description, registry: CollectorRegistry, initial: Values | None = None
    ) -> Tally:
        """Give a counter, or a gauge that goes up and down.

        Args:
            described: what it is.
            registry: of prometheus_client, which shows it too.
            initial: labels that show zero before anything is counted.

        Raises:
            NameTakenError: the registry has a metric of that name that is another.
        """
        made: Tally = self._shared(self.measures.counts, described, registry, initial)
        return made

    def durations(
        self, described: Description, registry: CollectorRegistry, initial: Values | None = None
    ) -> Durations:
        """Give a histogram or a summary; arguments and errors are those of `counts`."""
        made: Durations = self._shared(self.measures.durations, described, registry, initial)
        return made

    def apps(self, default: Hashable) -> "WeakSet[Any]":
        """Give the apps whose requests some default metrics count; it may be added to.

        Args:
            default: tells these default metrics from others.
        """
        return self._apps.setdefault(default, WeakSet())

    def _shared(
        self,
        make: Callable[..., Any],
        described: Description,
        registry: CollectorRegistry,
        initial: Values | None,
    ) -> Any:
        known = self._made.setdefault(registry, {})
        try:
            known[described] = make(described, registry, initial)
        except NameTakenError:
            if described not in known:
                raise
        return known[described]


class _Shared:
    """Stands for the registries of this process where processes share a directory."""


_shared: Final[dict[str, _Shared]] = {}
"""By the directory."""
_homes: "WeakKeyDictionary[Any, Home]" = WeakKeyDictionary()


def registry_of(
    registry: CollectorRegistry | None, reader: PrometheusReader | None
) -> CollectorRegistry:
    """Give the registry that shows metrics too.

    Args:
        registry: that the app has given; by default prometheus_client's own.
        reader: that the app has given. Its endpoint shows the metrics: in a registry of all apps
            they would meet, and be shown among, those of another app with its own reader.
    """
    if registry is not None:
        return registry
    # Looked up now, because tests replace it.
    return prometheus_client.REGISTRY if reader is None else reader.declared.registry


def home_of(
    key: object, reader: PrometheusReader | None = None, provider: MeterProvider | None = None
) -> Home:
    """Give the home of a reader or of a registry.

    Processes that share prometheus_client's directory are shown as one, whatever their registries:
    one home of each, and so one reader, takes part there.

    Args:
        key: what it belongs to, and lives as long as.
        reader: see `Measures`, with `provider`.
        provider: of the reader.
    """
    path = directory()
    if path is not None and reader is None:
        key = _shared.setdefault(path, _Shared())
    home = _homes.get(key)
    if home is None:
        home = _homes[key] = Home(Measures(reader, provider))
    return home


def home_and_registry(
    registry: CollectorRegistry | None,
    reader: PrometheusReader | None,
    provider: MeterProvider | None,
) -> tuple[Home, CollectorRegistry]:
    """Give the home of what an app has given, and the registry that shows its metrics too.

    Args:
        registry: see `registry_of`.
        reader: with `provider`; without both the home is the registry's.
        provider: of the reader.

    Raises:
        ConfigError: see `require_both`.
    """
    require_both(reader, provider)
    shown = registry_of(registry, reader)
    return home_of(reader or shown, reader, provider), shown


def require_both(reader: PrometheusReader | None, meter_provider: MeterProvider | None) -> None:
    """Refuse a reader without its provider, a provider without its reader, and what is neither.

    Raises:
        ConfigError: one of them is missing, or is something else.
    """
    for name, given, kind in (
        ("reader", reader, PrometheusReader),
        ("meter_provider", meter_provider, MeterProvider),
    ):
        if given is not None and not isinstance(given, kind):
            raise ConfigError(
                f"{name}={given!r} is no {kind.__name__}. Make reader = PrometheusReader() and"
                " provider = MeterProvider([reader]), and give both: reader=reader,"
                " meter_provider=provider."
            )
    if (reader is None) != (meter_provider is None):
        raise ConfigError(
            "reader and meter_provider come together: give the PrometheusReader and the"
            " MeterProvider that it was given to, or neither."
        )
