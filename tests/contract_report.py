"""What the contract's tests proved, counted: into the file that `CONTRACT_REPORT` names.

A test takes part by `record_property`: "framework", "server" ("in-process" where there is none),
and "examples" where it ran more than one. The file is a JSON array, one object a framework and
server: how many tests passed and failed, and how many examples they ran.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "CONTRACT_REPORT"
_counts: dict[tuple[str, str], Counter[str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count a test that says what it is about."""
    said: dict[str, Any] = dict(report.user_properties)
    if "framework" not in said or (report.when != "call" and report.passed):
        return
    key = str(said["framework"]), str(said.get("server", "in-process"))
    counts = _counts.setdefault(key, Counter(passed=0, failed=0, examples=0))
    counts["passed" if report.passed else "failed"] += 1
    counts["examples"] += int(said.get("examples", 1))


def pytest_sessionfinish() -> None:
    """Write the counts where somebody asked for them."""
    path = os.environ.get(VARIABLE)
    if path:
        rows = [
            {"framework": framework, "server": server, **counts}
            for (framework, server), counts in sorted(_counts.items())
        ]
        Path(path).write_text(json.dumps(rows, indent=1) + "\n")
