"""Directories that exporters keep things in, for their owner alone."""

import os
from pathlib import Path

from otel_apimetrics import _guard


def make_directory(directory: Path) -> None:
    """Make a directory, and those above it that are missing, with access for their owner alone.

    Raises:
        OSError: one cannot be made.
    """
    above = [each for each in directory.parents if not each.exists()]
    for missing in (*reversed(above), directory):
        missing.mkdir(mode=0o700, exist_ok=True)


def tell_denied(exporter: str, option: str, directory: Path) -> None:
    """Tell once that nothing can be kept in a directory, and what to do.

    Args:
        exporter: its name.
        option: of the exporter, that names it.
        directory: that could not be written to.
    """
    user = _user()
    _guard.warn_once(
        f"exporter.{exporter}.denied",
        "The exporter %s cannot write to the directory %s (%s) as the user %s, whom this process"
        " belongs to: nothing is kept there. Make a directory that this user owns before the server"
        " starts (install -d -m 700 -o %s %s), or start the server as this user.",
        exporter,
        directory,
        option,
        user,
        user,
        directory,
    )


def _user() -> str:
    import pwd

    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a number without a name, as containers have them
        return str(number)
