"""What the fronts count by themselves where they have a provider of their own."""

import math
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_client import CollectorRegistry

from otel_apimetrics.prometheus import PrometheusReader
from otel_apimetrics.prometheus.described import describe
from otel_apimetrics.prometheus.distribution import Distribution
from otel_apimetrics.prometheus.measures import Measures

LABELS = ("handler", "a.b")
NOTHING = ("", "", "")


def by_ourselves():
    return Measures()


def by_the_sdk():
    reader = PrometheusReader(target_info=False, registry=CollectorRegistry())
    return Measures(reader, MeterProvider([reader], shutdown_on_exit=False))


def shown(measures, kind, bounds, measured):
    """The families of one metric, without moments and ids."""
    arguments = {"buckets": bounds} if kind == "histogram" else {}
    described = describe(kind, "waits", "Waits", LABELS, arguments)
    instrument = measures.durations(described, CollectorRegistry())
    for value, labels in measured:
        instrument.record(value, dict(zip(LABELS, labels, strict=True)))
    (family,) = measures.reader.shown()
    series = sorted(
        (one.labels, round(one.value, 6), one.count, one.buckets, one.bounds, one.created > 0)
        for one in family.series
    )
    return family.name, family.kind, family.help, family.unit, series


VALUES = st.one_of(
    st.sampled_from([0, 0.0, 1, 2.5, -1, math.inf, -math.inf, math.nan]),
    st.floats(min_value=0, max_value=1e6),
)
TEXTS = st.sampled_from(["", "a", "b", "\ud800", 'quoted "\n"'])


@given(
    st.sampled_from(["histogram", "summary"]),
    st.lists(st.floats(0, 10), min_size=1, max_size=4, unique=True).map(sorted),
    st.lists(st.tuples(VALUES, st.tuples(TEXTS, TEXTS)), max_size=12),
)
def test_what_we_count_ourselves_is_what_the_sdk_counts(kind, bounds, measured):
    ours, theirs = (shown(make(), kind, bounds, measured) for make in (by_ourselves, by_the_sdk))
    assert ours == theirs


def test_the_two_count_in_ways_of_their_own():
    described = describe("summary", "waits", "Waits", LABELS, {})
    ours, theirs = (
        make().durations(described, CollectorRegistry()) for make in (by_ourselves, by_the_sdk)
    )
    assert isinstance(ours, Distribution)
    assert not isinstance(theirs, Distribution)


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_SDK_DISABLED", "true"), ("OTEL_METRICS_EXEMPLAR_FILTER", "always_off")],
)
def test_what_the_sdk_is_told_not_to_do_is_not_done(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    described = describe("summary", "waits", "Waits", LABELS, {})
    assert not isinstance(by_ourselves().durations(described, CollectorRegistry()), Distribution)


@pytest.mark.parametrize("make", [by_ourselves, by_the_sdk])
def test_each_bucket_has_the_newest_sampled_span_as_its_exemplar(make):
    measures = make()
    described = describe("histogram", "waits", "Waits", (), {"buckets": (1, 2)})
    waits = measures.durations(described, CollectorRegistry())
    sampled = TracerProvider().get_tracer("shop")
    with sampled.start_as_current_span("older"):
        waits.record(0.5, {})
    with sampled.start_as_current_span("newer") as newer:
        waits.record(0.7, {})
    with TracerProvider(sampler=ALWAYS_OFF).get_tracer("shop").start_as_current_span("out"):
        waits.record(1.5, {})
    waits.record(3, {})
    ((series,),) = [family.series for family in measures.reader.shown()]
    (exemplar,) = series.exemplars
    context = newer.get_span_context()
    assert exemplar.value == 0.7
    assert (exemplar.trace_id, exemplar.span_id) == (
        f"{context.trace_id:032x}",
        f"{context.span_id:016x}",
    )
    assert exemplar.seconds > series.created - 1


def test_an_exemplar_is_there_for_each_scrape_until_a_newer_one_comes():
    measured = Distribution((1,), NOTHING)
    with TracerProvider().get_tracer("shop").start_as_current_span("request"):
        measured.record(0.5, {})
    first, second = measured.series(), measured.series()
    assert len(first[0].exemplars) == 1
    assert second == first


def test_threads_lose_no_measurement():
    measured = Distribution((1,), NOTHING)

    def record():
        for number in range(2_000):
            measured.record(0.5, {"n": str(number % 7)})

    threads = [Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.count for one in measured.series()) == 8_000
    assert len(measured.series()) == 7


def test_only_labels_that_were_recorded_are_recorded_again():
    measured = Distribution((), NOTHING)
    assert not measured.record_again(1, ("a",))
    measured.record(1, {"handler": "a"})
    assert measured.record_again(2, ("a",))
    ((series),) = measured.series()
    assert (series.count, series.value) == (2, 3)
