"""The source distributions: fetched by pip alone, checked by their hashes, unpacked once."""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.suites.plan import Suite

CONSTRAINTS = Path(__file__).parents[2] / "constraints"

_BACKENDS = ("flit_core.buildapi", "hatchling.build", "pdm.backend", "setuptools.build_meta")
"""What the distributions name as their build backend."""

_READS_PKG_INFO = """
import email.parser, pathlib, shutil

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    about = email.parser.HeaderParser().parsestr(pathlib.Path("PKG-INFO").read_text("utf-8"))
    made = pathlib.Path(folder, f"{about['Name'].replace('-', '_')}-{about['Version']}.dist-info")
    made.mkdir()
    shutil.copy("PKG-INFO", made / "METADATA")
    return made.name

def build_wheel(*_):
    raise NotImplementedError
"""
"""A backend that builds nothing: pip asks for metadata before it hands over what it fetched."""


class Unfetched(Exception):
    """The source distributions cannot be had."""


def pins() -> dict[str, set[str]]:
    """The versions of each distribution in `constraints/suites.txt`, by its name."""
    found: dict[str, set[str]] = {}
    lines = (CONSTRAINTS / "suites.txt").read_text()
    for name, pinned in re.findall(r"^([a-z0-9-]+)==(\S+)", lines, re.MULTILINE):
        found.setdefault(name, set()).add(pinned)
    return found


def source_of(suite: Suite) -> Path:
    """Return the folder of a suite's source distribution, of the version that is installed.

    Raises:
        Unfetched: pip could not fetch it.
    """
    return _unpacked() / f"{suite.distribution}-{version(suite.distribution)}"


def _unpacked() -> Path:
    pinned = (CONSTRAINTS / "suites.txt").read_bytes()
    key = hashlib.sha256(pinned + sys.version.encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "otel-apimetrics")
    folder = cache / "suites" / key
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            unpacked = Path(made, "unpacked")
            unpacked.mkdir()
            for archive in _fetch(Path(made)):
                with tarfile.open(archive) as opened:
                    opened.extractall(unpacked, filter="data")
            unpacked.rename(folder)
    return folder


def _fetch(folder: Path) -> list[Path]:
    backends = folder / "backends"
    for backend in _BACKENDS:
        module = backends.joinpath(*backend.split(".")).with_suffix(".py")
        module.parent.mkdir(parents=True, exist_ok=True)
        (module.parent / "__init__.py").touch()
        module.write_text(_READS_PKG_INFO)
    fetched = subprocess.run(
        [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
            "--no-binary=:all:", "--no-build-isolation", f"--dest={folder / 'archives'}",
            f"--requirement={CONSTRAINTS / 'suites.txt'}",
        ],
        env={**os.environ, "PYTHONPATH": str(backends)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if fetched.returncode:
        raise Unfetched(f"pip cannot fetch the source distributions:\n{fetched.stderr[-2000:]}")
    return sorted((folder / "archives").iterdir())
