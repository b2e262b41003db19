"""The middlewares for apps that no instrumentor knows: any WSGI or ASGI callable."""

import os
from collections.abc import Iterable
from typing import Any

from otel_apimetrics import _guard, interpreter
from otel_apimetrics.config import build
from otel_apimetrics.frameworks import bare
from otel_apimetrics.frameworks.asgi import ASGIApp, Receive, Scope, Send, call_asgi
from otel_apimetrics.frameworks.wsgi import Environ, StartResponse, WSGIApp, call_wsgi
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.wiring import make_pipeline


class ApiMetricsWSGIMiddleware:
    """Records every request to a WSGI app. Put it outermost.

    Args:
        app: any WSGI callable (PEP 3333).
        pipeline: made by the instrumentor; leave it out.
        options: those of `ApiMetricsInstrumentor.instrument`.

    Raises:
        ConfigError: an option is wrong; or a hook is async, which WSGI cannot await.
    """

    def __init__(self, app: WSGIApp, *, pipeline: Pipeline | None = None, **options: Any) -> None:
        self.app = app
        self._pipeline = pipeline or _pipeline(options)
        if self._pipeline is not None:
            self._pipeline.config.require_sync("WSGI")
        self._adapter = bare.wsgi_adapter()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        app = self.app
        pipeline = self._pipeline
        if pipeline is None:
            return app(environ, start_response)
        return call_wsgi(app, environ, start_response, pipeline, self._adapter, app)

    def __getattr__(self, name: str) -> Any:
        """Be the app in all else: servers and tests look at its attributes."""
        if name == "app":  # not set yet: the middleware is being copied
            raise AttributeError(name)
        return getattr(self.app, name)


class ApiMetricsASGIMiddleware:
    """Records every request to an ASGI app. Put it outermost.

    Args:
        app: any ASGI 3 callable.
        pipeline: made by the instrumentor; leave it out.
        options: those of `ApiMetricsInstrumentor.instrument`.

    Raises:
        ConfigError: an option is wrong.
    """

    def __init__(self, app: ASGIApp, *, pipeline: Pipeline | None = None, **options: Any) -> None:
        self.app = app
        self._pipeline = pipeline or _pipeline(options)
        self._adapter = bare.asgi_adapter()

    # `async def`, because uvicorn takes a plain `def` with a coroutine behind it for ASGI 2.
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        app = self.app
        pipeline = self._pipeline
        if pipeline is None:
            await app(scope, receive, send)
        else:
            await call_asgi(app, scope, receive, send, pipeline, self._adapter, app)

    def __getattr__(self, name: str) -> Any:
        """Be the app in all else: servers and tests look at its attributes."""
        if name == "app":  # not set yet: the middleware is being copied
            raise AttributeError(name)
        return getattr(self.app, name)


def _pipeline(options: dict[str, Any]) -> Pipeline | None:
    """Make a pipeline; `None` in a subinterpreter, where the app runs without us."""
    if interpreter.is_main():
        return make_pipeline(build(options, os.environ))
    _guard.warn_once("interpreter", "otel-apimetrics is off: %s", interpreter.REFUSAL)
    return None
