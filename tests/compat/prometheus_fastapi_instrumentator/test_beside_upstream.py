"""The package itself and ours show the same of the same requests, but for values of time."""

import sys

import pytest

from tests.compat.beside import ROOT, run, timeless
from tests.compat.prometheus_fastapi_instrumentator.scenarios import SCENARIOS
from tests.components import VENDORS

pytestmark = [pytest.mark.e2e, pytest.mark.needs("vendors")]
MODULE = "tests.compat.prometheus_fastapi_instrumentator.scenarios"
OURS = "otel_apimetrics.compat.prometheus_fastapi_instrumentator"


@pytest.fixture(scope="module")
def told():
    """What both show, by scenario."""
    theirs = run(VENDORS, MODULE, "prometheus_fastapi_instrumentator")
    return theirs, run(sys.executable, MODULE, OURS, ROOT / "src")


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_shown_is_the_same_but_for_values_of_time(told, name):
    theirs, ours = (
        [[status, kind, *timeless(text)] for status, kind, text in each[name]] for each in told
    )
    assert ours == theirs
    assert sum(map(len, ours)) > 20
