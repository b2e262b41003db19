"""The instrumentor: the one place that wires the rooms together."""

import logging
import os
import sys
from collections.abc import Collection, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import wrapt
from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]
    BaseInstrumentor,
)

from otel_apimetrics import _guard, ending, interpreter, log_lock, processors
from otel_apimetrics.config import ConfigError, build
from otel_apimetrics.config.declarative import (
    is_disabled_in_file,
    odd_switch_in_file,
    options_in_file,
)
from otel_apimetrics.frameworks import bare, startup
from otel_apimetrics.frameworks.adapter import chain
from otel_apimetrics.frameworks.classes import MethodWraps
from otel_apimetrics.middleware import ApiMetricsASGIMiddleware, ApiMetricsWSGIMiddleware
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.wiring import Registry, make_pipeline

_logger = logging.getLogger("otel_apimetrics")

_FRAMEWORKS = {
    "flask.app": "flask",
    # Before Starlette: its apps are Starlette's too.
    "fastapi.applications": "fastapi",
    "starlette.applications": "starlette",
    "django.core.handlers.wsgi": "django",
    "django.core.handlers.asgi": "django",
    "litestar.app": "litestar",
}
"""Module whose import makes a framework's classes exist, and our adapter of it."""


class ApiMetricsInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # contrib is untyped
    """Records every request of the web frameworks in this process.

    One instance a process. `instrument(**options)` covers all apps of the frameworks that
    it knows, made before or after; `instrument_app(app, **options)` covers one app.

    Options are those of `Config`; each also has an environment variable
    `OTEL_APIMETRICS_<OPTION>`. A keyword wins over the environment.
    """

    # On the class: contrib's base hands out one instance a process, and runs `__init__`
    # at every call.
    _registry = Registry()
    _wraps = MethodWraps()
    _options: Mapping[str, Any] = MappingProxyType({})
    _is_instrumented_by_opentelemetry: bool = False
    _refused = False
    """A configuration was refused where nobody could catch the error: stay off."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: frameworks are met when the app imports them."""
        return ()

    def instrument(self, **options: Any) -> None:
        """Record every request from now on.

        Raises:
            ConfigError: an option is wrong. Under `opentelemetry-instrument` and from a
                declarative file one line is logged instead, and the plugin stays off.
        """
        if self._is_out_of_place():
            return
        loader = "skip_dep_check" in options
        if loader and (self._refused or self._is_instrumented_by_opentelemetry):
            return
        if loader and is_disabled_in_file(os.environ):
            return
        declared = not loader and options == options_in_file(os.environ)
        if options and not loader and not declared and self._is_instrumented_by_opentelemetry:
            # Under `opentelemetry-instrument`, or called again: what the code says now wins.
            build(options, os.environ)
            self._is_instrumented_by_opentelemetry = False
        try:
            self._refuse_odd_switch(quiet=loader or declared)
            super().instrument(**options)
        except ConfigError as error:
            if not loader and not declared:
                raise
            self.refuse(error)

    def _is_out_of_place(self) -> bool:
        """Tell whether this interpreter is none for us, and say so once."""
        if interpreter.is_main():
            return False
        self.refuse(ConfigError(interpreter.REFUSAL))
        return True

    def _refuse_odd_switch(self, *, quiet: bool) -> None:
        """Refuse `enabled: maybe` in the file, which the SDK takes for true.

        Raises:
            ConfigError: the file's `enabled` is neither true nor false.
        """
        if quiet and self._refused:
            raise ConfigError("its configuration was refused before.")
        if quiet and (odd := odd_switch_in_file(os.environ)) is not None:
            raise ConfigError(f"enabled={odd!r} in the file is not accepted: use true or false.")

    def refuse(self, error: ConfigError) -> None:
        """Stay off for the rest of the process, and say why once."""
        if not self._refused:
            self._refused = True
            _logger.error("otel-apimetrics is off: %s", error)

    def instrument_app(self, app: Any, **options: Any) -> Any:
        """Record the requests of one app.

        Args:
            app: a Flask, FastAPI, Starlette, Litestar or Django handler object, or any
                WSGI or ASGI callable. One that takes what comes (`*args`) is ASGI where it
                is `async`, else WSGI; a middleware class says it outright.
            options: those of `instrument`, for this app only.

        Returns:
            What to serve: the app itself where its framework is known, else the app in a
            middleware. In a subinterpreter the app as it is: it runs without us.

        Raises:
            ConfigError: an option is wrong, or `app` is neither WSGI nor ASGI.
        """
        if self._is_out_of_place():
            return app
        options = {**self._options, **options}
        pipeline = make_pipeline(build(options, os.environ))
        processors.ensure(pipeline.tracer_provider(), pipeline.redactor)
        log_lock.attach(pipeline.redactor)
        ending.arm_signal()
        framework = _framework_of(app)
        if framework is not None:
            framework.check(pipeline.config, app)
            framework.install(self._wraps, self._registry.of)
            self._set(app, pipeline)
            return app
        if isinstance(app, (ApiMetricsWSGIMiddleware, ApiMetricsASGIMiddleware)):
            app = app.app
        kind = bare.interface_of(app)
        middlewares = {"wsgi": ApiMetricsWSGIMiddleware, "asgi": ApiMetricsASGIMiddleware}
        if kind in middlewares:
            middleware = middlewares[kind](app, pipeline=pipeline, **options)
            self._registry.note_middleware(pipeline)
            return middleware
        raise ConfigError(
            f"instrument_app: {type(app).__qualname__} is no WSGI and no ASGI app. Pass the"
            " object that your server is given, or wrap it in ApiMetricsWSGIMiddleware or"
            " ApiMetricsASGIMiddleware."
        )

    def uninstrument_app(self, app: Any) -> Any:
        """Stop recording one app, and return what to serve without us.

        Under `instrument()` too it stays unrecorded, until `uninstrument()`.
        """
        middleware = isinstance(app, (ApiMetricsWSGIMiddleware, ApiMetricsASGIMiddleware))
        if middleware:
            self._registry.drop_middleware(app._pipeline)  # noqa: SLF001  of our own room
        else:
            self._set(app, None)
        if self._registry.default is None:
            self._let_go()
        return app.app if middleware else app

    def _set(self, app: Any, pipeline: Pipeline | None) -> None:
        """Give an app its pipeline, and the one that it hands on to (Django's static files)."""
        self._registry.set(app, pipeline)
        framework = _framework_of(app)
        if framework is not None:
            for inner in filter(framework.is_app, chain(app, "application")):
                self._registry.set(inner, pipeline)

    def _instrument(self, **options: Any) -> None:
        pipeline = make_pipeline(build(options, os.environ))
        self._refused = False
        self._options = options
        self._registry.default = pipeline
        processors.attach(pipeline.tracer_provider(), pipeline.redactor)
        log_lock.attach(pipeline.redactor)
        ending.arm_signal()
        for module, name in _FRAMEWORKS.items():
            self._when_imported(module, name)

    def _when_imported(self, module: str, name: str) -> None:
        """Install a framework's wraps now, or once the app imports it."""

        def install(_module: Any) -> None:
            if self._registry.default is None:
                return
            try:
                _adapter(name).install(self._wraps, self._registry.of)
            except Exception as error:
                _guard.swallow(f"install.{name}", error, reveal=True)

        wrapt.register_post_import_hook(install, module)

    def _uninstrument(self, **_options: Any) -> None:
        self._options = MappingProxyType({})
        self._let_go()

    def _let_go(self) -> None:
        """Undo what no app needs any more that was instrumented by itself."""
        self._registry.forget_default()
        if not self._registry.has_apps():
            self._wraps.undo()
        left = self._registry.of_single_apps()
        processors.detach_all(but=[pipeline.tracer_provider() for pipeline in left])
        if not left:
            log_lock.detach_all()
            ending.disarm_signal()


def _adapter(name: str) -> Any:
    adapter = import_module(f"otel_apimetrics.frameworks.{name}")
    startup.version_of(adapter.ADAPTER.distribution)
    return adapter


def _framework_of(app: Any) -> Any:
    """Return our adapter of the framework that an app belongs to, `None` for a bare one."""
    for module, name in _FRAMEWORKS.items():
        if module in sys.modules:
            adapter = _adapter(name)
            if adapter.is_app(app):
                return adapter
    return None
