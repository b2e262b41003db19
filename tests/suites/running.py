"""Runs a suite twice at the same time, without us and with us, and compares test by test."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import otel_apimetrics
from tests.suites.plan import DIFFERENCES, SWALLOWED, Suite
from tests.suites.sources import source_of

INSIDE = Path(__file__).parent / "inside"
"""What the processes of the suites import, and nothing else of these tests."""

_PYTEST = (
    "-m", "pytest", "-q", "--continue-on-collection-errors", "-p", "no:randomly",
    "-p", "no:cacheprovider", "-p", "suite_outcomes",
)  # fmt: skip
_DJANGO = (str(INSIDE / "suite_django.py"), "--parallel=1")
_SECONDS = 30 * 60


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A suite's outcomes by test, without us and with us."""

    suite: Suite
    version: str
    without: dict[str, str]
    within: dict[str, str]
    records: int
    """Requests that we have recorded."""
    swallowed: list[dict[str, Any]]
    """Errors of ours: their place, traceback and test."""

    @property
    def counts(self) -> tuple["Counter[str]", "Counter[str]"]:
        """How many tests had which outcome, without us and with us."""
        return Counter(self.without.values()), Counter(self.within.values())

    def differences(self) -> dict[str, tuple[str, str]]:
        """Tests whose outcome is another with us: both outcomes."""
        return {
            test: (self.without.get(test, "absent"), self.within.get(test, "absent"))
            for test in sorted(self.without.keys() | self.within.keys())
            if self.without.get(test) != self.within.get(test)
        }

    def faults(self) -> list[str]:
        """What is not as `plan` says, a sentence each."""
        name = self.suite.name
        faults = [] if self.records else [f"{name}: nothing was recorded"]
        if not self.counts[0]["passed"]:
            faults.append(f"{name}: nothing passed without us")
        found = self.differences()
        known = {test for suite, test in DIFFERENCES if suite == name}
        for test in found.keys() - known:
            faults.append("{}: {} without us, {} with us: {}".format(name, *found[test], test))
        for test in known & self.without.keys() - found.keys():
            faults.append(f"{name}: no longer differs: {test}")
        return sorted(faults) + self._unexpected_errors()

    def _unexpected_errors(self) -> list[str]:
        name, errors = self.suite.name, {}
        for one in self.swallowed:
            errors[name, one["test"].partition("[")[0], one["place"]] = one["error"]
        ran = {test.partition("[")[0] for test in self.within}
        return [
            *(
                f"{name}: swallowed at {place} in {test}:\n{errors[name, test, place]}"
                for _, test, place in sorted(errors.keys() - SWALLOWED.keys())
            ),
            *(
                f"{name}: no longer swallowed at {place}: {test}"
                for suite, test, place in sorted(SWALLOWED.keys() - errors.keys())
                if suite == name and test in ran
            ),
        ]


def compare(suite: Suite, *, whole: bool) -> Compared:
    """Run a suite without us and with us.

    Args:
        suite: to run.
        whole: all of it, or what the gate runs.

    Raises:
        Unfetched: its source distribution cannot be had.
        AssertionError: a run ended without telling its outcomes.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        runs = [_Run(suite, folder, on=on, whole=whole) for on in (False, True)]
        without, within = [run.outcomes() for run in runs]
        swallowed = (folder / "swallowed").read_text().splitlines()
        return Compared(
            suite=suite,
            version=version(suite.distribution),
            without=without,
            within=within,
            records=(folder / "records").stat().st_size,
            swallowed=[json.loads(line) for line in swallowed],
        )


class _Run:
    """One run of a suite, begun."""

    def __init__(self, suite: Suite, folder: Path, *, on: bool, whole: bool) -> None:
        self._name = f"{suite.name} {'with' if on else 'without'} us"
        self._outcomes = folder / f"outcomes-{on}"
        self._log = folder / f"log-{on}"
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "PYTEST"))}
        environment |= {
            "PYTHONPATH": os.pathsep.join(
                (str(INSIDE), str(Path(otel_apimetrics.__file__).parents[1]))
            ),
            "SUITES_OUTCOMES": str(self._outcomes),
            "SUITES_RECORDS": str(folder / "records"),
            "SUITES_SWALLOWED": str(folder / "swallowed"),
        }
        if on:
            environment["SUITES_ON"] = "1"
        command = [
            sys.executable,
            *(_PYTEST if suite.runner == "pytest" else _DJANGO),
            *(suite.whole if whole else suite.gate),
            *suite.left_out,
        ]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command,
                cwd=source_of(suite) / suite.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def outcomes(self) -> dict[str, str]:
        """Wait for the end, and return the outcome of each test."""
        try:
            self._process.wait(_SECONDS)
        finally:
            with suppress(ProcessLookupError):  # servers that a suite has left behind
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        log = self._log.read_text(errors="replace")[-4000:]
        assert self._outcomes.exists(), f"{self._name}: no outcomes.\n{log}"
        found: dict[str, str] = json.loads(self._outcomes.read_text())
        return found
