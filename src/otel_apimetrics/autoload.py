"""The hook that `opentelemetry-instrument` runs before it loads instrumentors."""

import logging
import os

_logger = logging.getLogger("otel_apimetrics")


def pre_instrument() -> None:
    """Check the configuration early, so that a bad one turns us off with one line.

    Never raises: an exception here would abort all other instrumentation. Runs although
    our instrumentor may be disabled (`OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`); then it
    does nothing.
    """
    try:
        _check()
    except Exception:
        _logger.exception("otel-apimetrics could not start; your app is not affected")


def _check() -> None:
    disabled = os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "")
    if {"apimetrics", "*"} & {name.strip() for name in disabled.split(",")}:
        return
    from otel_apimetrics.config import ConfigError, build
    from otel_apimetrics.instrumentor import ApiMetricsInstrumentor

    instrumentor = ApiMetricsInstrumentor()
    if instrumentor.is_instrumented_by_opentelemetry:
        return
    try:
        build({}, os.environ)
    except ConfigError as error:
        instrumentor.refuse(error)
