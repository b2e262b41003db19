"""The ready-made instrumentations."""

import pytest
from prometheus_client import CollectorRegistry

from otel_apimetrics.compat.prometheus_fastapi_instrumentator import metrics
from tests.compat.asgi_apps import ask

LABELS = '{handler="/made",method="POST",status="2xx"}'


@pytest.fixture
def made(app):
    app.post("/made")(lambda: "made")
    return app


@pytest.mark.row(123)
def test_requests_are_counted_and_timed(made, make, scrape):
    make(metrics.latency(buckets=(1, 2)), metrics.requests())
    ask(made, "POST", "/made")
    shown = scrape()
    assert shown.of("http_request_duration_seconds_bucket")[:3] == [
        f'http_request_duration_seconds_bucket{{handler="/made",le="{le}",method="POST",status="2xx"}} 1.0'
        for le in ("1.0", "2.0", "+Inf")
    ]
    assert shown[f"http_requests_total{LABELS}"] == 1


@pytest.mark.row(123)
def test_a_latency_may_end_where_the_response_begins(make, registry):
    measure = metrics.latency(should_exclude_streaming_duration=True)
    measure(metrics.Info(None, None, "GET", "/", "2xx", 7.0, 3.0))
    labels = {"handler": "/", "method": "GET", "status": "2xx"}
    assert registry.get_sample_value("http_request_duration_seconds_sum", labels) == 3


@pytest.mark.row(124)
def test_sizes_are_those_of_requests_of_responses_and_of_both(made, make, scrape):
    make(metrics.request_size(), metrics.response_size(), metrics.combined_size())
    ask(made, "POST", "/made", body=b"12345")
    shown = scrape()
    sums = [
        shown[f"http_{each}_size_bytes_sum{LABELS}"] for each in ("request", "response", "combined")
    ]
    assert sums == [5, 6, 11]


@pytest.mark.row(124)
def test_without_a_response_sizes_are_those_of_the_request(made, registry):
    measure = metrics.response_size(should_include_handler=False)
    measure(metrics.Info(None, None, "GET", "/", "2xx", 1.0))
    labels = {"method": "GET", "status": "2xx"}
    assert registry.get_sample_value("http_response_size_bytes_sum", labels) == 0
    assert registry.get_sample_value("http_response_size_bytes_count", labels) == 1


MAKERS = [metrics.latency, metrics.request_size, metrics.response_size, metrics.combined_size, metrics.requests]  # fmt: skip


@pytest.mark.row(125)
@pytest.mark.parametrize("maker", MAKERS)
def test_labels_names_and_the_registry_may_be_chosen(made, make, maker):
    given = CollectorRegistry()
    bare = maker(
        metric_name="bare",
        metric_doc="Bare",
        metric_namespace="shop",
        metric_subsystem="api",
        should_include_handler=False,
        should_include_method=False,
        should_include_status=False,
        registry=given,
    )
    by_method = maker(
        "one", should_include_handler=False, should_include_status=False, registry=given
    )
    make(bare, by_method)
    (before, _) = given.collect()
    assert (before.documentation, before.samples[0].value) == ("Bare", 0)
    ask(made, "POST", "/made")
    suffix = "total" if maker is metrics.requests else "count"
    assert given.get_sample_value(f"shop_api_bare_{suffix}") == 1
    assert given.get_sample_value(f"one_{suffix}", {"method": "POST"}) == 1


@pytest.mark.row(125)
def test_the_default_metrics_are_one_function(made, make, scrape):
    make(metrics.default(metric_namespace="shop"))
    ask(made, "POST", "/made")
    shown = scrape()
    assert shown[f"shop_http_requests_total{LABELS}"] == 1
    assert shown["shop_http_request_duration_highr_seconds_count"] == 1


@pytest.mark.row(125)
def test_a_name_that_another_metric_has_gives_nothing(registry, caplog):
    assert metrics.requests() is not None
    assert metrics.requests(should_include_status=False) is None
    assert "another metric of that name" in caplog.text


@pytest.mark.row(126)
@pytest.mark.parametrize("maker", MAKERS)
def test_custom_labels_have_their_values(made, make, registry, maker):
    labels = {"team": "a", "kind": lambda response: response.headers["content-type"]}
    make(maker("mine", custom_labels=labels))
    ask(made, "POST", "/made")
    suffix = "total" if maker is metrics.requests else "count"
    told = {
        "handler": "/made",
        "method": "POST",
        "status": "2xx",
        "team": "a",
        "kind": "application/json",
    }
    assert registry.get_sample_value(f"mine_{suffix}", told) == 1


@pytest.mark.row(126)
def test_custom_labels_of_the_default_metrics_are_on_all_but_the_durations_without_labels(
    made, make, scrape
):
    make(custom_labels={"team": "a"})
    ask(made, "POST", "/made")
    shown = scrape()
    assert shown['http_requests_total{handler="/made",method="POST",status="2xx",team="a"}'] == 1
    assert shown['http_request_size_bytes_count{handler="/made",team="a"}'] == 1
    assert shown["http_request_duration_highr_seconds_count"] == 1
