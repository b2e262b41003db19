"""Metrics of requests that are told as `Info`, under prometheus-fastapi-instrumentator's names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from prometheus_client import CollectorRegistry

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.asgi_info import (
    Info,
    Instrumentation,
    request_bytes,
    response_bytes,
    seconds_of,
    seconds_to_response,
)
from otel_apimetrics.prometheus.described import Description, describe
from otel_apimetrics.prometheus.distribution import Distribution
from otel_apimetrics.prometheus.families import Kind
from otel_apimetrics.prometheus.homes import Home
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.measures import NameTakenError
from otel_apimetrics.prometheus.tally import Tally, Values
from otel_apimetrics.semconv import known_method

HIGH_BUCKETS: Final = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10,
    30, 60,
)  # fmt: skip
"""Seconds: of the durations without labels."""
LOW_BUCKETS: Final = (0.1, 0.5, 1)
"""Seconds: of the durations by handler and method."""
_READ: Final[Mapping[str, Callable[[Info], str]]] = {
    "handler": attrgetter("modified_handler"),
    "method": lambda info: known_method(info.method),
    "status": attrgetter("modified_status"),
}
Measured = Callable[[Info], "float | None"]
"""What a request adds; `None` where it is left out."""


class InfoMetric:
    """Measures a request when it is called with its `Info`.

    Args:
        instrument: a `Tally`, a `Distribution` or a histogram.
        names: of the labels that the request tells.
        custom: more labels.
        measured: `None` counts requests.
    """

    def __init__(
        self,
        instrument: Any,
        names: tuple[str, ...],
        custom: LabelValues,
        measured: Measured | None,
    ) -> None:
        self.instrument: Final = instrument
        self.measured: Final = measured
        self._read: Final = tuple((name, _READ[name]) for name in names)
        self._custom: Final = custom if custom.names else None
        self._first, self._again = _measuring(instrument)

    def __call__(self, info: Info) -> None:
        """Measure one request."""
        value = 1 if self.measured is None else self.measured(info)
        if value is None:
            return
        custom = {} if self._custom is None else info.labels_of(self._custom)
        key = (*[read(info) for _, read in self._read], *custom.values())
        if not self._again(value, key):
            names = (*[name for name, _ in self._read], *custom)
            self._first(value, dict(zip(names, key, strict=True)))


def _measuring(instrument: Any) -> tuple[Callable[..., Any], Callable[..., bool]]:
    if isinstance(instrument, Tally):
        return instrument.add, instrument.add_again
    if isinstance(instrument, Distribution):
        return instrument.record, instrument.record_again
    return instrument.record, lambda *_: False


@dataclass(frozen=True, slots=True)
class Place:
    """Where metrics are made, and what their names begin with."""

    home: Home
    registry: CollectorRegistry
    namespace: str = ""
    subsystem: str = ""
    custom: LabelValues = field(default_factory=lambda: LabelValues(None, {}))
    """Labels of all metrics but those that have none."""

    def metric(
        self,
        kind: Kind,
        name: str,
        text: str,
        names: tuple[str, ...],
        measured: Measured | None = None,
        buckets: Sequence[Any] | None = None,
        *,
        is_custom: bool = True,
    ) -> InfoMetric | None:
        """Make a metric, or measure with the one that is there.

        Returns:
            `None`: the registry has another metric of that name, and the log says so.

        Raises:
            ValueError: a label or a bound cannot be.
        """
        custom = self.custom if is_custom else LabelValues(None, {})
        arguments: dict[str, Any] = {"namespace": self.namespace, "subsystem": self.subsystem}
        if kind == "histogram":
            arguments["buckets"] = buckets
        described = describe(kind, name, text, (*names, *custom.names), arguments)
        try:
            instrument = self._instrument(described)
        except NameTakenError:
            _guard.warn_once(
                f"prometheus.taken.{described.name}",
                "%s is not measured: the registry has another metric of that name. Choose another"
                " name or registry.",
                described.name,
            )
            return None
        return InfoMetric(instrument, names, custom, measured)

    def _instrument(self, described: Description) -> Any:
        # One without labels shows zero before there is a request.
        initial: Values | None = None if described.labels else {}
        if described.kind == "counter":
            return self.home.counts(described, self.registry, initial)
        return self.home.durations(described, self.registry, initial)


def default_metrics(
    place: Place,
    *,
    only_2xx_for_high: bool = False,
    without_streaming: bool = False,
    high_buckets: Sequence[Any] = HIGH_BUCKETS,
    low_buckets: Sequence[Any] = LOW_BUCKETS,
) -> list[Instrumentation]:
    """Make the metrics that prometheus-fastapi-instrumentator has by default.

    Args:
        place: where.
        only_2xx_for_high: the durations without labels are those of 2xx responses.
        without_streaming: durations end where responses begin.
        high_buckets: bounds of the durations without labels, in seconds.
        low_buckets: bounds of the durations by handler and method, in seconds.

    Raises:
        ValueError: a label or a bound cannot be.
    """
    seconds = seconds_to_response if without_streaming else seconds_of

    def seconds_of_2xx(info: Info) -> float | None:
        return seconds(info) if info.modified_status.startswith("2") else None

    found = (
        place.metric(
            "counter",
            "http_requests_total",
            "Total number of requests by method, status and handler.",
            ("method", "status", "handler"),
        ),
        place.metric("summary", "http_request_size_bytes", _IN, ("handler",), request_bytes),
        place.metric("summary", "http_response_size_bytes", _OUT, ("handler",), response_bytes),
        place.metric(
            "histogram",
            "http_request_duration_highr_seconds",
            _HIGH,
            (),
            seconds_of_2xx if only_2xx_for_high else seconds,
            high_buckets,
            is_custom=False,
        ),
        place.metric(
            "histogram",
            "http_request_duration_seconds",
            _LOW,
            ("method", "handler"),
            seconds,
            low_buckets,
        ),
    )
    return [metric for metric in found if metric is not None]


# What a scrape says of them, to the last blank.
_IN: Final = (
    "Content length of incoming requests by handler. Only value of header is respected."
    " Otherwise ignored. No percentile calculated. "
)
_OUT: Final = (
    "Content length of outgoing responses by handler. Only value of header is respected."
    " Otherwise ignored. No percentile calculated. "
)
_HIGH: Final = (
    "Latency with many buckets but no API specific labels."
    " Made for more accurate percentile calculations. "
)
_LOW: Final = (
    "Latency with only few buckets by handler."
    " Made to be only used if aggregation by handler is important. "
)
