"""The plain ASGI app as a whole."""

from __future__ import annotations

from typing import Any

from tests.frameworks.cases.apps import asgi, below_twice


def build(_framework: str) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan" and scope["path"].startswith("/twice/"):
            await below_twice.call_asgi(scope, receive, send)
        else:
            await asgi.app(scope, receive, send)

    return app
