"""Requests are counted by the dozen, and none is lost or told twice."""

import gc
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from opentelemetry import trace
from opentelemetry.metrics import NoOpCounter
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

from otel_apimetrics import _guard, tally
from otel_apimetrics.exchange import Body, Consumer, Exchange, Request, Response
from otel_apimetrics.metrics import Metrics
from otel_apimetrics.semconv import REQUESTS
from tests.one_span.processes import run

OURS = frozenset({"default"})


def record(metrics: Metrics, number: int, consumer: str = "acme", context=None) -> None:
    exchange = Exchange(
        id="0" * 32,
        request=Request(method="GET", route="/r", body=Body(size=0)),
        response=Response(status=200, body=Body(size=0)),
        consumer=Consumer(id=consumer),
        duration_ns=1_000,
    )
    for _ in range(number):
        metrics.record(exchange, context, alone=True, raised=False)


def counted(reader: InMemoryMetricReader) -> dict[str, int]:
    data = reader.get_metrics_data()
    return {
        point.attributes["apimetrics.consumer.id"]: point.value
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == REQUESTS
        for point in metric.data.data_points
    }


@pytest.mark.parametrize("number", [1, 2, tally.MOST, tally.MOST + 1, tally.MOST + 2, 500])
def test_each_collection_has_all_requests_until_then(telemetry, number):
    metrics = Metrics(OURS, telemetry.meter_provider)
    for times in range(1, 4):
        record(metrics, number)
        record(metrics, 1, "globex")
        assert counted(telemetry.reader) == {"acme": number * times, "globex": times}


def test_each_reader_has_them_all():
    delta = InMemoryMetricReader(preferred_temporality={Counter: AggregationTemporality.DELTA})
    whole = InMemoryMetricReader()
    metrics = Metrics(OURS, MeterProvider([delta, whole], shutdown_on_exit=False))
    record(metrics, 10)
    assert counted(whole) == {"acme": 10}
    record(metrics, 20)
    assert counted(delta) == {"acme": 30}
    record(metrics, 5)
    assert counted(delta) == {"acme": 5}
    assert counted(whole) == {"acme": 35}


def test_many_threads_and_a_reader_at_the_same_time_lose_none(telemetry):
    metrics = Metrics(OURS, telemetry.meter_provider)
    over = Event()

    def collect() -> list[int]:
        seen = []
        while not over.is_set():
            seen.append(sum(counted(telemetry.reader).values()))
        return seen

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(6) as pool:
            collecting = [pool.submit(collect) for _ in range(2)]
            recording = [pool.submit(record, metrics, 700, f"c{n % 2}") for n in range(4)]
            for each in recording:
                each.result()
            over.set()
            for each in collecting:
                assert each.result() == sorted(each.result())
    finally:
        over.set()
        sys.setswitchinterval(interval)
    assert counted(telemetry.reader) == {"c0": 1_400, "c1": 1_400}


def test_what_waits_is_bounded_where_nobody_collects():
    metrics = Metrics(OURS, MeterProvider(shutdown_on_exit=False))
    record(metrics, 1_000)
    (cell,) = metrics._ready().requests._cells.values()
    assert len(cell.waiting) <= tally.MOST


def test_a_sum_begins_with_its_first_request(telemetry):
    metrics = Metrics(OURS, telemetry.meter_provider)
    record(metrics, 1)
    (first,) = telemetry.points(REQUESTS)
    record(metrics, 100)
    (later,) = telemetry.points(REQUESTS)
    assert later.start_time_unix_nano == first.start_time_unix_nano < first.time_unix_nano


@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
def test_an_exemplar_leads_to_a_request_that_was_sampled(telemetry, sampler):
    metrics = Metrics(OURS, telemetry.meter_provider)
    tracer = TracerProvider(sampler=sampler, shutdown_on_exit=False).get_tracer("test")
    record(metrics, 1)
    expected = set()
    for _ in range(5):
        span = tracer.start_span("request")
        record(metrics, 1, context=trace.set_span_in_context(span))
        expected.add(span.get_span_context().span_id)
    with tracer.start_as_current_span("another"):
        (point,) = telemetry.points(REQUESTS)
    assert point.value == 6
    assert len(point.exemplars) == (sampler is ALWAYS_ON)
    for exemplar in point.exemplars:
        assert exemplar.span_id in expected
        assert exemplar.value == 1


def test_what_waits_is_told_when_nobody_counts_any_more(telemetry):
    metrics = Metrics(OURS, telemetry.meter_provider)
    record(metrics, 9)
    del metrics
    gc.collect()
    before = len(tally._tallies)
    assert counted(telemetry.reader) == {"acme": 9}
    assert len(tally._tallies) < before


def test_a_counter_that_nobody_collects_by_our_observables_is_told_at_once():
    counter = NoOpCounter("requests")
    assert tally.counting(counter, counter) is counter


@pytest.mark.swallows_errors
def test_an_error_of_a_counter_is_counted(no_swallowed_errors):
    class Broken(Counter):
        is_broken = False

        def __init__(self):
            pass

        def add(self, amount, attributes, context):
            if self.is_broken:
                raise OSError

    broken = Broken()
    counts, attributes = tally.counting(broken, broken), {"a": "b"}
    counts.add(1, attributes, None)
    counts.add(1, attributes, None)
    broken.is_broken = True
    tally.tell_all()
    assert [place for place, _ in no_swallowed_errors] == ["metrics.tally"]
    assert _guard.counts()["metrics.tally"] == 1
    counts.leave()
    tally.tell_all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_does_not_tell_what_waited_in_its_parent():
    told = run(
        "-c",
        """
import os
from tests.telemetry import Telemetry
from tests.test_tally import OURS, Metrics, counted, record

telemetry = Telemetry()
metrics = Metrics(OURS, telemetry.meter_provider)
record(metrics, 30)
child = os.fork()
record(metrics, 2)
if child:
    os.waitpid(child, 0)
print("parent" if child else "child", counted(telemetry.reader)["acme"], flush=True)
os._exit(0)
""",
    )
    # The SDK had been told of the first; what it holds a child inherits.
    assert sorted(told.splitlines()) == ["child 3", "parent 32"]
