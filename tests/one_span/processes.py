"""Python in a process of its own: global providers are set once, contrib patches for good."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]

INHERITED = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
"""Read once: processes are started from threads, while pytest notes the current test there."""


def run(*arguments: str, **environment: str) -> str:
    """Run this Python from the repository's root, and give what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**INHERITED, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_python(code: str, *arguments: str, **environment: str) -> str:
    """Run code that finds `tests` and the package."""
    return run("-c", dedent(code), *arguments, **environment)
