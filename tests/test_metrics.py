"""Metrics: fixed keys, a cap, the conventions' buckets, and counts that no sampler touches."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased

from otel_apimetrics import (
    ApiMetricsWSGIMiddleware,
    Consumer,
    _guard,
    add_label,
    set_consumer,
    skip_request,
)
from otel_apimetrics.cardinality import MAX_SETS, Cardinality
from otel_apimetrics.exchange import Body, Exchange, Request, Response, ValidationError, WebSocket
from otel_apimetrics.metrics import Metrics
from otel_apimetrics.semconv import DURATION_BUCKETS
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry

KEYS = {
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "apimetrics.consumer.id",
    "apimetrics.consumer.group",
}


def exchange(
    consumer: str | None = None, *, route="/r", status=200, group=None, **named
) -> Exchange:
    who = None if consumer is None else Consumer(id=consumer, group=group)
    return Exchange(
        id="0" * 32,
        request=Request(method=named.pop("method", "GET"), route=route, body=Body(size=3)),
        response=None if status is None else Response(status=status, body=Body(size=5)),
        consumer=who,
        duration_ns=named.pop("duration_ns", 20_000_000),
        **named,
    )


def record(telemetry: Telemetry, *exchanges: Exchange, which=("default",), alone=True, **named):
    metrics = Metrics(frozenset(which), telemetry.meter_provider, **named)
    for one in exchanges:
        metrics.record(one, None, alone=alone, raised=one.exception is not None)


@pytest.mark.parametrize(
    ("sampler", "least", "most"),
    [
        (ALWAYS_OFF, 0, 0),
        (TraceIdRatioBased(0.5), 40, 160),
        (ParentBased(TraceIdRatioBased(0.5)), 40, 160),
        (ALWAYS_ON, 200, 200),
    ],
)
def test_counts_equal_requests_under_any_sampler(sampler, least, most):
    telemetry = Telemetry(sampler=sampler)

    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"x"]

    served = ApiMetricsWSGIMiddleware(app, metrics="all", **telemetry.providers)
    for _ in range(200):
        serve_wsgi(served, make_environ())

    assert telemetry.total() == 200
    assert sum(p.count for p in telemetry.points("apimetrics.request.duration")) == 200
    assert sum(p.count for p in telemetry.points("apimetrics.response.body.size")) == 200
    assert least <= len(telemetry.server_spans) <= most


def test_the_keys_are_always_the_same_and_absent_is_empty(telemetry: Telemetry):
    record(telemetry, exchange(), exchange("acme", group="gold"), exchange(route=None, status=None))
    points = telemetry.points("apimetrics.requests")
    assert all(set(p.attributes) == KEYS for p in points)
    nobody = [p for p in points if p.attributes["http.route"] == ""]
    assert nobody[0].attributes["http.response.status_code"] == ""
    assert nobody[0].attributes["apimetrics.consumer.id"] == ""


def test_durations_have_the_buckets_of_the_conventions_in_seconds(telemetry: Telemetry):
    record(telemetry, exchange(duration_ns=20_000_000))
    (point,) = telemetry.points("apimetrics.request.duration")
    assert tuple(point.explicit_bounds) == DURATION_BUCKETS
    assert point.sum == pytest.approx(0.02)


def test_names_and_units_are_the_documented_ones(telemetry: Telemetry):
    record(telemetry, exchange(), which=("default", "all", "semconv"))
    data = telemetry.reader.get_metrics_data()
    found = {
        metric.name: metric.unit
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert found["apimetrics.requests"] == "{request}"
    assert found["apimetrics.request.duration"] == "s"
    assert found["apimetrics.request.body.size"] == "By"
    assert found["apimetrics.response.body.size"] == "By"
    assert found["http.server.request.duration"] == "s"
    assert found["http.server.request.body.size"] == "By"
    assert found["http.server.response.body.size"] == "By"


def test_an_exemplar_leads_to_the_span(telemetry: Telemetry):
    def app(environ, start_response):
        start_response("200 OK", [])
        return []

    serve_wsgi(ApiMetricsWSGIMiddleware(app, **telemetry.providers), make_environ())
    (point,) = telemetry.points("apimetrics.request.duration")
    (exemplar,) = point.exemplars
    context = telemetry.server_span.context
    assert (exemplar.trace_id, exemplar.span_id) == (context.trace_id, context.span_id)


def test_without_any_set_nothing_is_recorded(telemetry: Telemetry):
    record(telemetry, exchange(), which=())
    assert telemetry.points("apimetrics.requests") == []


def test_metrics_off_is_an_option(telemetry: Telemetry):
    def app(environ, start_response):
        start_response("200 OK", [])
        return []

    serve_wsgi(ApiMetricsWSGIMiddleware(app, metrics="off", **telemetry.providers), make_environ())
    assert telemetry.points("apimetrics.requests") == []
    assert len(telemetry.server_spans) == 1


def test_requests_in_flight_are_counted_in_and_out(telemetry: Telemetry):
    seen = []

    def app(environ, start_response):
        seen.append(telemetry.total("apimetrics.active_requests"))
        start_response("200 OK", [])
        return []

    served = ApiMetricsWSGIMiddleware(app, metrics="all", **telemetry.providers)
    serve_wsgi(served, make_environ())
    serve_wsgi(served, make_environ("BREW"))
    assert seen == [1, 1]
    assert {
        p.attributes["http.request.method"]: p.value
        for p in telemetry.points("apimetrics.active_requests")
    } == {"GET": 0, "_OTHER": 0}


def test_a_request_that_is_skipped_is_in_flight_no_more(telemetry: Telemetry):
    seen = []

    def app(environ, start_response):
        skip_request()
        seen.append(telemetry.total("apimetrics.active_requests"))
        skip_request()
        start_response("200 OK", [])
        return []

    served = ApiMetricsWSGIMiddleware(app, metrics="all", **telemetry.providers)
    serve_wsgi(served, make_environ())
    assert seen == [0]
    assert telemetry.total("apimetrics.active_requests") == 0


def test_a_websocket_counts_as_a_request_and_never_as_a_duration(telemetry: Telemetry):
    record(telemetry, exchange(websocket=WebSocket()), which=("all", "semconv"))
    assert telemetry.total() == 1
    assert telemetry.points("apimetrics.request.duration") == []
    assert telemetry.points("http.server.request.duration") == []


def test_validation_errors_are_counted_by_field(telemetry: Telemetry):
    error = ValidationError(source="body", field="a", message="m", type="t")
    record(telemetry, exchange(validation_errors=(error, error)))
    assert telemetry.total("apimetrics.validation_errors") == 2


def test_semconv_metrics_are_withheld_where_another_measures_too(telemetry: Telemetry, caplog):
    record(telemetry, exchange(), exchange(), which=("semconv",), alone=False)
    assert telemetry.points("http.server.request.duration") == []
    assert telemetry.total() == 2
    assert caplog.text.count("metrics='semconv' is off") == 1


def test_semconv_metrics_have_the_keys_of_the_conventions(telemetry: Telemetry):
    record(
        telemetry,
        exchange("acme", error="500", status=500),
        exchange(status=None, method="BREW"),
        which=("semconv",),
    )
    points = telemetry.points("http.server.request.duration")
    assert {p.attributes["http.request.method"] for p in points} == {"GET", "_OTHER"}
    assert all("apimetrics.consumer.id" not in p.attributes for p in points)
    assert {p.attributes["error.type"] for p in points} == {"500", ""}
    assert len(telemetry.points("http.server.response.body.size")) == 1


def test_sizes_of_a_request_without_a_response_are_those_of_the_request(telemetry: Telemetry):
    record(telemetry, exchange(status=None), which=("all",))
    assert len(telemetry.points("apimetrics.request.body.size")) == 1
    assert telemetry.points("apimetrics.response.body.size") == []


def test_declared_labels_become_keys_and_others_do_not(telemetry: Telemetry):
    def app(environ, start_response):
        add_label("plan", "gold")
        add_label("region", "eu")
        start_response("200 OK", [])
        return []

    served = ApiMetricsWSGIMiddleware(app, metric_labels=["plan", "tier"], **telemetry.providers)
    serve_wsgi(served, make_environ())
    (point,) = telemetry.points("apimetrics.requests")
    assert set(point.attributes) == KEYS | {"apimetrics.label.plan", "apimetrics.label.tier"}
    assert point.attributes["apimetrics.label.plan"] == "gold"
    assert point.attributes["apimetrics.label.tier"] == ""
    assert telemetry.server_span.attributes["apimetrics.label.region"] == "eu"


SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"


@pytest.mark.parametrize(
    ("say", "option"),
    [
        (lambda: add_label("plan", SECRET), {"metric_labels": ["plan"]}),
        (lambda: add_label("password", "hunter2"), {"metric_labels": ["password"]}),
        (lambda: set_consumer(SECRET), {}),
        (lambda: set_consumer("acme", group=SECRET), {}),
    ],
)
def test_no_secret_becomes_a_metric_attribute(telemetry: Telemetry, say, option):
    def app(environ, start_response):
        say()
        start_response("200 OK", [])
        return []

    serve_wsgi(ApiMetricsWSGIMiddleware(app, **option, **telemetry.providers), make_environ())
    (point,) = telemetry.points("apimetrics.requests")
    assert SECRET not in str(dict(point.attributes))
    assert "hunter2" not in str(dict(point.attributes))


def test_past_max_consumers_a_new_one_is_other_with_its_route_and_status(
    telemetry: Telemetry, caplog
):
    record(
        telemetry,
        *(exchange(f"c{n}", route=f"/r{n % 2}") for n in range(10)),
        exchange("c0", route="/r0"),
        exchange(),
        max_consumers=4,
    )
    points = telemetry.points("apimetrics.requests")
    by_consumer: dict[str, int] = {}
    for point in points:
        who = point.attributes["apimetrics.consumer.id"]
        by_consumer[who] = by_consumer.get(who, 0) + point.value
    assert by_consumer == {"c0": 2, "c1": 1, "c2": 1, "c3": 1, "_OTHER": 6, "": 1}
    assert {
        p.attributes["http.route"]
        for p in points
        if p.attributes["apimetrics.consumer.id"] == "_OTHER"
    } == {"/r0", "/r1"}
    assert caplog.text.count("More than 4 consumers") == 1


@pytest.mark.parametrize("routes", [1, 10, 3000])
def test_three_thousand_consumers_and_routes_stay_below_the_bound(
    telemetry: Telemetry, caplog, routes
):
    exchanges = [
        exchange(f"c{n}", route=f"/r{(n + m) % routes}", status=200 + m)
        for n in range(3000)
        for m in range(2)
    ]
    record(telemetry, *exchanges, which=("default", "all"))
    for name in ("apimetrics.requests", "apimetrics.request.duration"):
        assert len(telemetry.points(name)) < MAX_SETS
    assert telemetry.total() == 6000
    assert all(set(p.attributes) == KEYS for p in telemetry.points("apimetrics.requests"))
    assert caplog.text.count("combinations") == (routes == 3000)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from([200, 404, None])),
        max_size=40,
    ),
    st.integers(1, 4),
)
def test_the_sum_over_all_points_is_the_number_of_requests(requests, max_consumers):
    telemetry = Telemetry()
    record(
        telemetry,
        *(exchange(f"c{c}" if c else None, route=f"/{r}", status=s) for c, r, s in requests),
        max_consumers=max_consumers,
    )
    assert telemetry.total() == len(requests)
    consumers = {
        p.attributes["apimetrics.consumer.id"] for p in telemetry.points("apimetrics.requests")
    }
    assert len(consumers - {"", "_OTHER"}) <= max_consumers
    _guard.forget()


def test_a_known_combination_gets_the_same_object():
    cardinality = Cardinality(10, ())
    one = exchange("acme")
    assert cardinality.attributes(one) is cardinality.attributes(replace(one, id="1"))


def test_health_of_deliveries_is_observable(telemetry: Telemetry):
    from otel_apimetrics import health

    health.forget()
    health.count("sent", "x", number=3)
    health.count("dropped", "x", "queue_full")
    health.count("failed", "x", "refused")
    record(telemetry, exchange())
    (sent,) = telemetry.points("apimetrics.exporter.sent")
    (dropped,) = telemetry.points("apimetrics.exporter.dropped")
    (failed,) = telemetry.points("apimetrics.exporter.failed")
    assert (sent.value, dropped.value, failed.value) == (3, 1, 1)
    assert "queue_full" in dropped.attributes.values()
    health.forget()
    assert health.counts("sent") == {}
