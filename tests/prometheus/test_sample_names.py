"""Metrics of different names whose samples would have the same one."""

from itertools import permutations

import flask
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, Counter, Gauge, Info
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_apimetrics.prometheus import FlaskMetrics, PrometheusReader
from tests.one_span.processes import run_python

OPENMETRICS = "application/openmetrics-text; version=1.0.0"

MEASURE = {
    "counter": lambda meter, name: meter.create_counter(name).add(1),
    "gauge": lambda meter, name: meter.create_gauge(name).set(7),
    "histogram": lambda meter, name: meter.create_histogram(
        name, explicit_bucket_boundaries_advisory=[1]
    ).record(1),
    "summary": lambda meter, name: meter.create_histogram(
        name, explicit_bucket_boundaries_advisory=[]
    ).record(1),
}


def scraped(instruments, **options):
    """Both texts of what was measured in this order, checked by strict parsers."""
    reader = PrometheusReader(
        **{"registry": CollectorRegistry(), "target_info": False, "created": False, **options}
    )
    provider = MeterProvider([reader], shutdown_on_exit=False)
    meter = provider.get_meter("shop")
    for kind, name in instruments:
        MEASURE[kind](meter, name)
    text, openmetrics = (reader.scrape(accept).body.decode() for accept in ("", OPENMETRICS))
    provider.shutdown()
    list(parse_openmetrics(openmetrics))
    types = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len({line.split()[2] for line in types}) == len(types)
    return {
        sample.name: sample.value for family in parse_text(text) for sample in family.samples
    }, openmetrics


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (("counter", "foo"), ("gauge", "foo_total")),
        (("counter", "foo"), ("gauge", "foo.created")),
        (("histogram", "foo"), ("gauge", "foo.count")),
        (("histogram", "foo"), ("gauge", "foo_sum")),
        (("histogram", "foo"), ("gauge", "foo_bucket")),
        (("histogram", "foo"), ("summary", "foo_count")),
        (("summary", "foo"), ("gauge", "foo_sum")),
        (("histogram", "foo"), ("histogram", "foo.count")),
    ],
)
@pytest.mark.parametrize("created", [True, False])
def test_one_of_two_is_exposed_whichever_was_measured_first(first, other, created, caplog):
    alone, _ = scraped([first], created=created)
    for order in permutations([first, other]):
        found, _ = scraped(order, created=created)
        assert found.keys() == alone.keys()
        assert found[next(iter(alone))] == alone[next(iter(alone))]
    name = other[1].replace(".", "_")
    kind, owner = first
    assert caplog.text.count(f"The {other[0]} {name} is not exposed: the {kind} {owner} ") == 1


def test_a_counter_of_whose_family_alone_a_sample_has_the_name_keeps_its_samples():
    for order in permutations([("counter", "foo.count"), ("histogram", "foo")]):
        found, openmetrics = scraped(order)
        assert found["foo_count_total"] == found["foo_count"] == 1
        assert "# TYPE foo_count_total unknown\nfoo_count_total 1.0\n" in openmetrics
    found, openmetrics = scraped([("counter", "foo"), ("counter", "foo.created")], created=True)
    assert found["foo_total"] == found["foo_created_total"] == 1
    assert "# TYPE foo_created_total unknown" in openmetrics


def test_names_that_look_alike_and_have_no_sample_in_common_are_exposed():
    kept = [
        ("counter", "foo"),
        ("gauge", "foo_count"),
        ("gauge", "foo_sum"),
        ("gauge", "bar_total"),
    ]
    found, openmetrics = scraped(kept)
    assert found.keys() == {"foo_total", "foo_count", "foo_sum", "bar_total"}
    assert "# TYPE foo counter" in openmetrics


def test_what_was_declared_goes_before_what_was_not():
    reader = PrometheusReader(registry=CollectorRegistry(), target_info=False, created=False)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    app = flask.Flask("shop")
    metrics = FlaskMetrics(app, reader=reader, meter_provider=provider)
    app.get("/")(metrics.gauge("foo_total", "In progress")(lambda: "hello"))
    provider.get_meter("shop").create_counter("foo").add(5)
    assert app.test_client().get("/").status_code == 200
    assert "\nfoo_total 0.0\n" in reader.scrape().body.decode()


@pytest.mark.parametrize("meets_others", [False, True])
def test_what_prometheus_client_has_gives_way_to_instruments(meets_others, tmp_path, caplog):
    registry = CollectorRegistry()
    Counter("foo", "taken", registry=registry).inc(9)
    Counter("mine", "of the app", registry=registry).inc(3)
    Gauge("wait_count", "taken", registry=registry).set(9)
    instruments = [("gauge", "foo_total"), ("summary", "wait")]
    directory = tmp_path / "workers" if meets_others else None
    found, _ = scraped(instruments, registry=registry, directory=directory)
    found = {name: value for name, value in found.items() if not name.endswith("_created")}
    assert found == {"mine_total": 3, "foo_total": 7, "wait_count": 1, "wait_sum": 1}
    assert "foo" in caplog.text
    assert "wait_count" in caplog.text


def test_the_resource_keeps_the_name_of_its_own(caplog):
    registry = CollectorRegistry()
    Info("target", "taken", registry=registry).info({"a": "b"})
    found, _ = scraped([("gauge", "target.info")], registry=registry, target_info=True)
    assert found == {"target_info": 1}
    assert "target.info of shop is not exposed" in caplog.text
    assert "The info target is not exposed" in caplog.text


@pytest.mark.e2e
def test_each_of_many_workers_shows_the_same(tmp_path):
    said = run_python(
        f"""
        import os
        from opentelemetry.sdk.metrics import MeterProvider
        from prometheus_client import CollectorRegistry
        from otel_apimetrics.prometheus import PrometheusReader
        reader = PrometheusReader(
            registry=CollectorRegistry(), target_info=False, created=False,
            directory={str(tmp_path / "workers")!r}, gauges={{"foo_total": "max"}},
        )
        meter = MeterProvider([reader]).get_meter("shop")
        ready, go = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            meter.create_gauge("foo_total").set(7)
            print(reader.scrape().body.decode(), flush=True)
            os.write(ready[1], b"1")
            os.read(go[0], 1)
            print(reader.scrape().body.decode(), flush=True)
            os._exit(0)
        os.read(ready[0], 1)
        meter.create_counter("foo").add(1)
        print(reader.scrape().body.decode(), flush=True)
        os.write(go[1], b"1")
        os.waitpid(child, 0)
        """
    )
    shown = [line for line in said.splitlines() if line and line[0] != "#"]
    assert shown == ["foo_total 7.0", "foo_total 1.0", "foo_total 1.0"]
