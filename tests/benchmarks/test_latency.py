"""The benchmark of latency: that each variant is measured, not how fast anything is."""

import json
import re
import subprocess
import sys
from contextlib import closing

import pytest

from benchmarks.processes import Server, order
from benchmarks.variants import named
from tests.benchmarks.command import ROOT, run


@pytest.mark.e2e
def test_quantiles_of_each_variant_are_told_and_do_not_fall():
    done = run("benchmarks.latency", "--only", "flask", "--requests", "20")

    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^\| ([a-z][^|]+) \| (\d[^\n]+) \|$", done.stdout, re.MULTILINE)
    assert [name for name, _ in lines] == [
        *("bare", "floor", "contrib", "own-off", "own-full"),
        "own-full, no re2",
    ]
    for _, figures in lines:
        *quantiles, mean = map(float, figures.split(" | "))
        assert len(quantiles) == 4
        assert quantiles == sorted(quantiles)
        assert mean > 0


@pytest.mark.e2e
def test_each_request_is_timed():
    with closing(Server("flask", named("flask", "own-full"), None)) as server:
        taken = server.do("latencies", 3)["us"]
    assert len(taken) == 3
    assert min(taken) > 0


@pytest.mark.e2e
@pytest.mark.parametrize("re2", [True, False])
def test_a_variant_runs_with_google_re2_or_as_where_it_is_not_installed(re2: bool):
    told = json.loads(order("flask", named("flask", "own-full"), None, re2=re2))
    code = f"from benchmarks.worker import Worker; Worker({told}); import re2"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ("ModuleNotFoundError" not in done.stderr) is re2
    assert (done.returncode == 0) is re2


def test_there_are_no_quantiles_of_one_request():
    done = run("benchmarks.latency", "--requests", "1")
    assert done.returncode == 2
    assert "must be 2 or more" in done.stderr
