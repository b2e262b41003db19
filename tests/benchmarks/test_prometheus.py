"""The benchmark of Prometheus' fronts: that it measures both sides, not how fast either is."""

import pytest

from benchmarks.prometheus import Found, measure
from benchmarks.prometheus_apps import APPS


@pytest.mark.e2e
@pytest.mark.needs("vendors")
@pytest.mark.parametrize("package", APPS)
def test_a_short_run_measures_both_packages(package):
    found = measure(package, rounds=1, requests=100)

    assert [each.app for each in found] == list(APPS[package][1][1:])
    assert all(each.package == package and each.ours != each.theirs for each in found)


@pytest.mark.parametrize(
    ("ours", "theirs", "word"), [(5, 10, "PASS"), (10, 10, "PASS"), (11, 10, "FAIL"), (1, 0, "FAIL")]
)  # fmt: skip
def test_ours_may_cost_what_theirs_costs(ours, theirs, word):
    assert str(Found("starlette_exporter", "defaults", ours, theirs)).startswith(word)
