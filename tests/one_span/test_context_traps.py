"""Traps of the context: what others leave current in a thread, or keep current too long."""

from __future__ import annotations

import contextvars
import threading
import types
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.trace import SpanKind

from otel_apimetrics import ApiMetricsInstrumentor
from tests.one_span import apps
from tests.one_span.asking import HEADERS, PARENT, RECORD, ask, assert_one_record
from tests.one_span.servers import AsgiServer, Served, call_wsgi, make_environ
from tests.telemetry import Telemetry


def in_one_thread(*calls: Callable[[], Any]) -> None:
    """Make calls one after the other in one thread, whose context they share."""

    def work() -> None:
        for call in calls:
            call()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def serve_here(app: Any, headers: dict[str, str], client: str = "stays") -> None:
    """Serve a request in the thread that asks."""
    call_wsgi(app, make_environ("/items/7", headers), Served(), client)


def test_a_finished_span_that_was_left_current_in_a_thread_is_not_adopted(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = apps.make_flask()
    instrumentor.instrument_app(app, **telemetry.providers)
    left = telemetry.tracer_provider.get_tracer("x").start_span("left", kind=SpanKind.SERVER)
    left.end()

    in_one_thread(
        lambda: otel_context.attach(trace.set_span_in_context(left)),
        lambda: serve_here(app, HEADERS),
    )

    (span,) = [span for span in telemetry.server_spans if span.name != "left"]
    assert RECORD in span.attributes
    assert span.parent.span_id == int(PARENT, 16)
    assert RECORD not in telemetry.spans[0].attributes


def test_a_request_is_a_root_where_only_a_finished_span_was_left_in_the_thread(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = apps.make_flask()
    instrumentor.instrument_app(app, **telemetry.providers)
    left = telemetry.tracer_provider.get_tracer("x").start_span("left", kind=SpanKind.SERVER)
    left.end()

    in_one_thread(
        lambda: otel_context.attach(trace.set_span_in_context(left)),
        lambda: serve_here(app, {}),
    )

    (span,) = [span for span in telemetry.server_spans if span.name != "left"]
    assert span.parent is None


@pytest.mark.parametrize("client", ["stays", "gone_at_start", "gone_halfway"])
def test_contrib_inside_leaves_nothing_for_the_next_request_of_the_thread(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, client: str
):
    app = apps.make_flask()
    app.wsgi_app = OpenTelemetryMiddleware(app.wsgi_app, tracer_provider=telemetry.tracer_provider)
    instrumentor.instrument_app(app, **telemetry.providers)
    other = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}

    in_one_thread(
        lambda: serve_here(app, HEADERS, client),
        lambda: serve_here(app, other),
    )

    parents = [f"{span.parent.span_id:016x}" for span in telemetry.server_spans]
    assert sorted(parents) == sorted([PARENT, "2" * 16])
    assert telemetry.total() == 2


def test_a_request_after_the_one_whose_context_contrib_left_behind_has_its_own_span(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = apps.make_flask()
    instrumentor.instrument_app(app, **telemetry.providers)
    wrapped = OpenTelemetryMiddleware(app, tracer_provider=telemetry.tracer_provider)

    # Contrib, outside, takes the second one for a child of the first one's parent: it makes
    # an INTERNAL span, which only a SERVER span of ours below can set right.
    in_one_thread(
        lambda: serve_here(wrapped, HEADERS, "gone_at_start"),
        lambda: serve_here(wrapped, {}),
    )

    records = [span.attributes[RECORD] for span in telemetry.server_spans]
    assert len(set(records)) == 2
    assert telemetry.total() == 2


@pytest.mark.parametrize("contrib", [True, False])
def test_a_span_that_a_stream_keeps_current_between_chunks_stays_under_the_server_span(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, contrib: bool
):
    tracer = telemetry.tracer_provider.get_tracer("app")
    app = apps.make_flask()

    @app.get("/held")
    def held() -> Any:
        def body() -> Iterator[bytes]:
            with tracer.start_as_current_span("held"):
                yield b"a"
                yield b"b"

        return app.response_class(body())

    if contrib:
        FlaskInstrumentor().instrument_app(app, tracer_provider=telemetry.tracer_provider)
    instrumentor.instrument_app(app, **telemetry.providers)

    served = ask(app, "/held")

    assert served.left_current == []
    (child,) = [span for span in telemetry.spans if span.name == "held"]
    assert child.parent.span_id == telemetry.server_span.context.span_id
    assert_one_record(telemetry, "/held")


def test_a_request_made_under_a_span_of_the_caller_is_its_child(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, ask_asgi: Callable[..., Served]
):
    app = apps.make_starlette()
    instrumentor.instrument_app(app, **telemetry.providers)
    tracer = telemetry.tracer_provider.get_tracer("caller")

    with tracer.start_as_current_span("caller") as caller:
        ask_asgi(app, "/stream")

    assert telemetry.server_span.parent.span_id == caller.get_span_context().span_id
    assert RECORD in telemetry.server_span.attributes


def test_a_coroutine_that_is_thrown_away_ends_its_span_and_makes_its_record(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = instrumentor.instrument_app(apps.make_asgi(), **telemetry.providers)

    @types.coroutine
    def wait_for_ever() -> Generator[None, None, Any]:
        yield

    def throw_away() -> None:
        request = app(AsgiServer.scope_of("/stream", HEADERS), wait_for_ever, wait_for_ever)
        request.send(None)
        request.close()

    contextvars.copy_context().run(throw_away)

    assert_one_record(telemetry, None)
    assert telemetry.server_span.attributes["error.type"] == "abandoned"


@pytest.mark.parametrize("contrib", [True, False])
def test_a_body_that_another_thread_iterates_is_under_the_span_and_leaves_both_threads_clean(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, contrib: bool
):
    tracer = telemetry.tracer_provider.get_tracer("app")
    app = apps.make_flask()

    @app.get("/chunks")
    def chunks() -> Any:
        def body() -> Iterator[bytes]:
            tracer.start_span("streaming").end()
            yield b"a"

        return app.response_class(body())

    if contrib:
        FlaskInstrumentor().instrument_app(app, tracer_provider=telemetry.tracer_provider)
    instrumentor.instrument_app(app, **telemetry.providers)
    returned: list[Any] = []
    seen = [Served(), Served()]

    def call() -> None:
        returned.append(app(make_environ("/chunks", HEADERS), lambda *_: None))
        seen[0].look_around()

    def iterate() -> None:
        assert b"".join(returned[0]) == b"a"
        returned[0].close()
        seen[1].look_around()

    in_one_thread(call)
    in_one_thread(iterate)

    assert [served.left_current for served in seen] == [[], []]
    (child,) = [span for span in telemetry.spans if span.name == "streaming"]
    assert child.parent.span_id == telemetry.server_span.context.span_id
    assert_one_record(telemetry, "/chunks")


def test_a_request_made_in_process_by_a_handler_leaves_the_record_of_the_outer_one_alone(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    inner, outer = apps.make_flask(), apps.make_flask()
    for app in (inner, outer):
        instrumentor.instrument_app(app, **telemetry.providers)

    @outer.get("/outer")
    def call_inner() -> str:
        serve_here(inner, {})
        return "answer"

    ask(outer, "/outer")

    (span,) = [s for s in telemetry.server_spans if s.attributes.get("http.route") == "/outer"]
    assert span.attributes["http.request.method"] == "GET"
    assert span.attributes["http.response.body.size"] == len("answer")
    assert span.parent.span_id == int(PARENT, 16)
    assert telemetry.total() == 2
