"""`Instrumentator`, with the arguments and the attributes that it has upstream."""

import gzip
import inspect
import os
import re
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import MeterProvider
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from otel_apimetrics.api import skip_request
from otel_apimetrics.compat.prometheus_fastapi_instrumentator.metrics import is_same
from otel_apimetrics.compat.prometheus_fastapi_instrumentator.middleware import (
    PrometheusInstrumentatorMiddleware,
)
from otel_apimetrics.frameworks import fastapi
from otel_apimetrics.prometheus.asgi_info import AsyncInstrumentation, Instrumentation
from otel_apimetrics.prometheus.asgi_info_metrics import HIGH_BUCKETS, LOW_BUCKETS
from otel_apimetrics.prometheus.exposition import encoded
from otel_apimetrics.prometheus.homes import home_of, registry_of, require_both
from otel_apimetrics.prometheus.page import RegistryPage
from otel_apimetrics.prometheus.reader import PrometheusReader

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from typing_extensions import Self


class PrometheusFastApiInstrumentator:
    """Measures the requests of FastAPI's and Starlette's apps, and shows what it measured.

    Args:
        should_group_status_codes: "2xx" for "200".
        should_ignore_untemplated: requests that no route serves are left out.
        should_group_untemplated: their handler is "none", not their path.
        should_include_root_path: handlers begin with the `root_path` of the app.
        should_round_latency_decimals: durations are rounded.
        should_respect_env_var: `instrument` and `expose` do nothing unless `env_var_name` is set
            to `true` or `1`.
        should_instrument_requests_inprogress: with a gauge of requests that are being served.
        should_exclude_streaming_duration: the default metrics' durations end where responses begin.
        excluded_handlers: expressions searched in handlers: such requests are left out.
        body_handlers: expressions searched in handlers: `Info.response` has the body.
        round_latency_decimals: to which durations are rounded.
        env_var_name: see `should_respect_env_var`.
        inprogress_name: of the gauge.
        inprogress_labels: the gauge is by method and handler.
        registry: of prometheus_client, which shows the metrics; by default its own, or none
            where there is a `reader`.
        custom_labels: of the default metrics, but for the durations without labels: values, or
            callables that get nothing or the response.
        reader: of the app's `MeterProvider`, so that the endpoint shows all of its metrics.
        meter_provider: of `reader`; the two come together.

    Raises:
        ValueError: `PROMETHEUS_MULTIPROC_DIR` names no directory.
    """

    def __init__(  # noqa: PLR0913, PLR0917  the arguments are that package's
        self,
        should_group_status_codes: bool = True,
        should_ignore_untemplated: bool = False,
        should_group_untemplated: bool = True,
        should_include_root_path: bool = False,
        should_round_latency_decimals: bool = False,
        should_respect_env_var: bool = False,
        should_instrument_requests_inprogress: bool = False,
        should_exclude_streaming_duration: bool = False,
        excluded_handlers: Sequence[str] = (),
        body_handlers: Sequence[str] = (),
        round_latency_decimals: int = 4,
        env_var_name: str = "ENABLE_METRICS",
        inprogress_name: str = "http_requests_inprogress",
        inprogress_labels: bool = False,
        registry: CollectorRegistry | None = None,
        *,
        custom_labels: Any = None,
        reader: PrometheusReader | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self.should_group_status_codes = should_group_status_codes
        self.should_ignore_untemplated = should_ignore_untemplated
        self.should_group_untemplated = should_group_untemplated
        self.should_include_root_path = should_include_root_path
        self.should_round_latency_decimals = should_round_latency_decimals
        self.should_respect_env_var = should_respect_env_var
        self.should_instrument_requests_inprogress = should_instrument_requests_inprogress
        self.should_exclude_streaming_duration = should_exclude_streaming_duration
        self.round_latency_decimals = round_latency_decimals
        self.env_var_name = env_var_name
        self.inprogress_name = inprogress_name
        self.inprogress_labels = inprogress_labels
        self.excluded_handlers = [re.compile(path) for path in excluded_handlers]
        self.body_handlers = [re.compile(path) for path in body_handlers]
        self.instrumentations: list[Instrumentation] = []
        self.async_instrumentations: list[AsyncInstrumentation] = []
        require_both(reader, meter_provider)
        self.registry = registry_of(registry, reader)
        self._custom_labels = custom_labels
        self._reader = reader
        self._meter_provider = meter_provider
        _check_directory()

    def instrument(
        self,
        app: "Starlette",
        metric_namespace: str = "",
        metric_subsystem: str = "",
        should_only_respect_2xx_for_highr: bool = False,
        latency_highr_buckets: Sequence[float | str] = HIGH_BUCKETS,
        latency_lowr_buckets: Sequence[float | str] = LOW_BUCKETS,
    ) -> "Self":
        """Measure the requests to an app; the arguments are those of `metrics.default`.

        Raises:
            RuntimeError: the app has begun to serve (Starlette's own).
        """
        if not self._is_on():
            return self
        middleware: Any = PrometheusInstrumentatorMiddleware
        app.add_middleware(
            middleware,
            should_group_status_codes=self.should_group_status_codes,
            should_ignore_untemplated=self.should_ignore_untemplated,
            should_group_untemplated=self.should_group_untemplated,
            should_include_root_path=self.should_include_root_path,
            should_round_latency_decimals=self.should_round_latency_decimals,
            should_instrument_requests_inprogress=self.should_instrument_requests_inprogress,
            should_exclude_streaming_duration=self.should_exclude_streaming_duration,
            excluded_handlers=self.excluded_handlers,
            body_handlers=self.body_handlers,
            round_latency_decimals=self.round_latency_decimals,
            inprogress_name=self.inprogress_name,
            inprogress_labels=self.inprogress_labels,
            instrumentations=self.instrumentations,
            async_instrumentations=self.async_instrumentations,
            metric_namespace=metric_namespace,
            metric_subsystem=metric_subsystem,
            should_only_respect_2xx_for_highr=should_only_respect_2xx_for_highr,
            latency_highr_buckets=latency_highr_buckets,
            latency_lowr_buckets=latency_lowr_buckets,
            registry=self.registry,
            custom_labels=self._custom_labels,
            reader=self._reader,
            meter_provider=self._meter_provider,
        )
        return self

    def expose(
        self,
        app: "Starlette",
        should_gzip: bool = False,
        endpoint: str = "/metrics",
        include_in_schema: bool = True,
        tags: list[Any] | None = None,
        **kwargs: Any,
    ) -> "Self":
        """Serve the metrics from an app.

        Args:
            app: whose route it becomes.
            should_gzip: for clients that accept it.
            endpoint: path of the route.
            include_in_schema: in the OpenAPI document.
            tags: of the route, with FastAPI.
            kwargs: of FastAPI's `get`, such as `dependencies`.
        """
        if not self._is_on():
            return self
        shown = self._shown

        def metrics(request: Request) -> Response:
            """Show the metrics to Prometheus."""
            skip_request()
            body, content_type = shown(request.headers.get("accept", ""))
            headers = {"Content-Type": content_type}
            if should_gzip and "gzip" in request.headers.get("Accept-Encoding", ""):
                body = gzip.compress(body)
                headers["Content-Encoding"] = "gzip"
            return Response(body, headers=headers)

        if fastapi.is_app(app):
            get: Any = getattr(app, "get")  # noqa: B009  FastAPI's, not Starlette's
            get(endpoint, include_in_schema=include_in_schema, tags=tags, **kwargs)(metrics)
        else:
            app.add_route(endpoint, metrics, include_in_schema=include_in_schema)
        return self

    def add(self, *instrumentation_function: Callable[..., Any] | None) -> "Self":
        """Call functions, or await coroutine functions, with the `Info` of each request.

        They come in the place of the default metrics. What they raise is logged.
        """
        for function in instrumentation_function:
            if inspect.iscoroutinefunction(function):
                self.async_instrumentations.append(function)
            elif function is not None and not any(
                is_same(function, known) for known in self.instrumentations
            ):
                self.instrumentations.append(function)
        return self

    def _is_on(self) -> bool:
        said = os.environ.get(self.env_var_name, "")
        return not self.should_respect_env_var or said.lower() in {"true", "1"}

    def _shown(self, accept: str) -> tuple[bytes, str]:
        if self._reader is not None:
            scrape = self._reader.scrape(accept)
            return scrape.body, scrape.content_type
        reader = home_of(self.registry).measures.reader
        with RegistryPage(self.registry, reader).collected() as registry:
            return encoded(generate_latest, registry.collect()), CONTENT_TYPE_LATEST


def _check_directory() -> None:
    """Refuse a directory that is none, and follow the variable's former name."""
    former, name = "prometheus_multiproc_dir", "PROMETHEUS_MULTIPROC_DIR"
    if former in os.environ and name not in os.environ:
        os.environ[name] = os.environ[former]
        warnings.warn(
            f"The variable {former} is deprecated: set {name}.", DeprecationWarning, stacklevel=3
        )
    named = os.environ.get(name)
    if named is not None and not os.path.isdir(named):  # noqa: PTH112  what the variable holds
        raise ValueError(f"{name}={named!r} names no directory: make one, or unset the variable.")
