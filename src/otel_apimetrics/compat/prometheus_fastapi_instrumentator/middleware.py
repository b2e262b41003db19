"""`PrometheusInstrumentatorMiddleware`, with the arguments that it has upstream."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics.prometheus.asgi_info import AsyncInstrumentation, Instrumentation
from otel_apimetrics.prometheus.asgi_info_metrics import (
    HIGH_BUCKETS,
    LOW_BUCKETS,
    Place,
    default_metrics,
)
from otel_apimetrics.prometheus.asgi_instrumentator import (
    Handling,
    InProgress,
    InstrumentatorMiddleware,
)
from otel_apimetrics.prometheus.described import describe
from otel_apimetrics.prometheus.homes import home_and_registry
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.reader import PrometheusReader


class PrometheusInstrumentatorMiddleware(InstrumentatorMiddleware):
    """Measures the requests to the app inside.

    Args:
        app: any ASGI app; a Starlette app serves it.
        should_group_status_codes: with the others up to `body_handlers`, see `Handling`; there the
            last two are expressions.
        instrumentations: called with each request's `Info`; by default the default metrics.
        async_instrumentations: awaited with it.
        should_instrument_requests_inprogress: with a gauge of requests that are being served.
        inprogress_name: its name.
        inprogress_labels: by method and handler.
        registry: of prometheus_client, which shows the metrics; by default its own, or none
            where there is a `reader`.
        custom_labels: see `metrics.default`, with the arguments that are not named here.
        reader: of the app's `MeterProvider`.
        meter_provider: of `reader`.
        ignored: upstream has `should_respect_env_var` and `env_var_name` here too, without effect.

    Raises:
        ValueError: a name, a label or a bound cannot be.
    """

    def __init__(  # noqa: PLR0913  the arguments are that package's
        self,
        app: Any,
        *,
        should_group_status_codes: bool = True,
        should_ignore_untemplated: bool = False,
        should_group_untemplated: bool = True,
        should_include_root_path: bool = False,
        should_round_latency_decimals: bool = False,
        should_instrument_requests_inprogress: bool = False,
        should_exclude_streaming_duration: bool = False,
        excluded_handlers: Sequence[Any] = (),
        body_handlers: Sequence[Any] = (),
        round_latency_decimals: int = 4,
        inprogress_name: str = "http_requests_inprogress",
        inprogress_labels: bool = False,
        instrumentations: Sequence[Instrumentation] = (),
        async_instrumentations: Sequence[AsyncInstrumentation] = (),
        metric_namespace: str = "",
        metric_subsystem: str = "",
        should_only_respect_2xx_for_highr: bool = False,
        latency_highr_buckets: Sequence[float | str] = HIGH_BUCKETS,
        latency_lowr_buckets: Sequence[float | str] = LOW_BUCKETS,
        registry: CollectorRegistry | None = None,
        custom_labels: Mapping[str, Any] | None = None,
        reader: PrometheusReader | None = None,
        meter_provider: MeterProvider | None = None,
        **_ignored: Any,
    ) -> None:
        handling = Handling(
            should_group_status_codes=should_group_status_codes,
            should_ignore_untemplated=should_ignore_untemplated,
            should_group_untemplated=should_group_untemplated,
            should_include_root_path=should_include_root_path,
            should_round_latency_decimals=should_round_latency_decimals,
            round_latency_decimals=round_latency_decimals,
            excluded_handlers=[re.compile(each) for each in excluded_handlers],
            body_handlers=[re.compile(each) for each in body_handlers],
        )
        home, shown = home_and_registry(registry, reader, meter_provider)
        measured = instrumentations
        if not measured:
            measured = default_metrics(
                Place(
                    home,
                    shown,
                    metric_namespace,
                    metric_subsystem,
                    LabelValues(custom_labels, {}),
                ),
                only_2xx_for_high=should_only_respect_2xx_for_highr,
                without_streaming=should_exclude_streaming_duration,
                high_buckets=latency_highr_buckets,
                low_buckets=latency_lowr_buckets,
            )
        progress = None
        if should_instrument_requests_inprogress:
            labels = ("method", "handler") if inprogress_labels else ()
            progress = _in_progress(home, shown, inprogress_name, labels)
        super().__init__(app, handling, measured, async_instrumentations, progress)


def _in_progress(home: Any, registry: CollectorRegistry, name: str, labels: Any) -> InProgress:
    described = describe(
        "gauge",
        name,
        "Number of HTTP requests in progress.",
        labels,
        {"multiprocess_mode": "livesum"},
    )
    tally = home.counts(described, registry, None if labels else {})
    return InProgress(tally, is_labelled=bool(labels))
