"""The OpenTelemetry context of a WSGI app, from one chunk to the next."""

import contextvars
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest
from opentelemetry import baggage, context, trace

from otel_apimetrics import ApiMetricsWSGIMiddleware
from tests.in_process import make_environ
from tests.telemetry import Telemetry

VARIABLE: ContextVar[str] = ContextVar("of_the_app", default="unset")


def current() -> tuple[str, object, str]:
    """What an app can ask for: the current span by name, baggage, a variable of its own."""
    return getattr(trace.get_current_span(), "name", ""), baggage.get_baggage("who"), VARIABLE.get()


def held_over_chunks(tracer, seen):
    with tracer.start_as_current_span("outer"):
        seen.append(current())
        yield b"a"
        seen.append(current())
        with tracer.start_as_current_span("inner"):
            yield b"b"
            seen.append(current())
        seen.append(current())
        yield b"c"
    seen.append(current())
    yield b"d"
    seen.append(current())


def never_detached(tracer, seen):
    yield b"a"
    context.attach(baggage.set_baggage("who", "ada"))
    VARIABLE.set("set")
    yield b"b"
    seen.append(current())


def detached_by_token(tracer, seen):
    token = context.attach(baggage.set_baggage("who", "ada"))
    yield b"a"
    seen.append(current())
    context.detach(token)
    yield b"b"
    seen.append(current())


def emptied(tracer, seen):
    context.attach(context.Context())
    yield b"a"
    seen.append(current())


BODIES = [held_over_chunks, never_detached, detached_by_token, emptied]


def served_by(middleware, body, tracer, *, in_call: bool = False):
    """What the app sees while it is served, in a context of its own."""
    seen: list[tuple[str, object, str]] = []

    def app(environ, start_response):
        if in_call:
            context.attach(baggage.set_baggage("who", "from the call"))
        start_response("200 OK", [])
        return body(tracer, seen)

    def serve():
        chunks, between = [], []
        iterable = middleware(app)(make_environ(), lambda *_: None)
        between.append(current()[:2])
        for chunk in iterable:
            chunks.append(chunk)
            between.append(current()[:2])
        iterable.close()
        between.append(current()[:2])
        return chunks, between

    return seen, *contextvars.copy_context().run(serve)


@pytest.mark.parametrize("in_call", [False, True])
@pytest.mark.parametrize("body", BODIES)
def test_what_a_generator_makes_current_stays_so_behind_a_yield(telemetry, caplog, body, in_call):
    tracer = telemetry.tracer_provider.get_tracer("app")
    bare, chunks, _ = served_by(lambda app: app, body, tracer, in_call=in_call)
    telemetry.exporter.clear()

    ours, same, between = served_by(
        lambda app: ApiMetricsWSGIMiddleware(app, **telemetry.providers),
        body,
        tracer,
        in_call=in_call,
    )

    assert same == chunks
    # Where without us nothing is current our span is, but where the app wants nothing.
    expected = [(span or ("" if body is emptied else "GET"), *rest) for span, *rest in bare]
    assert ours == expected
    assert set(between) == {("", None)}
    assert caplog.records == []
    assert telemetry.server_span.end_time >= max(span.end_time for span in telemetry.spans)


def test_what_a_generator_makes_current_follows_it_into_another_thread(telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("app")
    seen = []

    def app(environ, start_response):
        start_response("200 OK", [])
        context.attach(baggage.set_baggage("who", "ada"))
        yield b"a"
        seen.append(current()[:2])
        tracer.start_span("child").end()

    iterable = ApiMetricsWSGIMiddleware(app, **telemetry.providers)(make_environ(), lambda *_: None)
    assert next(iterable) == b"a"
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(list, iterable).result() == []
        assert pool.submit(current).result()[:2] == ("", None)
    assert seen == [("GET", "ada")]
    child = next(span for span in telemetry.spans if span.name == "child")
    assert child.parent.span_id == telemetry.server_span.context.span_id


def test_baggage_stays_beside_a_span_that_an_instrumentation_inside_has_detached(telemetry):
    tracer = telemetry.tracer_provider.get_tracer("inside")
    seen = []

    class OpenTelemetryMiddleware:
        """Found inside by its name, as contrib's is; its span is current in the call alone."""

        def __call__(self, environ, start_response):
            span = tracer.start_span("inside", kind=trace.SpanKind.SERVER)
            with trace.use_span(span):
                start_response("200 OK", [])
            span.end()
            context.attach(baggage.set_baggage("who", "ada"))
            return self.body()

        def body(self):
            seen.append(current()[:2])
            yield b"a"
            seen.append(current()[:2])

    OpenTelemetryMiddleware.__module__ = "opentelemetry.instrumentation.wsgi"
    served = ApiMetricsWSGIMiddleware(OpenTelemetryMiddleware(), **telemetry.providers)
    assert list(served(make_environ(), lambda *_: None)) == [b"a"]
    assert seen == [("inside", "ada")] * 2
    assert telemetry.server_span.name == "inside"
