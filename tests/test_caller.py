"""The parent of a request's span is what the caller sent, read by the configured propagators."""

import functools

import pytest
import wrapt
from opentelemetry import baggage, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_apimetrics.caller import HeadersGetter, sent_context

TRACEPARENT = ("traceparent", f"00-{1:032x}-{2:016x}-01")


class Marking(TraceContextTextMapPropagator):
    """Finds something in each request."""

    def extract(self, carrier, context=None, getter=None):
        return Context({"found": getter.get(carrier, "Host")})


@pytest.fixture
def propagators():
    """Sets the global propagators, and puts back those that were there."""
    before = propagate.get_global_textmap()
    yield lambda *given: propagate.set_global_textmap(CompositePropagator([*given]))
    propagate.set_global_textmap(before)


@pytest.mark.parametrize("sent", [(), (("host", "x"),), (("host", "x"), ("x-traceparent", "y"))])
def test_a_request_that_brings_nothing_has_an_empty_parent(sent):
    assert sent_context(sent) == propagate.extract(sent, getter=HeadersGetter()) == {}


def test_the_callers_span_and_baggage_are_the_parent():
    context = sent_context((("host", "x"), TRACEPARENT, ("baggage", "a=1")))
    assert trace.get_current_span(context).get_span_context().span_id == 2
    assert baggage.get_baggage("a", context) == "1"
    assert baggage.get_baggage("a", sent_context((("baggage", "a=1"),))) == "1"


def test_other_propagators_are_asked_at_each_request(propagators):
    for given in (
        [Marking()],
        [W3CBaggagePropagator(), Marking()],
        [TraceContextTextMapPropagator(), W3CBaggagePropagator(), Marking()],
    ):
        propagators(*given)
        assert sent_context((("host", "x"),)) == {"found": ["x"]}
    propagators(TraceContextTextMapPropagator(), W3CBaggagePropagator())
    assert sent_context((("host", "x"),)) == {}


def test_a_propagator_that_is_added_in_place_is_asked(propagators):
    propagators(TraceContextTextMapPropagator(), W3CBaggagePropagator())
    assert sent_context((("host", "x"),)) == {}
    propagate.get_global_textmap()._propagators.append(Marking())
    assert sent_context((("host", "x"),)) == {"found": ["x"]}


@pytest.mark.parametrize("cls", [TraceContextTextMapPropagator, CompositePropagator])
def test_a_propagator_whose_method_was_wrapped_is_asked(cls, propagators, monkeypatch):
    asked = []

    def note(wrapped, _instance, given, named):
        asked.append(given[0])
        return wrapped(*given, **named)

    wrapped = wrapt.FunctionWrapper(cls.extract, note)

    @functools.wraps(cls.extract)
    def plain(propagator, *given, **named):
        return note(wrapped.__wrapped__.__get__(propagator), None, given, named)

    for another in (wrapped, plain):
        monkeypatch.setattr(cls, "extract", another)
        propagators(TraceContextTextMapPropagator(), W3CBaggagePropagator())
        sent_context((("host", "x"),))
    assert asked == [(("host", "x"),)] * 2


def test_without_propagators_there_is_no_parent_to_tell(propagators):
    propagators()
    assert sent_context((TRACEPARENT,)) is None


def test_propagators_read_every_line_of_a_header():
    getter, headers = HeadersGetter(), (("host", "h"), ("x-a", "1"), ("x-a", "2"))
    assert getter.get(headers, "X-A") == ["1", "2"]
    assert getter.get(headers, "x-b") is None
    assert getter.keys(headers) == ["host", "x-a", "x-a"]
