"""Durations, requests and exceptions of a Flask app, under prometheus-flask-exporter's names.

Measured by Flask's own hooks, where that package measures: what its dashboards show stays what it
was. `docs/adr` tells where our own records differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import flask
from prometheus_client import CollectorRegistry

from otel_apimetrics import _guard, forked
from otel_apimetrics.metrics import note_recorded
from otel_apimetrics.prometheus.described import describe
from otel_apimetrics.prometheus.label_values import LabelValues, asked
from otel_apimetrics.prometheus.measures import Measures
from otel_apimetrics.prometheus.request_marks import START, is_untracked, the_request
from otel_apimetrics.semconv import known_method

if TYPE_CHECKING:
    from flask import Flask

GroupBy = str | Callable[[Any], Any]
"""Name of an attribute of Flask's request, or a named function of it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What tells the default metrics of one name from others of it."""

    prefix: str
    """With its `_`, or empty."""
    group: str
    """The label of the duration alone."""
    labels: tuple[str, ...]
    """Those that all have besides method and status."""
    buckets: tuple[float, ...] | None
    """Of the duration; `None` for prometheus_client's."""
    as_histogram: bool


class DefaultMetrics:
    """The instruments.

    Args:
        measures: makes them.
        registry: shows them too.
        shape: of their names and labels.
        version: what `exporter_info` tells.

    Raises:
        NameTakenError: the registry has such metrics.
        ValueError: a label or a bound cannot be.
    """

    def __init__(
        self, measures: Measures, registry: CollectorRegistry, shape: Shape, version: str
    ) -> None:
        self.shape: Final = shape
        prefix, common = shape.prefix, ("method", "status", *shape.labels)
        info = describe(
            "gauge",
            f"{prefix}exporter_info",
            "Information about the Prometheus Flask exporter",
            ("version",),
            {"multiprocess_mode": "max"},
        )
        duration = describe(
            "histogram" if shape.as_histogram else "summary",
            f"{prefix}http_request_duration_seconds",
            "Flask HTTP request duration in seconds",
            ("method", shape.group, "status", *shape.labels),
            {"buckets": shape.buckets} if shape.as_histogram else {},
        )
        total = describe(
            "counter",
            f"{prefix}http_request_total",
            "Total number of HTTP requests",
            common,
            {},
        )
        exceptions = describe(
            "counter",
            f"{prefix}http_request_exceptions_total",
            "Total number of HTTP requests which resulted in an exception",
            common,
            {},
        )
        measures.settable(info, registry).set(1, {"version": version})
        self.duration: Final = measures.durations(duration, registry)
        self.total: Final = measures.counts(total, registry)
        self.exceptions: Final = measures.counts(exceptions, registry)


class DefaultHooks:
    """Feeds the metrics from the hooks of one app. Each request counts once.

    Args:
        metrics: fed.
        group_by: the value of the label that their durations alone have.
        labels: values of the others.
        is_left_out: tells of a path whether no request to it counts.
    """

    def __init__(
        self,
        metrics: DefaultMetrics,
        group_by: GroupBy,
        labels: LabelValues,
        is_left_out: Callable[[str], bool],
    ) -> None:
        self._metrics: Final = metrics
        self._group_name: Final = metrics.shape.group
        self._group: Final = group_by if callable(group_by) else attrgetter(group_by)
        self._labels: Final = labels
        self._is_left_out: Final = is_left_out
        self._counted: Final = f"prom_{metrics.shape.prefix}{id(metrics)}_counted"

    def attach(self, app: "Flask") -> None:
        """Begin to measure.

        Raises:
            AssertionError: the app has served its first request (Flask's own).
        """
        app.before_request(self._before)
        app.after_request(self._after)
        app.teardown_request(self._teardown)

    def _before(self) -> None:
        forked.begin_process()
        setattr(the_request(), START, perf_counter())

    def _after(self, response: Any) -> Any:
        try:
            request = the_request()
            if self._counts(request):
                self._count(request, int(response.status_code), self._labels.of(response))
        except Exception as error:
            _guard.swallow("prometheus.after_request", error)
        return response

    def _teardown(self, exception: BaseException | None = None) -> None:
        if exception is None:
            return
        try:
            request = the_request()
            if is_untracked(request) or self._is_left_out(request.path):
                return
            labels = self._labels.of(failed(exception))
            method = known_method(request.method)
            self._metrics.exceptions.add(1, {"method": method, "status": "500", **labels})
            if self._counts(request):
                self._count(request, 500, labels)
        except Exception as error:
            _guard.swallow("prometheus.teardown_request", error)

    def _counts(self, request: Any) -> bool:
        return not (
            hasattr(request, self._counted)
            or is_untracked(request)
            or self._is_left_out(request.path)
        )

    def _count(self, request: Any, status: int, labels: Any) -> None:
        setattr(request, self._counted, True)
        common = {"method": known_method(request.method), "status": str(status), **labels}
        self._metrics.total.add(1, common)
        start = getattr(request, START, None)
        # An earlier hook has answered: nothing was timed.
        if start is not None:
            seconds = max(perf_counter() - start, 0.0)
            group = asked(self._group, request)
            self._metrics.duration.record(seconds, {**common, self._group_name: group})
        note_recorded()


def failed(exception: BaseException) -> Any:
    """Give the response that stands for an exception which no handler answered."""
    try:
        text = f"Exception: {exception}"
    except Exception:  # one of the app's that cannot be told is an exception all the same
        text = f"Exception: {type(exception).__qualname__}"
    return flask.make_response(text, 500)
