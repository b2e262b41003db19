"""The metrics of a Flask app: decorators, default metrics, the endpoint."""

import os
from collections.abc import Hashable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import ref

import flask
from opentelemetry.metrics import MeterProvider
from prometheus_client import CollectorRegistry
from werkzeug.serving import is_running_from_reloader

from otel_apimetrics import _guard
from otel_apimetrics.api import skip_request
from otel_apimetrics.prometheus.app_server import AppServer
from otel_apimetrics.prometheus.client_processes import directory
from otel_apimetrics.prometheus.decorators import Decorator
from otel_apimetrics.prometheus.excluded import Excluded
from otel_apimetrics.prometheus.exposition import Scrape
from otel_apimetrics.prometheus.flask_decorators import FlaskDecorators
from otel_apimetrics.prometheus.flask_defaults import (
    DefaultHooks,
    DefaultMetrics,
    GroupBy,
    Shape,
)
from otel_apimetrics.prometheus.flask_options import (
    FlaskOptions,
    shape_of,
)
from otel_apimetrics.prometheus.homes import home_of, registry_of, require_both
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.measures import NameTakenError
from otel_apimetrics.prometheus.page import RegistryPage
from otel_apimetrics.prometheus.reader import PrometheusReader
from otel_apimetrics.version import __version__

if TYPE_CHECKING:
    from flask import Flask
    from typing_extensions import Self


class FlaskMetrics(FlaskDecorators):
    """Metrics of Flask apps as OpenTelemetry instruments, and the endpoint that shows them.

    Args:
        app: whose requests count; `None` for `init_app` later.
        reader: of the app's `MeterProvider`, so that the endpoint shows all of its metrics.
            Without it the endpoint shows the metrics of `registry`, these among them.
        meter_provider: of `reader`; the two come together.
        registry: of prometheus_client, which shows these metrics too. By default its own, or none
            where there is a `reader`.
        options: those of `FlaskOptions`.

    Raises:
        ConfigError: an option is not possible, or has no effect with these `names`, or `reader` or
            `meter_provider` is missing beside the other, or is none.
        TypeError: there is no such option.
    """

    version = __version__

    def __init__(
        self,
        app: "Flask | None" = None,
        *,
        reader: PrometheusReader | None = None,
        meter_provider: MeterProvider | None = None,
        registry: CollectorRegistry | None = None,
        **options: Any,
    ) -> None:
        asked = FlaskOptions(**options)
        require_both(reader, meter_provider)
        self.registry = registry_of(registry, reader)
        self.app = app
        self.path = asked.path
        self.exclude_user_defaults = asked.exclude_user_defaults
        self._options = asked
        self._excluded = Excluded(asked.excluded_paths)
        self._default_labels = asked.default_labels
        self._response_converter = asked.response_converter
        self._reader = reader
        if asked.export_defaults and asked.names == "flask":
            self._shape_of(asked)  # refuses before anything is made
        self._home = home_of(reader or self.registry, reader, meter_provider)
        self._measures = self._home.measures
        if app is not None:
            self.init_app(app)

    @classmethod
    def for_app_factory(cls, **options: Any) -> "Self":
        """Make one without an app; call `init_app` later, for one app or for several."""
        return cls(app=None, **options)

    def init_app(self, app: "Flask") -> None:
        """Add the endpoint and the default metrics to an app.

        Raises:
            AssertionError: the app has the endpoint, or has served its first request (Flask's own).
        """
        if self.path:
            self.register_endpoint(self.path, app)
        self._export_to(app)

    def _export_to(self, app: "Flask") -> None:
        """Add the default metrics that the options ask for."""
        if self._options.export_defaults and self._options.names == "flask":
            self._export(app, self._options)

    def register_endpoint(self, path: str, app: "Flask | None" = None) -> None:
        """Serve the metrics from an app, by default from the one that this was made for.

        Under the reloader of Flask's development server it is served where the environment variable
        `DEBUG_METRICS` is set.

        Raises:
            AssertionError: the app has the endpoint, or has served its first request (Flask's own).
            RuntimeError: there is no app.
        """
        served = self._app(app)
        if is_running_from_reloader() and not os.environ.get("DEBUG_METRICS"):
            served.logger.debug(
                "The metrics are not shown under the reloader. Set DEBUG_METRICS=1 to see them."
            )
            return

        @self.do_not_track()
        def prometheus_metrics() -> Any:
            skip_request()
            names = flask.request.args.getlist("name[]")
            return self._answer(flask.request.headers, names)

        decorate = self._options.metrics_decorator
        view = prometheus_metrics if decorate is None else decorate(prometheus_metrics)
        served.route(path)(view)

    def _answer(self, headers: Any, names: Sequence[str]) -> Any:
        """Answer a scrape, given its header lines."""
        made = self._scrape(headers.get("Accept", ""), headers.get("Accept-Encoding", ""), names)
        lines = {"Content-Type": made.content_type, "Vary": "Accept, Accept-Encoding"}
        if made.is_gzip:
            lines["Content-Encoding"] = "gzip"
        return made.body, 200, lines

    def generate_metrics(
        self, accept_header: str | None = None, names: Sequence[str] | None = None
    ) -> tuple[str, str]:
        """Collect the metrics.

        Args:
            accept_header: of the client, which chooses the format.
            names: of samples to show; empty shows all.

        Returns:
            The text, and its content type.
        """
        made = self._scrape(accept_header or "", "", names or ())
        return made.body.decode(), made.content_type

    def _scrape(self, accept: str, accept_encoding: str, names: Sequence[str]) -> Scrape:
        page = self._reader or RegistryPage(self.registry, self._measures.reader)
        return page.scrape(accept, accept_encoding, names)

    def start_http_server(
        self,
        port: int,
        host: str = "0.0.0.0",  # noqa: S104  as prometheus-flask-exporter has it
        endpoint: str = "/metrics",
        ssl: dict[str, str] | None = None,
    ) -> None:
        """Serve the metrics on a port of their own, from a thread that holds up no exit.

        Args:
            port: to listen on.
            host: to listen on, by default on all networks.
            endpoint: path of the metrics.
            ssl: paths of PEM files: `cert` and `key`.

        Raises:
            ConfigError: the port is taken, or the certificate cannot be read.
        """
        if is_running_from_reloader():
            return
        app = flask.Flask(f"prometheus-flask-exporter-{port}")
        self.register_endpoint(endpoint, app)
        files = ssl or {}
        AppServer(app, port, host, certificate=files.get("cert"), key=files.get("key"))

    def export_defaults(
        self,
        buckets: Sequence[float] | None = None,
        group_by: GroupBy = "path",
        latency_as_histogram: bool = True,
        prefix: str = "flask",
        app: "Flask | None" = None,
    ) -> None:
        """Add the default metrics, under prometheus-flask-exporter's names, to an app.

        Raises:
            AssertionError: the app has served its first request (Flask's own).
            ConfigError: `group_by`, a bound or a default label is not possible.
            RuntimeError: there is no app.
        """
        asked = FlaskOptions(
            names="flask",
            buckets=buckets,
            group_by=group_by,
            latency_as_histogram=latency_as_histogram,
            prefix=prefix,
        )
        self._export(self._app(app), asked)

    def _export(self, app: "Flask", options: FlaskOptions) -> None:
        labels = LabelValues(self._default_labels, {})
        shape = self._shape_of(options)
        metrics = self._defaults(shape)
        apps = self._home.apps(self._defaults_key(shape.prefix))
        if metrics is None or app in apps:
            return
        DefaultHooks(metrics, options.group_by, labels, self._excluded).attach(app)
        apps.add(app)

    def _defaults_key(self, prefix: str) -> Hashable:
        """Give what tells default metrics from others: an app's requests count once in each."""
        if self._reader is None and directory() is not None:
            return prefix  # one page shows all registries' numbers in one
        return prefix, ref(self.registry)

    def _shape_of(self, options: FlaskOptions) -> Shape:
        return shape_of(options, tuple(map(str, self._default_labels)))

    def _defaults(self, shape: Shape) -> DefaultMetrics | None:
        """Give the default metrics of a shape; `None` where others have their names."""
        key = shape.prefix, ref(self.registry)
        known: DefaultMetrics | None = self._home.defaults.get(key)
        if known is None:
            with suppress(NameTakenError):
                known = DefaultMetrics(self._measures, self.registry, shape, str(self.version))
                self._home.defaults[key] = known
        if known is None or known.shape != shape:
            _guard.warn_once(
                f"prometheus.defaults.{shape.prefix}",
                "The default metrics %shttp_request_... are not exported again: the registry has"
                " such metrics, of other labels or buckets. Choose another prefix or registry.",
                shape.prefix,
            )
            return None
        return known

    def register_default(self, *decorators: Decorator, app: "Flask | None" = None) -> None:
        """Put decorators on all views that an app has by now, its endpoint and files included."""
        views = self._app(app).view_functions
        for endpoint, view in tuple(views.items()):
            for decorator in decorators:
                view = decorator(view)  # noqa: PLW2901  one upon the other
            views[endpoint] = view

    def _app(self, app: "Flask | None") -> "Flask":
        # Flask's own error tells that there is none.
        return app or self.app or flask.current_app
