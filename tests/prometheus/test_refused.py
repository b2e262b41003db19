"""What an app asks for and cannot have is refused where it is asked for, and named."""

import pytest
from fastapi import FastAPI
from flask import Flask
from prometheus_client import CollectorRegistry

from otel_apimetrics import ConfigError
from otel_apimetrics.compat.prometheus_fastapi_instrumentator.metrics import latency
from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics
from otel_apimetrics.compat.starlette_exporter import PrometheusMiddleware
from otel_apimetrics.prometheus import ASGIMetrics, FlaskMetrics

BUCKETS = [(2, 1), (), "ab", 5, (1, "x"), (float("nan"),)]
FRONTS = [
    (FlaskMetrics, "flask"),
    (ASGIMetrics, "fastapi-instrumentator"),
    (ASGIMetrics, "starlette"),
]


def made(front, **options):
    app = FastAPI() if front is ASGIMetrics else Flask("shop")
    return front(app, registry=CollectorRegistry(), **options)


@pytest.mark.parametrize(
    ("front", "option", "value", "instead"),
    [
        (FlaskMetrics, "prefix", "shop", "names='flask'"),
        (FlaskMetrics, "group_by", "endpoint", "names='flask'"),
        (FlaskMetrics, "buckets", (1, 2), "names='flask'"),
        (FlaskMetrics, "latency_as_histogram", False, "names='flask'"),
        (ASGIMetrics, "prefix", "shop", "'fastapi-instrumentator' or 'starlette'"),
        (ASGIMetrics, "group_by", "path", "'fastapi-instrumentator' or 'starlette'"),
        (ASGIMetrics, "buckets", (1, 2), "'fastapi-instrumentator' or 'starlette'"),
    ],
)
def test_options_of_default_metrics_need_names_that_have_some(front, option, value, instead):
    with pytest.raises(ConfigError, match=f"{option}: .*{instead}"):
        made(front, **{option: value})


@pytest.mark.parametrize(("front", "names"), FRONTS)
def test_the_environment_may_give_the_names(front, names, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_NAMES", names)
    made(front, prefix="shop", buckets=(1, 2))


def test_default_metrics_that_are_exported_by_hand_have_their_options():
    metrics = made(FlaskMetrics)
    metrics.export_defaults(prefix="shop", buckets=(1, 2), group_by="endpoint")
    metrics.app.test_client().get("/nope")
    assert (
        'shop_http_request_duration_seconds_bucket{endpoint="None",le="2.0"'
        in (metrics.generate_metrics()[0])
    )


@pytest.mark.parametrize("buckets", BUCKETS)
@pytest.mark.parametrize(("front", "names"), [*FRONTS, (PrometheusMetrics, None)])
def test_buckets_are_ascending_numbers(front, names, buckets):
    options = {} if names is None else {"names": names}
    with pytest.raises(ConfigError, match="The default metrics: "):
        made(front, buckets=buckets, **options)


@pytest.mark.parametrize("buckets", BUCKETS)
def test_buckets_of_the_fronts_for_asgi_are_ascending_numbers(buckets):
    registry = CollectorRegistry()
    with pytest.raises(ValueError, match="starlette_request_duration_seconds: "):
        PrometheusMiddleware(FastAPI(), buckets=buckets, registry=registry)
    with pytest.raises(ValueError, match="http_request_duration_seconds: "):
        latency(buckets=buckets, registry=registry)


@pytest.mark.parametrize(("front", "names"), FRONTS)
def test_a_label_of_the_buckets_own_is_none_of_the_default_metrics(front, names):
    with pytest.raises(ConfigError, match="le"):
        made(front, names=names, default_labels={"le": "x"})


@pytest.mark.parametrize("label", ["le", "__a", ""])
def test_labels_of_the_middleware_have_possible_names(label):
    with pytest.raises(ConfigError, match="cannot be the name of a label"):
        PrometheusMiddleware(FastAPI(), registry=CollectorRegistry(), labels={label: "x"})


def test_labels_of_the_middleware_are_a_dictionary_of_what_may_be_asked():
    with pytest.raises(ConfigError, match="no dictionary"):
        PrometheusMiddleware(FastAPI(), registry=CollectorRegistry(), labels=["zz"])
    for label in (lambda: 1, lambda request, response: 1):
        with pytest.raises(ConfigError, match="a is called with the request"):
            PrometheusMiddleware(FastAPI(), registry=CollectorRegistry(), labels={"a": label})


def test_a_metric_that_the_middleware_does_not_know_is_told(caplog):
    PrometheusMiddleware(FastAPI(), registry=CollectorRegistry(), optional_metrics=["zz"])
    assert "there is no zz. Use some of response_body_size, request_body_size" in caplog.text


@pytest.mark.parametrize("front", [FlaskMetrics, ASGIMetrics, PrometheusMetrics])
def test_a_label_is_asked_with_the_response_and_with_no_more(front):
    metrics = made(front)
    for label in (lambda response, more: 1, lambda response, *, more: 1):
        with pytest.raises(ConfigError, match="labels: a is called with 0 or 1 values"):
            metrics.counter("calls", "Calls", labels={"a": label})
    for number, label in enumerate((lambda *all: 1, lambda response, more=1: 1, str)):
        metrics.counter(f"calls{number}", "Calls", labels={"a": label})


@pytest.mark.parametrize("front", [FlaskMetrics, ASGIMetrics, PrometheusMetrics])
def test_a_converter_is_a_function_of_what_a_view_returns(front):
    for converter in ("x", lambda: 1, lambda returned, more: 1):
        with pytest.raises(ConfigError, match="response_converter"):
            made(front, response_converter=converter)


@pytest.mark.parametrize(("front", "names"), FRONTS)
def test_a_group_is_a_function_of_the_request(front, names):
    def group():
        return "x"

    with pytest.raises(ConfigError, match="group_by is called with 1 value"):
        made(front, names=names, group_by=group)
