"""From keywords and environment variables to a `Config`.

Precedence, for each option by itself: keyword, environment, default. `None` and the empty
string mean "not given" in both places.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from otel_apimetrics import environment_variables
from otel_apimetrics.config import choices, hooks, policy, values
from otel_apimetrics.config.given import Given, is_absent, refuse_unknown
from otel_apimetrics.config.model import Config
from otel_apimetrics.config.patterns import compiled, patterns

Coerce: TypeAlias = Callable[[Given], object]

PREFIX = "OTEL_APIMETRICS_"

VARIABLES = tuple(name for name in vars(environment_variables) if name.startswith(PREFIX))
"""The environment variables of the plugin."""

EXCLUDED_URLS = "OTEL_PYTHON_EXCLUDED_URLS"
REQUEST_HEADERS = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST"
RESPONSE_HEADERS = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE"

_COERCIONS: Mapping[str, Coerce] = {
    "identify": hooks.identify,
    "label": hooks.label,
    "metric_labels": values.labels,
    "skip": hooks.skip,
    "redaction": policy.redaction,
    "capture_body": values.choice("off", "errors", "all", "schema"),
    "capture_headers": choices.headers,
    "max_body_size": values.body_size,
    "content_types": choices.content_types,
    "excluded_paths": patterns,
    "excluded_user_agents": patterns,
    "trusted_proxies": choices.trusted_proxies,
    "client_ip": values.choice("truncated", "full", "hash", "off"),
    "sample_rate": hooks.sample_rate,
    "max_consumers": values.consumers,
    "metrics": values.metrics,
    "environment": values.text,
    "exporters": choices.exporters,
    "tracer_provider": choices.provider("get_tracer"),
    "meter_provider": choices.provider("get_meter"),
}

OPTIONS = tuple(_COERCIONS)
"""The names of all options, in the order of `Config`."""


def build(options: Mapping[str, object], environ: Mapping[str, str]) -> Config:
    """Validate and merge all options.

    Import paths are resolved here and entry points looked up, so that nothing is left to
    fail inside a request.

    Args:
        options: keywords, from code or from the declarative file.
        environ: the process environment; only it is read.

    Returns:
        The configuration.

    Raises:
        ConfigError: an option or an `OTEL_APIMETRICS_*` variable is unknown, or a value is
            not accepted.
    """
    refuse_unknown("option", options, OPTIONS)
    ours = [name for name in environ if name.startswith(PREFIX)]
    refuse_unknown("environment variable", ours, VARIABLES)
    chosen: dict[str, Any] = {
        name: coerce(given)
        for name, coerce in _COERCIONS.items()
        if (given := _given(name, options, environ)) is not None
    }
    named = frozenset(chosen)
    excluded = _shared(EXCLUDED_URLS, environ)
    chosen["excluded_paths"] = (*chosen.get("excluded_paths", ()), *excluded)
    return Config(
        **chosen,
        given=named,
        capture_request_headers_extra=_shared(REQUEST_HEADERS, environ),
        capture_response_headers_extra=_shared(RESPONSE_HEADERS, environ),
    )


def variable_of(option: str) -> str | None:
    """Return the environment variable of an option; `None` where only code can set it.

    `redaction` has one variable a field; their common name with a `*` is returned.
    """
    if option == "redaction":
        return f"{PREFIX}REDACTION_*"
    name = PREFIX + option.upper()
    return name if name in VARIABLES else None


def _given(name: str, options: Mapping[str, object], environ: Mapping[str, str]) -> Given | None:
    value = options.get(name)
    if name == "redaction":
        return policy.merged(value, environ)
    if not is_absent(value):
        return Given(value, name)
    variable = PREFIX + name.upper()
    text = environ.get(variable) if variable in VARIABLES else None
    return None if is_absent(text) else Given(text, variable)


def _shared(variable: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Read a list of expressions that contrib's instrumentations understand as well."""
    given = Given(environ.get(variable, ""), variable)
    expressions = values.names(given)
    for expression in expressions:
        compiled(given.item(expression))
    return expressions
