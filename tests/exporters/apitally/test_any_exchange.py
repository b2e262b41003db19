"""Whatever an exchange holds, each protocol says it in its own form, and the same again."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource

from otel_apimetrics.decoding import decode
from otel_apimetrics.exchange import Body, Request, Response
from otel_apimetrics.exporters.apitally.hub_messages import MARKS, Bins, log_line, sync_message
from otel_apimetrics.exporters.apitally.options import read_options
from otel_apimetrics.exporters.apitally.otlp import Otlp
from otel_apimetrics.exporters.apitally.otlp_spans import MARKS as OTLP_MARKS
from otel_apimetrics.exporters.apitally.otlp_spans import span
from otel_apimetrics.exporters.apitally.protobuf import any_value
from otel_apimetrics.exporters.apitally.protocol import masks_of
from otel_apimetrics.exporters.apitally.startup import AppStartup
from otel_apimetrics.exporters.apitally.tally import Tally
from otel_apimetrics.exporters.spans import as_span
from tests.exporters.apitally.otlp_reading import plain, read, records
from tests.exporters.apitally.scenarios import item
from tests.test_decoding import exchanges

EVERYTHING = {
    "request_logs": True,
    "capture_request_headers": True,
    "capture_request_body": True,
    "capture_response_body": True,
}
HUB = read_options({"client_id": "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9", **EVERYTHING})
OTLP = read_options({"write_token": "apt_" + "a" * 24, **EVERYTHING})
ODD = replace(
    item(),
    request=Request(
        method="\ud800",
        path="/\udcff",
        query="\ud800=\udcff",
        host="\ud800",
        headers=(("x-a", "\ud800"),),
        body=Body(content='{"token": "\ud800", "n": 1e999}', size=-1),
    ),
    response=Response(status=200, body=Body(content="\ud800", size=-5)),
    metadata={"nan": float("nan"), "big": 1 << 80, "deep": [[[]]]},
    duration_ns=-5,
    trace_id=0,
)


@example(ODD)
@given(exchanges)
def test_a_line_of_the_hub_is_json_and_the_same_through_both_doors(exchange):
    masks = masks_of(HUB, MARKS)
    line = log_line(exchange, HUB, masks)
    assert b"\n" not in line
    assert json.loads(line)["request"]["method"]
    if exchange is not ODD:
        assert log_line(decode(as_span(exchange, Resource({}))), HUB, masks) == line


@example(ODD)
@given(exchanges)
def test_a_span_of_otlp_is_one_and_the_same_through_both_doors(exchange):
    masks = masks_of(OTLP, OTLP_MARKS)
    written = span(exchange, OTLP, masks)
    parcel = Otlp(OTLP, AppStartup(), {})._pack_spans([written])
    (found,) = records(read(parcel.path, parcel.body))
    assert found["kind"] == "SPAN_KIND_SERVER"
    if exchange is not ODD:
        assert span(decode(as_span(exchange, Resource({}))), OTLP, masks) == written


@example([ODD])
@given(st.lists(exchanges, max_size=4))
def test_counts_are_messages_of_either_protocol(several):
    tally, otlp = Tally(Bins), Otlp(OTLP, AppStartup(), {})
    for exchange in several:
        tally.add(exchange)
        otlp.take(exchange)
    message = json.loads(sync_message("i", tally.take_requests(), tally.take_notes(), 0.1))
    for load in (*otlp._count(), *otlp._note(), *otlp._trace()):
        read(load.parcel.path, load.parcel.body)
    assert len(message["requests"]) <= len(several)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ("\ud800", "?"),
        (True, True),
        (-1, -1),
        (2**63 - 1, 2**63 - 1),
        (2**80, str(2**80)),
        (1.5, 1.5),
        (b"raw", "b'raw'"),
        ([1, "a", [None]], [1, "a", ["None"]]),
        ({"a": {"b": [1]}}, {"a": {"b": [1]}}),
    ],
)
def test_a_value_is_written_as_what_it_is(value, expected):
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

    assert plain(MessageToDict(AnyValue.FromString(any_value(value)))) == expected


def test_an_endless_value_ends():
    value = []
    value.append(value)
    assert len(any_value(value)) < 10_000


def test_the_same_parcel_is_made_of_the_same_lines():
    otlp = Otlp(OTLP, AppStartup(), {})
    otlp.take(item())
    (load,) = otlp._trace()
    assert otlp._pack_spans(load.events) == load.parcel
    assert load.parcel.body
