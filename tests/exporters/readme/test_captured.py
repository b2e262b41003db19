"""Field by field against what readme-metrics itself sent of the same requests."""

import re
from typing import Any

import pytest

from otel_apimetrics import Consumer
from otel_apimetrics.config import build
from otel_apimetrics.exporters.readme.event import event_of
from otel_apimetrics.exporters.readme.lists import Lists
from otel_apimetrics.masking import Masking
from otel_apimetrics.redaction import Redactor
from tests.exporters.har.schema import check_har
from tests.exporters.readme.captures import FLASK, LISTS, OWLBERT, comparable, exchange
from tests.exporters.readme.differences import ABSENT, DIFFERENCES, LIST_DIFFERENCES, Difference

NO_LISTS = Lists((), ())
CONSUMERS = {
    "group_extra": Consumer(id="k-1234", name="L", email="e@x.io"),
    "group_idonly": Consumer(id="legacy-9999"),
    "group_both": Consumer(id="the-api-key", name="L", email="e"),
}


def masked(capture, consumer=OWLBERT):
    config = build({"capture_body": "all", "capture_headers": "all", "client_ip": "full"}, {})
    return Masking(config, Redactor(config.redaction)).redact(exchange(capture, consumer))


def unequal(theirs: Any, ours: Any) -> dict[str, tuple[Any, Any]]:
    left, right = comparable(theirs), comparable(ours)
    return {
        path: (left.get(path, ABSENT), right.get(path, ABSENT))
        for path in left.keys() | right.keys()
        if left.get(path, ABSENT) != right.get(path, ABSENT)
    }


def row_for(
    scenario: str, path: str, values: tuple[Any, Any], rows: list[Difference] = DIFFERENCES
) -> Difference | None:
    for row in rows:
        if (
            re.fullmatch(row.field, path)
            and re.fullmatch(row.scenario, scenario)
            and row.holds(*values)
        ):
            return row
    return None


LOGGED = sorted(name for name, capture in FLASK.items() if capture["log"])
COMPARED = [name for name in LOGGED if not name.startswith("group_")]


@pytest.mark.parametrize("scenario", COMPARED)
def test_a_log_is_theirs_but_for_what_the_table_says(scenario):
    safe = masked(FLASK[scenario])
    ours = event_of(safe, safe.consumer, NO_LISTS, development=False)
    check_har(ours["request"])
    for path, values in unequal(FLASK[scenario]["log"], ours).items():
        assert row_for(scenario, path, values), (path, *values)


def test_each_row_of_the_table_is_of_use():
    used = set()
    for scenario in COMPARED:
        safe = masked(FLASK[scenario])
        ours = event_of(safe, safe.consumer, NO_LISTS, development=False)
        for path, values in unequal(FLASK[scenario]["log"], ours).items():
            used.add(row_for(scenario, path, values))
    assert [row.field for row in DIFFERENCES if row not in used] == []


@pytest.mark.parametrize("scenario", [name for name in LOGGED if name != "group_empty"])
def test_a_group_has_the_fields_that_theirs_has(scenario):
    theirs = FLASK[scenario]["log"]["group"]
    consumer = CONSUMERS.get(scenario, OWLBERT)
    ours = event_of(exchange(FLASK[scenario]), consumer, NO_LISTS, development=False)["group"]
    assert ours.keys() == theirs.keys()
    if consumer is OWLBERT:
        assert ours == theirs


LISTED = {
    "deny": Lists(("X-Secret", "Authorization", "password", "num", "obj", "lst"), ()),
    "deny2": Lists(("X-Secret", "password", "num", "obj"), ()),
    "allow": Lists((), ("Content-Type", "Host", "ok")),
    "both": Lists(("Content-Type", "Host", "password"), ("Content-Type", "Host", "ok")),
}


@pytest.mark.parametrize("scenario", ["get_query", "post_json_nested", "post_form", "get_array"])
@pytest.mark.parametrize("name", LISTED)
def test_lists_replace_what_theirs_replace_and_more(name, scenario):
    capture = LISTS[name][scenario]
    ours = event_of(exchange(capture), OWLBERT, LISTED[name], development=False)
    check_har(ours["request"])
    for path, values in unequal(capture["log"], ours).items():
        row = row_for(f"{name} {scenario}", path, values, LIST_DIFFERENCES)
        assert row, (path, *values)
