"""Runs Django's `runtests.py`, and writes the outcome of each test to `SUITES_OUTCOMES`."""

import json
import os
import runpy
import sys
import unittest
from pathlib import Path
from typing import Any

_outcomes: dict[str, str] = {}


class Result(unittest.TextTestResult):
    """The result that `unittest` keeps, and what we note of it."""

    def startTest(self, test: Any) -> None:
        os.environ["PYTEST_CURRENT_TEST"] = test.id()
        super().startTest(test)

    def addSuccess(self, test: Any) -> None:
        _outcomes.setdefault(test.id(), "passed")
        super().addSuccess(test)

    def addFailure(self, test: Any, err: Any) -> None:
        _outcomes[test.id()] = "failed"
        super().addFailure(test, err)

    def addError(self, test: Any, err: Any) -> None:
        _outcomes[test.id()] = "error"
        super().addError(test, err)

    def addSkip(self, test: Any, reason: str) -> None:
        _outcomes[test.id()] = "skipped"
        super().addSkip(test, reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        _outcomes[test.id()] = "xfailed"
        super().addExpectedFailure(test, err)

    def addUnexpectedSuccess(self, test: Any) -> None:
        _outcomes[test.id()] = "failed"
        super().addUnexpectedSuccess(test)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            _outcomes[test.id()] = "failed"
        super().addSubTest(test, subtest, err)


unittest.TextTestResult = Result  # type: ignore[misc]
unittest.TextTestRunner.resultclass = Result
sys.argv[0] = "runtests.py"
sys.path.insert(0, str(Path.cwd()))
try:
    runpy.run_path("runtests.py", run_name="__main__")
finally:
    Path(os.environ["SUITES_OUTCOMES"]).write_text(json.dumps(_outcomes))
