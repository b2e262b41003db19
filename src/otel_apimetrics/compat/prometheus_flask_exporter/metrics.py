"""`PrometheusMetrics`, with the arguments and the attributes that it has upstream."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from prometheus_client import CollectorRegistry

from otel_apimetrics.prometheus.accepting import first
from otel_apimetrics.prometheus.client_processes import directory, of_client
from otel_apimetrics.prometheus.excluded import Excluded
from otel_apimetrics.prometheus.exposition import Scrape, expose
from otel_apimetrics.prometheus.flask_defaults import GroupBy
from otel_apimetrics.prometheus.flask_metrics import FlaskMetrics

VERSION = "0.23.2"
"""Of prometheus-flask-exporter, as `flask_exporter_info` tells it: dashboards may ask for it."""


def _option(name: str) -> Any:
    """Make an attribute of an option, which others read, and may set before there is an app."""

    def read(self: "PrometheusMetrics") -> Any:
        return getattr(self._options, name)

    def write(self: "PrometheusMetrics", value: Any) -> None:
        self._options = replace(self._options, **{name: value})

    return property(read, write)


class PrometheusMetrics(FlaskMetrics):
    """prometheus-flask-exporter's class of that name: its arguments, its attributes.

    Besides, `reader` and `meter_provider` are those of `FlaskMetrics`.
    """

    version = VERSION
    _as_exporter = True
    buckets = _option("buckets")
    group_by = _option("group_by")
    _export_defaults = _option("export_defaults")
    _defaults_prefix = _option("prefix")
    _default_latency_as_histogram = _option("latency_as_histogram")

    def __init__(  # noqa: PLR0913, PLR0917  the arguments are that package's
        self,
        app: Any,
        path: str | None = "/metrics",
        export_defaults: bool = True,
        defaults_prefix: str | None = "flask",
        group_by: GroupBy | None = "path",
        buckets: Sequence[float] | None = None,
        default_latency_as_histogram: bool = True,
        default_labels: Mapping[str, Any] | None = None,
        response_converter: Callable[[Any], Any] | None = None,
        excluded_paths: str | Iterable[str] | None = None,
        exclude_user_defaults: bool = True,
        metrics_decorator: Callable[[Callable[[], Any]], Callable[..., Any]] | None = None,
        registry: CollectorRegistry | None = None,
        **others: Any,
    ) -> None:
        grouped = _group_by(group_by, others, "PrometheusMetrics")
        labels = default_labels or {}
        if static := _static_labels(others):
            labels = {**static, **labels}
        super().__init__(
            app,
            registry=registry,
            names="flask",
            path=path,
            export_defaults=export_defaults,
            prefix=defaults_prefix or "flask",
            group_by=grouped,
            buckets=buckets,
            latency_as_histogram=default_latency_as_histogram,
            default_labels=labels,
            response_converter=response_converter,
            excluded_paths=excluded_paths or None,
            exclude_user_defaults=exclude_user_defaults,
            metrics_decorator=metrics_decorator,
            **others,
        )

    def export_defaults(
        self,
        buckets: Sequence[float] | None = None,
        group_by: GroupBy | None = "path",
        latency_as_histogram: bool = True,
        prefix: str = "flask",
        app: Any = None,
        **others: Any,
    ) -> None:
        """Add the default metrics to an app.

        Raises:
            AssertionError: the app has served its first request (Flask's own).
            ConfigError: `group_by` or a default label is not possible.
            RuntimeError: there is no app.
        """
        grouped = _group_by(group_by, others, "PrometheusMetrics.export_defaults")
        super().export_defaults(buckets, grouped, latency_as_histogram, prefix, app)

    def generate_metrics(
        self, accept_header: str | None = None, names: Sequence[str] | None = None
    ) -> tuple[str, str]:
        """Collect the metrics: those of all processes where `PROMETHEUS_MULTIPROC_DIR` is set.

        Args:
            accept_header: of the client, which chooses the format.
            names: of samples to show; empty shows all.

        Returns:
            The text, and its content type.
        """
        accept = first(accept_header or "")  # as that package: whatever its weight
        if directory() is None:
            return super().generate_metrics(accept, names)
        scrape = self.scrape(accept, "", names or ())
        return scrape.body.decode(), scrape.content_type

    def scrape(
        self, accept: str = "", accept_encoding: str = "", names: Sequence[str] = ()
    ) -> Scrape:
        """Collect the metrics of all processes.

        Args:
            accept: the header `Accept`.
            accept_encoding: the header `Accept-Encoding`.
            names: of families and samples to show; empty shows all.
        """
        return expose(
            self._measures.reader.shown(),
            of_client(directory()),
            accept=accept,
            accept_encoding=accept_encoding,
            names=names,
            created=False,
        )

    def _answer(self, headers: Any, names: Sequence[str]) -> Any:
        # That package codes nothing here.
        text, content_type = self.generate_metrics(headers.get("Accept"), names)
        return text, 200, {"Content-Type": content_type}

    def _export_to(self, app: Any) -> None:
        # By the public method, which a subclass may replace.
        if self._export_defaults:
            self.export_defaults(
                buckets=self.buckets,
                group_by=self.group_by,
                latency_as_histogram=self._default_latency_as_histogram,
                prefix=self._defaults_prefix,
                app=app,
            )

    @property
    def excluded_paths(self) -> list[Any] | None:
        """The expressions of paths that nothing counts; `None` where there is none."""
        return self._excluded.patterns or None

    @excluded_paths.setter
    def excluded_paths(self, patterns: str | Iterable[Any] | None) -> None:
        """Leave other paths out from now on."""
        self._excluded.patterns[:] = Excluded(patterns or None).patterns


def _static_labels(others: dict[str, Any]) -> Mapping[str, Any]:
    labels: Mapping[str, Any] = others.pop("static_labels", None) or {}
    if labels:
        _deprecated("static_labels", "PrometheusMetrics", "0.15.0", "default_labels")
    return labels


def _group_by(group_by: GroupBy | None, others: dict[str, Any], where: str) -> GroupBy:
    if others.pop("group_by_endpoint", None) is True:
        _deprecated("group_by_endpoint", where, "0.4.0", "group_by")
        return "endpoint"
    return group_by or "path"


def _deprecated(argument: str, where: str, since: str, instead: str) -> None:
    warnings.warn(
        f"The argument `{argument}` of `{where}` is deprecated since {since}: use `{instead}`.",
        DeprecationWarning,
        stacklevel=4,
    )
