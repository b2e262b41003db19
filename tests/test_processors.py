"""The processor that sees spans start."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from otel_apimetrics import (
    ApiMetricsWSGIMiddleware,
    RedactingSpanProcessor,
    RedactionPolicy,
    processors,
    semconv,
    span_lock,
)
from otel_apimetrics.redaction import Redactor
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(RedactionPolicy())


def secret_of(telemetry: Telemetry) -> str:
    tracer = telemetry.tracer_provider.get_tracer("other")
    tracer.start_span("x", attributes={"url.query": "token=s3cr3t"}).end()
    return telemetry.spans[-1].attributes["url.query"]


def test_a_provider_gets_our_processor_once(telemetry: Telemetry, redactor):
    provider = telemetry.tracer_provider
    before = len(provider._active_span_processor._span_processors)
    processors.attach(provider, redactor)
    processors.attach(provider, redactor)
    processors.ensure(provider, redactor)
    assert len(provider._active_span_processor._span_processors) == before + 1


def test_a_provider_that_takes_no_processor_stays_as_it_is(redactor):
    provider = trace.NoOpTracerProvider()
    processors.attach(provider, redactor)
    assert provider not in processors._attached


def test_a_detached_processor_does_nothing_until_it_is_attached_again(telemetry, redactor):
    processors.attach(telemetry.tracer_provider, redactor)
    assert "s3cr3t" not in secret_of(telemetry)
    processors.detach_all()
    assert "s3cr3t" in secret_of(telemetry)
    processors.attach(telemetry.tracer_provider, redactor)
    assert "s3cr3t" not in secret_of(telemetry)


def test_a_provider_is_locked_again_by_the_first_request_after_uninstrument(
    telemetry, instrumentor
):
    def app(environ, start_response):
        secret_of(telemetry)
        start_response("200 OK", [])
        return []

    instrumentor.instrument(**telemetry.providers)
    serve_wsgi(instrumentor.instrument_app(app), make_environ())
    instrumentor.uninstrument()
    serve_wsgi(ApiMetricsWSGIMiddleware(app, **telemetry.providers), make_environ())
    first, second = (s.attributes["url.query"] for s in telemetry.spans if s.name == "x")
    assert "s3cr3t" not in first
    assert "s3cr3t" not in second


def test_flushing_and_shutting_down_return_at_once(redactor):
    processor = processors.ApiMetricsSpanProcessor(redactor)
    assert processor.force_flush()
    processor.shutdown()


@pytest.mark.swallows_errors
def test_an_error_of_ours_at_the_start_of_a_span_leaves_the_span(
    telemetry, redactor, monkeypatch, no_swallowed_errors
):
    def fail(*_):
        raise RuntimeError("ours")

    processors.attach(telemetry.tracer_provider, redactor)
    monkeypatch.setattr(span_lock, "guard", fail)
    with telemetry.tracer_provider.get_tracer("x").start_as_current_span("x", kind=SpanKind.SERVER):
        pass
    assert [place for place, _ in no_swallowed_errors] == ["processors.on_start"]
    assert [span.name for span in telemetry.spans] == ["x"]


def test_a_server_span_outside_a_request_is_nobodys(telemetry, redactor):
    processors.attach(telemetry.tracer_provider, redactor)
    span = telemetry.tracer_provider.get_tracer("x").start_span("x", kind=SpanKind.SERVER)
    assert not span_lock.is_held(span)
    span.end()


def test_a_provider_that_is_thrown_away_is_forgotten(redactor):
    import gc
    import weakref

    provider = TracerProvider(shutdown_on_exit=False)
    processors.attach(provider, redactor)
    reference = weakref.ref(provider)
    del provider
    gc.collect()
    assert reference() is None


def test_a_provider_that_is_built_by_hand_is_redacted_too():
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(RedactingSpanProcessor(RedactionPolicy(deny=["note"])))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("job")
    for kind in (SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.SERVER, SpanKind.CONSUMER):
        with pytest.raises(ValueError, match="token"):
            with tracer.start_as_current_span("job", kind=kind) as span:
                span.set_attribute("url.full", "https://a.example/?token=x1")
                span.set_attribute("app.note", "x2")
                span.add_event("e", {"db.statement": "password='x3'"})
                raise ValueError("token=x4")
    for span in exporter.get_finished_spans():
        shown = str(span.attributes) + str([event.attributes for event in span.events])
        assert "https://a.example/?token=[REDACTED]" in shown
        assert not any(
            secret in shown + str(span.status.description) for secret in ("x1", "x2", "x3", "x4")
        )
    provider.shutdown()


def test_where_both_guard_a_span_the_instrumentors_policy_holds(telemetry, redactor):
    processors.attach(telemetry.tracer_provider, redactor)
    processor = RedactingSpanProcessor()
    telemetry.tracer_provider.add_span_processor(processor)
    with telemetry.tracer_provider.get_tracer("x").start_as_current_span("x") as span:
        assert span.__dict__["_apimetrics_redactor"] is redactor
    assert processor.force_flush()
    processor.shutdown()


@pytest.mark.parametrize("is_first", [True, False])
def test_of_several_policies_on_one_provider_that_of_the_app_holds_for_its_span(
    telemetry, is_first
):
    redacting = RedactingSpanProcessor(RedactionPolicy(deny=["other"]))
    if is_first:
        telemetry.tracer_provider.add_span_processor(redacting)
    served = []
    for denied in ("note", "remark"):

        def app(environ, start_response):
            trace.get_current_span().set_attribute("app.note", "a")
            trace.get_current_span().set_attribute("app.remark", "b")
            start_response("200 OK", [])
            return []

        policy = RedactionPolicy(deny=[denied])
        wrapped = ApiMetricsWSGIMiddleware(app, redaction=policy, **telemetry.providers)
        served.append(wrapped)
        if not is_first:
            telemetry.tracer_provider.add_span_processor(redacting)
    for wrapped in served:
        serve_wsgi(wrapped, make_environ())

    first, second = (span.attributes for span in telemetry.server_spans)
    assert (first["app.note"], first["app.remark"]) == ("[REDACTED]", "b")
    assert (second["app.note"], second["app.remark"]) == ("a", "[REDACTED]")


def plain_app(environ, start_response):
    start_response("200 OK", [])
    return []


def test_what_a_later_processor_says_at_the_start_of_a_span_of_ours_is_redacted(telemetry):
    class Speaks(SpanProcessor):
        def on_start(self, span, parent_context=None):
            span.add_event("token=s3cr3t", {"url.query": "token=s3cr3t"})
            span.set_status(StatusCode.ERROR, "token=s3cr3t")

    wrapped = ApiMetricsWSGIMiddleware(plain_app, **telemetry.providers)
    serve_wsgi(wrapped, make_environ())  # our processor is there from now on
    telemetry.tracer_provider.add_span_processor(Speaks())
    serve_wsgi(wrapped, make_environ())
    span = telemetry.server_spans[-1]
    (event,) = span.events
    assert (event.name, event.attributes["url.query"]) == ("token=[REDACTED]", "token=[REDACTED]")
    assert span.status.description == "token=[REDACTED]"


def test_a_record_inside_of_a_request_that_is_left_out_is_no_skipped_one(telemetry):
    inner = ApiMetricsWSGIMiddleware(plain_app, **telemetry.providers)

    def app(environ, start_response):
        serve_wsgi(inner, make_environ())
        return plain_app(environ, start_response)

    outer = ApiMetricsWSGIMiddleware(app, excluded_paths=["/health"], **telemetry.providers)
    serve_wsgi(outer, make_environ(path="/health"))
    (span,) = telemetry.server_spans
    assert semconv.SKIPPED not in span.attributes


@pytest.mark.swallows_errors
def test_an_error_of_the_redacting_processor_is_swallowed(
    telemetry, monkeypatch, no_swallowed_errors
):
    monkeypatch.setattr(span_lock, "guard", lambda *_: 1 / 0)
    telemetry.tracer_provider.add_span_processor(RedactingSpanProcessor())
    with telemetry.tracer_provider.get_tracer("x").start_as_current_span("x"):
        pass
    assert [place for place, _ in no_swallowed_errors] == ["processors.redact"]
