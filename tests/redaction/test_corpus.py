from collections import Counter
from functools import cache
from pathlib import Path
from random import Random

import pytest

from otel_apimetrics.redaction import Redactor
from tests.redaction.corpus import Kind, carried, homonyms, kinds, ordinary, report
from tests.redaction.corpus.carriers import shows
from tests.redaction.corpus.page import measured

KINDS = {kind.name: kind for kind in kinds()}


@cache
def all_carried(name):
    return carried(KINDS[name], Redactor())


@cache
def changed():
    redactor = Redactor()
    return {
        f"{payload.domain}: {payload.title}": changes
        for payload in ordinary()
        if (changes := payload.changes(redactor))
    }


def test_there_are_enough_kinds_of_secrets_each_with_its_own_name():
    assert len(kinds()) == len(KINDS) >= 200
    assert sum(kind.places.by_value for kind in kinds()) >= 100
    assert all(kind.origin for kind in kinds())


@pytest.mark.parametrize("kind", kinds(), ids=KINDS)
def test_a_secret_is_made_anew_from_each_seed_and_again_from_the_same(kind: Kind):
    made = [kind.make(Random(seed)) for seed in range(12)]
    assert made == [kind.make(Random(seed)) for seed in range(12)]
    assert len(set(made)) > 1


@pytest.mark.parametrize("name", KINDS)
def test_a_secret_of_this_kind_leaves_in_no_carrier(name):
    assert all(shows(one.before, one.hidden) for one in all_carried(name)), "nothing to hide"
    leaks = Counter((one.name, one.carrier) for one in all_carried(name) if one.leaks)
    assert not leaks


@pytest.mark.parametrize("name", KINDS)
def test_masking_what_is_masked_changes_nothing(name):
    redactor = Redactor()
    for one in all_carried(name):
        if one.after is not None and one.carrier in {"JSON member", "JSON sentence"}:
            assert redactor.body(one.after, "application/json") == one.after


def test_there_are_enough_ordinary_payloads_of_enough_kinds():
    payloads = ordinary()
    assert len(payloads) >= 300
    assert len({payload.domain for payload in payloads}) >= 15
    assert len({(payload.domain, payload.title) for payload in payloads}) == len(payloads)
    assert len({payload.texts for payload in payloads}) == len(payloads)
    assert len({payload.media_type for payload in payloads}) >= 10


def test_no_ordinary_payload_changes():
    # The promise is one in a hundred; a first one is worth a look all the same.
    assert not changed()


@pytest.mark.parametrize("payload", homonyms(), ids=lambda one: f"{one.domain}: {one.title}")
def test_a_word_for_a_secret_is_taken_for_one_where_nothing_tells_the_sense(payload):
    assert payload.changes(Redactor())


def test_the_report_tells_recall_by_kind_and_the_false_positives():
    measured = report(seeds=(0,))
    assert measured["kinds"] == len(measured["recall"]) == len(KINDS)
    assert {name for name, recall in measured["recall"].items() if recall < 1} == {
        name for name, _, _ in measured["misses"]
    }
    assert measured["payloads"] == len(ordinary())
    assert len(measured["false_positives"]) == len(changed())
    assert measured["false_positive_rate"] == len(changed()) / len(ordinary())
    assert measured["homonyms"] == measured["homonyms_changed"] == len(homonyms())


def test_the_page_tells_what_is_measured():
    page = Path(__file__).parents[2] / "docs" / "privacy.md"
    assert page.read_text().partition("--page` prints this.\n\n")[2] == f"{measured()}\n"
