"""The plain WSGI app as a whole."""

from __future__ import annotations

from typing import Any

from tests.frameworks.cases.apps import below_twice, wsgi


def build(_framework: str) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith("/twice/"):
            return below_twice.call_wsgi(environ, start_response)
        return wsgi.app(environ, start_response)

    return app
