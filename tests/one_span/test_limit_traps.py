"""Traps of the span itself: ended by others, full, limited, recorded and not sampled."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

from otel_apimetrics import ApiMetricsInstrumentor
from tests.one_span import apps
from tests.one_span.asking import HEADERS, ask, assert_one_record
from tests.telemetry import Telemetry


@pytest.mark.parametrize("contrib", ["none", "inside", "outside"])
def test_ending_the_span_twice_in_the_app_ends_it_once_and_after_the_last_byte(
    telemetry: Telemetry,
    instrumentor: ApiMetricsInstrumentor,
    caplog: pytest.LogCaptureFixture,
    contrib: str,
):
    app = apps.make_flask()
    provider = telemetry.tracer_provider
    if contrib == "inside":
        FlaskInstrumentor().instrument_app(app, tracer_provider=provider)
    instrumentor.instrument_app(app, **telemetry.providers)
    served_app = (
        OpenTelemetryMiddleware(app, tracer_provider=provider) if contrib == "outside" else app
    )

    @app.before_request
    def end_twice() -> None:
        trace.get_current_span().end()
        trace.get_current_span().end()

    with caplog.at_level(logging.WARNING, logger="opentelemetry"):
        served = ask(served_app, "/stream")

    assert caplog.messages == []
    assert_one_record(telemetry, "/stream")
    assert telemetry.server_span.end_time >= served.last_byte - 1_000_000


@pytest.mark.parametrize("count", [100, 129, 300])
def test_the_method_survives_an_app_that_fills_the_span_with_attributes(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, count: int
):
    app = apps.make_flask()
    instrumentor.instrument_app(app, capture_headers="all", **telemetry.providers)

    @app.before_request
    def fill() -> None:
        trace.get_current_span().set_attributes({f"app.{n}": n for n in range(count)})

    ask(app, "/stream", headers={**HEADERS, **{f"x-header-{n}": str(n) for n in range(60)}})

    attributes = telemetry.server_span.attributes
    assert attributes["http.request.method"] == "GET"
    assert attributes["url.path"] == "/stream"
    assert attributes["http.response.status_code"] == 200
    assert len(attributes) <= 128
    assert_one_record(telemetry, "/stream")


def test_attributes_of_the_app_that_fit_are_not_pushed_out_by_headers(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = apps.make_flask()
    instrumentor.instrument_app(app, capture_headers="all", **telemetry.providers)

    @app.before_request
    def fill() -> None:
        trace.get_current_span().set_attributes({f"app.{n}": n for n in range(90)})

    ask(app, "/stream", headers={**HEADERS, **{f"x-header-{n}": str(n) for n in range(60)}})

    attributes = telemetry.server_span.attributes
    assert [n for n in range(90) if f"app.{n}" not in attributes] == []
    assert any(key.startswith("http.request.header.") for key in attributes)


@pytest.mark.parametrize(("longest", "cut"), [("64", True), ("1000", False)])
def test_a_body_that_the_sdk_would_cut_is_marked_as_truncated(
    monkeypatch: pytest.MonkeyPatch,
    instrumentor: ApiMetricsInstrumentor,
    caplog: pytest.LogCaptureFixture,
    longest: str,
    cut: bool,
):
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", longest)
    telemetry = Telemetry()
    app = apps.make_flask()
    app.get("/long")(lambda: {"words": "word " * 40})
    instrumentor.instrument_app(app, capture_body="all", **telemetry.providers)

    with caplog.at_level(logging.WARNING, logger="opentelemetry"):
        ask(app, "/long")

    attributes = telemetry.server_span.attributes
    body = attributes["http.response.body.content"]
    assert len(body) == 64 if cut else len(body) > 200
    assert attributes.get("apimetrics.response.body.truncated", False) is cut
    assert caplog.messages == []
    telemetry.tracer_provider.shutdown()
    telemetry.meter_provider.shutdown()


class RecordOnly(Sampler):
    """Records what it does not sample: processors see it, exporters do not."""

    def should_sample(self, *arguments: Any, **named: Any) -> SamplingResult:
        return SamplingResult(Decision.RECORD_ONLY)

    def get_description(self) -> str:
        return "record only"


def test_a_span_that_is_recorded_and_not_sampled_is_counted_and_not_exported(
    instrumentor: ApiMetricsInstrumentor,
):
    telemetry = Telemetry(sampler=RecordOnly())
    app = apps.make_flask()
    instrumentor.instrument_app(app, **telemetry.providers)

    ask(app, "/stream")

    assert telemetry.spans == []
    assert telemetry.total() == 1
    telemetry.tracer_provider.shutdown()
    telemetry.meter_provider.shutdown()
