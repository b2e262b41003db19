"""Metrics of an app as OpenTelemetry instruments, shown as Prometheus' clients show theirs."""

import inspect
import os
import re
import time
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any, Final
from weakref import WeakKeyDictionary

import prometheus_client.metrics
from opentelemetry.metrics import Histogram, MeterProvider, NoOpMeter
from opentelemetry.metrics import _Gauge as Gauge
from opentelemetry.sdk.environment_variables import OTEL_METRICS_EXEMPLAR_FILTER
from opentelemetry.sdk.metrics import MeterProvider as SDKMeterProvider
from opentelemetry.sdk.metrics.view import View
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.declared import Declared
from otel_apimetrics.prometheus.described import Description
from otel_apimetrics.prometheus.distribution import Distribution
from otel_apimetrics.prometheus.exposition import as_metric
from otel_apimetrics.prometheus.families import Family, Labels, Series
from otel_apimetrics.prometheus.glance import Glance
from otel_apimetrics.prometheus.naming import family_name
from otel_apimetrics.prometheus.reader import PrometheusReader
from otel_apimetrics.prometheus.registry import mode_named
from otel_apimetrics.prometheus.tally import Tally, Values
from otel_apimetrics.version import __version__

SCOPE: Final = "otel_apimetrics.prometheus"
_ODD: Final = re.compile(r"[^a-zA-Z0-9_]+")
_MOST: Final = 200
"""Characters of an instrument's name; OpenTelemetry allows 255."""
_UNBOUNDED: Final = 2**31
_FILTER: Final = "trace_based"
"""Of exemplars, as the SDK has it by default."""
Durations = Histogram | Distribution
"""What seconds, or bytes, are recorded with."""


class NameTakenError(ValueError):
    """A registry of prometheus_client has a metric of that name."""


class Measures:
    """The metrics that one reader shows.

    Args:
        reader: of `provider`; without it one is made that shows these metrics alone.
        provider: whose instruments are made; without it one is made for the reader. It knows no
            limit to the sets of labels, as prometheus_client knows none.
    """

    def __init__(
        self, reader: PrometheusReader | None = None, provider: MeterProvider | None = None
    ) -> None:
        self.reader: Final = reader or PrometheusReader(
            target_info=False, registry=CollectorRegistry()
        )
        self._meter: Final = (provider or _provider(self.reader)).get_meter(SCOPE, __version__)
        if isinstance(self._meter, NoOpMeter):
            _guard.warn_once(
                "prometheus.disabled",
                "The metrics of %s show nothing: OTEL_SDK_DISABLED switches off what counts them.",
                SCOPE,
            )
        self._counts_itself: Final = (
            provider is None
            and not isinstance(self._meter, NoOpMeter)
            and os.environ.get(OTEL_METRICS_EXEMPLAR_FILTER, _FILTER) == _FILTER
        )
        self._names: Final[set[str]] = set()
        self._glances: Final[WeakKeyDictionary[CollectorRegistry, Glance]] = WeakKeyDictionary()
        self._lock: Final = Lock()

    def counts(
        self, described: Description, registry: CollectorRegistry, initial: Values | None = None
    ) -> Tally:
        """Make a counter, or a gauge that goes up and down.

        Args:
            described: what it is.
            registry: of prometheus_client, which shows it too.
            initial: labels that show zero before anything is counted.

        Raises:
            NameTakenError: the registry has such a metric.
        """
        tally = Tally(initial)
        name = self._declare(described, registry, (), tally.began)
        make = (
            self._meter.create_observable_counter
            if described.kind == "counter"
            else self._meter.create_observable_up_down_counter
        )
        make(name, [tally.observe], description=described.help)
        return tally

    def durations(
        self, described: Description, registry: CollectorRegistry, initial: Values | None = None
    ) -> Durations:
        """Make a histogram or a summary; arguments and errors are those of `counts`."""
        zero = () if initial is None else (_zero(described, initial),)
        if self._counts_itself:
            measured = Distribution(described.bounds, (SCOPE, __version__, ""))
            self._declare(described, registry, zero, measured=measured)
            return measured
        name = self._declare(described, registry, zero)
        return self._meter.create_histogram(
            name, description=described.help, explicit_bucket_boundaries_advisory=described.bounds
        )

    def settable(self, described: Description, registry: CollectorRegistry) -> Gauge:
        """Make a gauge that is set; arguments and errors are those of `counts`."""
        name = self._declare(described, registry)
        return self._meter.create_gauge(name, description=described.help)

    def _declare(
        self,
        described: Description,
        registry: CollectorRegistry,
        zero: tuple[Series, ...] = (),
        began: Mapping[Labels, float] | None = None,
        measured: Distribution | None = None,
    ) -> str:
        """Show a metric that has no instrument yet, and give its instrument's name."""
        mode = mode_named(described.mode) if described.kind == "gauge" else "sum"
        template = Family(
            described.name, described.kind, described.help, described.unit, [*zero], mode
        )
        glance = self._glances.setdefault(registry, Glance(self.reader))
        shown = Shown(self.reader, template, glance)
        try:
            registry.register(shown)
        except ValueError as error:
            raise NameTakenError(str(error)) from error
        name = self._free(described.name)
        key, _ = family_name(name, "", counts=described.kind == "counter")
        shown.key = key
        if measured is None:
            self.reader.declared.add(key, template, began if began is not None else {})
        else:
            self.reader.declared.add_own(key, template, measured)
        return name

    def _free(self, wanted: str) -> str:
        """Give a name that no instrument has had: one that was is counted on."""
        # The SDK makes small letters of names.
        plain = _ODD.sub("_", wanted.lower()).strip("_")[:_MOST] or "metric"
        plain = plain if plain[0].isalpha() else f"metric_{plain}"
        with self._lock:
            name, number = plain, 1
            while name in self._names:
                number += 1
                name = f"{plain}_{number}"
            self._names.add(name)
        return name


class Shown(Collector):
    """A metric of ours in a registry of prometheus_client's."""

    def __init__(self, reader: PrometheusReader, template: Family, glance: Glance) -> None:
        self._reader: Final = reader
        self._template: Final = template
        self._glance: Final = glance
        self.key = ""
        """What the reader knows it by: other registries may have metrics of its name."""

    def describe(self) -> list[Metric]:
        """Give its name and its kind."""
        one = self._template
        return [Metric(one.name, one.help, one.kind, one.unit)]

    def collect(self) -> Iterator[Metric]:
        """Give what it holds; what a scrape of ours has collected is not collected again."""
        declared: Declared = self._reader.declared
        seen = declared.seen()
        if seen is None:
            seen = self._glance.seen_by(self)
        family = seen.get(self.key)
        if family is not None:
            yield as_metric(family, created=shows_created())


def shows_created() -> bool:
    """Tell whether prometheus_client shows since when its series count: an app may change it."""
    return bool(getattr(prometheus_client.metrics, "_use_created", True))


def _zero(described: Description, initial: Values) -> Series:
    labels = tuple(sorted(initial.items()))
    buckets = (0,) * (len(described.bounds) + 1) if described.bounds else ()
    return Series(labels, buckets=buckets, bounds=described.bounds, created=time.time())


def _provider(reader: PrometheusReader) -> MeterProvider:
    parameters = inspect.signature(View).parameters
    unlimited: dict[str, Any] = {"aggregation_cardinality_limit": _UNBOUNDED}
    # Before 1.45.2 the SDK has no limit, and no such argument.
    known = unlimited.keys() <= parameters.keys()
    views = [View(instrument_name="*", **unlimited)] if known else []
    return SDKMeterProvider([reader], views=views, shutdown_on_exit=False)
