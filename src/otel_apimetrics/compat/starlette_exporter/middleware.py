"""`PrometheusMiddleware`, with the arguments that it has upstream."""

import inspect
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.metrics import MeterProvider
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from otel_apimetrics import _guard
from otel_apimetrics.compat.starlette_exporter.labels import ResponseHeaderLabel
from otel_apimetrics.compat.starlette_exporter.optional_metrics import all_metrics
from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.asgi_choices import Choices, Exemplify
from otel_apimetrics.prometheus.asgi_starlette import StarletteMiddleware
from otel_apimetrics.prometheus.asgi_starlette_metrics import StarletteMetrics
from otel_apimetrics.prometheus.homes import home_and_registry
from otel_apimetrics.prometheus.label_values import takes
from otel_apimetrics.prometheus.reader import PrometheusReader


class PrometheusMiddleware(StarletteMiddleware):
    """Measures the requests to the app inside.

    Args:
        app: any ASGI app; its routes are known where Starlette routes.
        group_paths: the label `path` is the template of the route.
        app_name: a label.
        prefix: of the metrics' names.
        buckets: bounds of durations, in seconds; `None` for prometheus_client's.
        filter_unhandled_paths: requests that no route serves are left out.
        skip_paths: expressions that match whole paths which are left out.
        skip_methods: which are left out.
        optional_metrics: names of further metrics; see `optional_metrics`.
        always_use_int_status: the status is a number where an app gives `HTTPStatus`.
        labels: values, callables that get the request, coroutine functions too, or what
            `from_response_header` gives. One that raises gives `""`.
        exemplars: gives labels of exemplars; gets the request where it has a parameter `request`,
            or one that is annotated as `Request`.
        group_unhandled_paths: the path of requests that no route serves is `__unknown__`.
        registry: of prometheus_client, which shows the metrics; by default its own, or none
            where there is a `reader`. The endpoints inside show it.
        reader: of the app's `MeterProvider`. The endpoints inside show it.
        meter_provider: of `reader`; the two come together.

    Raises:
        ConfigError: a bound or a label cannot be, or `reader` or `meter_provider` is missing
            beside the other, or is none.
        re.error: one of `skip_paths` is no expression.
    """

    def __init__(  # noqa: PLR0913, PLR0917  the arguments are that package's
        self,
        app: Any,
        group_paths: bool = True,
        app_name: str = "starlette",
        prefix: str = "starlette",
        buckets: Sequence[float | str] | None = None,
        filter_unhandled_paths: bool = True,
        skip_paths: Sequence[str] | None = None,
        skip_methods: Sequence[str] | None = None,
        optional_metrics: Sequence[str] | None = None,
        always_use_int_status: bool = False,
        labels: Mapping[str, Any] | None = None,
        exemplars: Callable[..., Any] | None = None,
        group_unhandled_paths: bool = False,
        *,
        registry: CollectorRegistry | None = None,
        reader: PrometheusReader | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        if group_unhandled_paths and filter_unhandled_paths:
            warnings.warn(
                "group_unhandled_paths=True turns filter_unhandled_paths off: set it to False.",
                UserWarning,
                stacklevel=2,
            )
        asked = _labels(labels or {})
        of_response = {k: v for k, v in asked.items() if isinstance(v, ResponseHeaderLabel)}
        home, shown = home_and_registry(registry, reader, meter_provider)
        super().__init__(
            app,
            StarletteMetrics(home, shown, prefix, buckets, _known(optional_metrics or ()), asked),
            Choices(
                app_name=app_name,
                group_paths=group_paths,
                filter_unhandled_paths=filter_unhandled_paths and not group_unhandled_paths,
                group_unhandled_paths=group_unhandled_paths,
                skip_paths=[re.compile(path) for path in skip_paths or ()],
                skip_methods=skip_methods or (),
                always_use_int_status=always_use_int_status,
                request_labels={k: v for k, v in asked.items() if k not in of_response},
                response_labels=of_response,
                exemplars=None if exemplars is None else _given_request(exemplars),
            ),
            (shown, reader),
        )


def _labels(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping) and any(isinstance(each, str) for each in given):
        raise ConfigError(f"labels={given!r} is no dictionary of values or callables by name.")
    labels = {str(name): value for name, value in dict(given).items()}
    for name, value in labels.items():
        # A coroutine function is awaited.
        if callable(value) and not takes(value, 1):
            raise ConfigError(f"labels: {name} is called with the request, which it does not take.")
    return labels


def _known(optional: Sequence[str]) -> Sequence[str]:
    for name in optional:
        if name not in all_metrics:
            _guard.warn_once(
                f"prometheus.optional.{name}",
                "optional_metrics: there is no %s. Use some of %s.",
                name,
                ", ".join(all_metrics),
            )
    return optional


def _given_request(exemplars: Callable[..., Any]) -> Exemplify:
    """Give a function of the request."""
    parameters = inspect.signature(exemplars).parameters
    annotated = (one.name for one in parameters.values() if one.annotation is Request)
    name = next(annotated, "request" if "request" in parameters else None)
    if name is None:
        return lambda _request: exemplars()
    return lambda request: exemplars(**{name: request})
