"""The package itself and ours show the same of the same requests, but for values of time."""

import sys

import pytest

from tests.compat.beside import ROOT, run, timeless
from tests.compat.prometheus_flask_exporter.scenarios import SCENARIOS
from tests.components import VENDORS

pytestmark = [pytest.mark.e2e, pytest.mark.needs("vendors")]
MODULE = "tests.compat.prometheus_flask_exporter.scenarios"


@pytest.fixture(scope="module")
def told():
    """What both show, by scenario."""
    theirs = run(VENDORS, MODULE, "prometheus_flask_exporter")
    ours = run(
        sys.executable, MODULE, "otel_apimetrics.compat.prometheus_flask_exporter", ROOT / "src"
    )
    return theirs, ours


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_shown_is_the_same_but_for_values_of_time(told, name):
    theirs, ours = (
        [[status, kind, *timeless(text)] for status, kind, text in each[name]] for each in told
    )
    assert ours == theirs


def test_the_comparison_sees_other_values_than_those_of_time():
    text = 'a_total{x="1"} 2.0\na_sum{x="1"} 0.1\na_bucket{le="0.5"} 1.0\na_bucket{le="+Inf"} 3.0'
    assert timeless(text) == [
        'a_total{x="1"} 2.0',
        'a_sum{x="1"} T',
        'a_bucket{le="0.5"} T',
        'a_bucket{le="+Inf"} 3.0',
    ]
