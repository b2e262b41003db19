"""Options of an exporter: keywords, and `OTEL_EXPORTER_<VENDOR>_*` in the environment.

A keyword wins over the environment, the environment over the default. `None` and the empty
string mean "not given".
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from otel_apimetrics.config import ConfigError
from otel_apimetrics.config.given import Given, is_absent, refuse_unknown
from otel_apimetrics.exporters.spool import Spool

REQUIRED: Final = object()
"""The default of an option that has none."""
_LONGEST_TIMEOUT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Setting:
    """One option."""

    read: Callable[[Given], Any]
    """Coerces it; raises `ConfigError`."""
    default: Any = None
    has_variable: bool = True
    """False for objects, which no variable can hold."""


def read_settings(
    vendor: str, known: Mapping[str, Setting], given: Mapping[str, object]
) -> dict[str, Any]:
    """Validate and merge the options of one exporter.

    Args:
        vendor: as in the variables' names, in lower case ("moesif").
        known: by keyword.
        given: keywords.

    Raises:
        ConfigError: an option is unknown or missing, or a value is not accepted.
    """
    refuse_unknown("option", given, tuple(known))
    found: dict[str, Any] = {}
    for name, setting in known.items():
        variable = f"OTEL_EXPORTER_{vendor}_{name}".upper()
        value, source = given.get(name), name
        if is_absent(value) and setting.has_variable:
            value, source = os.environ.get(variable), variable
        if not is_absent(value):
            found[name] = setting.read(Given(value, source))
        elif setting.default is REQUIRED:
            raise ConfigError(f"The exporter {vendor} needs {name}: set {variable}.")
        else:
            found[name] = setting.default
    return found


def secret(given: Given) -> str:
    """Read credentials: printable ASCII without blanks inside. No message repeats them.

    Raises:
        ConfigError: they are none.
    """
    value = given.value.strip() if isinstance(given.value, str) else ""
    if not value.isascii() or not value.isprintable() or " " in value or not value:
        raise ConfigError(f"{given.source} is not accepted: use the key as the vendor shows it.")
    return value


def url(given: Given) -> str:
    """Read the base URL of a backend, without a slash at its end.

    Raises:
        ConfigError: it is no http or https URL with a host, or it has credentials, a query or a
            fragment.
    """
    value = given.value.strip() if isinstance(given.value, str) else ""
    if not _is_base(value):
        raise ConfigError(
            f"{given.source} is not accepted: use a URL such as https://example.com/path, without"
            " credentials, query or fragment."
        )
    return value.rstrip("/")


def _is_base(value: str) -> bool:
    try:
        parts = urlsplit(value)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return whole and not ("@" in parts.netloc or parts.query or parts.fragment)


def seconds(given: Given) -> float:
    """Read a time in seconds, above 0 and up to 60."""
    remedy = f"use seconds, up to {_LONGEST_TIMEOUT:.0f}"
    try:
        value = float(given.value) if isinstance(given.value, (str, int, float)) else 0.0
    except ValueError as error:
        raise given.refuse(remedy) from error
    if isinstance(given.value, bool) or not 0 < value <= _LONGEST_TIMEOUT:
        raise given.refuse(remedy)
    return value


def whole(low: int, high: int) -> Callable[[Given], int]:
    """Make the reader of a whole number from `low` to `high`."""

    def read(given: Given) -> int:
        value = given.value
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            value = int(value.strip()[:20])
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise given.refuse(f"use a whole number from {low} to {high}")
        return value

    return read


def directory(given: Given) -> Path:
    """Read the path of a directory, which need not be there."""
    if not isinstance(given.value, (str, Path)):
        raise given.refuse("use the path of a directory")
    return Path(given.value).expanduser()


def certificate(given: Given) -> Path:
    """Read the path of a file with the certificates (PEM) of authorities that are trusted."""
    import ssl

    remedy = "use a file with the certificate (PEM) of an authority"
    if not isinstance(given.value, (str, Path)):
        raise given.refuse(remedy)
    path = Path(given.value).expanduser()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:  # an ssl.SSLError is one
        raise given.refuse(remedy) from error
    return path


def open_spool(path: Path | None, vendor: str, destination: str) -> Spool | None:
    """Open the spool in a directory; `None` where none is configured.

    Raises:
        ConfigError: it cannot be made.
    """
    if path is None:
        return None
    try:
        return Spool(path, vendor, destination)
    except ImportError as error:
        raise ConfigError("spool is not accepted: this system has no locks on files.") from error
    except OSError as error:
        raise ConfigError(
            f"spool={str(path)!r} is not accepted: use a directory that can be written to"
            f" ({error.strerror or error})."
        ) from error
