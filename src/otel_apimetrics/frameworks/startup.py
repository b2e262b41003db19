"""The start-up event: framework, versions and route table, once an app and process."""

import os
import platform
import weakref
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from itertools import islice
from time import time_ns
from typing import Any

from opentelemetry._logs import SeverityNumber, get_logger

from otel_apimetrics import _guard, log_lock, semconv
from otel_apimetrics.frameworks.adapter import Adapter
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.version import __version__

MAX_ROUTES = 2_000

_announced: "weakref.WeakKeyDictionary[Any, int]" = weakref.WeakKeyDictionary()


def announce(pipeline: Pipeline, adapter: Adapter, app: Any) -> None:
    """Emit `apimetrics.app.startup` at the first request of an app in this process.

    A log record with an event name; where no logger provider is configured it goes nowhere.
    Exporters of ours that tell their vendor of the app get the same.
    """
    pid = os.getpid()
    try:
        if _announced.get(app) == pid:
            return
        _announced[app] = pid
    except TypeError:  # an app that cannot be weakly referenced is announced by its type
        if _announced.get(type(app)) == pid:
            return
        _announced[type(app)] = pid
    # The provider may have been set since `instrument()`.
    log_lock.attach(pipeline.redactor)
    try:
        routes = _routes(adapter.routes(app))
        _emit(pipeline, adapter, routes)
        for outlet in pipeline.outlets:
            tell = getattr(outlet, "app_started", None)
            if tell is not None:
                tell(adapter.name, routes)
    except Exception as error:
        _guard.swallow("startup.announce", error)


@cache
def version_of(distribution: str) -> str | None:
    """Return the version of an installed distribution, `None` where nobody can tell.

    Reads files: asked for when an app is instrumented, so that no event loop waits for it.
    """
    try:
        return version(distribution)
    except Exception:  # vendored, or on the path without (whole) metadata
        return None


def _emit(pipeline: Pipeline, adapter: Adapter, routes: list[str]) -> None:
    logger = get_logger(semconv.SCOPE, __version__, schema_url=semconv.SCHEMA_URL)
    attributes: dict[str, Any] = {
        "apimetrics.app.framework": adapter.name,
        "apimetrics.app.routes": routes,
        "apimetrics.app.version.otel_apimetrics": __version__,
        "apimetrics.app.version.python": platform.python_version(),
    }
    if adapter.distribution and (found := version_of(adapter.distribution)) is not None:
        attributes[f"apimetrics.app.version.{adapter.name}"] = found
    if pipeline.config.environment is not None:
        attributes[semconv.ENVIRONMENT] = pipeline.config.environment
    now = time_ns()
    logger.emit(
        timestamp=now,
        observed_timestamp=now,
        severity_number=SeverityNumber.INFO,
        severity_text="INFO",
        attributes=attributes,
        event_name=semconv.STARTUP_EVENT,
    )


def _routes(found: Iterable[str]) -> list[str]:
    return sorted(set(islice(found, MAX_ROUTES)))
