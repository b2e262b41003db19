import os
import re
from pathlib import Path

import pytest

from tests.suites.page import BEGIN, END, remarks
from tests.suites.plan import SUITES, Suite
from tests.suites.running import Compared, compare
from tests.suites.sources import CONSTRAINTS, Unfetched, pins

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


@pytest.mark.e2e
@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_suite_has_the_same_outcomes_with_us(suite: Suite):
    try:
        compared = compare(suite, whole=False)
    except Unfetched as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    assert compared.faults() == []


def compared(**said) -> Compared:
    given = {"without": {"t": "passed"}, "within": {"t": "passed"}, "records": 1, "swallowed": []}
    return Compared(suite=SUITES[0], version="1", **{**given, **said})


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"within": {"t": "failed"}}, "Flask: passed without us, failed with us: t"),
        ({"within": {}}, "Flask: passed without us, absent with us: t"),
        ({"records": 0}, "Flask: nothing was recorded"),
        ({"without": {"t": "error"}, "within": {"t": "error"}}, "Flask: nothing passed without us"),
        (
            {"swallowed": [{"place": "a.b", "test": "t[1]", "error": "ValueError: x"}]},
            "Flask: swallowed at a.b in t:\nValueError: x",
        ),
    ],
)
def test_what_is_not_as_expected_is_a_fault(said, fault):
    assert compared().faults() == []
    assert compared(**said).faults() == [fault]


def test_what_is_known_but_no_longer_happens_is_a_fault(monkeypatch):
    from tests.suites import running

    monkeypatch.setitem(running.DIFFERENCES, ("Flask", "t"), "a reason")
    monkeypatch.setitem(running.SWALLOWED, ("Flask", "t", "a.b"), "a reason")
    monkeypatch.setitem(running.DIFFERENCES, ("Flask", "not run in the gate"), "a reason")
    assert compared().faults() == [
        "Flask: no longer differs: t",
        "Flask: no longer swallowed at a.b: t",
    ]


def test_the_sources_are_of_the_versions_that_the_environment_has():
    newest = (CONSTRAINTS / "newest.txt").read_text()
    assert pins().keys() == {suite.distribution for suite in SUITES}
    for name, versions in pins().items():
        assert versions == set(re.findall(rf"^{name}==(\S+)", newest, re.MULTILINE)), name


def test_the_page_tells_of_these_suites_and_remarks():
    printed = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert printed.endswith("\n".join(("", *remarks(), "")))
    rows = re.findall(r"^\| ([A-Z]\w+) (\d\S+) \|", printed, re.MULTILINE)
    assert [name for name, _ in rows] == [suite.name for suite in SUITES]
    for name, version in rows:
        assert version in pins()[name.lower()]
