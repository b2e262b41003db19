"""Which format a client gets, by its header `Accept`."""

import flask
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics
from otel_apimetrics.prometheus import ASGIMetrics, FlaskMetrics, PrometheusReader
from tests.in_process import make_scope, serve_asgi

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
NEW = "text/plain; version=1.0.0; charset=utf-8; escaping="
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

PROMETHEUS = {
    # Prometheus 3, with UTF-8 names and without; Prometheus 2, with OpenMetrics and without; its
    # protocol buffers, which nobody here has.
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8"
    ";q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2": f"{OPENMETRICS}; escaping=allow-utf-8",
    "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=underscores"
    ";q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1": f"{OPENMETRICS}; escaping=underscores",
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1": f"{OPENMETRICS}; escaping=underscores",
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1": PLAIN,
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
    "q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3":
        f"{OPENMETRICS}; escaping=underscores",
}  # fmt: skip


@pytest.fixture
def type_for():
    reader = PrometheusReader(registry=CollectorRegistry())
    MeterProvider([reader], shutdown_on_exit=False)
    return lambda accept: reader.scrape(accept).content_type


@pytest.mark.parametrize(("accept", "content_type"), PROMETHEUS.items())
def test_prometheus_gets_what_it_got(type_for, accept, content_type):
    assert type_for(accept) == content_type == choose_encoder(accept)[1]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/openmetrics-text;q=0", PLAIN),
        ("application/openmetrics-text; Q=0.000, text/html", PLAIN),
        ("text/plain;version=0.0.4;q=0.5, application/openmetrics-text;q=0.1", PLAIN),
        ("application/openmetrics-text;q=0.1, text/plain;version=1.0.0;q=0.2", f"{NEW}underscores"),
        ("application/openmetrics-text;q=0.5, */*", PLAIN),
        ("text/plain, application/openmetrics-text", OPENMETRICS),
        ("*/*;q=zz, Application/OpenMetrics-Text", OPENMETRICS),
        ("text/plain;version=1.0.0;escaping=dots, application/openmetrics-text", f"{NEW}dots"),
        (
            'text/html;a=", application/json;", application/openmetrics-text;version="1.0.0"',
            f"{OPENMETRICS}; escaping=underscores",
        ),
        ("application/json", PLAIN),
    ],
)
def test_weights_rank_formats_and_text_stands_for_none(type_for, accept, content_type):
    assert type_for(accept) == content_type


ODD = [
    "application/openmetrics-text;version=1.0.0-rc",
    "application/openmetrics-text;version=abc",
    "text/plain;version=1.x",
    f"application/openmetrics-text;version={'9' * 5000}",
    "application/openmetrics-text;version=\N{SUPERSCRIPT TWO}.0.0",
    'application/openmetrics-text;version="',
    "application/openmetrics-text;=;version",
    ",,;q=,",
    "\xe9",
]


@pytest.mark.parametrize("accept", ODD)
@pytest.mark.parametrize("kind", [FlaskMetrics, PrometheusMetrics, ASGIMetrics])
def test_no_endpoint_fails_for_what_it_cannot_read(kind, accept):
    if kind is ASGIMetrics:
        app = FastAPI()
        kind(app, registry=CollectorRegistry())
        lines = [(b"accept", accept.encode("utf-8"))]
        assert serve_asgi(app, make_scope(path="/metrics", headers=lines)).status == 200
    else:
        app = flask.Flask("shop")
        kind(app, registry=CollectorRegistry())
        environ = {"HTTP_ACCEPT": accept}
        assert app.test_client().get("/metrics", environ_overrides=environ).status_code == 200


@given(st.lists(st.sampled_from([
    "application/openmetrics-text", "text/plain", "*/*", "version", "q", "escaping", "=", ";", ",",
    '"', "\\", " ", "1.0.0", "0.5", "9" * 5, "dots", "\n", "\N{ARABIC-INDIC DIGIT ONE}",
])).map("".join))  # fmt: skip
def test_whatever_is_accepted_there_is_a_format(accept):
    reader = PrometheusReader(registry=CollectorRegistry())
    assert reader.scrape(accept).content_type.startswith((PLAIN[:10], OPENMETRICS[:28]))


@pytest.mark.parametrize(
    "accept",
    [
        *PROMETHEUS,
        "application/openmetrics-text;q=0",
        "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.1",
        "text/plain;version=1.0.0;q=0.1;escaping=values, application/openmetrics-text",
        "*/*",
    ],
)
def test_the_front_of_prometheus_flask_exporter_chooses_as_that_package(accept):
    app = flask.Flask("shop")
    PrometheusMetrics(app, registry=CollectorRegistry())
    answer = app.test_client().get("/metrics", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == choose_encoder(accept)[1]
