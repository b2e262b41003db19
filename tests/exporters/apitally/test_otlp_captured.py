"""Our OTLP beside what the vendor's SDK 1.0.0 has sent for the same requests."""

import json
import math

import pytest
from opentelemetry.sdk.metrics._internal.exponential_histogram.mapping.logarithm_mapping import (
    LogarithmMapping,
)
from opentelemetry.sdk.resources import Resource

from otel_apimetrics.exporters.apitally.options import read_options
from otel_apimetrics.exporters.apitally.otlp import Otlp
from otel_apimetrics.exporters.apitally.otlp_metrics import bucket_of
from otel_apimetrics.exporters.apitally.startup import AppStartup
from tests.exporters.apitally import scenarios
from tests.exporters.apitally.comparison import OTLP, needed, unexplained
from tests.exporters.apitally.otlp_reading import read, records, resource
from tests.exporters.apitally.scenarios import captured

TOKEN = "apt_" + "a" * 24
EVERYTHING = {
    "capture_request_headers": True,
    "capture_request_body": True,
    "capture_response_body": True,
}


@pytest.fixture
def protocol():
    return made()


def made(startup=AppStartup(), **options):
    given = {"write_token": TOKEN, "app_version": "1.2.3", **EVERYTHING, **options}
    return Otlp(read_options(given), startup, Resource.create().attributes)


def said(loads):
    """What parcels say, by path."""
    return [read(load.parcel.path, load.parcel.body) for load in loads]


SPANS = {
    "a GET with a query": (0, scenarios.queried),
    "a POST with JSON": (1, scenarios.created),
    "an exception": (2, scenarios.crash),
    "a path without a route": (3, scenarios.missing),
}


def both_spans(name, protocol):
    number, exchange = SPANS[name]
    theirs = records(captured("otlp_traces_flask")["body"])[number]
    protocol.take(exchange())
    (document,) = said(protocol._trace())
    (ours,) = records(document)
    for span in (theirs, ours):
        for body in ("apitally.request.body", "apitally.response.body"):
            if body in span["attributes"]:
                span["attributes"][body] = json.loads(span["attributes"][body])
    return theirs, ours


@pytest.mark.parametrize("name", SPANS)
def test_a_span_says_what_the_vendors_says(name, protocol):
    theirs, ours = both_spans(name, protocol)
    assert unexplained(theirs, ours, "span", OTLP) == []


@pytest.mark.parametrize("message", ["span", "resource", "startup", "event"])
def test_no_row_of_the_table_is_idle(message):
    rows = set()
    if message == "span":
        for name in SPANS:
            rows |= needed(*both_spans(name, made()), "span", OTLP)
    elif message == "resource":
        rows = needed(*both_resources(made()), "resource", OTLP)
    elif message == "startup":
        rows = needed(*both_startups(), "startup", OTLP)
    else:
        for name in EVENTS:
            rows |= needed(*both_events(name, made()), "event", OTLP)
    assert [row for row in OTLP if row.message == message and row not in rows] == []


def both_resources(protocol):
    protocol.take(scenarios.queried())
    (document,) = said(protocol._trace())
    return resource(captured("otlp_traces_flask")["body"]), resource(document)


def test_the_resource_is_that_of_the_vendor(protocol):
    theirs, ours = both_resources(protocol)
    assert unexplained(theirs, ours, "resource", OTLP) == []


def both_startups():
    (event,) = records(captured("otlp_startup_flask")["body"])
    theirs = json.loads(event["body"])
    routes = tuple(f"{each['method']} {each['path']}" for each in theirs["paths"])
    (document,) = said(made(AppStartup("flask", routes))._note())
    (ours,) = records(document)
    assert (ours["eventName"], set(ours)) == (event["eventName"], set(event))
    return theirs, json.loads(ours["body"])


def test_the_app_is_introduced_as_the_vendor_introduces_it():
    assert unexplained(*both_startups(), "startup", OTLP) == []


EVENTS = {
    "apitally.consumer.update": scenarios.item,
    "apitally.request.validation_error": scenarios.invalid,
    "apitally.request.server_error": scenarios.crash,
}


def both_events(name, protocol):
    theirs = next(
        each
        for each in records(captured("otlp_events_fastapi")["body"])
        if each["eventName"] == name and each["body"].get("identifier", "alice") == "alice"
    )
    exchange = EVENTS[name]()
    protocol.take(exchange)
    if name.endswith("server_error"):
        protocol.take(exchange)
        protocol.take(scenarios.crash(consumer=None))
    (document,) = said(protocol._note())
    (ours,) = [each for each in records(document) if each["eventName"] == name]
    return theirs, ours


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_says_what_the_vendors_says(name, protocol):
    theirs, ours = both_events(name, protocol)
    assert unexplained(theirs, ours, "event", OTLP) == []


def test_requests_are_counted_as_the_vendor_counts_them(protocol):
    theirs = records(captured("otlp_metrics_flask")["body"])
    durations = {
        tuple(point["attributes"].values()): (point["min"], point["max"], int(point["count"]))
        for point in next(
            each for each in theirs if each["name"] == "http.server.request.duration"
        )["exponentialHistogram"]["dataPoints"]
    }
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
        protocol.take(with_duration(exchange, durations))

    (document,) = said(protocol._count())
    ours = records(document)

    assert [each["name"] for each in ours] == [each["name"] for each in theirs]
    for mine, vendors in zip(ours, theirs, strict=True):
        assert mine["unit"] == vendors["unit"]
        if "gauge" in mine:
            (point,) = mine["gauge"]["dataPoints"]
            assert set(point) == set(vendors["gauge"]["dataPoints"][0])
            continue
        left, right = mine["exponentialHistogram"], vendors["exponentialHistogram"]
        assert left["aggregationTemporality"] == right["aggregationTemporality"]
        assert points(left) == points(right), mine["name"]


def with_duration(exchange, durations):
    """The duration that was measured then: the lower of two comes first."""
    from dataclasses import replace

    consumer = exchange.consumer and exchange.consumer.id
    request, status = exchange.request, exchange.response.status
    key = tuple(each for each in (request.method, request.route, status, consumer) if each)
    if key not in durations:
        return exchange
    lowest, highest, left = durations[key]
    durations[key] = highest, highest, left - 1
    return replace(exchange, duration_ns=round(lowest * 1e9))


def points(histogram):
    found = {}
    for point in histogram["dataPoints"]:
        rounded = {
            name: pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
            for name, value in point.items()
            if name not in {"attributes", "startTimeUnixNano", "timeUnixNano"}
        }
        found[tuple(point["attributes"].items())] = rounded
    return found


def test_points_begin_where_the_last_ones_ended(protocol):
    ends = []
    for _ in range(2):
        protocol.take(scenarios.item())
        (document,) = said(protocol._count())
        histogram = records(document)[3]["exponentialHistogram"]
        (point,) = histogram["dataPoints"]
        ends.append((point["startTimeUnixNano"], point["timeUnixNano"]))
    assert ends[0][1] == ends[1][0]
    assert int(ends[0][0]) < int(ends[0][1]) < int(ends[1][1])


@pytest.mark.parametrize("value", [1e-9, 0.001, 0.29, 0.5, 1, 1.0001, 2, 7, 8, 29, 107, 1e6, 2**40])
def test_a_value_falls_into_the_bucket_of_opentelemetrys_own_histogram(value):
    assert bucket_of(value) == LogarithmMapping(3).map_to_index(value)


def test_a_power_of_two_belongs_to_the_bucket_below():
    assert (bucket_of(1.0), bucket_of(8.0)) == (-1, 23)
    assert bucket_of(math.nextafter(8.0, 9.0)) == 24


def test_more_keys_than_a_message_takes_make_several(protocol):
    for number in range(2_500):
        protocol._tally.add(scenarios.exchange(route=f"/route/{number}"))
    (document,) = said(protocol._count())

    messages = document["resourceMetrics"]
    assert len(messages) == 4
    sizes = [
        len(each["scopeMetrics"][0]["metrics"][0]["exponentialHistogram"]["dataPoints"])
        for each in messages[1:]
    ]
    assert sizes == [1_000, 1_000, 500]


def test_an_exchange_without_a_span_has_ids_that_stay_the_same(protocol):
    from dataclasses import replace

    exchange = replace(scenarios.item(), trace_id=0, span_id=0)
    for _ in range(2):
        protocol.take(exchange)
    (document,) = said(protocol._trace())
    first, second = records(document)
    assert first == second
    assert len(first["traceId"]) == 32


def test_what_the_app_says_of_a_request_is_named_as_its_own(protocol):
    exchange = scenarios.redacted(
        scenarios.exchange(labels={"tenant.id": "t-1", "url.path": "x"}, metadata={"seats": 3})
    )
    protocol.take(exchange)
    (document,) = said(protocol._trace())
    (span,) = records(document)
    attributes = span["attributes"]
    assert attributes["apitally.request.custom_attribute_keys"] == ["seats", "tenant.id"]
    assert (attributes["tenant.id"], attributes["seats"]) == ("t-1", 3)
    assert attributes["url.path"] == "/items/1"
