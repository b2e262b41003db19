"""Metlo's own hook, of the generation that is open (0.0.17)."""

from typing import Any


def install(app: Any, framework: str, url: str) -> Any:
    assert framework == "flask"
    from metlo.flask import MetloFlask

    MetloFlask(app, url, "metlo.key")
    return app
