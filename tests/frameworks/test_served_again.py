"""A middleware outside of a recorded app serves one environ or scope a second time."""

import copy
import io
import pickle

import pytest
from flask import Flask, Response, request
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsWSGIMiddleware,
    open_requests,
    set_consumer,
)
from otel_apimetrics.frameworks.entry import MARK
from tests.in_process import make_environ, make_scope, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

INDEX = "/index.html"
OPTIONS = {"capture_body": "all", "metrics": "all"}


def app(environ, start_response):
    """Has one page, and knows the caller when it is asked for another."""
    found = environ["PATH_INFO"] == INDEX
    if not found:
        set_consumer("acme")
        environ["wsgi.input"].read(4)
    start_response("200 OK" if found else "404 Not Found", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read() or b"index"] if found else (b"no", b"ne")


def fallback(inner, *, first, environ_of=lambda environ: environ):
    """Serve the index where there is no such page.

    Args:
        inner: the app.
        first: what becomes of the first answer: "dropped", "closed", or "kept" and closed last.
        environ_of: makes the environ of the second call of that of the first.
    """

    def outer(environ, start_response):
        statuses = []
        answer = inner(environ, lambda status, *_: statuses.append(status))
        if not statuses[0].startswith("404"):
            raise AssertionError(statuses)
        if first == "closed":
            answer.close()
        kept = answer if first == "kept" else None
        del answer
        environ["PATH_INFO"] = INDEX
        yield from inner(environ_of(environ), start_response)
        if kept is not None:
            assert list(kept) == [b"no", b"ne"]
            kept.close()

    return outer


def recorded(telemetry: Telemetry, inner=app):
    return ApiMetricsWSGIMiddleware(inner, **OPTIONS, **telemetry.providers)


def post(**extra):
    headers = {"content-type": "text/plain"}
    return make_environ("POST", "/users/7", body=b"some text", headers=headers, **extra)


def statuses(telemetry: Telemetry) -> list[tuple[int, int]]:
    points = telemetry.points("apimetrics.requests")
    return sorted((p.attributes["http.response.status_code"], p.value) for p in points)


def test_an_answer_in_the_place_of_another_is_the_one_that_is_recorded(telemetry: Telemetry):
    served = serve_wsgi(fallback(recorded(telemetry), first="kept"), post())

    assert served.error is None
    assert served.body == b" text"
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.status_code"] == 200
    assert attributes["http.response.body.content"] == " text"
    assert attributes["http.request.body.content"] == "some text"
    assert "apimetrics.request.body.truncated" not in attributes
    assert attributes["url.path"] == "/users/7"
    assert attributes["apimetrics.consumer.id"] == "acme"
    assert "error.type" not in attributes
    assert statuses(telemetry) == [(200, 1)]
    assert telemetry.total("apimetrics.active_requests") == 0
    assert not [r for r in open_requests._open if r.pipeline.config.capture_body == "all"]


@pytest.mark.parametrize("first", ["dropped", "closed"])
def test_an_answer_behind_one_that_is_recorded_already_is_recorded_too(telemetry, first):
    """Until it is thrown away nobody knows that the first will not be sent."""
    served = serve_wsgi(fallback(recorded(telemetry), first=first), post())

    assert served.body == b" text"
    assert statuses(telemetry) == [(200, 1), (404, 1)]
    assert telemetry.total("apimetrics.active_requests") == 0
    assert [s.attributes["http.response.status_code"] for s in telemetry.server_spans] == [404, 200]
    second = telemetry.server_spans[1].attributes
    assert second["http.request.body.content"] == " text"


def test_a_second_answer_has_a_span_of_the_first_as_its_server_span(telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("app")

    def traced(environ, start_response):
        with tracer.start_as_current_span(environ["PATH_INFO"]):
            return app(environ, start_response)

    serve_wsgi(fallback(recorded(telemetry, traced), first="kept"), post())
    parents = {s.name: s.parent.span_id for s in telemetry.spans if s.kind is SpanKind.INTERNAL}
    server = telemetry.server_span.context.span_id
    assert parents == {"/users/7": server, INDEX: server}
    assert telemetry.server_span.start_time <= min(s.start_time for s in telemetry.spans)


def test_a_body_that_is_sent_again_is_recorded_once(telemetry: Telemetry):
    def again(environ):
        return {**environ, "wsgi.input": io.BytesIO(b"some text")}

    serve_wsgi(fallback(recorded(telemetry), first="kept", environ_of=again), post())
    attributes = telemetry.server_span.attributes
    assert attributes["http.request.body.content"] == "some text"
    assert attributes["http.request.body.size"] == 9


def test_the_second_of_two_apps_is_recorded_by_its_own_route_and_options(telemetry, instrumentor):
    first, second = Flask("first"), Flask("second")

    @second.post("/users/<int:number>")
    def user(number):
        return Response(request.get_data(as_text=True))

    other = Telemetry()
    instrumentor.instrument_app(first, **other.providers)
    instrumentor.instrument_app(second, **OPTIONS, **telemetry.providers)

    def cascade(environ, start_response):
        kept = first(environ, lambda *_: None)
        yield from second(environ, start_response)
        kept.close()

    assert serve_wsgi(cascade, post()).body == b"some text"
    assert telemetry.total() == 1
    assert other.total() == 0
    # It had begun before anybody knew of the second.
    attributes = other.server_span.attributes
    assert attributes["http.route"] == "/users/<int:number>"
    assert attributes["http.response.status_code"] == 200


def test_each_call_has_the_server_span_that_an_instrumentation_inside_makes(telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("inside")

    class OpenTelemetryMiddleware:
        def __call__(self, environ, start_response):
            with tracer.start_as_current_span(environ["PATH_INFO"], kind=SpanKind.SERVER):
                return app(environ, start_response)

    OpenTelemetryMiddleware.__module__ = "opentelemetry.instrumentation.wsgi"
    served = recorded(telemetry, OpenTelemetryMiddleware())
    serve_wsgi(fallback(served, first="kept"), post())

    by_name = {span.name: span.attributes for span in telemetry.server_spans}
    assert "apimetrics.exchange.id" not in by_name["/users/7"]
    assert by_name[INDEX]["http.response.status_code"] == 200
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert telemetry.total() == 1


def test_an_app_inside_is_no_second_serving_in_whatever_thread_it_runs(telemetry: Telemetry):
    from concurrent.futures import ThreadPoolExecutor

    inner = recorded(telemetry)

    def outer(environ, start_response):
        environ["PATH_INFO"] = INDEX
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(inner, environ, start_response).result()

    assert serve_wsgi(recorded(telemetry, outer), make_environ()).body == b"index"
    assert statuses(telemetry) == [(200, 1)]


def test_a_scope_that_is_served_again_is_recorded_again(telemetry: Telemetry):
    tries = []

    async def unsteady(scope, receive, send):
        tries.append(1)
        status = 200 if len(tries) == 2 else 503
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    inner = ApiMetricsASGIMiddleware(unsteady, **telemetry.providers)

    async def retry(scope, receive, send):
        kept = []

        async def keep(message):
            kept.append(message)

        await inner(scope, receive, keep)
        assert kept[0]["status"] == 503
        await inner(scope, receive, send)

    assert serve_asgi(retry, make_scope()).status == 200
    assert statuses(telemetry) == [(200, 1), (503, 1)]


def test_the_mark_in_a_copy_is_plain(telemetry: Telemetry):
    environ = make_environ()
    seen = []

    def looking(environ, start_response):
        seen.append(environ[MARK])
        return app(environ, start_response)

    serve_wsgi(recorded(telemetry, looking), {**environ, "PATH_INFO": INDEX})
    (mark,) = seen
    assert copy.deepcopy(mark) is pickle.loads(pickle.dumps(mark)) is True


@pytest.mark.swallows_errors
def test_an_error_of_ours_between_two_answers_changes_nothing(telemetry, monkeypatch):
    from otel_apimetrics.frameworks import replacing

    def fail(*_, **__):
        raise RuntimeError("ours")

    monkeypatch.setattr(replacing, "_replace_span", fail)
    assert serve_wsgi(fallback(recorded(telemetry), first="kept"), post()).body == b" text"
    assert statuses(telemetry) == [(200, 1)]
