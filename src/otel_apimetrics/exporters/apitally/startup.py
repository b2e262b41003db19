"""What the vendor is told of the app, once a process."""

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from otel_apimetrics.version import __version__

_SERVERS: Final = ("uvicorn", "hypercorn", "daphne", "gunicorn", "uwsgi")


@dataclass(frozen=True, slots=True)
class AppStartup:
    """An app as its first request has found it."""

    framework: str = ""
    """In lower case; "" where nobody knows."""
    routes: tuple[str, ...] = ()
    """As "METHOD /template"; the method is "*" where a route takes any."""


def paths(startup: AppStartup) -> list[dict[str, str]]:
    """Give the routes as the vendor lists them."""
    found = (route.partition(" ") for route in startup.routes)
    return [
        {"method": method, "path": path}
        for method, _, path in found
        if method not in {"HEAD", "OPTIONS"} and path != "/static/<path:filename>"
    ]


def versions(startup: AppStartup, app_version: str | None, *, servers: bool) -> dict[str, str]:
    """Give the versions of what the app runs on.

    Args:
        startup: names the framework.
        app_version: the user's own.
        servers: list the installed servers too.
    """
    wanted = [startup.framework] if startup.framework else []
    if startup.framework == "fastapi":
        wanted.append("starlette")
    if servers:
        wanted = [*_SERVERS, *wanted]
    found = {"python": platform.python_version()}
    for name in wanted:
        if (installed := _installed(name)) is not None:
            found[name] = installed
    found["otel-apimetrics"] = __version__
    if app_version is not None:
        found["app"] = app_version
    return found


def _installed(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
