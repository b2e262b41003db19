"""Whose names the default metrics have."""

import os
from collections.abc import Mapping
from typing import Final, Literal, get_args

from otel_apimetrics.config import ConfigError

Names = Literal["otel", "flask", "fastapi-instrumentator", "starlette"]
"""Those of the instrumentor, or prometheus-flask-exporter's, prometheus-fastapi-instrumentator's or
starlette_exporter's."""
VARIABLE: Final = "OTEL_EXPORTER_PROMETHEUS_NAMES"


def checked_labels(labels: object) -> None:
    """See that default labels are some.

    Raises:
        ConfigError: they are no mapping.
    """
    if not isinstance(labels, Mapping):
        raise ConfigError(
            f"default_labels={labels!r} is no dictionary of values or callables by label name."
        )


def require_names(names: Names, instead: str, **given: bool) -> None:
    """See that options of the default metrics have some.

    Args:
        names: that the app has chosen.
        instead: names whose default metrics have these options.
        given: tells of each option whether the app has given it.

    Raises:
        ConfigError: there are none.
    """
    vain = [option for option, is_given in given.items() if is_given]
    if names == "otel" and vain:
        raise ConfigError(
            f"{', '.join(vain)}: of the default metrics, which are the instrumentor's with"
            f" names='otel'. Give names={instead} too, or leave this out."
        )


def chosen(possible: tuple[Names, ...], given: str | None = None) -> Names:
    """Give the choice of the app, or that of the environment.

    Args:
        possible: with this framework; others of the environment's are "otel" there.
        given: in code; `None` for what `OTEL_EXPORTER_PROMETHEUS_NAMES` says.

    Raises:
        ConfigError: there are no such names.
    """
    if given is not None:
        if given not in possible:
            raise ConfigError(f"names={given!r}: use one of {', '.join(possible)}.")
        return given
    said = os.environ.get(VARIABLE) or "otel"
    if said not in get_args(Names):
        raise ConfigError(f"{VARIABLE}={said!r}: use one of {', '.join(get_args(Names))}.")
    return said if said in possible else "otel"
