"""The metrics of a FastAPI or Starlette app: decorators, default metrics, the endpoint."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.asgi_choices import Choices
from otel_apimetrics.prometheus.asgi_info_metrics import LOW_BUCKETS, Place, default_metrics
from otel_apimetrics.prometheus.asgi_instrumentator import Handling, InstrumentatorMiddleware
from otel_apimetrics.prometheus.asgi_options import BUILT_IN, POSSIBLE, ASGIOptions
from otel_apimetrics.prometheus.asgi_routes import flat
from otel_apimetrics.prometheus.asgi_served import ServedMiddleware
from otel_apimetrics.prometheus.asgi_starlette import StarletteMiddleware
from otel_apimetrics.prometheus.asgi_starlette_metrics import StarletteMetrics
from otel_apimetrics.prometheus.asgi_views import Tracked, marking
from otel_apimetrics.prometheus.decorators import Decorator, Decorators
from otel_apimetrics.prometheus.endpoint import ScrapeASGIApp, Scraped
from otel_apimetrics.prometheus.excluded import Excluded
from otel_apimetrics.prometheus.families import Kind
from otel_apimetrics.prometheus.homes import home_of, registry_of, require_both
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.page import RegistryPage
from otel_apimetrics.prometheus.presets import chosen
from otel_apimetrics.prometheus.reader import PrometheusReader

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from typing_extensions import Self


class ASGIMetrics(Decorators):
    """Metrics of FastAPI's and Starlette's apps as OpenTelemetry instruments, and their endpoint.

    Args:
        app: whose requests count; `None` for `init_app` later.
        reader: of the app's `MeterProvider`, so that the endpoint shows all of its metrics.
            Without it the endpoint shows the metrics of `registry`, these among them.
        meter_provider: of `reader`; the two come together.
        registry: of prometheus_client, which shows these metrics too. By default its own, or none
            where there is a `reader`.
        options: those of `ASGIOptions`.

    Raises:
        ConfigError: an option is not possible, or `reader` or `meter_provider` is missing beside
            the other, or is none.
        TypeError: there is no such option.
    """

    def __init__(
        self,
        app: "Starlette | None" = None,
        *,
        reader: PrometheusReader | None = None,
        meter_provider: MeterProvider | None = None,
        registry: CollectorRegistry | None = None,
        **options: Any,
    ) -> None:
        asked = ASGIOptions(**options)
        require_both(reader, meter_provider)
        self.names = chosen(POSSIBLE, asked.names)
        clash = sorted(set(BUILT_IN[self.names]).intersection(map(str, asked.default_labels)))
        if clash:
            raise ConfigError(
                f"default_labels: {', '.join(clash)} is a label of the default metrics already."
                " Choose another name."
            )
        self.registry = registry_of(registry, reader)
        self.app = app
        self.path = asked.path
        self._options = asked
        self._group = asked.group()
        self._excluded = Excluded(asked.excluded_paths)
        self._default_labels = asked.default_labels
        self._home = home_of(reader or self.registry, reader, meter_provider)
        self._measures = self._home.measures
        self._scraped: Scraped = reader or RegistryPage(self.registry, self._measures.reader)
        if app is not None:
            self.init_app(app)

    @classmethod
    def for_app_factory(cls, **options: Any) -> "Self":
        """Make one without an app; call `init_app` later, for one app or for several."""
        return cls(None, **options)

    def init_app(self, app: "Starlette") -> None:
        """Add the endpoint, the default metrics, and what decorators need, to an app.

        Raises:
            RuntimeError: the app has begun to serve (Starlette's own).
        """
        if self._options.export_defaults and self.names != "otel":
            self.export_defaults(app)
        add: Any = app.add_middleware
        add(ServedMiddleware, is_left_out=self._excluded)
        if self.path:
            self.register_endpoint(self.path, app)

    def register_endpoint(self, path: str, app: "Starlette | None" = None) -> None:
        """Serve the metrics from an app, by default from the one that this was made for.

        Raises:
            RuntimeError: there is no app.
        """
        endpoint: Any = ScrapeASGIApp(self._scraped, authorize=self._options.authorize)
        self._app(app).add_route(path, endpoint, include_in_schema=False)

    def export_defaults(self, app: "Starlette | None" = None) -> None:
        """Add the default metrics to an app; a second time does nothing.

        Raises:
            RuntimeError: there is no app, or it has begun to serve (Starlette's own).
        """
        served = self._app(app)
        apps = self._home.apps((self.names, self._options.prefix))
        if served in apps:
            return
        add: Any = served.add_middleware
        if self.names == "fastapi-instrumentator":
            add(InstrumentatorMiddleware, **self._as_instrumentator())
        elif self.names == "starlette":
            add(StarletteMiddleware, **self._as_starlette())
        apps.add(served)

    def register_default(self, *decorators: Decorator, app: "Starlette | None" = None) -> None:
        """Put decorators on all routes of an app by now, those of mounts and the endpoint too.

        Raises:
            RuntimeError: there is no app.
        """
        _decorate(self._app(app).routes, decorators)

    @staticmethod
    def do_not_track() -> Decorator:
        """Leave requests to a view out of the default metrics."""
        return marking("is_untracked")

    @staticmethod
    def exclude_all_metrics() -> Decorator:
        """Leave requests to a view out of all metrics."""
        return marking("is_excluded")

    def _tracking(self, instrument: Any, labels: LabelValues, kind: Kind) -> Decorator:
        return Tracked(
            instrument=instrument,
            labels=labels,
            kind=kind,
            convert=self._options.response_converter,
            is_left_out=self._leaves_out,
        ).decorator

    def _leaves_out(self, path: str) -> bool:
        return self._options.exclude_user_defaults and self._excluded(path)

    def _as_instrumentator(self) -> dict[str, Any]:
        options = self._options
        custom = LabelValues(self._default_labels, {})
        place = Place(self._home, self.registry, options.prefix or "", custom=custom)
        return {
            "handling": Handling(group_by=self._group),
            "instrumentations": default_metrics(place, low_buckets=options.buckets or LOW_BUCKETS),
        }

    def _as_starlette(self) -> dict[str, Any]:
        options = self._options
        prefix = options.prefix or "starlette"
        more = LabelValues(self._default_labels, {})
        return {
            "metrics": StarletteMetrics(
                self._home, self.registry, prefix, options.buckets, (), more.names
            ),
            "choices": Choices(group_by=self._group, more_labels=more),
        }

    def _app(self, app: "Starlette | None") -> "Starlette":
        found = app or self.app
        if found is None:
            raise RuntimeError("There is no app: give it, or call this after `init_app`.")
        return found


def _decorate(routes: Iterable[Any], decorators: Iterable[Decorator]) -> None:
    for route in flat(routes):
        inner = getattr(route, "routes", None)
        if inner:
            _decorate(inner, decorators)
        elif getattr(route, "endpoint", None) is not None:
            route.app = _decorated(route.app, route.endpoint, decorators)


def _decorated(app: Any, endpoint: Any, decorators: Iterable[Decorator]) -> Callable[..., Any]:
    async def serve(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    # It stands for the view.
    serve.__wrapped__ = endpoint  # type: ignore[attr-defined]
    made: Callable[..., Any] = serve
    for decorator in decorators:
        made = decorator(made)
    return made
