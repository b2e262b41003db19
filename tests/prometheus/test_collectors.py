"""What collectors and callbacks of the app's give or raise: no scrape fails, no counter falls."""

import asyncio
import decimal
import signal
import sys
import threading
from types import SimpleNamespace

import pytest
from flask import Flask
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families as parse

from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics
from otel_apimetrics.prometheus import PrometheusReader, wire
from otel_apimetrics.prometheus.families import Family, Series
from otel_apimetrics.prometheus.member import Member
from otel_apimetrics.prometheus.place import Place

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
ODD = decimal.Decimal("1.5")


class Scalar:
    """A number of another library's, such as NumPy."""

    def __init__(self, value):
        self.value = value

    def __float__(self):
        return float(self.value)


class Collecting:
    """A collector that gives what it is told to."""

    def __init__(self, *given):
        self.given = given
        self.error = None

    def describe(self):
        return []

    def collect(self):
        yield from self.given[:1]
        if self.error is not None:
            raise self.error
        yield from self.given[1:]


@pytest.fixture(params=[False, True], ids=["alone", "with others"])
def made(request, tmp_path):
    providers = []

    def make(*collectors):
        registry = CollectorRegistry()
        for one in collectors:
            registry.register(one)
        directory = tmp_path / "workers" if request.param else None
        reader = PrometheusReader(
            registry=registry, directory=directory, target_info=False, created=False
        )
        providers.append(MeterProvider([reader], shutdown_on_exit=False))
        return reader, providers[-1].get_meter("shop"), registry

    yield make
    for provider in providers:
        provider.shutdown()


def shown(reader, accept="", names=()):
    return reader.scrape(accept, names=names).body.decode()


def samples(reader):
    return {
        (sample.name, *(sorted((k, v) for k, v in sample.labels.items() if k != "pid"))): (
            sample.value
        )
        for family in parse(shown(reader))
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def places_of(swallowed):
    return {place for place, _ in swallowed}


class Timeout(BaseException):
    """Is none of Python's, as those of gevent are."""


RAISED = [TimeoutError, asyncio.CancelledError, SystemExit, GeneratorExit, Timeout]


@pytest.mark.swallows_errors
@pytest.mark.parametrize("error", RAISED)
def test_a_collector_that_fails_is_missing_alone(made, error, no_swallowed_errors):
    first = Collecting(GaugeMetricFamily("first", "", value=1), GaugeMetricFamily("again", "", 2))
    reader, meter, registry = made(first, Collecting(GaugeMetricFamily("last", "", value=3)))
    orders, mine = Counter("orders", "", registry=registry), meter.create_counter("mine")
    orders.inc(7)
    mine.add(5)
    rest = {("orders_total",): 7, ("mine_total",): 5, ("last",): 3}
    assert samples(reader) == {**rest, ("first",): 1, ("again",): 2}
    first.error = error()
    assert samples(reader) == rest
    assert places_of(no_swallowed_errors) == {"prometheus.registry"}
    first.error = None
    assert samples(reader) == {**rest, ("first",): 1, ("again",): 2}


@pytest.mark.swallows_errors
@pytest.mark.parametrize("error", RAISED)
def test_a_callback_that_fails_takes_no_count_with_it(made, error, no_swallowed_errors):
    raised = []

    def callback(_):
        if raised:
            raise raised[0]
        return [Observation(1)]

    reader, meter, _ = made()
    meter.create_counter("mine").add(5)
    meter.create_observable_gauge("pool", [callback])
    assert samples(reader) == {("mine_total",): 5, ("pool",): 1}
    raised.append(error())
    assert samples(reader) == {("mine_total",): 5}
    # The SDK logs what is an Exception itself.
    expected = set() if isinstance(raised[0], Exception) else {"prometheus.observable"}
    assert places_of(no_swallowed_errors) == expected
    raised.clear()
    assert samples(reader) == {("mine_total",): 5, ("pool",): 1}


def test_what_a_signal_handler_raises_meanwhile_is_the_apps(made):
    class Ended(BaseException):
        pass

    def end(*_):
        raise Ended

    class Interrupted(Collecting):
        def collect(self):
            signal.raise_signal(signal.SIGUSR1)
            return []

    reader, meter, registry = made()
    meter.create_counter("mine").add(5)
    before = signal.signal(signal.SIGUSR1, end)
    try:
        registry.register(one := Interrupted())
        with pytest.raises(Ended):
            reader.scrape()
        registry.unregister(one)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert samples(reader) == {("mine_total",): 5}


@pytest.mark.swallows_errors
@pytest.mark.parametrize("error", [TimeoutError, asyncio.CancelledError])
def test_a_counter_that_was_shown_does_not_fall_where_its_source_fails(tmp_path, error):
    rows = Collecting(GaugeMetricFamily("up", "", value=1), CounterMetricFamily("rows", "", 40))
    registry, raised = CollectorRegistry(), []

    def callback(_):
        if raised:
            raise raised[0]
        return [Observation(30)]

    registry.register(rows)
    reader = PrometheusReader(
        registry=registry, directory=tmp_path / "workers", target_info=False, created=False
    )
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("shop").create_observable_counter("seen", [callback])
    counted = {("rows_total",): 40, ("seen_total",): 30}
    assert samples(reader) == {**counted, ("up",): 1}
    rows.error = error()
    raised.append(error())
    for _ in range(2):
        assert samples(reader) == counted
    rows.error = None
    raised.clear()
    rows.given = (rows.given[0],)  # it has none any more, and says so
    assert samples(reader) == {("up",): 1, ("seen_total",): 30}
    provider.shutdown()


@pytest.mark.swallows_errors
def test_the_endpoint_of_flask_shows_all_but_the_collector_that_fails():
    registry, app = CollectorRegistry(), Flask("shop")
    PrometheusMetrics(app, registry=registry)
    broken = Collecting()
    broken.error = TimeoutError("no database")
    registry.register(broken)
    registry.register(Collecting(odd_labels(), GaugeMetricFamily("nothing", "", None)))
    client = app.test_client()
    client.get("/").close()
    with client.get("/metrics") as response:
        assert response.status_code == 200
        assert 'odd{shop="1"} 1.0' in response.text
        assert "nothing " in response.text, "its help"
        assert "flask_exporter_info{" in response.text
    with client.get("/metrics?name[]=flask_exporter_info") as response:
        assert response.text.splitlines()[-1] == 'flask_exporter_info{version="0.23.2"} 1.0'


def odd_labels():
    metric = GaugeMetricFamily("odd", "", labels=["shop"])
    metric.samples.append(("odd", {"shop": 1}, 1))
    return metric


def of_samples(kind, *given, name="odd", text=""):
    metric = Metric(name, text, kind)
    for sample in given:
        metric.add_sample(*sample)
    return metric


def with_labels(*values):
    metric = GaugeMetricFamily("odd", "", labels=["shop"])
    metric.add_metric(values, 1)
    return metric


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (GaugeMetricFamily("odd", "", value=ODD), {("odd",): 1.5}),
        (GaugeMetricFamily("odd", "", value=Scalar(1.5)), {("odd",): 1.5}),
        (GaugeMetricFamily("odd", "", value="1.5"), {("odd",): 1.5}),
        (CounterMetricFamily("odd", "", value=Scalar(3)), {("odd_total",): 3}),
        (with_labels(7), {("odd", ("shop", "7")): 1}),
        (with_labels(None), {("odd", ("shop", "None")): 1}),
        (odd_labels(), {("odd", ("shop", "1")): 1}),
        (of_samples("gauge", ("odd", {}, 1), text=None), {("odd",): 1}),
        (SummaryMetricFamily("odd", "", ODD * 2, Scalar(4)),
         {("odd_count",): 3, ("odd_sum",): 4}),
    ],
)  # fmt: skip
def test_what_means_a_number_or_a_text_is_shown_as_one(made, metric, expected):
    reader, meter, _ = made(Collecting(metric))
    meter.create_counter("mine").add(5)
    for _ in range(2):
        assert samples(reader) == {**expected, ("mine_total",): 5}
    assert "mine_total 5.0" in shown(reader, OPENMETRICS)
    assert "mine_total 5.0" in shown(reader, names=["mine_total"])


NAN = float("nan")


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    "metric",
    [
        GaugeMetricFamily("odd", "", value="much"),
        of_samples("gauge", ("odd", {}, None)),
        of_samples("gauge", ("odd", {}, [1])),
        of_samples("histogram", ("odd_bucket", {}, 1)),
        of_samples("histogram", ("odd_bucket", {"le": "much"}, 1)),
        of_samples("histogram", ("odd_bucket", {"le": "1"}, NAN), ("odd_bucket", {"le": "+Inf"}, 1)),
        of_samples("gauge", ("odd", None, 1)),
        of_samples("gauge", ("odd", {}, 1, "noon")),
        of_samples("gauge", ("odd", {}, 1, NAN)),
        SummaryMetricFamily("odd", "", count_value=NAN, sum_value=1),
        HistogramMetricFamily("odd", "", [("1", 1), ("+Inf", float("inf"))], 1),
        SimpleNamespace(samples=3, name="odd"),
        None,
        3,
    ],
    ids=str,
)  # fmt: skip
def test_what_means_none_takes_nothing_else_with_it(made, metric):
    good = CounterMetricFamily("good", "", 4)
    reader, meter, _ = made(Collecting(metric), Collecting(good))
    meter.create_counter("mine").add(5)
    for accept in ("", OPENMETRICS):
        assert "mine_total 5.0" in shown(reader, accept)
        assert "good_total 4.0" in shown(reader, accept)
        assert "much" not in shown(reader, accept).replace('le="much"', "")
    assert "mine_total 5.0" in shown(reader, names=["mine_total"])
    reader.force_flush()


@pytest.mark.swallows_errors
def test_one_series_that_means_none_leaves_its_family_the_others(tmp_path, no_swallowed_errors):
    odd = SummaryMetricFamily("odd", "", labels=["shop"])
    odd.add_metric(["a"], NAN, 1)
    odd.add_metric(["b"], 2, 3)
    registry = CollectorRegistry()
    registry.register(Collecting(odd))
    reader = PrometheusReader(registry=registry, directory=tmp_path / "workers", target_info=False)
    assert samples(reader) == {("odd_count", ("shop", "b")): 2, ("odd_sum", ("shop", "b")): 3}
    assert places_of(no_swallowed_errors) == {"prometheus.sample"}
    reader.shutdown()


@pytest.mark.swallows_errors
def test_what_cannot_be_written_down_is_a_family_less(no_swallowed_errors):
    good = Family("good", "counter", series=[Series((), Scalar(2))])
    odd = Family("odd", "counter", series=[Series((), "much"), Series((), object())])
    told = wire.read(wire.written([odd, good])).families
    assert [(family.name, family.series[0].value) for family in told] == [("good", 2)]
    assert places_of(no_swallowed_errors) == {"prometheus.metric"}


def test_exemplars_of_prometheus_client_keep_their_labels(made):
    reader, _, registry = made()
    wait = Histogram("wait", "", registry=registry)
    Counter("orders", "", registry=registry).inc(1, exemplar={"traceID": "abc"})
    wait.observe(0.3, exemplar={"trace_id": "t", "user": "u"})
    wait.observe(3.5, exemplar={"trace_id": "a" * 32, "span_id": "b" * 16})
    text = shown(reader, OPENMETRICS)
    assert '# {traceID="abc"} 1.0 1' in text
    assert '# {trace_id="t",user="u"} 0.3 1' in text
    assert f'# {{span_id="{"b" * 16}",trace_id="{"a" * 32}"}} 3.5 1' in text


def thrown_from_outside():
    """As C code throws it: there is no statement that raises it."""
    try:
        (one for one in ()).throw(Timeout())
    finally:
        assert isinstance(sys.exc_info()[1], Timeout)


@pytest.mark.swallows_errors
def test_whatever_leaves_a_collection_the_worker_answers_the_next(tmp_path, no_swallowed_errors):
    raised, told = [], threading.Event()

    def collect():
        if raised:
            raised.pop()
            thrown_from_outside()
        told.set()
        return [Family("orders", "counter", series=[Series((), 2)])]

    member = Member(Place(tmp_path / "workers", 0), collect, {}, threaded=True)
    raised.append(True)
    member.note()
    assert told.wait(60) is (not raised)
    assert places_of(no_swallowed_errors) == {"prometheus.worker"}
    member.end()
