"""Our messages beside what the vendor's SDK 0.25.1 has sent for the same requests."""

import json
from base64 import b64decode

import pytest

from otel_apimetrics.exporters.apitally.hub_messages import (
    MARKS,
    Bins,
    log_line,
    startup_message,
    sync_message,
)
from otel_apimetrics.exporters.apitally.options import read_options
from otel_apimetrics.exporters.apitally.protocol import masks_of, selection_of
from otel_apimetrics.exporters.apitally.startup import AppStartup
from otel_apimetrics.exporters.apitally.tally import Tally
from tests.exporters.apitally import scenarios
from tests.exporters.apitally.comparison import HUB, needed, unexplained
from tests.exporters.apitally.scenarios import captured

CLIENT = "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9"
EVERYTHING = {
    "request_logs": True,
    "capture_request_headers": True,
    "capture_request_body": True,
    "capture_response_body": True,
}


def options(**given):
    return read_options({"client_id": CLIENT, "app_version": "1.2.3", **EVERYTHING, **given})


def opened(line):
    """A line with its bodies as JSON, and its headers in a comparable order."""
    for side in (line["request"], line["response"]):
        if "body" in side:
            side["body"] = json.loads(b64decode(side["body"]))
        if "headers" in side:
            side["headers"] = dict(sorted(side["headers"]))
    return line


def ours(exchange, **given):
    chosen = options(**given)
    return opened(json.loads(log_line(exchange, chosen, masks_of(chosen, MARKS))))


LINES = {
    "a GET with a query": (0, scenarios.queried),
    "a POST with JSON": (1, scenarios.created),
    "an exception": (2, scenarios.crash),
    "a path without a route": (3, scenarios.missing),
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_of_the_request_log_says_what_the_vendors_says(name):
    number, made = LINES[name]
    theirs = opened(captured("hub_log_flask")["body"][number])

    assert unexplained(theirs, ours(made()), "log", HUB) == []


def test_no_row_of_the_table_is_idle():
    rows = set()
    for number, made in LINES.values():
        theirs = opened(captured("hub_log_flask")["body"][number])
        rows |= needed(theirs, ours(made()), "log", HUB)
    for name, framework in (("hub_startup_flask", "flask"), ("hub_startup_fastapi", "fastapi")):
        theirs = captured(name)["body"]
        rows |= needed(theirs, startup(framework, theirs), "startup", HUB)
    assert [row for row in HUB if row not in rows] == []


def test_the_url_is_masked_as_the_vendor_masks_and_further():
    url = ours(scenarios.queried())["request"]["url"]
    mask = "%2A%2A%2A%2A%2A%2A"
    assert url == f"http://127.0.0.1:18195/items/1?q=hello&token={mask}&api_key={mask}"


def startup(framework, theirs):
    routes = tuple(f"{each['method'].upper()} {each['path']}" for each in theirs["paths"])
    return json.loads(startup_message("i", AppStartup(framework, routes), options()))


@pytest.mark.parametrize("framework", ["flask", "fastapi"])
def test_the_app_is_introduced_as_the_vendor_introduces_it(framework):
    theirs = captured(f"hub_startup_{framework}")["body"]
    assert unexplained(theirs, startup(framework, theirs), "startup", HUB) == []


def test_requests_are_counted_as_the_vendor_counts_them():
    tally = Tally(Bins)
    for exchange in (
        scenarios.queried(),
        scenarios.item(9),
        scenarios.item(10, consumer=scenarios.BOB),
        scenarios.created(),
        scenarios.crash(),
        scenarios.crash(11),
        scenarios.crash(12, consumer=None),
        scenarios.missing(),
        scenarios.handled(),
        scenarios.bad(),
        scenarios.healthy(),
    ):
        tally.add(exchange)

    message = json.loads(sync_message("i", tally.take_requests(), tally.take_notes(), None))
    theirs = captured("hub_sync_flask")["body"]
    theirs["resources"] = None  # what the machine did then
    assert unexplained(theirs, message, "sync", HUB) == []
    assert message["server_errors"][0]["traceback"] == scenarios.STACK


def test_validation_errors_are_counted_as_the_vendor_counts_them():
    tally = Tally(Bins)
    tally.add(scenarios.invalid())

    message = json.loads(sync_message("i", tally.take_requests(), tally.take_notes(), None))

    theirs = captured("hub_sync_fastapi")["body"]["validation_errors"][0]
    assert message["validation_errors"] == [theirs]
    (request,) = [
        each
        for each in captured("hub_sync_fastapi")["body"]["requests"]
        if (each["consumer"], each["status_code"], each["method"]) == ("bob", 422, "POST")
    ]
    assert message["requests"] == [request]


def test_the_heartbeat_is_an_empty_message():
    message = json.loads(
        sync_message("i", Tally(Bins).take_requests(), Tally(Bins).take_notes(), None)
    )
    assert unexplained(captured("hub_heartbeat")["body"], message, "sync", HUB) == []


@pytest.mark.parametrize(
    ("seconds", "lower"), [(0.0, "0"), (0.0099, "0"), (0.01, "10"), (0.29, "280"), (1.5, "1500")]
)
def test_durations_fall_into_the_bins_of_the_vendor(seconds, lower):
    tally = Tally(Bins)
    tally.add(scenarios.item(duration_ns=round(seconds * 1e9)))
    message = json.loads(sync_message("i", tally.take_requests(), tally.take_notes(), None))
    assert message["requests"][0]["response_times"] == {lower: 1}


def test_a_request_that_stands_for_several_is_counted_as_many():
    tally = Tally(Bins)
    exchange = scenarios.item(weight=2.5)
    for _ in range(400):
        tally.add(exchange)
    message = json.loads(sync_message("i", tally.take_requests(), tally.take_notes(), None))
    assert 900 <= message["requests"][0]["request_count"] <= 1100
    assert message["requests"][0]["response_sizes"] == message["requests"][0]["response_times"]


def test_preflights_are_neither_counted_nor_logged_and_health_checks_are_counted_only():
    tally = Tally(Bins)
    selection = selection_of(options())
    preflight = scenarios.item(method="OPTIONS")
    tally.add(preflight)
    tally.add(scenarios.healthy())

    requests = json.loads(sync_message("i", tally.take_requests(), tally.take_notes(), None))[
        "requests"
    ]

    assert [each["path"] for each in requests] == ["/healthz"]
    assert not selection.wants(preflight)
    assert not selection.wants(scenarios.healthy())
    assert selection.wants(scenarios.created())
