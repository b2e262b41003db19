"""The name of the deployment environment, for exporters that tell their vendor of it.

The resource that spans have names it, or else the plugin's `environment`. Exporters in code are
made before either is known, and a gateway's get spans of several: it is told with what they export.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from otel_apimetrics import semconv
from otel_apimetrics.config.given import Given, is_absent
from otel_apimetrics.environment_variables import OTEL_APIMETRICS_ENVIRONMENT

_told: Final[ContextVar[str | None]] = ContextVar("otel_apimetrics.environment", default=None)

_OLD: Final = "deployment.environment"
"""The attribute in the conventions before 1.27."""


@contextmanager
def told(environment: str | None) -> Iterator[None]:
    """Tell exporters that are made meanwhile, or export, which one it is, where that is known."""
    token = _told.set(environment)
    try:
        yield
    finally:
        _told.reset(token)


def environment() -> Given | None:
    """Give what was told, else what the plugin's variable says."""
    value = _told.get()
    if value is not None:
        return Given(value, semconv.ENVIRONMENT)
    value = os.environ.get(OTEL_APIMETRICS_ENVIRONMENT)
    return None if is_absent(value) else Given(value, OTEL_APIMETRICS_ENVIRONMENT)


def of_span(span: ReadableSpan) -> str | None:
    """Give the one that a span was made in, where its resource or the span names it."""
    return of_resource(span.resource) or _named(span.attributes or {})


def of_resource(resource: Resource) -> str | None:
    """Give the one that a resource names."""
    return _named(resource.attributes)


def _named(attributes: Mapping[str, object]) -> str | None:
    value = attributes.get(semconv.ENVIRONMENT) or attributes.get(_OLD)
    return None if is_absent(value) else str(value)
