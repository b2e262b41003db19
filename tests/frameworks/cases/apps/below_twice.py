"""What is mounted at `/twice`: the plain app, which may be instrumented a second and a third time."""

from __future__ import annotations

from typing import Any

from tests.frameworks.cases.apps import asgi as asgi_module
from tests.frameworks.cases.apps import wsgi as wsgi_module


def plain_wsgi(environ: dict[str, Any], start_response: Any) -> Any:
    """Be the plain app, wherever it is mounted."""
    environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/twice")
    return wsgi_module.app(environ, start_response)


async def plain_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Be the plain app, wherever it is mounted."""
    await asgi_module.app({**scope, "path": scope["path"].removeprefix("/twice")}, receive, send)


wsgi: Any = plain_wsgi
asgi: Any = plain_asgi


def call_wsgi(environ: dict[str, Any], start_response: Any) -> Any:
    return wsgi(environ, start_response)


async def call_asgi(scope: Any, receive: Any, send: Any) -> None:
    await asgi(scope, receive, send)
