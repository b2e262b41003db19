"""The package itself and ours show the same of the same requests, but for values of time."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compat.prometheus_flask_exporter.scenarios import SCENARIOS
from tests.components import VENDORS

ROOT = Path(__file__).parents[3]
pytestmark = [pytest.mark.e2e, pytest.mark.needs("vendors")]

OF_TIME = re.compile(
    r"^(\w+_(?:sum|created)(?:\{.*\})?|\w+_bucket\{.*le=\"[0-9.]+\".*\}) \S+$", re.MULTILINE
)


def run(python, module, *sources):
    """Run the scenarios in a process of its own."""
    variables = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, *sources)))}
    done = subprocess.run(
        [python, "-m", "tests.compat.prometheus_flask_exporter.scenarios", module],
        env={**os.environ, **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def told():
    """What both show, by scenario."""
    theirs = run(VENDORS, "prometheus_flask_exporter")
    ours = run(sys.executable, "otel_apimetrics.compat.prometheus_flask_exporter", ROOT / "src")
    return theirs, ours


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_shown_is_the_same_but_for_values_of_time(told, name):
    theirs, ours = (
        [
            [status, kind, *OF_TIME.sub(r"\1 T", text).splitlines()]
            for status, kind, text in each[name]
        ]
        for each in told
    )
    assert ours == theirs


def test_the_comparison_sees_other_values_than_those_of_time():
    text = 'a_total{x="1"} 2.0\na_sum{x="1"} 0.1\na_bucket{le="0.5"} 1.0\na_bucket{le="+Inf"} 3.0'
    assert OF_TIME.sub(r"\1 T", text).splitlines() == [
        'a_total{x="1"} 2.0',
        'a_sum{x="1"} T',
        'a_bucket{le="0.5"} T',
        'a_bucket{le="+Inf"} 3.0',
    ]
