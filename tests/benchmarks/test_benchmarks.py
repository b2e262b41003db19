"""The benchmark: that it measures what it says, not how fast anything is."""

import json
from pathlib import Path

import pytest

from benchmarks import measure, report
from benchmarks.measure import Block
from benchmarks.payloads import PAYLOADS, answer, headers
from benchmarks.variants import FRAMEWORKS, of
from tests.benchmarks.command import run


def block(cpu: float) -> Block:
    return Block(cpu=cpu, thread=cpu / 2, wall=cpu, spans=1.0, bytes=1_000.0)


def blocks(**costs: list[float]) -> measure.Blocks:
    return {name.replace("_", "-"): [block(cpu) for cpu in taken] for name, taken in costs.items()}


@pytest.mark.e2e
def test_a_short_run_measures_every_variant_loses_no_span_and_the_floor_sends_what_we_send(
    tmp_path: Path,
):
    found = tmp_path / "found.json"

    done = run(
        "benchmarks", "--rounds", "1", "--requests", "20", "--only", "flask", "--json", str(found)
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(found.read_text())
    assert list(told["blocks"]) == ["flask"]
    assert set(told["blocks"]["flask"]) == {variant.name for variant in of("flask")}
    for variant in of("flask"):
        (taken,) = told["blocks"]["flask"][variant.name]
        recorded = variant.exports and variant.sampled
        assert taken["spans"] == (1 if recorded else 0), variant.name
        assert taken["cpu"] > 0
    (floor,), (full,) = (told["blocks"]["flask"][name] for name in ("floor", "own-full"))
    # The scopes' names differ, and some numbers of a span are of varying length.
    assert floor["bytes"] == pytest.approx(full["bytes"], abs=100)
    assert [mark["framework"] for mark in told["marks"]] == ["flask", "flask"]
    assert "own-full-clean" in done.stdout


@pytest.mark.e2e
def test_a_profile_names_our_functions_and_everybodys():
    done = run("benchmarks", "--profile", "fastapi/native-full", "--requests", "20")

    assert done.returncode == 0, done.stderr
    ours, everybody = done.stdout.split("everybody's, by own time:")
    assert "otel_apimetrics/" in ours
    assert "fastapi/routing" not in ours
    assert "fastapi/routing" in everybody
    assert len(everybody.splitlines()) > 20


def test_a_variant_that_does_not_exist_is_refused_with_those_that_do():
    done = run("benchmarks", "--profile", "flask/native")

    assert done.returncode == 2
    assert "fastapi/native" in done.stderr


def test_a_cost_is_taken_against_the_bare_app_of_the_same_round():
    # In the second round the machine was half as fast.
    found = report.rows(blocks(bare=[100, 200, 100], floor=[150, 250, 150]))

    (row,) = found
    assert (row.cost, row.low, row.high) == (50, 50, 50)
    assert row.thread == 25


def test_one_round_alone_has_a_cost_and_no_spread():
    (row,) = report.rows(blocks(bare=[100], floor=[180]))

    assert (row.cost, row.low, row.high) == (80, 80, 80)


@pytest.mark.parametrize(
    ("full", "adopted", "verdicts"),
    [
        (230, 340, [True, True]),
        (231, 340, [False, True]),
        (230, 341, [True, False]),
    ],
)
def test_a_mark_passes_up_to_its_limit(full: float, adopted: float, verdicts: list[bool]):
    taken = blocks(bare=[100], floor=[200], contrib=[300], own_full=[full], adopted_off=[adopted])

    found = report.marks("flask", report.costs(report.rows(taken)))

    assert [mark.passed for mark in found] == verdicts
    assert report.verdicts(found).count("PASS") == sum(verdicts)


def test_a_floor_lost_in_noise_passes_no_mark():
    taken = blocks(bare=[100], floor=[90], contrib=[90], own_full=[80], adopted_off=[80])

    assert not any(mark.passed for mark in report.marks("flask", report.costs(report.rows(taken))))


@pytest.mark.parametrize("count", [1, 2, 7, 12])
def test_each_round_visits_every_variant_once_and_the_first_one_changes(count: int):
    names = [str(number) for number in range(count)]

    orders = [measure.in_turn(names, number) for number in range(2 * count)]

    assert all(sorted(order) == sorted(names) for order in orders)
    assert {order[0] for order in orders} == set(names)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_framework_has_what_the_marks_compare(framework: str):
    names = [variant.name for variant in of(framework)]

    assert names[0] == "bare"
    assert {"floor", "contrib", "own-full", "adopted-off"} <= set(names)
    assert len(names) == len(set(names))


def test_the_payload_is_1_kb_asked_and_2_kb_answered_with_12_headers():
    secret, clean = PAYLOADS["secret"], PAYLOADS["clean"]

    assert len(headers(secret)) == 12
    assert len(secret) == len(clean) == pytest.approx(1_024, rel=0.1)
    assert len(json.dumps(answer(42, json.loads(secret)))) == pytest.approx(2_048, rel=0.1)
    assert b'"password"' in secret
    assert b"password" not in clean
