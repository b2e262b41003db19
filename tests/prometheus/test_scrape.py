"""What a scrape shows of the instruments of OpenTelemetry."""

import gzip
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import context, trace
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    Gauge,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_apimetrics.prometheus import PrometheusReader
from otel_apimetrics.prometheus.translation import families_of

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
EMPTY = CollectorRegistry()


def made(*, views=(), **options):
    reader = PrometheusReader(
        **{"registry": EMPTY, "target_info": False, "created": False, **options}
    )
    provider = MeterProvider(
        [reader], resource=Resource({"service.name": "shop"}), views=views, shutdown_on_exit=False
    )
    return reader, provider


def shown(reader, accept="", **asked):
    return reader.scrape(accept, **asked).body.decode()


def samples(reader, accept=""):
    parse = parse_openmetrics if accept else parse_text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parse(shown(reader, accept))
        for sample in family.samples
    }


def test_each_instrument_has_its_kind_its_unit_and_its_description():
    reader, provider = made()
    meter = provider.get_meter("shop", "1")
    meter.create_counter("orders", unit="{order}", description="Orders").add(2, {"shop.id": 7})
    meter.create_up_down_counter("carts.open").add(-3)
    meter.create_gauge("fill", unit="1").set(0.5)
    meter.create_observable_gauge("heat", [lambda _: [Observation(21.5)]], unit="Cel")
    meter.create_histogram("wait", unit="ms", explicit_bucket_boundaries_advisory=[1, 2.5]).record(
        2
    )
    meter.create_histogram("sent", unit="By/s", explicit_bucket_boundaries_advisory=[]).record(9)
    assert shown(reader).splitlines() == [
        "# HELP orders_total Orders",
        "# TYPE orders_total counter",
        'orders_total{shop_id="7"} 2.0',
        "# HELP carts_open ",
        "# TYPE carts_open gauge",
        "carts_open -3.0",
        "# HELP fill_ratio ",
        "# TYPE fill_ratio gauge",
        "fill_ratio 0.5",
        "# HELP wait_milliseconds ",
        "# TYPE wait_milliseconds histogram",
        'wait_milliseconds_bucket{le="1.0"} 0.0',
        'wait_milliseconds_bucket{le="2.5"} 1.0',
        'wait_milliseconds_bucket{le="+Inf"} 1.0',
        "wait_milliseconds_count 1.0",
        "wait_milliseconds_sum 2.0",
        "# HELP sent_bytes_per_second ",
        "# TYPE sent_bytes_per_second summary",
        "sent_bytes_per_second_count 1.0",
        "sent_bytes_per_second_sum 9.0",
        "# HELP heat_celsius ",
        "# TYPE heat_celsius gauge",
        "heat_celsius 21.5",
    ]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (OPENMETRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"),
        ("text/plain;version=1.0.0", "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"),
        ("application/openmetrics-text;version=0.0.1", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)  # fmt: skip
def test_the_format_is_the_one_that_a_client_accepts(accept, content_type):
    reader, provider = made()
    provider.get_meter("shop").create_counter("orders").add(1)
    scrape = reader.scrape(accept)
    assert scrape.content_type == content_type
    assert scrape.body.endswith(b"# EOF\n") == ("openmetrics" in content_type)


def test_openmetrics_has_exemplars_with_the_ids_of_the_span_alone():
    reader, provider = made()
    meter = provider.get_meter("shop")
    span = trace.NonRecordingSpan(trace.SpanContext(0xABC, 0xDEF, False, trace.TraceFlags(1)))
    inside = trace.set_span_in_context(span, context.Context())
    meter.create_counter("orders").add(1, {}, inside)
    wait = meter.create_histogram("wait", explicit_bucket_boundaries_advisory=[1, 2])
    wait.record(1.5, {}, inside)
    wait.record(5)
    text = shown(reader, OPENMETRICS)
    ids = f'# {{span_id="{0xDEF:016x}",trace_id="{0xABC:032x}"}}'
    assert re.search(rf"^orders_total 1\.0 {re.escape(ids)} 1\.0 \d", text, re.MULTILINE)
    assert re.search(
        rf'^wait_bucket{{le="2\.0"}} 1\.0 {re.escape(ids)} 1\.5 \d', text, re.MULTILINE
    )
    assert text.count("# {") == 2
    assert "# {" not in shown(reader)


def test_each_series_says_since_when_it_counts_unless_it_is_a_gauge():
    reader, provider = made(created=True)
    meter = provider.get_meter("shop")
    meter.create_counter("orders").add(1, {"shop": "a"})
    meter.create_gauge("fill").set(1)
    meter.create_histogram("wait").record(1)
    found = [line for line in shown(reader).splitlines() if "_created" in line and line[0] != "#"]
    assert [line.split("{")[0].split(" ")[0] for line in found] == [
        "orders_created",
        "wait_created",
    ]
    assert all(float(line.split(" ")[-1]) > 1e9 for line in found)


def test_names_choose_families_and_samples():
    reader, provider = made()
    meter = provider.get_meter("shop")
    meter.create_counter("orders").add(1)
    meter.create_histogram("wait", explicit_bucket_boundaries_advisory=[1]).record(3)
    assert samples_of(reader, ["orders_total"]) == ["orders_total"]
    assert samples_of(reader, ["orders"]) == ["orders_total"]
    assert samples_of(reader, ["wait_sum", "orders_total"]) == ["orders_total", "wait_sum"]
    assert samples_of(reader, ["wait"]) == ["wait_bucket", "wait_bucket", "wait_count", "wait_sum"]
    assert shown(reader, names=["unknown"]) == shown(reader, names=[""]) == ""


def samples_of(reader, names):
    lines = shown(reader, names=names).splitlines()
    return [re.split(r"[{ ]", line)[0] for line in lines if line[0] != "#"]


def test_a_scrape_is_gzipped_for_whom_that_is_asked():
    reader, provider = made()
    provider.get_meter("shop").create_counter("orders").add(1)
    scrape = reader.scrape("", "gzip, deflate")
    assert scrape.is_gzip
    assert gzip.decompress(scrape.body) == reader.scrape().body


def test_one_name_in_two_scopes_is_told_apart_by_the_scope(caplog):
    reader, provider = made()
    provider.get_meter("flask").create_counter("requests").add(2, {"host": "a"})
    provider.get_meter("fastapi", "3").create_counter("requests").add(5, {"port": 80})
    provider.get_meter("fastapi", "4").create_counter("requests").add(7, {"port": 80})
    assert samples(reader) == {
        ("requests_total", ("host", "a"), ("otel_scope_name", "flask")): 2,
        ("requests_total", ("otel_scope_name", "fastapi"), ("otel_scope_version", "3"), ("port", "80")): 5,
        ("requests_total", ("otel_scope_name", "fastapi"), ("otel_scope_version", "4"), ("port", "80")): 7,
    }  # fmt: skip
    assert not caplog.records


def test_scopes_are_labels_where_they_are_asked_for():
    reader, provider = made(scope_labels=True)
    provider.get_meter("shop", "1", "https://schema").create_counter("orders").add(1)
    assert list(samples(reader)) == [
        (
            "orders_total",
            ("otel_scope_name", "shop"),
            ("otel_scope_schema_url", "https://schema"),
            ("otel_scope_version", "1"),
        )
    ]


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_a_label_that_tells_buckets_or_quantiles_apart_leaves_its_name_to_them(accept, caplog):
    reader, provider = made()
    meter = provider.get_meter("shop")
    attributes = {"le": "5", "quantile": "0.5", "exported_le": "x"}
    meter.create_histogram("wait", explicit_bucket_boundaries_advisory=[1]).record(1, attributes)
    meter.create_histogram("size", explicit_bucket_boundaries_advisory=[]).record(1, attributes)
    meter.create_counter("orders").add(1, attributes)
    given = ("quantile", "0.5")
    for_both = (("exported_exported_le", "5"), ("exported_le", "x"))
    assert samples(reader, accept) == {
        ("wait_bucket", *for_both, ("le", "1.0"), given): 1,
        ("wait_bucket", *for_both, ("le", "+Inf"), given): 1,
        ("wait_count", *for_both, given): 1,
        ("wait_sum", *for_both, given): 1,
        ("size_count", ("exported_le", "x"), ("exported_quantile", "0.5"), ("le", "5")): 1,
        ("size_sum", ("exported_le", "x"), ("exported_quantile", "0.5"), ("le", "5")): 1,
        ("orders_total", ("exported_le", "x"), ("le", "5"), given): 1,
    }
    assert caplog.text.count("wait has a label le") == 1
    assert caplog.text.count("size has a label quantile") == 1


def test_a_label_that_is_called_as_that_of_a_scope_is_not_lost():
    reader, provider = made(scope_labels=True)
    counter = provider.get_meter("shop").create_counter("orders")
    for number, value in enumerate("ab", 1):
        counter.add(number, {"otel_scope_name": value})
    assert {
        dict(key[1:])["exported_otel_scope_name"]: one for key, one in samples(reader).items()
    } == {
        "a": 1,
        "b": 2,
    }


def test_the_resource_is_a_metric_of_its_own():
    reader, provider = made(target_info=True)
    provider.get_meter("shop").create_counter("orders").add(1)
    assert samples(reader)["target_info", ("service_name", "shop")] == 1


def test_a_name_of_two_kinds_keeps_the_first_and_the_log_names_the_other(caplog):
    reader, provider = made()
    meter = provider.get_meter("shop")
    meter.create_up_down_counter("carts").add(1)
    provider.get_meter("other").create_gauge("carts").set(5)
    provider.get_meter("third").create_histogram("carts").record(5)
    assert samples(reader) == {("carts",): 1}
    assert "carts of other is not exposed" in caplog.text


def test_a_series_comes_once_whatever_views_do(caplog):
    reader, provider = made(
        views=[View(instrument_name="a", name="same"), View(instrument_name="b", name="same")]
    )
    meter = provider.get_meter("shop")
    meter.create_counter("a").add(1)
    meter.create_counter("b").add(2)
    assert samples(reader) == {("same_total",): 1}
    assert "two series of the same labels" in caplog.text


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
@pytest.mark.parametrize("meets_others", [False, True])
def test_an_exponential_histogram_shows_its_count_and_sum_and_says_why(
    accept, meets_others, tmp_path, caplog
):
    view = View(instrument_name="wait", aggregation=ExponentialBucketHistogramAggregation())
    directory = tmp_path / "workers" if meets_others else None
    reader, provider = made(views=[view], directory=directory)
    wait = provider.get_meter("shop").create_histogram("wait", unit="s")
    for number in range(1, 3):
        wait.record(3, {"to": "a"})
        labels = ("to", "a")
        assert samples(reader, accept) == {
            ("wait_seconds_count", labels): number, ("wait_seconds_sum", labels): 3 * number,
        }  # fmt: skip
        assert "# TYPE wait_seconds summary\n" in shown(reader, accept)
    assert caplog.text.count("exponential histogram") == 1
    provider.shutdown()


def test_keys_that_become_one_label_keep_both_values():
    reader, provider = made()
    provider.get_meter("shop").create_counter("orders").add(1, {"a.b": "x", "a-b": "y", "1": True})
    assert list(samples(reader)) == [("orders_total", ("_1", "True"), ("a_b", "y;x"))]


def test_metrics_of_prometheus_client_are_exposed_beside_ours_once(caplog):
    registry = CollectorRegistry()
    Counter("mine", "of the app", registry=registry).inc(3)
    Counter("orders", "taken", registry=registry).inc(9)
    reader, provider = made(registry=registry)
    provider.get_meter("shop").create_counter("orders").add(1)
    found = samples(reader)
    assert (found["mine_total",], found["orders_total",]) == (3, 1)
    assert "orders of prometheus_client is not exposed" in caplog.text


def test_the_process_and_the_interpreter_are_exposed_by_default():
    reader, _ = made(registry=None)
    names = {name for name, *_ in samples(reader)}
    assert {"process_resident_memory_bytes", "python_gc_collections_total", "python_info"} <= names


@pytest.mark.swallows_errors
def test_a_registry_that_fails_takes_nothing_else_with_it(no_swallowed_errors):
    class Broken:
        def collect(self):
            raise RuntimeError("broken collector")

    reader, provider = made(registry=Broken())
    provider.get_meter("shop").create_counter("orders").add(1)
    assert samples(reader) == {("orders_total",): 1}
    assert [place for place, _ in no_swallowed_errors] == ["prometheus.registry"]


@pytest.mark.swallows_errors
def test_a_metric_that_cannot_be_exposed_takes_no_other_with_it(no_swallowed_errors):
    scope = InstrumentationScope("shop")
    point = NumberDataPoint({}, 0, 1, 5)
    whole = Metric("whole", "", "", Gauge([point]))
    data = MetricsData(
        [
            ResourceMetrics(
                Resource({}), [ScopeMetrics(scope, [Metric("broken", "", "", None), whole], "")], ""
            )
        ]
    )
    (family,) = families_of(data, target_info=False)
    assert (family.name, family.series[0].value) == ("whole", 5)
    assert [place for place, _ in no_swallowed_errors] == ["prometheus.metric"]


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_./-]{0,20}", fullmatch=True)
own = st.sampled_from(["le", "quantile", "exported_le", "otel_scope_name"])
keys = st.dictionaries(
    own | st.text(max_size=8), st.text() | st.integers() | st.booleans(), max_size=4
)
units = st.sampled_from(["", "1", "s", "ms", "By", "{thing}", "By/s", "1/s", "m", "odd unit", "%"])


@given(st.lists(st.tuples(names, units, st.sampled_from("cghsu"), keys), max_size=6))
def test_whatever_instruments_are_called_both_formats_parse_and_no_series_comes_twice(instruments):
    reader, provider = made(created=True, target_info=True)
    meter = provider.get_meter("shop")
    for name, unit, kind, attributes in instruments:
        if kind == "c":
            meter.create_counter(name, unit).add(1, attributes)
        elif kind == "g":
            meter.create_gauge(name, unit).set(1, attributes)
        elif kind == "u":
            meter.create_up_down_counter(name, unit).add(1, attributes)
        else:
            bounds = [1, 2] if kind == "h" else []
            meter.create_histogram(name, unit, explicit_bucket_boundaries_advisory=bounds).record(
                1, attributes
            )
    for accept, parse in (("", parse_text), (OPENMETRICS, parse_openmetrics)):
        families = list(parse(shown(reader, accept)))
        found = [
            (sample.name, *sorted(sample.labels.items()))
            for family in families
            for sample in family.samples
        ]
        assert len(found) == len(set(found))


HALF = "\ud800"


def test_half_of_a_surrogate_pair_fails_no_scrape_and_stays_a_value_of_its_own():
    registry = CollectorRegistry()
    Counter("sent", f"Sent {HALF}", ["to"], registry=registry).labels(HALF).inc()
    reader, provider = made(registry=registry)
    counter = provider.get_meter("shop").create_counter("orders", description=f"Orders {HALF}")
    for number, value in enumerate((HALF, "\udfff", "ö", "\ud83d\ude00"), 1):
        counter.add(number, {"x": value})
    for accept in ("", OPENMETRICS):
        text = shown(reader, accept)
        assert "Orders \\\\ud800\n" in text
        assert "Sent \\\\ud800\n" in text
        found = samples(reader, accept)
        assert found["sent_total", ("to", "\\ud800")] == 1
        assert {key[1][1]: value for key, value in found.items() if key[0] == "orders_total"} == {
            "\\ud800": 1,
            "\\udfff": 2,
            "ö": 3,
            "\\ud83d\\ude00": 4,
        }
