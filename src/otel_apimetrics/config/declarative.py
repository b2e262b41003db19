"""Our section of the declarative file that `OTEL_CONFIG_FILE` names.

The SDK hands the options to our instrumentor. What it does not hand over is read here:
after `enabled: false`, or an error, the auto-instrumentation calls `instrument()` bare.
"""

from collections.abc import Mapping

from otel_apimetrics import _guard

CONFIG_FILE = "OTEL_CONFIG_FILE"

SECTION = "apimetrics"
"""Our key under `instrumentation/development` and `python`: the entry point's name."""


def is_disabled_in_file(environ: Mapping[str, str]) -> bool:
    """Say whether the file has `enabled: false` for us.

    Args:
        environ: the process environment. `${VAR}` inside the file is the loader's matter,
            it reads `os.environ`.

    Returns:
        False also where no file is named or it cannot be read.
    """
    section = _section(environ)
    return section is not None and not section.get("enabled", True)


def odd_switch_in_file(environ: Mapping[str, str]) -> object | None:
    """Return the file's value of `enabled` where it is neither true nor false.

    Args:
        environ: as for `is_disabled_in_file`.
    """
    section = _section(environ)
    value = True if section is None else section.get("enabled", True)
    return None if value is None or value in (True, False) else value


def options_in_file(environ: Mapping[str, str]) -> Mapping[str, object] | None:
    """Return the options that the file has for us, without `enabled`.

    Args:
        environ: as for `is_disabled_in_file`.

    Returns:
        `None` where no file is named, it cannot be read, or it has no section for us.
    """
    section = _section(environ)
    if section is None:
        return None
    return {name: value for name, value in section.items() if name != "enabled"}


def _section(environ: Mapping[str, str]) -> Mapping[str, object] | None:
    path = environ.get(CONFIG_FILE)
    if not path:
        return None
    try:
        # The SDK's own loader: it substitutes `${VAR}` and types values as the SDK does.
        from opentelemetry.configuration.file import load_config_file

        instrumentation = load_config_file(path).instrumentation_development
        languages = instrumentation.python if instrumentation is not None else None
        section = languages.get(SECTION) if languages is not None else None
    except Exception as error:
        _guard.swallow("config.file", error, reveal=True)
        return None
    return section if isinstance(section, Mapping) else None
