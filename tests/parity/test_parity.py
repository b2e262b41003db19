"""A vendor is told the same by its own SDK and by ours, but for what is meant to differ.

The same traffic goes to the same app in a process of its own: once with the vendor's SDK, once
with each door of our exporter.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.components import VENDORS
from tests.parity.comparing import Found, differences
from tests.parity.page import page
from tests.parity.running import Events, run
from tests.parity.traffic import steps
from tests.parity.vendors import FRAMEWORKS, vendor

pytestmark = [pytest.mark.e2e, pytest.mark.needs("vendors")]
ROOT = Path(__file__).parents[2]
STEPS = [step.name for step in steps()]
RUNS = [(name, framework) for name, frameworks in FRAMEWORKS.items() for framework in frameworks]
WAYS = ("sdk", "exchanges", "spans")
Runs = dict[tuple[str, str, str], "Future[Events]"]


@pytest.fixture(scope="module")
def told():
    """What each vendor was told, by vendor, way and framework. Three run at a time: they wait."""
    with ThreadPoolExecutor(3) as pool:
        yield {
            (name, way, framework): pool.submit(
                run,
                name,
                way,
                framework,
                vendor(name).events,
                prepare=vendor(name).prepare,
                **({"python": str(VENDORS)} if way == "sdk" else {}),
            )
            for name, framework in RUNS
            for way in WAYS
        }


def found(told: Runs, name: str, framework: str, way: str = "exchanges") -> list[Found]:
    theirs = told[name, "sdk", framework].result()
    ours = told[name, way, framework].result()
    return differences(STEPS, theirs, ours, vendor(name).SAME_SHAPE)


@pytest.mark.parametrize(("name", "framework"), RUNS)
@pytest.mark.parametrize("way", ["exchanges", "spans"])
def test_every_request_is_told(told, name, framework, way):
    assert set(told[name, way, framework].result()) == set(STEPS)


@pytest.mark.parametrize(("name", "framework"), RUNS)
def test_each_difference_from_the_vendors_sdk_is_one_that_is_meant(told, name, framework):
    unmeant = [
        one
        for one in found(told, name, framework)
        if not any(
            known.covers(one.field, one.step, framework) for known in vendor(name).DIFFERENCES
        )
    ]
    assert unmeant == []


@pytest.mark.parametrize(("name", "framework"), RUNS)
def test_both_doors_tell_the_same(told, name, framework):
    exchanges, spans = (told[name, way, framework].result() for way in ("exchanges", "spans"))
    assert differences(STEPS, exchanges, spans, vendor(name).SAME_SHAPE) == []


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_each_difference_that_is_meant_is_there(told, name):
    there = [
        (one.field, one.step, framework)
        for framework in FRAMEWORKS[name]
        for one in found(told, name, framework)
    ]
    idle = [
        known for known in vendor(name).DIFFERENCES if not any(known.covers(*one) for one in there)
    ]
    assert idle == []


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_page_shows_what_differs(told, name):
    by_framework = {framework: found(told, name, framework) for framework in FRAMEWORKS[name]}
    written = (ROOT / "docs" / "parity" / f"{name}.md").read_text()
    assert written == page(name, by_framework), f"run: python -m tests.parity.page {name}"
