"""Traps of who makes the SERVER span: providers, span classes, apps inside apps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from otel_apimetrics import ApiMetricsInstrumentor
from tests.one_span import apps
from tests.one_span.asking import HEADERS, RECORD, ask, assert_one_record
from tests.one_span.foreign import ForeignProvider
from tests.one_span.processes import run_python
from tests.one_span.servers import Served
from tests.telemetry import Telemetry


@pytest.mark.parametrize(
    ("framework", "instrumentation"),
    [
        ("flask", "alone"),
        ("flask", "contrib"),
        ("flask", "outside"),
        ("fastapi", "native"),
    ],
)
def test_a_provider_set_after_the_first_request_gets_the_next_one(
    framework: str, instrumentation: str
):
    printed = run_python(
        """
        import asyncio, json, sys
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from tests.one_span import servers, variants

        framework, instrumentation, record = sys.argv[1:]
        app = variants.build(framework, instrumentation)
        loop = asyncio.new_event_loop()

        def ask():
            if framework in variants.WSGI:
                return servers.serve_wsgi(app, "/items/7", {}, "stays")
            return servers.serve_asgi(loop, app, "/items/7", {}, "stays")

        before = ask()
        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        after = ask()
        loop.close()
        spans = exporter.get_finished_spans()
        print(json.dumps({
            "statuses": [before.status, after.status],
            "servers": [span.name for span in spans if span.kind is trace.SpanKind.SERVER],
            "records": [span.kind.name for span in spans if record in span.attributes],
        }))
        """,
        framework,
        instrumentation,
        RECORD,
    )

    seen = json.loads(printed)
    assert seen["statuses"] == [200, 200]
    assert len(seen["servers"]) == 1
    assert seen["records"] == ["SERVER"]


def test_without_propagators_a_request_still_has_its_span_as_a_root():
    printed = run_python(
        """
        import sys
        from tests.one_span import apps, servers
        from tests.telemetry import Telemetry
        from otel_apimetrics import ApiMetricsInstrumentor

        telemetry = Telemetry()
        app = apps.make_flask()
        ApiMetricsInstrumentor().instrument_app(app, **telemetry.providers)
        parent = {"traceparent": sys.argv[1]}
        served = servers.serve_wsgi(app, "/items/7", parent, "stays")
        print(served.status, telemetry.server_span.parent, telemetry.total())
        """,
        HEADERS["traceparent"],
        OTEL_PROPAGATORS="none",
    )

    assert printed.split() == ["200", "None", "1"]


def test_a_provider_that_only_contrib_was_given_gets_the_record(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = apps.make_flask()
    FlaskInstrumentor().instrument_app(app, tracer_provider=telemetry.tracer_provider)
    instrumentor.instrument_app(app, meter_provider=telemetry.meter_provider)

    assert ask(app, "/stream").size == len(b"".join(apps.CHUNKS))

    assert_one_record(telemetry, "/stream")
    assert telemetry.server_span.attributes["http.response.body.size"] == 10


@pytest.mark.parametrize("contrib", [True, False])
def test_processors_that_run_in_threads_of_their_own_do_not_lose_the_record(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, contrib: bool
):
    processors = ConcurrentMultiSpanProcessor(num_threads=2)
    provider = TracerProvider(active_span_processor=processors, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(telemetry.exporter))
    app = apps.make_flask()
    if contrib:
        FlaskInstrumentor().instrument_app(app, tracer_provider=provider)
    instrumentor.instrument_app(
        app, tracer_provider=provider, meter_provider=telemetry.meter_provider
    )

    ask(app, "/stream")
    provider.shutdown()

    assert_one_record(telemetry, "/stream")


@pytest.mark.parametrize("contrib", [True, False])
def test_spans_of_a_foreign_class_leave_app_and_metrics_as_they_are(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, contrib: bool
):
    provider = ForeignProvider()
    app = apps.make_flask()
    if contrib:
        FlaskInstrumentor().instrument_app(app, tracer_provider=provider)
    instrumentor.instrument_app(
        app, tracer_provider=provider, meter_provider=telemetry.meter_provider
    )

    served = ask(app, "/stream")

    assert (served.status, served.size, served.left_current) == (200, 10, [])
    assert telemetry.total() == 1
    assert [span.kind for span in provider.spans] == [SpanKind.SERVER]
    assert [span.ended for span in provider.spans] == [1]


@pytest.mark.parametrize("prefix", ["", "/first", "/second"])
def test_flask_apps_behind_a_dispatcher_make_one_record_a_request(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, prefix: str
):
    root, first, second = (apps.make_flask() for _ in range(3))
    for app in (root, first, second):
        instrumentor.instrument_app(app, **telemetry.providers)
    mounts = {"/first": first, "/second": second.wsgi_app}

    assert ask(DispatcherMiddleware(root, mounts), f"{prefix}/stream").status == 200

    assert_one_record(telemetry, f"{prefix}/stream")


@pytest.mark.parametrize("prefix", ["", "/inner"])
def test_a_dispatcher_inside_a_flask_app_makes_one_record_a_request(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, prefix: str
):
    app, inner = apps.make_flask(), apps.make_flask()
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/inner": inner})
    for each in (app, inner):
        instrumentor.instrument_app(each, **telemetry.providers)

    assert ask(app, f"{prefix}/stream").status == 200

    assert_one_record(telemetry, f"{prefix}/stream")


@pytest.mark.parametrize("client", ["stays", "gone_halfway"])
def test_a_server_that_was_given_wsgi_app_is_recorded(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, client: str
):
    app = apps.make_flask()
    instrumentor.instrument_app(app, **telemetry.providers)

    ask(app.wsgi_app, "/stream", client)

    assert_one_record(telemetry, "/stream")


def fastapi_telemetry(telemetry: Telemetry, *, native: bool, **more: Any) -> dict[str, Any]:
    return {
        "tracing": native,
        "metrics": False,
        "logs": False,
        "tracer_provider": telemetry.tracer_provider,
        **more,
    }


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("inner", ["starlette", "fastapi"])
def test_an_app_mounted_in_fastapi_makes_one_record_a_request(
    telemetry: Telemetry,
    instrumentor: ApiMetricsInstrumentor,
    ask_asgi: Callable[..., Served],
    native: bool,
    inner: str,
):
    options = fastapi_telemetry(telemetry, native=native)
    app = apps.make_fastapi(telemetry=options)
    mounted = (
        apps.make_starlette() if inner == "starlette" else apps.make_fastapi(telemetry=options)
    )
    app.mount("/mounted", mounted)
    instrumentor.instrument_app(mounted, **telemetry.providers)
    instrumentor.instrument_app(app, **telemetry.providers)

    assert ask_asgi(app, "/mounted/stream").status == 200

    assert_one_record(telemetry, "/mounted/stream")


def test_a_request_that_fastapi_excludes_from_its_telemetry_has_a_span_of_ours(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, ask_asgi: Callable[..., Served]
):
    options = fastapi_telemetry(telemetry, native=True, exclude=lambda scope: True)
    app = apps.make_fastapi(telemetry=options)
    instrumentor.instrument_app(app, **telemetry.providers)

    ask_asgi(app, "/stream")

    assert_one_record(telemetry, "/stream")
    assert telemetry.server_span.instrumentation_scope.name == "otel_apimetrics"


@pytest.mark.parametrize("framework", ["flask", "fastapi"])
def test_a_request_that_contrib_excludes_has_no_span_and_is_counted(
    telemetry: Telemetry,
    instrumentor: ApiMetricsInstrumentor,
    ask_asgi: Callable[..., Served],
    framework: str,
):
    if framework == "flask":
        app, serve, contrib = apps.make_flask(), ask, FlaskInstrumentor()
    else:
        silent = fastapi_telemetry(telemetry, native=False)
        app, serve, contrib = apps.make_fastapi(telemetry=silent), ask_asgi, FastAPIInstrumentor()
    contrib.instrument_app(app, tracer_provider=telemetry.tracer_provider, excluded_urls="stream")
    instrumentor.instrument_app(app, **telemetry.providers)

    serve(app, "/stream")

    assert telemetry.spans == []
    assert telemetry.total() == 1
