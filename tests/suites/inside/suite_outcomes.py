"""The pytest plugin of both runs: writes the outcome of each test to `SUITES_OUTCOMES`."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from _pytest import monkeypatch

if not hasattr(monkeypatch, "notset"):
    # Flask's suite uses this name, which pytest 9.2 no longer has.
    from _pytest.compat import NOTSET

    monkeypatch.notset = NOTSET

_outcomes: dict[str, str] = {}


def pytest_configure(config: Any) -> None:
    # FastAPI's suite marks tests for a plugin that runs them in parallel.
    config.addinivalue_line("markers", "xdist_group(name): tests of one process")


def pytest_collectreport(report: Any) -> None:
    if report.failed:
        _outcomes[report.nodeid] = "not collected"


def pytest_runtest_logreport(report: Any) -> None:
    if report.failed:
        _outcomes[report.nodeid] = "failed" if report.when == "call" else "error"
    elif report.skipped:
        _outcomes[report.nodeid] = "xfailed" if hasattr(report, "wasxfail") else "skipped"
    else:
        _outcomes.setdefault(report.nodeid, "passed")


def pytest_sessionfinish() -> None:
    Path(os.environ["SUITES_OUTCOMES"]).write_text(json.dumps(_outcomes))


@pytest.fixture(autouse=True)
def switch_on_in_dev_servers(request: Any) -> None:
    """Reach Werkzeug's development servers: they are started with a path of their own."""
    if request.node.get_closest_marker("dev_server") and os.environ.get("SUITES_ON"):
        start = request.getfixturevalue("tmp_path") / "sitecustomize.py"
        start.write_text(f"import sys\nsys.path += {sys.path!r}\nimport suite_instrumented\n")
