"""Ready-made instrumentations, for `Instrumentator.add`.

Each gives a function of `Info`, or `None` where the registry has another metric of its name; the
log says so then. Two of one name in one registry measure with one instrument.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics.prometheus.asgi_info import (
    Info,
    Instrumentation,
    all_bytes,
    request_bytes,
    response_bytes,
    seconds_of,
    seconds_to_response,
)
from otel_apimetrics.prometheus.asgi_info_metrics import (
    HIGH_BUCKETS,
    LOW_BUCKETS,
    InfoMetric,
    Place,
    default_metrics,
)
from otel_apimetrics.prometheus.described import DURATION_BUCKETS
from otel_apimetrics.prometheus.homes import home_and_registry
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.reader import PrometheusReader

__all__ = [
    "Info",
    "combined_size",
    "default",
    "latency",
    "request_size",
    "requests",
    "response_size",
]


def latency(  # noqa: PLR0913, PLR0917  the arguments are that package's
    metric_name: str = "http_request_duration_seconds",
    metric_doc: str = "Duration of HTTP requests in seconds",
    metric_namespace: str = "",
    metric_subsystem: str = "",
    should_include_handler: bool = True,
    should_include_method: bool = True,
    should_include_status: bool = True,
    should_exclude_streaming_duration: bool = False,
    buckets: Sequence[float | str] = DURATION_BUCKETS,
    registry: CollectorRegistry | None = None,
    custom_labels: Mapping[str, Any] | None = None,
    **given: Any,
) -> Instrumentation | None:
    """Measure the seconds of requests, in buckets.

    Args:
        metric_name: of the metric.
        metric_doc: its help.
        metric_namespace: before its name.
        metric_subsystem: between the two.
        should_include_handler: with the label `handler`.
        should_include_method: with the label `method`.
        should_include_status: with the label `status`.
        should_exclude_streaming_duration: until the response begins.
        buckets: bounds, in seconds.
        registry: of prometheus_client, which shows it; by default its own, or none where there is
            a `reader`.
        custom_labels: more labels: values, or callables that get nothing or the response.
        given: `reader` and `meter_provider` of the app's, as `Instrumentator` has them.

    Raises:
        TypeError: there is no such argument.
        ValueError: a name, a label or a bound cannot be.
    """
    place = _place(metric_namespace, metric_subsystem, registry, custom_labels, **given)
    names = _names(should_include_handler, should_include_method, should_include_status)
    seconds = seconds_to_response if should_exclude_streaming_duration else seconds_of
    return place.metric("histogram", metric_name, metric_doc, names, seconds, buckets)


def request_size(  # noqa: PLR0913, PLR0917
    metric_name: str = "http_request_size_bytes",
    metric_doc: str = "Content bytes of requests.",
    metric_namespace: str = "",
    metric_subsystem: str = "",
    should_include_handler: bool = True,
    should_include_method: bool = True,
    should_include_status: bool = True,
    registry: CollectorRegistry | None = None,
    custom_labels: Mapping[str, Any] | None = None,
    **given: Any,
) -> Instrumentation | None:
    """Measure what requests say in Content-Length. Arguments and errors are those of `latency`."""
    place = _place(metric_namespace, metric_subsystem, registry, custom_labels, **given)
    names = _names(should_include_handler, should_include_method, should_include_status)
    return place.metric("summary", metric_name, metric_doc, names, request_bytes)


def response_size(  # noqa: PLR0913, PLR0917
    metric_name: str = "http_response_size_bytes",
    metric_doc: str = "Content bytes of responses.",
    metric_namespace: str = "",
    metric_subsystem: str = "",
    should_include_handler: bool = True,
    should_include_method: bool = True,
    should_include_status: bool = True,
    registry: CollectorRegistry | None = None,
    custom_labels: Mapping[str, Any] | None = None,
    **given: Any,
) -> Instrumentation | None:
    """Measure what responses say in Content-Length. Arguments and errors are those of `latency`."""
    place = _place(metric_namespace, metric_subsystem, registry, custom_labels, **given)
    names = _names(should_include_handler, should_include_method, should_include_status)
    return place.metric("summary", metric_name, metric_doc, names, response_bytes)


def combined_size(  # noqa: PLR0913, PLR0917
    metric_name: str = "http_combined_size_bytes",
    metric_doc: str = "Content bytes of requests and responses.",
    metric_namespace: str = "",
    metric_subsystem: str = "",
    should_include_handler: bool = True,
    should_include_method: bool = True,
    should_include_status: bool = True,
    registry: CollectorRegistry | None = None,
    custom_labels: Mapping[str, Any] | None = None,
    **given: Any,
) -> Instrumentation | None:
    """Measure what both say in Content-Length. Arguments and errors are those of `latency`."""
    place = _place(metric_namespace, metric_subsystem, registry, custom_labels, **given)
    names = _names(should_include_handler, should_include_method, should_include_status)
    return place.metric("summary", metric_name, metric_doc, names, all_bytes)


def requests(  # noqa: PLR0913, PLR0917
    metric_name: str = "http_requests_total",
    metric_doc: str = "Total number of requests by method, status and handler.",
    metric_namespace: str = "",
    metric_subsystem: str = "",
    should_include_handler: bool = True,
    should_include_method: bool = True,
    should_include_status: bool = True,
    registry: CollectorRegistry | None = None,
    custom_labels: Mapping[str, Any] | None = None,
    **given: Any,
) -> Instrumentation | None:
    """Count requests. Arguments and errors are those of `latency`."""
    place = _place(metric_namespace, metric_subsystem, registry, custom_labels, **given)
    names = _names(should_include_handler, should_include_method, should_include_status)
    return place.metric("counter", metric_name, metric_doc, names)


def default(
    metric_namespace: str = "",
    metric_subsystem: str = "",
    should_only_respect_2xx_for_highr: bool = False,
    should_exclude_streaming_duration: bool = False,
    latency_highr_buckets: Sequence[float | str] = HIGH_BUCKETS,
    latency_lowr_buckets: Sequence[float | str] = LOW_BUCKETS,
    registry: CollectorRegistry | None = None,
    custom_labels: Mapping[str, Any] | None = None,
    **given: Any,
) -> Instrumentation | None:
    """Measure what an `Instrumentator` measures to which nothing was added.

    Args:
        metric_namespace: before the names.
        metric_subsystem: between the two.
        should_only_respect_2xx_for_highr: the durations without labels are those of 2xx responses.
        should_exclude_streaming_duration: durations end where responses begin.
        latency_highr_buckets: bounds of the durations without labels, in seconds.
        latency_lowr_buckets: bounds of the durations by handler and method, in seconds.
        registry: of prometheus_client, which shows it; by default its own, or none where there is
            a `reader`.
        custom_labels: more labels, of all but the durations without labels.
        given: `reader` and `meter_provider` of the app's, as `Instrumentator` has them.

    Raises:
        TypeError: there is no such argument.
        ValueError: a label or a bound cannot be.
    """
    made = default_metrics(
        _place(metric_namespace, metric_subsystem, registry, custom_labels, **given),
        only_2xx_for_high=should_only_respect_2xx_for_highr,
        without_streaming=should_exclude_streaming_duration,
        high_buckets=latency_highr_buckets,
        low_buckets=latency_lowr_buckets,
    )
    if not made:
        return None

    def measure(info: Info) -> None:
        for each in made:
            each(info)

    return measure


def is_same(one: object, other: object) -> bool:
    """Tell whether two instrumentations of ours measure the same with one instrument."""
    if not isinstance(one, InfoMetric) or not isinstance(other, InfoMetric):
        return False
    return one.instrument is other.instrument and one.measured is other.measured


def _place(
    namespace: str,
    subsystem: str,
    registry: CollectorRegistry | None,
    custom_labels: Mapping[str, Any] | None,
    *,
    reader: PrometheusReader | None = None,
    meter_provider: MeterProvider | None = None,
) -> Place:
    home, shown = home_and_registry(registry, reader, meter_provider)
    return Place(home, shown, namespace, subsystem, LabelValues(custom_labels, {}))


def _names(handler: bool, method: bool, status: bool) -> tuple[str, ...]:
    asked = (("handler", handler), ("method", method), ("status", status))
    return tuple(name for name, is_asked in asked if is_asked)
