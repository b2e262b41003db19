"""System components that some tests need: `@pytest.mark.needs("uwsgi")`.

Where one is absent its tests are deselected, and the run ends with the list and the remedies;
under CI=true they fail instead.
"""

import os
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest


class Component(NamedTuple):
    """A program beside Python."""

    is_present: Callable[[], bool]
    remedy: str


VENDORS = Path(__file__).parents[1] / ".venv-vendors" / "bin" / "python"
"""The interpreter of the environment that has the vendors' own SDKs."""
COMPONENTS = {
    "vendors": Component(VENDORS.exists, "make test installs the vendors' SDKs into .venv-vendors"),
    "uwsgi": Component(
        lambda: Path(sys.executable).with_name("uwsgi").exists(),
        "make test builds uWSGI where a C compiler is (Debian: apt-get install build-essential)",
    ),
    "openssl": Component(
        lambda: shutil.which("openssl") is not None,
        "install openssl (Debian: apt-get install openssl)",
    ),
    "strace": Component(
        lambda: shutil.which("strace") is not None,
        "install strace (Debian: apt-get install strace)",
    ),
    "prometheus": Component(
        lambda: shutil.which("prometheus") is not None and shutil.which("promtool") is not None,
        "install prometheus with promtool (Debian: apt-get install prometheus)",
    ),
    "curl": Component(
        lambda: shutil.which("curl") is not None,
        "install curl (Debian: apt-get install curl)",
    ),
    "connexion": Component(
        lambda: find_spec("connexion") is not None,
        "make test installs it with the newest versions",
    ),
    "grafana-foundation-sdk": Component(
        lambda: find_spec("grafana_foundation_sdk") is not None,
        "make test installs it where its Python is 3.11 or newer",
    ),
}

_left_out = pytest.StashKey[dict[str, int]]()


def absent(item: pytest.Item) -> list[str]:
    """The components that a test needs and that are not here."""
    needed = {str(name) for mark in item.iter_markers("needs") for name in mark.args}
    return sorted(name for name in needed if not COMPONENTS[name].is_present())


def deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the tests whose component is absent, and remember how many; not under CI."""
    counts = config.stash.setdefault(_left_out, {})
    if os.environ.get("CI") == "true":
        return
    without = {item: missing for item in items if (missing := absent(item))}
    for missing in without.values():
        for name in missing:
            counts[name] = counts.get(name, 0) + 1
    if without:
        config.hook.pytest_deselected(items=list(without))
        items[:] = [item for item in items if item not in without]


def require(item: pytest.Item) -> None:
    """Fail a test whose component is absent."""
    for name in absent(item):
        pytest.fail(f"{name} is absent: {COMPONENTS[name].remedy}", pytrace=False)


def report(config: pytest.Config) -> list[str]:
    """Lines about what was left out."""
    return [
        f"{count} tests left out, because {name} is absent: {COMPONENTS[name].remedy}"
        for name, count in sorted(config.stash.get(_left_out, {}).items())
    ]
