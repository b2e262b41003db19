"""The redaction policy, from a `RedactionPolicy`, a mapping of its fields, or variables."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from otel_apimetrics.config.given import Given, is_absent, refuse_unknown
from otel_apimetrics.config.hooks import hook
from otel_apimetrics.config.patterns import paths, pattern_lines
from otel_apimetrics.config.values import alternatives, flag, items, names, word
from otel_apimetrics.environment_variables import (
    OTEL_APIMETRICS_REDACTION_ALLOW,
    OTEL_APIMETRICS_REDACTION_CALLBACK,
    OTEL_APIMETRICS_REDACTION_DENY,
    OTEL_APIMETRICS_REDACTION_KEY,
    OTEL_APIMETRICS_REDACTION_MASK,
    OTEL_APIMETRICS_REDACTION_PATTERNS,
    OTEL_APIMETRICS_REDACTION_PII,
    OTEL_APIMETRICS_REDACTION_SENSITIVE_PATHS,
)
from otel_apimetrics.redaction import PolicyError, RedactionPolicy

VARIABLES = {
    "deny": OTEL_APIMETRICS_REDACTION_DENY,
    "allow": OTEL_APIMETRICS_REDACTION_ALLOW,
    "patterns": OTEL_APIMETRICS_REDACTION_PATTERNS,
    "mask": OTEL_APIMETRICS_REDACTION_MASK,
    "key": OTEL_APIMETRICS_REDACTION_KEY,
    "pii": OTEL_APIMETRICS_REDACTION_PII,
    "sensitive_paths": OTEL_APIMETRICS_REDACTION_SENSITIVE_PATHS,
    "callback": OTEL_APIMETRICS_REDACTION_CALLBACK,
}
"""The environment variable of each field of the policy."""

_FIELDS = tuple(field.name for field in fields(RedactionPolicy))


def _names(given: Given) -> tuple[str, ...]:
    # In a variable a comma too many is harmless; in a list an empty name was meant to be one.
    if not isinstance(given.value, str):
        for item in items(given):
            if isinstance(item, str) and not item.strip():
                raise given.item(item).refuse("name what is meant, or leave the empty string out")
    return names(given)


_READERS: Mapping[str, Callable[[Given], Any]] = {
    "deny": _names,
    "allow": _names,
    "patterns": pattern_lines,
    "mask": word,
    "pii": flag,
    "sensitive_paths": paths,
    "callback": hook,
}


def merged(keyword: object, environ: Mapping[str, str]) -> Given | None:
    """Fill the fields that a keyword leaves open from the environment.

    A `RedactionPolicy` leaves none open. The result's fields remember where each came from.
    """
    if not (is_absent(keyword) or isinstance(keyword, Mapping)):
        return Given(keyword, "redaction")
    found: dict[object, Given] = {
        field: Given(text, variable)
        for field, variable in VARIABLES.items()
        if not is_absent(text := environ.get(variable))
    }
    if isinstance(keyword, Mapping):
        refuse_unknown("field of redaction", keyword, _FIELDS)
        for name, value in keyword.items():
            if not is_absent(value):
                found[name] = Given(value, f"redaction.{name}")
    return Given(found, "redaction") if found else None


def redaction(given: Given) -> RedactionPolicy:
    """Read what `merged` returns.

    Raises:
        ConfigError: it is neither a policy nor fields of one, or `RedactionPolicy` refuses a
            field's value.
    """
    if isinstance(given.value, RedactionPolicy):
        return given.value
    if not isinstance(given.value, Mapping):
        raise given.refuse(f"use a RedactionPolicy, or a mapping with {alternatives(_FIELDS)}")
    policy = RedactionPolicy()
    for name, part in given.value.items():
        change: dict[str, Any] = {name: _READERS[name](part) if name in _READERS else part.value}
        try:
            policy = replace(policy, **change)
        except (PolicyError, Warning) as error:
            # A `FutureWarning` of `re` is an exception where the app turns warnings into errors.
            raise part.relay(error) from error
    return policy
