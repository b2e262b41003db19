"""Attributes put on a live span at once are those that the SDK would have set."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanLimits, TracerProvider

from otel_apimetrics.span_attributes import put, says_only

RECORD = {
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "apimetrics.weight": 0.5,
    "http.request.body.truncated": True,
    "http.request.header.accept": ("a", "b"),
}


def span_of(**limits):
    provider = TracerProvider(shutdown_on_exit=False, span_limits=SpanLimits(**limits))
    return provider.get_tracer("t").start_span("x", attributes={"first": 1, "apimetrics.weight": 9})


def test_a_put_span_says_what_the_sdk_would_have_said():
    ours, theirs = span_of(), span_of()
    assert put(ours, RECORD)
    theirs.set_attributes(RECORD)
    assert dict(ours.attributes) == dict(theirs.attributes)
    assert ours.attributes["first"] == 1
    ours.end()
    assert dict(ours.attributes) == dict(theirs.attributes)


def test_a_mapping_that_changes_later_does_not_change_the_span():
    span, given = span_of(), dict(RECORD)
    assert put(span, given)
    given["http.request.method"] = "POST"
    assert span.attributes["http.request.method"] == "GET"


@pytest.mark.parametrize(
    "limits",
    [{"max_span_attributes": 6}, {"max_span_attribute_length": 100}, {"max_attribute_length": 9}],
)
def test_a_span_with_limits_that_matter_is_left_to_the_sdk(limits):
    span = span_of(**limits)
    before = dict(span.attributes)
    assert not put(span, RECORD)
    assert dict(span.attributes) == before


def test_a_span_that_has_ended_is_left_alone():
    span = span_of()
    span.end()
    assert not put(span, RECORD)
    assert "http.request.method" not in span.attributes


def test_a_span_tells_whether_it_says_only_what_was_put():
    span = span_of()
    assert not says_only(span, RECORD)
    put(span, RECORD)
    assert says_only(span, {"first": 1, **RECORD})
    span.set_attribute("first", 2)
    assert not says_only(span, {"first": 1, **RECORD})
    span._attributes = dict(RECORD)
    assert not says_only(span, RECORD)


def test_a_foreign_span_is_left_to_its_class():
    assert not put(trace.INVALID_SPAN, RECORD)


def test_an_sdk_that_keeps_attributes_otherwise_is_left_to_itself():
    span = span_of()
    span._attributes = dict(span._attributes)
    assert not put(span, RECORD)
    del span._attributes
    assert not put(span, RECORD)
