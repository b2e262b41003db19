"""The middlewares for apps that no instrumentor knows: any WSGI or ASGI callable."""

import copy
import functools
import os
import pickle
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from otel_apimetrics import _guard, interpreter
from otel_apimetrics.config import build
from otel_apimetrics.frameworks import bare
from otel_apimetrics.frameworks.adapter import Adapter
from otel_apimetrics.frameworks.asgi import ASGIApp, Receive, Scope, Send, call_asgi
from otel_apimetrics.frameworks.wsgi import Environ, StartResponse, WSGIApp, call_wsgi
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.wiring import make_pipeline

_OWN = frozenset({"app", "_adapter", "_options", "_pipeline"})


class _Middleware:
    """An app that is recorded: in all but the call, and its class, the app itself."""

    app: Any
    _adapter: Adapter
    _options: dict[str, Any]
    _pipeline: Pipeline | None

    def _hold(self, app: Any) -> None:
        own = super().__setattr__
        own("app", app)
        for name in functools.WRAPPER_ASSIGNMENTS:
            with suppress(Exception):  # an app may be a proxy of one that is not there yet
                own(name, getattr(app, name))
        own("__wrapped__", app)

    def _around(self, app: Any) -> Any:
        made = object.__new__(type(self))
        vars(made).update(vars(self))
        made._hold(app)
        return made

    def __getattr__(self, name: str) -> Any:
        """Be the app in all else: servers and tests look at its attributes."""
        if name in _OWN:  # not set yet: the middleware is being copied
            raise AttributeError(name)
        return getattr(self.app, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._is_own(name):
            super().__setattr__(name, value)
        else:
            setattr(self.app, name, value)

    def __delattr__(self, name: str) -> None:
        if self._is_own(name):
            super().__delattr__(name)
        else:
            delattr(self.app, name)

    def _is_own(self, name: str) -> bool:
        # A subclass is somebody else's, and so are the attributes that it sets.
        return name in _OWN or type(self).__module__ != __name__

    def __eq__(self, other: object) -> bool:
        return bool(self.app == (other.app if isinstance(other, _Middleware) else other))

    def __hash__(self) -> int:
        return hash(self.app)

    def __copy__(self) -> Any:
        return self._around(copy.copy(self.app))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._around(copy.deepcopy(self.app, memo))

    def __reduce_ex__(self, protocol: Any) -> Any:
        name = vars(self).get("__qualname__")
        if name and getattr(sys.modules.get(self.__module__), name, None) is self:
            # It has taken the app's name, by which functions are pickled.
            return name
        options: bytes | None = None
        with suppress(Exception):  # what cannot be pickled in a hundred ways says so in each
            options = pickle.dumps(self._options, protocol)
        return _restore, (type(self), self.app, options)


class ApiMetricsWSGIMiddleware(_Middleware):
    """Records every request to a WSGI app. Put it outermost.

    Args:
        app: any WSGI callable (PEP 3333).
        pipeline: made by the instrumentor; leave it out.
        options: those of `ApiMetricsInstrumentor.instrument`.

    Raises:
        ConfigError: an option is wrong; or a hook is async, which WSGI cannot await.
    """

    def __init__(self, app: WSGIApp, *, pipeline: Pipeline | None = None, **options: Any) -> None:
        self._hold(app)
        self._options = options
        self._pipeline = pipeline or _pipeline(options)
        if self._pipeline is not None:
            self._pipeline.config.require_sync("WSGI")
        self._adapter = bare.wsgi_adapter()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        app: WSGIApp = self.app
        pipeline = self._pipeline
        if pipeline is None:
            return app(environ, start_response)
        return call_wsgi(app, environ, start_response, pipeline, self._adapter, app)


class ApiMetricsASGIMiddleware(_Middleware):
    """Records every request to an ASGI app. Put it outermost.

    Args:
        app: any ASGI 3 callable.
        pipeline: made by the instrumentor; leave it out.
        options: those of `ApiMetricsInstrumentor.instrument`.

    Raises:
        ConfigError: an option is wrong.
    """

    def __init__(self, app: ASGIApp, *, pipeline: Pipeline | None = None, **options: Any) -> None:
        self._hold(app)
        self._options = options
        self._pipeline = pipeline or _pipeline(options)
        self._adapter = bare.asgi_adapter()

    # `async def`, because uvicorn takes a plain `def` with a coroutine behind it for ASGI 2.
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """Serve one connection."""
        app = self.app
        pipeline = self._pipeline
        if pipeline is None:
            return await app(scope, receive, send)
        return await call_asgi(app, scope, receive, send, pipeline, self._adapter, app)


def _pipeline(options: dict[str, Any]) -> Pipeline | None:
    """Make a pipeline; `None` in a subinterpreter, where the app runs without us."""
    if interpreter.is_main():
        return make_pipeline(build(options, os.environ))
    _guard.warn_once("interpreter", "otel-apimetrics is off: %s", interpreter.REFUSAL)
    return None


def _restore(kind: Any, app: Any, options: bytes | None) -> Any:
    """Unpickle a middleware: in another process it makes a pipeline of its own.

    Args:
        kind: its class.
        app: the app.
        options: pickled; `None` where they could not be: a provider, a lambda. Fewer options
            than were given could record more than was wanted, so there the app runs without us.
    """
    if options is not None:
        try:
            return kind(app, **pickle.loads(options))  # noqa: S301  part of what is unpickled
        except Exception as error:
            _guard.swallow("middleware.restore", error, reveal=True)
    else:
        _guard.warn_once(
            "middleware.restore",
            "otel-apimetrics is off in a copy of an app: its options could not be pickled."
            " Instrument the app in the process that serves it.",
        )
    made = object.__new__(kind)
    made._hold(app)
    made._options, made._pipeline = {}, None
    return made
