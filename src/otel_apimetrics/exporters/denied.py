"""Directories that a process may not write to: its server has dropped rights."""

import os
from pathlib import Path

from otel_apimetrics import _guard


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
