"""Requests that leave no record, beside other instrumentations: no exporter to a vendor takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware as ASGIMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware as WSGIMiddleware

from otel_apimetrics import ApiMetricsInstrumentor, skip_request
from otel_apimetrics.decoding import decode
from tests.in_process import make_environ
from tests.in_process import serve_wsgi as serve
from tests.one_span import apps, variants
from tests.one_span.asking import ask, assert_one_record
from tests.one_span.servers import Served
from tests.telemetry import Telemetry

ITEM = "/items/<int:item>"


def decoded(telemetry: Telemetry) -> list[Any]:
    """Give what an exporter to a vendor makes of the SERVER spans."""
    return [decode(span) for span in telemetry.server_spans]


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_contribs_span_of_an_excluded_request_is_left_out_under_wsgi(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, place: str
):
    app: Any = apps.make_flask()
    provider = telemetry.tracer_provider
    if place == "inside":
        FlaskInstrumentor().instrument_app(app, tracer_provider=provider)
    instrumentor.instrument_app(app, excluded_paths="^/stream", **telemetry.providers)
    if place == "outside":
        app = WSGIMiddleware(app, tracer_provider=provider)

    served = ask(app, "/stream")

    assert served.size
    assert served.left_current == []
    assert decoded(telemetry) == [None]
    assert telemetry.total() == 0
    telemetry.exporter.clear()
    ask(app, "/items/7")
    assert_one_record(telemetry, ITEM)
    assert decoded(telemetry)[0].request.route == ITEM


@pytest.mark.parametrize(
    "place", ["inside", "outside", *["native"] * variants.has_native("fastapi")]
)
def test_contribs_span_of_an_excluded_request_is_left_out_under_asgi(
    telemetry: Telemetry,
    instrumentor: ApiMetricsInstrumentor,
    ask_asgi: Callable[..., Served],
    place: str,
):
    provider = telemetry.tracer_provider
    own = {"tracing": place == "native", "metrics": False, "logs": False}
    app: Any = apps.make_fastapi(telemetry={**own, "tracer_provider": provider})
    if place == "inside":
        FastAPIInstrumentor().instrument_app(app, tracer_provider=provider)
    instrumentor.instrument_app(app, excluded_paths="^/stream", **telemetry.providers)
    if place == "outside":
        app = ASGIMiddleware(app, tracer_provider=provider)

    served = ask_asgi(app, "/stream")

    assert served.size
    assert served.left_current == []
    assert decoded(telemetry) == [None]
    assert telemetry.total() == 0
    telemetry.exporter.clear()
    ask_asgi(app, "/items/7")
    assert decoded(telemetry)[0].response.status == 200
    assert telemetry.total() == 1


def test_contribs_span_of_a_skipped_request_is_left_out(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = apps.make_flask()
    app.add_url_rule("/skipped", view_func=lambda: (skip_request(), "x")[1])
    FlaskInstrumentor().instrument_app(app, tracer_provider=telemetry.tracer_provider)
    instrumentor.instrument_app(app, **telemetry.providers)

    ask(app, "/skipped")

    assert decoded(telemetry) == [None]


def test_an_excluded_request_that_an_app_makes_in_its_own_process_leaves_the_apps_own_record(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    inner, app = apps.make_flask(), apps.make_flask()
    instrumentor.instrument_app(inner, excluded_paths="^/stream", **telemetry.providers)
    instrumentor.instrument_app(app, **telemetry.providers)
    app.add_url_rule("/calls", view_func=lambda: serve(inner, make_environ(path="/stream")).body)

    ask(app, "/calls")

    assert_one_record(telemetry, "/calls")
    assert decoded(telemetry)[0].request.route == "/calls"
