"""How long a stream or a long poll takes has no bound; only silence has one."""

import asyncio

import pytest

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsWSGIMiddleware,
    open_requests,
    recording,
)
from tests.in_process import make_environ, make_scope, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

MINUTES_OF_A_DAY = range(0, 24 * 60, 5)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = open_requests.monotonic()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(recording, "monotonic", made)
    monkeypatch.setattr(open_requests, "_next_sweep", 0.0)
    yield made
    monkeypatch.undo()
    open_requests.sweep(open_requests.monotonic())


def other(environ, start_response):
    start_response("200 OK", [])
    return [b""]


def test_an_event_stream_of_a_day_is_one_record_made_at_its_end(telemetry: Telemetry, clock):
    def events(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        for _ in MINUTES_OF_A_DAY:
            yield b"data: tick\n\n"

    beside = ApiMetricsWSGIMiddleware(other, **telemetry.providers)
    stream = ApiMetricsWSGIMiddleware(events, **telemetry.providers)(
        make_environ(path="/events"), lambda *_: None
    )
    for chunk in stream:
        assert chunk == b"data: tick\n\n"
        clock.now += 5 * 60
        serve_wsgi(beside, make_environ())  # a new request looks after forgotten ones
        assert not [s for s in telemetry.spans if s.attributes["url.path"] == "/events"]
    stream.close()
    (span,) = [s for s in telemetry.spans if s.attributes["url.path"] == "/events"]
    assert span.attributes["http.response.body.size"] == 12 * len(MINUTES_OF_A_DAY)
    assert "error.type" not in span.attributes


def test_a_websocket_that_is_silent_for_a_day_is_one_record_made_at_its_end(
    telemetry: Telemetry, clock
):
    beside = ApiMetricsWSGIMiddleware(other, **telemetry.providers)

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        clock.now += 24 * 3600
        serve_wsgi(beside, make_environ())
        await send({"type": "websocket.close", "code": 1000})

    scope = {**make_scope(path="/ws"), "type": "websocket", "scheme": "ws"}
    served = ApiMetricsASGIMiddleware(app, **telemetry.providers)
    serve_asgi(served, scope, [{"type": "websocket.connect"}])
    (span,) = [s for s in telemetry.spans if s.attributes["url.path"] == "/ws"]
    assert span.attributes["apimetrics.websocket.close_code"] == 1000
    assert "error.type" not in span.attributes


def test_a_poll_that_is_silent_for_an_hour_is_given_up_by_us_and_answered_by_the_app(
    telemetry: Telemetry, clock
):
    beside = ApiMetricsWSGIMiddleware(other, **telemetry.providers)

    async def poll(scope, receive, send):
        await asyncio.sleep(0)
        clock.now += 3600
        serve_wsgi(beside, make_environ())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"news"})

    served = ApiMetricsASGIMiddleware(poll, **telemetry.providers)
    seen = serve_asgi(served, make_scope(path="/poll"))
    assert (seen.status, seen.body) == (200, b"news")
    (span,) = [s for s in telemetry.spans if s.attributes["url.path"] == "/poll"]
    assert span.attributes["error.type"] == "abandoned"
    assert open_requests.count() == 0
