"""The benchmark by instructions: that it subtracts and divides, not how many there are."""

import sys
from pathlib import Path

import pytest

from tests.benchmarks.command import run

COMMAND = "benchmarks.instructions"

STAND_IN = f"""#!{sys.executable}
import json, subprocess, sys
worker, told = sys.argv[3:], sys.stdin.read()
done = subprocess.run(worker, input=told, text=True)
variant = json.loads(worker[-1])["variant"]
costs = {{"bare": 1000, "floor": 2000, "contrib": 3000, "own-full": 2200, "adopted-off": 3500}}
requests = sum(json.loads(line)["requests"] for line in told.splitlines())
print("Collected :", 5_000_000 + costs[variant] * requests, file=sys.stderr)
sys.exit(done.returncode)
"""
"""Runs the worker as valgrind does, and counts what is easy to reckon with."""


@pytest.mark.e2e
def test_costs_are_a_requests_and_above_the_bare_app(tmp_path: Path):
    (tmp_path / "valgrind").write_text(STAND_IN)
    (tmp_path / "valgrind").chmod(0o755)

    done = run(COMMAND, "--only", "flask", "--requests", "5", environ={"PATH": str(tmp_path)})

    assert done.returncode == 0, done.stderr
    assert "flask/floor: 1,000 instructions a request above the bare app" in done.stdout
    assert "flask/own-full: 1,200 instructions" in done.stdout
    assert "PASS  flask: full capture / floor: 1.20, at most 1.3" in done.stdout
    assert "FAIL  flask: (adopted, bodies off - contrib) / contrib: 0.25" in done.stdout


def test_where_valgrind_is_not_there_the_remedy_is_told(tmp_path: Path):
    done = run(COMMAND, environ={"PATH": str(tmp_path)})

    assert done.returncode == 1
    assert "valgrind is not there" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_requests_are_nothing_to_count():
    done = run(COMMAND, "--requests", "0")

    assert done.returncode == 2
    assert "must be 1 or more" in done.stderr
