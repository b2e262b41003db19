"""Decorators that measure, whatever the framework."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from otel_apimetrics.prometheus.described import describe
from otel_apimetrics.prometheus.families import Kind
from otel_apimetrics.prometheus.information import Information, labels_of
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.measures import Measures

Labels = Mapping[str, Any]
"""By name: values, or callables that get nothing or the response."""
View = Callable[..., Any]
Decorator = Callable[[View], View]


class Decorators:
    """Makes decorators of views, and of functions that views call; one may serve several.

    Each has a name, a description, `labels` by name (values, or callables that get nothing or the
    response), and the arguments of prometheus_client's metrics: `namespace`, `subsystem`, `unit`,
    `buckets` of a histogram, `multiprocess_mode` of a gauge. Where all labels are values, the
    metric shows zero at once, unless `initial_value_when_only_static_labels` is False.

    A label that raises is `""`: no response fails, and none goes uncounted.

    Raises:
        TypeError: an argument is unknown, or `labels` is no mapping.
        ValueError: a name is not possible, or the registry has such a metric.
    """

    registry: CollectorRegistry
    _measures: Measures
    _default_labels: Labels

    def counter(
        self,
        name: str,
        description: str,
        labels: Labels | None = None,
        initial_value_when_only_static_labels: bool = True,
        **arguments: Any,
    ) -> Decorator:
        """Count calls."""
        return self._decorator(
            "counter", name, description, labels, initial_value_when_only_static_labels, arguments
        )

    def gauge(
        self,
        name: str,
        description: str,
        labels: Labels | None = None,
        initial_value_when_only_static_labels: bool = True,
        **arguments: Any,
    ) -> Decorator:
        """Count calls in progress. Its labels are asked for before the call, with `None`."""
        return self._decorator(
            "gauge", name, description, labels, initial_value_when_only_static_labels, arguments
        )

    def histogram(
        self,
        name: str,
        description: str,
        labels: Labels | None = None,
        initial_value_when_only_static_labels: bool = True,
        **arguments: Any,
    ) -> Decorator:
        """Measure the seconds of calls, in buckets."""
        return self._decorator(
            "histogram", name, description, labels, initial_value_when_only_static_labels, arguments
        )

    def summary(
        self,
        name: str,
        description: str,
        labels: Labels | None = None,
        initial_value_when_only_static_labels: bool = True,
        **arguments: Any,
    ) -> Decorator:
        """Measure the seconds of calls: their number and their sum."""
        return self._decorator(
            "summary", name, description, labels, initial_value_when_only_static_labels, arguments
        )

    def info(
        self,
        name: str,
        description: str,
        labelnames: Sequence[str] | None = None,
        labelvalues: Sequence[Any] | None = None,
        **labels: Any,
    ) -> Information:
        """Show information as labels of a gauge, by keyword or as names and values.

        Raises:
            ValueError: the labels come in both forms, or in half of one.
        """
        values = labels_of(labelnames, labelvalues, labels)
        described = describe("gauge", name, description, values, {"multiprocess_mode": "max"})
        return Information(self._measures.settable(described, self.registry), values)

    def _decorator(
        self,
        kind: Kind,
        name: str,
        description: str,
        labels: Labels | None,
        initial: bool,
        arguments: Mapping[str, Any],
    ) -> Decorator:
        values = LabelValues(labels, self._default_labels)
        described = describe(kind, name, description, values.names, arguments)
        fixed = values.fixed
        if values.names and not initial:
            fixed = None
        timed = kind in ("histogram", "summary")
        make = self._measures.durations if timed else self._measures.counts
        return self._tracking(make(described, self.registry, fixed), values, kind)

    @abstractmethod
    def _tracking(self, instrument: Any, labels: LabelValues, kind: Kind) -> Decorator:
        """Make a decorator that measures with an instrument."""
