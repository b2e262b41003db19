"""The options of the exporter: keywords, and `OTEL_EXPORTER_APITALLY_*` in the environment."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from otel_apimetrics import _guard
from otel_apimetrics.config import ConfigError
from otel_apimetrics.config.given import Given
from otel_apimetrics.config.hooks import hook
from otel_apimetrics.config.patterns import patterns
from otel_apimetrics.config.values import flag, rate, text
from otel_apimetrics.exporters import deployment
from otel_apimetrics.exporters.apitally.masks import MaskBody
from otel_apimetrics.exporters.apitally.selection import Exclude
from otel_apimetrics.exporters.settings import (
    Setting,
    certificate,
    directory,
    read_settings,
    seconds,
    url,
)

_TOKEN: Final = re.compile(r"apt_[A-Za-z0-9]{24}")
_ENV: Final = re.compile(r"[\w-]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user wants. One of `client_id` and `write_token` is given."""

    client_id: str | None
    write_token: str | None
    env: str
    """As long as nothing else is told: see `in_environment`."""
    names_env: bool
    """The user has named it for this exporter."""
    endpoint: str
    app_version: str | None
    request_logs: bool
    capture_query: bool
    capture_request_headers: bool
    capture_request_body: bool
    capture_response_headers: bool
    capture_response_body: bool
    capture_exceptions: bool
    capture_logs: bool
    mask_query_params: tuple[str, ...]
    mask_headers: tuple[str, ...]
    mask_body_fields: tuple[str, ...]
    mask_request_body: MaskBody | None
    mask_response_body: MaskBody | None
    exclude_paths: tuple[str, ...]
    exclude: Exclude | None
    sample_rate: float
    timeout: float
    certificate: Path | None
    spool: Path | None


def read_options(given: dict[str, Any]) -> Options:
    """Validate and merge the options.

    Raises:
        ConfigError: one is unknown or not accepted, or there are no credentials, or two.
    """
    found = read_settings("apitally", SETTINGS, given)
    with_token = found["write_token"] is not None
    if with_token and found["client_id"] is not None:
        raise ConfigError(
            "The exporter apitally takes write_token or client_id, not both: they belong to two"
            " protocols. Keep the write token, if you have one."
        )
    if not with_token and found["client_id"] is None:
        raise ConfigError(
            "The exporter apitally needs credentials: set OTEL_EXPORTER_APITALLY_WRITE_TOKEN, or"
            " OTEL_EXPORTER_APITALLY_CLIENT_ID for an app that was set up with the SDK before 1.0."
        )
    if found["endpoint"] is None:
        found["endpoint"] = f"https://{'otlp' if with_token else 'hub'}.apitally.io"
    if found["request_logs"] is None:
        found["request_logs"] = with_token
    names_env = found["env"] is not None
    if not names_env:
        found["env"] = _of_the_plugin() or "dev"
    return Options(**found, names_env=names_env)


def in_environment(options: Options) -> Options:
    """Give the options with the environment that what is exported now was made in.

    A name that the vendor does not take is told once, and left out.
    """
    if options.names_env:
        return options
    try:
        return replace(options, env=_of_the_plugin() or options.env)
    except ConfigError as error:
        _guard.warn_once("apitally.env", "Apitally shows requests under %s: %s", options.env, error)
        return options


def _of_the_plugin() -> str | None:
    """Give the environment that the plugin was told, as far as the vendor takes such names."""
    given = deployment.environment()
    return None if given is None else _env(given)


def _client_id(given: Given) -> str:
    try:
        return str(UUID(str(given.value).strip()))
    except ValueError as error:
        raise ConfigError(
            f"{given.source} is not accepted: use the UUID that the vendor shows as client id."
        ) from error


def _write_token(given: Given) -> str:
    value = given.value.strip() if isinstance(given.value, str) else ""
    if not _TOKEN.fullmatch(value):
        raise ConfigError(
            f"{given.source} is not accepted: use the write token as the vendor shows it, apt_ and"
            " 24 letters and digits."
        )
    return value


def _env(given: Given) -> str:
    value = text(given)
    if not value.isascii() or not _ENV.fullmatch(value):
        raise given.refuse("use up to 32 letters, digits, hyphens and underscores")
    return value


def _share(given: Given) -> float:
    return float(rate(given))


SETTINGS: Final = {
    "client_id": Setting(_client_id),
    "write_token": Setting(_write_token),
    "env": Setting(_env),
    "endpoint": Setting(url),
    "app_version": Setting(text),
    "request_logs": Setting(flag),
    "capture_query": Setting(flag, True),
    "capture_request_headers": Setting(flag, False),
    "capture_request_body": Setting(flag, False),
    "capture_response_headers": Setting(flag, True),
    "capture_response_body": Setting(flag, False),
    "capture_exceptions": Setting(flag, True),
    "capture_logs": Setting(flag, False),
    "mask_query_params": Setting(patterns, ()),
    "mask_headers": Setting(patterns, ()),
    "mask_body_fields": Setting(patterns, ()),
    "mask_request_body": Setting(hook),
    "mask_response_body": Setting(hook),
    "exclude_paths": Setting(patterns, ()),
    "exclude": Setting(hook),
    "sample_rate": Setting(_share, 1.0),
    "timeout": Setting(seconds, 10.0),
    "certificate": Setting(certificate),
    "spool": Setting(directory),
}
