"""Traps of a SERVER span around us: contrib's middleware outside."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

from otel_apimetrics import ApiMetricsInstrumentor
from tests.one_span import apps
from tests.one_span.asking import RECORD, ask, assert_one_record
from tests.one_span.servers import Served, call_wsgi, make_environ
from tests.telemetry import Telemetry


def test_an_outer_span_of_a_provider_that_only_contrib_was_given_gets_the_record(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = apps.make_flask()
    instrumentor.instrument_app(app, meter_provider=telemetry.meter_provider)
    wrapped = OpenTelemetryMiddleware(app, tracer_provider=telemetry.tracer_provider)

    ask(wrapped, "/stream")

    assert_one_record(telemetry, "/stream")


def test_the_first_request_has_its_record_where_contrib_is_outside_and_nothing_was_global(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = apps.make_flask()
    instrumentor.instrument_app(app, **telemetry.providers)
    wrapped = OpenTelemetryMiddleware(app, tracer_provider=telemetry.tracer_provider)

    ask(wrapped, "/items/7")

    assert_one_record(telemetry, "/items/<int:item>")


def test_the_outer_of_two_instrumentations_of_contrib_carries_the_record(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = apps.make_flask()
    FlaskInstrumentor().instrument_app(app, tracer_provider=telemetry.tracer_provider)
    instrumentor.instrument_app(app, **telemetry.providers)
    wrapped = OpenTelemetryMiddleware(app, tracer_provider=telemetry.tracer_provider)

    ask(wrapped, "/stream")

    assert_one_record(telemetry, "/stream")
    assert telemetry.server_span.instrumentation_scope.name == "opentelemetry.instrumentation.wsgi"


def test_a_span_of_a_middleware_between_contrib_and_us_does_not_hide_contribs(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = apps.make_flask()
    instrumentor.instrument_app(app, **telemetry.providers)
    tracer = telemetry.tracer_provider.get_tracer("middleware")

    def middleware(environ: dict[str, Any], start_response: Any) -> Any:
        with tracer.start_as_current_span("middleware"):
            return app(environ, start_response)

    wrapped = OpenTelemetryMiddleware(middleware, tracer_provider=telemetry.tracer_provider)
    ask(wrapped, "/stream")  # before, our processor was not there
    telemetry.exporter.clear()

    ask(wrapped, "/stream")

    assert telemetry.server_span.name == "GET /stream"
    assert RECORD in telemetry.server_span.attributes


@pytest.mark.parametrize("shared", [True, False])
def test_an_outer_span_that_started_before_our_processor_came_is_redacted_all_the_same(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, shared: bool
):
    app = apps.make_flask()
    ours = telemetry.providers if shared else {"meter_provider": telemetry.meter_provider}
    instrumentor.instrument_app(app, **ours)
    wrapped = OpenTelemetryMiddleware(app, tracer_provider=telemetry.tracer_provider)
    environ = make_environ("/stream", {}) | {"QUERY_STRING": "token=s3cr3t-value"}

    call_wsgi(wrapped, environ, Served(), "stays")

    assert RECORD in telemetry.server_span.attributes
    assert "s3cr3t-value" not in telemetry.server_span.to_json()
