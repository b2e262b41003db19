"""The second lock: what other instrumentations wrote is redacted on the live span."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import Span, SpanLimits, TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode

from otel_apimetrics import RedactionPolicy, processors, span_lock, spans
from otel_apimetrics.redaction import FAILED, Redactor
from tests.telemetry import Telemetry

SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
"""An API key by its form: found by the value rules, wherever it stands."""

KINDS = [SpanKind.SERVER, SpanKind.CLIENT, SpanKind.INTERNAL]


@pytest.fixture
def tracer(telemetry: Telemetry) -> trace.Tracer:
    """A tracer whose spans are guarded, as contrib's are."""
    processors.attach(telemetry.tracer_provider, Redactor(RedactionPolicy()))
    return telemetry.tracer_provider.get_tracer("opentelemetry.instrumentation.other")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url.query", f"a=1&token={SECRET}"),
        ("url.full", f"https://user:pw-{SECRET}@api.example/x?api_key={SECRET}"),
        ("url.path", f"/reset/{SECRET}"),
        ("http.url", f"https://api.example/x?api_key={SECRET}"),
        ("http.target", f"/x?access_token={SECRET}"),
        ("http.request.header.authorization", [f"Bearer {SECRET}"]),
        ("http.request.header.x_api_key", [SECRET]),
        ("http.response.header.set-cookie", [f"sid={SECRET}", "b=1"]),
        ("exception.message", f"password={SECRET}"),
        ("db.statement", f"UPDATE u SET password = '{SECRET}'"),
        ("app.password", SECRET),
    ],
)
@pytest.mark.parametrize("early", [False, True])
def test_a_sensitive_attribute_of_any_span_is_redacted_in_place(
    telemetry, tracer, kind, key, value, early
):
    span = tracer.start_span("x", kind=kind, attributes={key: value} if early else None)
    if not early:
        span.set_attribute(key, value)
    span.set_attribute("plain", "stays")
    span.end()

    (ended,) = telemetry.spans
    assert SECRET not in ended.to_json()
    assert ended.attributes[key]
    assert type(ended.attributes[key]) is (tuple if isinstance(value, list) else str)
    assert ended.attributes["plain"] == "stays"


@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_exception_and_its_status_are_redacted(telemetry, tracer, kind):
    with (
        pytest.raises(ValueError),
        tracer.start_as_current_span("x", kind=kind),
    ):
        raise ValueError(f"password={SECRET}")

    (ended,) = telemetry.spans
    assert SECRET not in ended.to_json()
    assert ended.status.status_code is StatusCode.ERROR
    assert ended.status.description.startswith("ValueError: password=")
    (event,) = ended.events
    assert event.attributes["exception.type"] == "ValueError"
    assert event.attributes["exception.message"].startswith("password=")


@pytest.mark.parametrize(
    "status",
    [(StatusCode.ERROR, f"token={SECRET}"), (Status(StatusCode.ERROR, f"token={SECRET}"),)],
)
def test_a_status_description_is_redacted_in_either_form(telemetry, tracer, status):
    span = tracer.start_span("x")
    span.set_status(*status)
    span.end()
    (ended,) = telemetry.spans
    assert ended.status.status_code is StatusCode.ERROR
    assert ended.status.description.startswith("token=")
    assert SECRET not in ended.status.description


@pytest.mark.parametrize("status", [(StatusCode.OK,), (Status(StatusCode.ERROR),)])
def test_a_status_without_a_description_stays(telemetry, tracer, status):
    span = tracer.start_span("x")
    span.set_status(*status)
    span.end()
    assert telemetry.spans[0].status.description is None


def test_an_event_of_the_apps_own_is_redacted_and_keeps_its_time(telemetry, tracer):
    span = tracer.start_span("x")
    span.add_event("login", {"app.password": SECRET, "user": "ann"}, timestamp=7)
    span.add_event("bare")
    span.end()
    login, bare = telemetry.spans[0].events
    assert SECRET not in str(dict(login.attributes))
    assert login.attributes["user"] == "ann"
    assert login.timestamp == 7
    assert dict(bare.attributes) == {}


def test_an_attribute_without_a_secret_is_left_alone(telemetry, tracer):
    attributes = {"url.query": "page=2", "http.target": "/x?page=2", "n": 1, "list": (1, 2)}
    tracer.start_span("x", attributes=attributes).end()
    assert dict(telemetry.spans[0].attributes) == attributes


def test_a_name_that_the_policy_denies_is_redacted_on_any_span(telemetry: Telemetry):
    processors.attach(telemetry.tracer_provider, Redactor(RedactionPolicy(deny=["pet_name"])))
    tracer = telemetry.tracer_provider.get_tracer("other")
    tracer.start_span("x", attributes={"app.pet_name": "Rex"}).end()
    assert telemetry.spans[0].attributes["app.pet_name"] != "Rex"


def test_the_policy_of_the_app_that_serves_the_request_is_the_one_that_counts(
    telemetry, instrumentor
):
    from otel_apimetrics import ApiMetricsWSGIMiddleware
    from tests.in_process import make_environ, serve_wsgi

    tracer = telemetry.tracer_provider.get_tracer("other")

    def app(environ, start_response):
        tracer.start_span("inner", attributes={"url.query": "pet_name=Rex"}).end()
        start_response("200 OK", [])
        return []

    plain = ApiMetricsWSGIMiddleware(app, **telemetry.providers)
    strict = ApiMetricsWSGIMiddleware(app, redaction={"deny": ["pet_name"]}, **telemetry.providers)
    serve_wsgi(plain, make_environ())
    serve_wsgi(strict, make_environ())
    inner = [span for span in telemetry.spans if span.name == "inner"]
    assert "Rex" in inner[0].attributes["url.query"]
    assert "Rex" not in inner[1].attributes["url.query"]


@pytest.mark.swallows_errors
def test_an_error_in_the_lock_replaces_the_value(
    telemetry, tracer, monkeypatch, no_swallowed_errors
):
    def fail(*_):
        raise RuntimeError("ours")

    span = tracer.start_span("x", attributes={"url.query": f"token={SECRET}"})
    monkeypatch.setattr(Redactor, "attribute", fail)
    monkeypatch.setattr(Redactor, "text", fail)
    span.add_event("e", {"app.password": SECRET})
    span.set_status(StatusCode.ERROR, SECRET)
    span.set_status(Status(StatusCode.ERROR, SECRET))
    span.end()

    (ended,) = telemetry.spans
    assert ended.attributes["url.query"] == FAILED
    assert ended.status.status_code is StatusCode.ERROR
    assert SECRET not in ended.to_json()
    assert {place for place, _ in no_swallowed_errors} == {"spans.redact"}


@pytest.mark.swallows_errors
@pytest.mark.parametrize("target", ["is_guarded_key", "Redactor.is_guarded_key"])
def test_an_error_in_the_test_of_keys_raises_nothing_and_leaves_nothing_raw(
    telemetry, tracer, monkeypatch, target
):
    def fail(*_):
        raise RuntimeError("ours")

    span = tracer.start_span("x", attributes={"url.query": f"token={SECRET}"})
    monkeypatch.setattr(spans, "is_guarded_key", fail, raising=False)
    monkeypatch.setattr(Redactor, "is_guarded_key", fail)
    span.end()

    (ended,) = telemetry.spans
    assert SECRET not in ended.to_json()


def ended(span, telemetry: Telemetry) -> int | None:
    """When a span has ended, `None` where it has not."""
    return telemetry.spans[-1].end_time if telemetry.spans else None


def test_a_held_span_that_its_owner_has_ended_ends_when_it_is_released(telemetry, tracer, caplog):
    span = tracer.start_span("x", start_time=1)
    assert span_lock.hold(span)
    assert span_lock.is_held(span)
    with caplog.at_level(logging.WARNING):
        span.end()
        span.end(5)
        assert ended(span, telemetry) is None
        assert span.is_recording()
        span_lock.release(span, 9, at_once=False)
        span.end()
    assert not span_lock.is_held(span)
    assert ended(span, telemetry) == 9
    assert len(telemetry.spans) == 1
    assert caplog.records == []


def test_a_released_span_ends_when_its_owner_asks_and_at_the_last_byte(telemetry, tracer, caplog):
    span = tracer.start_span("x", start_time=1)
    span_lock.hold(span)
    span_lock.release(span, 9, at_once=False)
    assert ended(span, telemetry) is None
    span.set_attribute("late", "contrib writes after the last message")
    span.end(77)
    assert ended(span, telemetry) == 9
    assert telemetry.spans[0].attributes["late"]
    assert caplog.records == []


def test_a_span_of_ours_ends_at_once_and_an_owner_that_asks_later_is_not_warned(
    telemetry, tracer, caplog
):
    span = tracer.start_span("x", start_time=1)
    span_lock.hold(span)
    span_lock.release(span, 9, at_once=True)
    assert ended(span, telemetry) == 9
    span.end()
    span_lock.close(span)
    assert len(telemetry.spans) == 1
    assert caplog.records == []


def test_a_released_span_whose_owner_never_asks_is_closed(telemetry, tracer, caplog):
    span = tracer.start_span("x", start_time=1)
    span_lock.hold(span)
    span_lock.release(span, 9, at_once=False)
    span_lock.close(span)
    span.end()
    assert ended(span, telemetry) == 9
    assert len(telemetry.spans) == 1
    assert caplog.records == []


def test_a_guarded_span_has_the_name_of_its_class(tracer):
    span = tracer.start_span("x")
    assert isinstance(span, Span)
    assert type(span).__name__ == "_Span"
    assert type(span).__module__ == "opentelemetry.sdk.trace"
    cls = type(span)
    span_lock.guard(span, Redactor(RedactionPolicy()))
    assert type(span) is cls
    span.end()


def test_a_span_of_a_foreign_class_stays_as_it_is():
    span = trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)
    span_lock.guard(span, Redactor(RedactionPolicy()))
    assert type(span) is trace.NonRecordingSpan
    assert not span_lock.hold(span)
    assert not span_lock.is_held(span)
    assert not spans.is_server(span)
    assert spans.limits(span) == (128, None)
    assert not spans.has_event(span, "exception")


def test_a_span_context_without_a_slot_for_attributes_is_not_held():
    assert not span_lock.is_held(object())


def test_the_limits_are_the_spans_own():
    provider = TracerProvider(
        span_limits=SpanLimits(max_span_attributes=9, max_span_attribute_length=77),
        shutdown_on_exit=False,
    )
    assert spans.limits(provider.get_tracer("x").start_span("x")) == (9, 77)


def context(*, remote=False, valid=True, sampled=True):
    return trace.SpanContext(
        1 if valid else 0,
        2 if valid else 0,
        is_remote=remote,
        trace_flags=trace.TraceFlags(1 if sampled else 0),
    )


def test_a_local_span_is_one_of_this_process_that_is_not_over(tracer):
    span = tracer.start_span("x")
    assert spans.is_local(span)
    span.end()
    assert not spans.is_local(span)
    assert spans.is_local(trace.NonRecordingSpan(context(sampled=False)))
    assert not spans.is_local(trace.NonRecordingSpan(context(remote=True)))
    assert not spans.is_local(trace.NonRecordingSpan(context(valid=False)))


@pytest.mark.parametrize(
    ("current", "inside", "owner"),
    [
        (None, False, spans.Owner.OURS),
        (None, True, spans.Owner.INSIDE),
        ("remote", False, spans.Owner.OURS),
        ("unsampled", False, spans.Owner.NOBODY),
        ("unsampled", True, spans.Owner.NOBODY),
        (SpanKind.SERVER, False, spans.Owner.CURRENT),
        (SpanKind.SERVER, True, spans.Owner.CURRENT),
        (SpanKind.INTERNAL, False, spans.Owner.OURS),
    ],
)
def test_who_owns_the_span_is_decided_by_what_is_current_and_what_is_inside(
    tracer, current, inside, owner
):
    if current is None:
        assert spans.decide(instrumented_inside=inside) is owner
        return
    span = {
        "remote": lambda: trace.NonRecordingSpan(context(remote=True)),
        "unsampled": lambda: trace.NonRecordingSpan(context(sampled=False)),
    }.get(current, lambda: tracer.start_span("x", kind=current))()
    with trace.use_span(span, end_on_exit=True):
        assert spans.decide(instrumented_inside=inside) is owner


def test_suppressed_instrumentation_makes_no_span():
    from opentelemetry.instrumentation.utils import suppress_instrumentation

    with suppress_instrumentation():
        assert spans.decide(instrumented_inside=False) is spans.Owner.NOBODY


@given(st.dictionaries(st.text(min_size=1, max_size=30), st.text(max_size=60), max_size=8))
def test_no_attribute_whatever_makes_ending_a_span_raise(attributes):
    telemetry = Telemetry()
    processors.attach(telemetry.tracer_provider, Redactor(RedactionPolicy()))
    span = telemetry.tracer_provider.get_tracer("x").start_span("x", attributes=attributes)
    span.end()
    assert set(telemetry.spans[0].attributes) == set(attributes)


def test_the_trace_state_is_exported_redacted_and_passed_on_as_it_is():
    from opentelemetry.trace import SpanContext, TraceFlags, TraceState

    telemetry, token = Telemetry(), "sk_live_" + "a" * 24
    state = TraceState([("vendor", token), ("other", "x")])
    parent = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)
    context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    span = telemetry.tracer_provider.get_tracer("x").start_span("x", context)
    span_lock.guard(span, Redactor())
    assert span.get_span_context().trace_state["vendor"] == token
    span.end()
    (done,) = telemetry.spans
    assert dict(done.context.trace_state) == {"vendor": "[REDACTED]", "other": "x"}


def test_the_name_of_an_event_is_redacted():
    telemetry = Telemetry()
    span = telemetry.tracer_provider.get_tracer("x").start_span("x")
    span_lock.guard(span, Redactor())
    span.add_event("failed with password=hunter2")
    span.end()
    assert telemetry.spans[0].events[0].name == "failed with password=[REDACTED]"
