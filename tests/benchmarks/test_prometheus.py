"""The benchmark of a Flask app's metrics: that it measures both, not how fast either is."""

import pytest

from benchmarks.prometheus import Found, measure


@pytest.mark.e2e
@pytest.mark.needs("vendors")
def test_a_short_run_measures_both_packages():
    found = measure(rounds=1, requests=100)

    assert [each.app for each in found] == ["defaults", "decorated"]
    assert all(each.ours != each.theirs for each in found)


@pytest.mark.parametrize(
    ("ours", "theirs", "word"), [(5, 10, "PASS"), (10, 10, "PASS"), (11, 10, "FAIL"), (1, 0, "FAIL")]
)  # fmt: skip
def test_ours_may_cost_what_theirs_costs(ours, theirs, word):
    assert str(Found("defaults", ours, theirs)).startswith(word)
