"""The deployment environment that the plugin was told, for exporters that name it too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from otel_apimetrics.config.given import Given, is_absent
from otel_apimetrics.environment_variables import OTEL_APIMETRICS_ENVIRONMENT

_told: Final[ContextVar[str | None]] = ContextVar("otel_apimetrics.environment", default=None)


@contextmanager
def told(environment: str | None) -> Iterator[None]:
    """Tell exporters that are made meanwhile what `environment=` says."""
    token = _told.set(environment)
    try:
        yield
    finally:
        _told.reset(token)


def environment() -> Given | None:
    """Give what the option says, else its variable: an exporter may be made before the plugin."""
    value = _told.get()
    if value is not None:
        return Given(value, "environment")
    value = os.environ.get(OTEL_APIMETRICS_ENVIRONMENT)
    return None if is_absent(value) else Given(value, OTEL_APIMETRICS_ENVIRONMENT)
