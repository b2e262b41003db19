"""A span is started with attributes where somebody may read them, and else given them at once."""

import functools
from types import SimpleNamespace

import pytest
import wrapt
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import (
    ConcurrentMultiSpanProcessor,
    SpanLimits,
    SpanProcessor,
    SynchronousMultiSpanProcessor,
    Tracer,
    TracerProvider,
)
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    ParentBasedTraceIdRatio,
    StaticSampler,
    TraceIdRatioBased,
)

from otel_apimetrics import RedactingSpanProcessor, processors, span_start
from otel_apimetrics.redaction import Redactor

GIVEN = {"http.request.method": "GET", "url.path": "/orders", "server.port": 8000}
FAR = trace.NonRecordingSpan(
    trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(1))
)


def provider_of(**options):
    return TracerProvider(shutdown_on_exit=False, **options)


def started(provider, attributes=GIVEN):
    return span_start.start_server(provider.get_tracer("t"), "GET", Context(), attributes, 5)


class Sees:
    """Notes the attributes that it is shown when a span starts."""

    def __init__(self):
        self.seen = None


class SeeingSampler(Sees, StaticSampler):
    def __init__(self):
        super().__init__()
        StaticSampler.__init__(self, ALWAYS_ON.should_sample(None, 1, "x").decision)

    def should_sample(self, parent_context, trace_id, name, kind=None, attributes=None, links=None):
        self.seen = dict(attributes or {})
        return super().should_sample(parent_context, trace_id, name, kind, attributes, links)


class SeeingProcessor(Sees, SpanProcessor):
    def on_start(self, span, parent_context=None):
        self.seen = dict(span.attributes)


class SeeingBatch(Sees, BatchSpanProcessor):
    def __init__(self):
        super().__init__()
        BatchSpanProcessor.__init__(self, InMemorySpanExporter())

    def on_start(self, span, parent_context=None):
        self.seen = dict(span.attributes)


@pytest.mark.parametrize(
    "sampler",
    [
        ALWAYS_ON,
        TraceIdRatioBased(1),
        ParentBased(ALWAYS_ON),
        ParentBasedTraceIdRatio(1),
        SeeingSampler(),
    ],
)
@pytest.mark.parametrize(
    "limits", [{}, {"max_span_attributes": 2}, {"max_span_attribute_length": 3}]
)
def test_a_span_says_what_the_sdk_would_have_started_it_with(sampler, limits):
    provider = provider_of(sampler=sampler, span_limits=SpanLimits(**limits))
    ours = started(provider)
    theirs = provider.get_tracer("t").start_span(
        "GET", Context(), trace.SpanKind.SERVER, GIVEN, start_time=5
    )
    assert dict(ours.attributes) == dict(theirs.attributes)
    assert (ours.name, ours.kind, ours.start_time, ours.parent) == (*("GET", theirs.kind, 5, None),)


@pytest.mark.parametrize(
    ("around", "parent"),
    [
        (lambda inner: inner, Context()),
        (ParentBased, Context()),
        (lambda inner: ParentBased(ALWAYS_OFF, inner), trace.set_span_in_context(FAR, Context())),
    ],
)
def test_a_sampler_of_the_apps_own_decides_on_all_attributes(around, parent):
    inner = SeeingSampler()
    tracer = provider_of(sampler=around(inner)).get_tracer("t")
    span_start.start_server(tracer, "GET", parent, GIVEN, 5)
    assert inner.seen == GIVEN


@pytest.mark.parametrize("kind", [SeeingProcessor, SeeingBatch])
def test_a_processor_that_reads_attributes_at_the_start_sees_them_all(kind):
    provider, reader = provider_of(), kind()
    started(provider)  # judged before the processor is there
    provider.add_span_processor(reader)
    started(provider)
    assert reader.seen == GIVEN
    reader.shutdown()


def test_a_processor_whose_method_was_replaced_sees_all_attributes():
    provider, replaced, seen = provider_of(), SpanProcessor(), []
    replaced.on_start = lambda span, parent_context=None: seen.append(dict(span.attributes))
    provider.add_span_processor(replaced)
    started(provider)
    assert seen == [GIVEN]


def test_processors_in_threads_of_their_own_see_all_attributes():
    several = ConcurrentMultiSpanProcessor(1)
    provider, reader = provider_of(active_span_processor=several), SeeingProcessor()
    provider.add_span_processor(reader)
    started(provider)
    assert reader.seen == GIVEN
    several.shutdown()


def test_a_tracer_of_another_make_is_given_all_attributes():
    seen = []

    class Foreign(trace.NoOpTracer):
        def start_span(self, name, **named):
            seen.append(named["attributes"])
            return trace.INVALID_SPAN

    span_start.start_server(Foreign(), "GET", Context(), GIVEN, 5)
    assert seen == [GIVEN]


def test_a_tracer_whose_method_was_wrapped_is_given_all_attributes(monkeypatch):
    seen = []

    def note(wrapped, _instance, given, named):
        seen.append(named["attributes"])
        return wrapped(*given, **{**named, "attributes": {**named["attributes"], "team": "a"}})

    provider = provider_of()
    started(provider)
    wrapped = wrapt.FunctionWrapper(Tracer.start_span, note)
    monkeypatch.setattr(Tracer, "start_span", wrapped)
    assert dict(started(provider).attributes) == {**GIVEN, "team": "a"}
    assert seen == [GIVEN]


def test_a_span_that_is_not_sampled_is_none():
    assert not started(provider_of(sampler=ALWAYS_OFF)).is_recording()


def test_the_processors_of_every_set_up_let_attributes_be_put_at_once(monkeypatch):
    provider, put = provider_of(), []
    provider.add_span_processor(RedactingSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    processors.attach(provider, Redactor())
    monkeypatch.setattr(
        span_start,
        "span_attributes",
        SimpleNamespace(put=lambda _span, attributes: put.append(attributes) or True),
    )
    started(provider)
    provider.shutdown()
    assert put == [GIVEN]


class DuckSampler(Sees):
    """A sampler by its methods alone."""

    def should_sample(self, *given, **named):
        self.seen = dict(named["attributes"])
        return ALWAYS_ON.should_sample(*given, **named)

    def get_description(self):
        return "duck"


def test_a_sampler_by_its_methods_alone_decides_on_all_attributes():
    inner = DuckSampler()
    assert started(provider_of(sampler=ParentBased(inner))).is_recording()
    assert inner.seen == GIVEN


def test_samplers_that_know_each_other_start_a_span():
    one, other = TraceIdRatioBased(1), TraceIdRatioBased(1)
    one.next, other.next = other, one
    assert dict(started(provider_of(sampler=one)).attributes) == GIVEN


def test_a_sampler_inside_of_another_that_is_replaced_decides_on_all_attributes():
    sampler, inner = ParentBased(ALWAYS_ON), SeeingSampler()
    provider = provider_of(sampler=sampler)
    started(provider)  # judged before
    sampler._root = inner
    started(provider)
    assert inner.seen == GIVEN


def test_a_sampler_that_gives_the_one_inside_when_asked_is_seen_through():
    inner = SeeingSampler()

    class Own(ParentBased):
        _root = property(lambda self: inner, lambda self, value: None)

    started(provider_of(sampler=Own(ALWAYS_ON)))
    assert inner.seen == GIVEN


def test_a_sampler_that_holds_what_raises_when_looked_at_starts_a_span():
    class Lazy:
        def __getattribute__(self, name):
            raise RuntimeError("not set up")

    sampler = ParentBased(ALWAYS_ON)
    sampler.settings = Lazy()
    assert dict(started(provider_of(sampler=sampler)).attributes) == GIVEN
    sampler._remote_parent_sampled = Lazy()  # not asked without a parent
    assert dict(started(provider_of(sampler=sampler)).attributes) == GIVEN


def noting(method, seen):
    """Give a method that notes a span's attributes and bears the name of what it wraps."""

    @functools.wraps(method)
    def on_start(self, span, parent_context=None):
        seen.append(dict(span.attributes))
        return method(self, span, parent_context)

    return on_start


@pytest.mark.parametrize("cls", [SimpleSpanProcessor, SpanProcessor, SynchronousMultiSpanProcessor])
def test_a_method_of_the_sdk_that_is_replaced_between_two_requests_sees_all_attributes(
    cls, monkeypatch
):
    provider, seen = provider_of(), []
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    provider.add_span_processor(SpanProcessor())
    started(provider)
    monkeypatch.setattr(cls, "on_start", noting(cls.on_start, seen))
    started(provider)
    assert seen == [GIVEN]


def test_a_wrapper_that_passes_for_the_method_it_wraps_sees_all_attributes(monkeypatch):
    provider, seen = provider_of(), []
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))

    def note(wrapped, _instance, given, named):
        seen.append(dict(given[0].attributes))
        return wrapped(*given, **named)

    method = SimpleSpanProcessor.on_start
    monkeypatch.setattr(SimpleSpanProcessor, "on_start", wrapt.FunctionWrapper(method, note))
    started(provider)
    assert seen == [GIVEN]


@pytest.mark.parametrize("cls", [SimpleSpanProcessor, SynchronousMultiSpanProcessor])
def test_a_method_that_was_replaced_before_we_came_is_none_of_the_sdk(cls, monkeypatch):
    assert span_start._of_sdk(cls, "on_start") is cls.on_start
    monkeypatch.setattr(cls, "on_start", noting(cls.on_start, []))
    assert span_start._of_sdk(cls, "on_start") is None


@pytest.mark.parametrize("value", [SimpleNamespace(a=1), ["http"], None, b"http"])
def test_a_value_of_another_type_is_put_as_the_sdk_puts_it(value):
    provider, given = provider_of(), {**GIVEN, "url.scheme": value}
    theirs = provider.get_tracer("t").start_span("GET", Context(), attributes=given)
    assert dict(started(provider, given).attributes) == dict(theirs.attributes)
