"""Configurations become pipelines here, and apps find theirs."""

import weakref
from threading import Lock
from typing import Any

from otel_apimetrics import forked, health
from otel_apimetrics.config import Config
from otel_apimetrics.exporters.loading import governors, load, outlets, response_hooks
from otel_apimetrics.exporters.needs import widened
from otel_apimetrics.metrics import Metrics
from otel_apimetrics.pipeline import Pipeline

_metrics: "weakref.WeakValueDictionary[tuple[Any, ...], Metrics]" = weakref.WeakValueDictionary()
_lock = Lock()


def make_pipeline(config: Config) -> Pipeline:
    """Make the pipeline of a configuration.

    Two pipelines that record to the same meter provider with the same keys share their
    metrics, and with them the cap on attribute sets.
    """
    forked.watch(config.tracer_provider, config.meter_provider)
    exporters = load(config)
    config = widened(config, exporters.values())
    key = (
        id(config.meter_provider),
        config.metrics,
        config.max_consumers,
        config.metric_labels,
    )
    with _lock:
        metrics = _metrics.get(key)
        if metrics is None:
            metrics = _metrics[key] = Metrics(
                config.metrics,
                config.meter_provider,
                max_consumers=config.max_consumers,
                labels=config.metric_labels,
            )
            health.watch(metrics.show_health)
    made = exporters.values()
    return Pipeline(
        config, metrics, outlets(exporters, config), response_hooks(made), governors(made)
    )


class Registry:
    """Which pipeline serves which app.

    An app that was instrumented by itself has its own; the others have the one of
    `instrument()`, or none.
    """

    def __init__(self) -> None:
        self.default: Pipeline | None = None
        self._of_app: weakref.WeakKeyDictionary[Any, Pipeline | None] = weakref.WeakKeyDictionary()
        # Apps whose class has no room for a weak reference (Litestar's), kept alive here.
        self._of_id: dict[int, tuple[Any, Pipeline | None]] = {}
        self._of_middlewares: weakref.WeakSet[Pipeline] = weakref.WeakSet()

    def set(self, app: Any, pipeline: Pipeline | None) -> None:
        """Give an app its own pipeline; `None`: it is not recorded."""
        try:
            self._of_app[app] = pipeline
        except TypeError:
            self._of_id[id(app)] = app, pipeline

    def of(self, app: Any) -> Pipeline | None:
        """Return the pipeline of an app, `None` where it is not recorded."""
        if self._of_id and id(app) in self._of_id:
            return self._of_id[id(app)][1]
        if not self._of_app:
            return self.default
        try:
            return self._of_app.get(app, self.default)
        except TypeError:
            return self.default

    def note_middleware(self, pipeline: Pipeline) -> None:
        """Note the pipeline of an app in a middleware, which asks nobody for it."""
        self._of_middlewares.add(pipeline)

    def drop_middleware(self, pipeline: Pipeline | None) -> None:
        """Forget the pipeline of a middleware that is served no more."""
        if pipeline is not None:
            self._of_middlewares.discard(pipeline)

    def has_apps(self) -> bool:
        """Tell whether an app of a known framework was instrumented by itself."""
        return bool(self._of_apps())

    def of_single_apps(self) -> list[Pipeline]:
        """Return the pipelines of all that was instrumented by itself."""
        return [*self._of_apps(), *self._of_middlewares]

    def _of_apps(self) -> list[Pipeline]:
        ids = (pipeline for _, pipeline in tuple(self._of_id.values()))
        return [one for one in (*self._of_app.values(), *ids) if one is not None]

    def forget_default(self) -> None:
        """Forget the default, and which apps were left out of it."""
        self.default = None
        for app, pipeline in tuple(self._of_app.items()):
            if pipeline is None:
                self._of_app.pop(app, None)
        for key, (_, pipeline) in tuple(self._of_id.items()):
            if pipeline is None:
                self._of_id.pop(key, None)

    def forget(self) -> None:
        """Forget every app and the default."""
        self.default = None
        self._of_app.clear()
        self._of_id.clear()
        self._of_middlewares.clear()
