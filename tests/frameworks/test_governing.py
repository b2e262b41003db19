"""Who answers in the app's place: before it is called, and when its response starts."""

import asyncio
import gc
import sys
from wsgiref.validate import validator

import pytest
from fastapi import FastAPI
from flask import Flask, Response, g
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsInstrumentor,
    ApiMetricsWSGIMiddleware,
    _guard,
    set_consumer,
)
from otel_apimetrics.typing import Replacement
from tests.in_process import converse, make_environ, make_scope, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

BLOCKED = Replacement(status=429, headers=(("x-rule", "one"),), body=b'{"err": 1}', blocked_by="r1")
FRAMED = {"x-rule": "one", "content-length": "10"}


class Governing:
    """An exporter that governs as it is told, and keeps what it was asked."""

    def __init__(self, *, before=None, starting=(), is_active=True, reads_body=False):
        self.governor = self
        self.is_active = is_active
        self.reads_body = reads_body
        self._before, self._starting = before, starting
        self.asked = []
        self.exchanges = []

    def before(self, exchange, *, identified):
        self.asked.append(("before", exchange, identified))
        return self._before() if callable(self._before) else self._before

    def starting(self, exchange):
        self.asked.append(("starting", exchange))
        return self._starting() if callable(self._starting) else self._starting

    def export(self, spans):
        raise AssertionError("it has another door")

    def export_exchanges(self, exchanges, patience):
        self.exchanges += exchanges
        return True


_doors: list["Door"] = []


@pytest.fixture(autouse=True)
def closed():
    """What a test has left to deliver is counted in no other one."""
    yield
    while _doors:
        for outlet in _doors.pop().app._pipeline.outlets:
            outlet.close()


class Door:
    """An app behind one of the two middlewares, and what its client and its exporter saw."""

    def __init__(self, kind, governing, app, **options):
        self.telemetry = Telemetry()
        options = {
            "exporters": [governing],
            "capture_body": "all",
            "capture_headers": "all",
        } | options
        make = ApiMetricsWSGIMiddleware if kind == "wsgi" else ApiMetricsASGIMiddleware
        self.app = make(app, **options, **self.telemetry.providers)
        self.kind, self.governing = kind, governing
        _doors.append(self)

    def ask(self, method="GET", body=b"", **headers):
        if self.kind == "wsgi":
            served = serve_wsgi(self.app, make_environ(method, body=body, headers=headers))
            assert served.error is None
            (start,) = [event for event in served.events if event[0] == "start"]
            return served.status, {k.lower(): v for k, v in start[2]}, served.body
        lines = [(k.encode(), v.encode()) for k, v in headers.items()]
        served = serve_asgi(self.app, make_scope(method, headers=lines))
        assert served.error is None
        told = {k.decode().lower(): v.decode() for k, v in served.sent[0]["headers"]}
        return served.status, told, served.body

    def exchange(self):
        assert self.app._pipeline.outlets[0].flush(10)
        (exchange,) = self.governing.exchanges
        return exchange


class Apps:
    """One app that answers 200, for either door; `calls` says how often it ran."""

    def __init__(self):
        self.calls = 0

    def wsgi(self, environ, start_response):
        self.calls += 1
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]

    async def asgi(self, scope, receive, send):
        self.calls += 1
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})


OWN = (200, {"content-type": "text/plain", "content-length": "2"}, b"ok")


@pytest.fixture(params=["wsgi", "asgi"])
def kind(request):
    return request.param


def test_who_answers_before_the_app_keeps_it_from_being_called(kind):
    apps = Apps()
    door = Door(kind, Governing(before=BLOCKED), getattr(apps, kind))
    assert door.ask() == (429, FRAMED, b'{"err": 1}')
    assert apps.calls == 0
    exchange = door.exchange()
    assert (exchange.blocked_by, exchange.response.status) == ("r1", 429)
    assert exchange.response.body.content == '{"err": 1}'
    span = door.telemetry.server_span
    assert span.attributes["apimetrics.exchange.blocked_by"] == "r1"
    assert span.attributes["http.response.status_code"] == 429


def test_who_answers_when_the_response_starts_replaces_all_of_it(kind):
    apps = Apps()
    door = Door(kind, Governing(starting=BLOCKED), getattr(apps, kind))
    assert door.ask() == (429, FRAMED, b'{"err": 1}')
    assert apps.calls == 1
    assert (door.exchange().blocked_by, door.exchange().response.body.size) == ("r1", 10)


def test_lines_are_put_behind_those_of_the_app(kind):
    lines = (("x-rule", "one"), ("content-type", "text/html"), ("content-length", "9"))
    door = Door(kind, Governing(starting=lines), getattr(Apps(), kind))
    status, headers, body = door.ask()
    assert (status, headers, body) == (200, {**OWN[1], "x-rule": "one"}, b"ok")
    assert door.exchange().blocked_by is None
    assert ("x-rule", "one") in door.exchange().response.headers


@pytest.mark.parametrize(
    ("method", "status", "headers", "body"),
    [
        ("HEAD", 429, FRAMED, b""),
        ("GET", 204, {"x-rule": "one"}, b""),
        ("GET", 304, {"x-rule": "one"}, b""),
        ("GET", 499, FRAMED, b'{"err": 1}'),
    ],
)
@pytest.mark.parametrize("moment", ["before", "starting"])
def test_what_has_no_body_gets_none(kind, moment, method, status, headers, body):
    answer = Replacement(status=status, headers=BLOCKED.headers, body=BLOCKED.body, blocked_by="r1")
    door = Door(kind, Governing(**{moment: answer}), getattr(Apps(), kind))
    assert door.ask(method) == (status, headers, body)


def test_headers_that_frame_a_message_are_not_the_rules_to_say(kind):
    framing = (("content-length", "5"), ("transfer-encoding", "chunked"), ("connection", "close"))
    answer = Replacement(status=403, headers=framing, body=b"no", blocked_by="r")
    door = Door(kind, Governing(before=answer), getattr(Apps(), kind))
    assert door.ask() == (403, {"content-length": "2"}, b"no")


def broken():
    raise ValueError("secret")


@pytest.mark.swallows_errors
@pytest.mark.parametrize("moment", ["before", "starting"])
@pytest.mark.parametrize(
    "fault",
    [
        broken,
        Replacement(status=99, headers=(), body=b"", blocked_by="r"),
        Replacement(status=403, headers=(("x-a", "1\r\nx-b: 2"),), body=b"", blocked_by="r"),
        Replacement(status=403, headers=(("x a", "1"),), body=b"", blocked_by="r"),
        7,
    ],
)
def test_a_governor_that_fails_changes_no_answer(kind, moment, fault, caplog):
    door = Door(kind, Governing(**{moment: fault}), getattr(Apps(), kind))
    assert door.ask() == OWN
    assert door.exchange().blocked_by is None
    assert _guard.counts() == {"frameworks.governor": 1}
    assert "secret" not in caplog.text


def test_the_app_tells_who_called_where_identify_does_not(kind):
    def wsgi(environ, start_response):
        set_consumer("u1", company="c1")
        return Apps().wsgi(environ, start_response)

    async def asgi(scope, receive, send):
        set_consumer("u1", company="c1")
        await Apps().asgi(scope, receive, send)

    governing = Governing()
    Door(kind, governing, wsgi if kind == "wsgi" else asgi).ask()
    (_, first, identified), (_, second) = governing.asked
    assert (first.consumer, identified) == (None, False)
    assert (second.consumer.id, second.company.id) == ("u1", "c1")


def test_identify_is_asked_before_the_app_and_again_for_the_record(kind):
    asked = []

    def identify(exchange):
        asked.append(exchange.response)
        return "u1"

    governing = Governing()
    door = Door(kind, governing, getattr(Apps(), kind), identify=identify)
    door.ask()
    (_, first, identified), (_, second) = governing.asked
    assert (first.consumer.id, identified, second.consumer.id) == ("u1", True, "u1")
    assert door.exchange().consumer.id == "u1"
    early, late = asked
    assert (early, late.status) == (None, 200)


def test_identify_that_is_async_is_not_asked_early():
    async def identify(exchange):
        return "u1"

    governing = Governing()
    door = Door("asgi", governing, Apps().asgi, identify=identify)
    door.ask()
    (_, first, identified), (_, second) = governing.asked
    assert (first.consumer, identified, second.consumer) == (None, False, None)


def test_a_governor_knows_a_consumer_by_the_id_that_is_exported(kind):
    secret = "ghp_" + "a1B2" * 9
    governing = Governing()
    door = Door(kind, governing, getattr(Apps(), kind), identify=lambda exchange: secret)
    door.ask()
    assert governing.asked[0][1].consumer == door.exchange().consumer
    assert secret not in str(door.exchange().consumer)


def test_a_governor_reads_what_the_app_has_read_of_the_body():
    def app(environ, start_response):
        environ["wsgi.input"].read()
        return Apps().wsgi(environ, start_response)

    for reads_body in (True, False):
        governing = Governing(reads_body=reads_body)
        Door("wsgi", governing, app).ask(
            "POST", b'{"a": 1}', **{"content-type": "application/json"}
        )
        body = governing.asked[1][1].request.body
        assert body.content == ('{"a": 1}' if reads_body else None)


def test_a_governor_without_rules_is_asked_nothing(kind):
    governing = Governing(before=BLOCKED, starting=BLOCKED, is_active=False)
    assert Door(kind, governing, getattr(Apps(), kind)).ask() == OWN
    assert governing.asked == []


def test_without_a_governor_nothing_is_between_us_and_the_app(kind):
    frames = []

    def wsgi(environ, start_response):
        frames.append(_callers())
        return Apps().wsgi(environ, start_response)

    async def asgi(scope, receive, send):
        frames.append(_callers())
        await Apps().asgi(scope, receive, send)

    app = wsgi if kind == "wsgi" else asgi
    ungoverned = Governing()
    del ungoverned.governor
    Door(kind, ungoverned, app).ask()
    Door(kind, Governing(), app).ask()
    without, governed = frames
    assert not [name for name in without if "govern" in name]
    assert [name for name in governed if "govern" in name]


def _callers():
    frame, found = sys._getframe(1), []
    while frame is not None:
        found.append(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
    return [name for name in found if name.startswith("otel_apimetrics")]


# WSGI


def test_the_iterable_of_a_replaced_response_is_closed_and_not_run():
    told = []

    class Chunks:
        def __iter__(self):
            told.append("run")
            return iter([b"secret"])

        def close(self):
            told.append("closed")

    def app(environ, start_response):
        write = start_response("200 OK", [])
        write(b"secret")
        return Chunks()

    assert Door("wsgi", Governing(starting=BLOCKED), app).ask() == (429, FRAMED, b'{"err": 1}')
    assert told == ["closed"]


@pytest.mark.parametrize("starting", [BLOCKED, (("x-rule", "one"),)])
def test_an_app_may_start_its_response_with_its_first_chunk(starting):
    closed = []

    def app(environ, start_response):
        try:
            start_response("200 OK", [("content-length", "4")])
            yield b"ab"
            yield b"cd"
        finally:
            closed.append(True)

    status, headers, body = Door("wsgi", Governing(starting=starting), app).ask()
    if starting is BLOCKED:
        assert (status, headers, body) == (429, FRAMED, b'{"err": 1}')
    else:
        assert (status, headers, body) == (200, {"content-length": "4", "x-rule": "one"}, b"abcd")
    assert closed == [True]


def test_an_app_without_a_chunk_is_replaced_too():
    def app(environ, start_response):
        start_response("200 OK", [("content-length", "0")])
        yield from ()

    assert Door("wsgi", Governing(starting=BLOCKED), app).ask()[2] == b'{"err": 1}'
    status, _, body = Door("wsgi", Governing(), app).ask()
    assert (status, body) == (200, b"")


@pytest.mark.parametrize("moment", ["before", "starting"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_replaced_response_keeps_to_pep_3333(moment, method):
    text = (("content-type", "text/plain"),)
    answer = Replacement(status=429, headers=text, body=b"no", blocked_by="r")
    door = Door("wsgi", Governing(**{moment: answer}), validator(Apps().wsgi))
    served = serve_wsgi(validator(door.app), make_environ(method))
    assert served.error is None
    assert (served.status, served.body) == (429, b"no" if method == "GET" else b"")


def test_flask_tears_down_and_runs_what_it_owes_to_a_replaced_response():
    told = []
    app = Flask("app")

    @app.get("/")
    def streamed():
        g.consumer_identifier = "u1"
        response = Response(iter([b"secret"]))
        response.call_on_close(lambda: told.append("closed"))
        return response

    app.teardown_request(lambda error: told.append("torn down"))
    governing = Governing(starting=BLOCKED)
    ApiMetricsInstrumentor().instrument_app(app, exporters=[governing], **Telemetry().providers)
    response = app.test_client().get("/", buffered=True)
    assert (response.status_code, response.data) == (429, b'{"err": 1}')
    assert sorted(told) == ["closed", "torn down"]
    assert governing.asked[1][1].consumer.id == "u1"
    assert len(governing.asked) == 2  # Flask is entered by two ways, and governed once


@pytest.mark.parametrize("starting", [BLOCKED, (("x-rule", "one"),)])
def test_an_app_that_answers_its_own_error_is_still_governed_and_asked_about_once(starting):

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            raise KeyError("x")
        except KeyError:
            start_response("500 Internal Server Error", [], sys.exc_info())
        return [b"broken"]

    door = Door("wsgi", Governing(starting=starting), app)
    served = serve_wsgi(door.app, make_environ())
    starts = [event for event in served.events if event[0] == "start"]
    replaced = starting is BLOCKED
    assert [event[1][:3] for event in starts] == (["429"] * 2 if replaced else ["200", "500"])
    assert all(("x-rule", "one") in event[2] for event in starts)
    assert served.body == (b'{"err": 1}' if replaced else b"broken")
    assert len(door.governing.asked) == 2  # before, and once when it starts


# ASGI


def test_background_tasks_of_a_replaced_response_run():
    told = []

    async def endpoint(request):
        return JSONResponse({}, background=BackgroundTask(told.append, "done"))

    app = Starlette(routes=[Route("/", endpoint)])
    assert Door("asgi", Governing(starting=BLOCKED), app).ask() == (429, FRAMED, b'{"err": 1}')
    assert told == ["done"]


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
def test_background_tasks_of_a_short_stream_run_too(spec_version):
    told = []

    async def endpoint(request):
        chunks = iter([b"a", b"b", b"c"])
        return StreamingResponse(chunks, background=BackgroundTask(told.append, "done"))

    door = Door("asgi", Governing(starting=BLOCKED), Starlette(routes=[Route("/", endpoint)]))
    scope = make_scope(asgi={"version": "3.0", "spec_version": spec_version})
    served = serve_asgi(door.app, scope)
    assert (served.error, served.status, served.body) == (None, 429, b'{"err": 1}')
    assert told == ["done"]


def test_a_stream_that_was_told_to_end_is_held_by_nobody():
    told = []

    async def ticks():
        try:
            while True:
                yield b"tick"
        finally:
            told.append("ended")

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        stream = ticks()
        async for chunk in stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def main():
        door = Door("asgi", Governing(starting=BLOCKED), app)
        served = await converse(door.app, make_scope())
        for _ in range(3):  # an asynchronous generator ends in a task of its own
            await asyncio.sleep(0)
        return served.error, served.status, tuple(told)

    gc.disable()
    try:
        assert asyncio.run(main()) == (None, 429, ("ended",))
    finally:
        gc.enable()


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
@pytest.mark.parametrize("nested", [False, True])
def test_an_endless_stream_that_nobody_gets_ends(spec_version, nested):
    told = []

    async def ticks():
        try:
            while True:
                yield b"tick"
                await asyncio.sleep(0)
        finally:
            told.append("ended")

    async def endpoint(request):
        return StreamingResponse(ticks())

    async def passing(request, call_next):
        return await call_next(request)

    app = Starlette(routes=[Route("/", endpoint)])
    if nested:
        app.add_middleware(BaseHTTPMiddleware, dispatch=passing)
    door = Door("asgi", Governing(starting=BLOCKED), app)
    scope = make_scope(asgi={"version": "3.0", "spec_version": spec_version})
    served = serve_asgi(door.app, scope)
    assert served.error is None
    assert (served.status, served.body) == (429, b'{"err": 1}')
    assert [message["type"] for message in served.sent] == [
        "http.response.start",
        "http.response.body",
    ]
    assert told == ["ended"]


def test_what_the_app_raises_behind_a_replaced_response_is_its_own():
    async def app(scope, receive, send):
        await Apps().asgi(scope, receive, send)
        assert await receive() == {"type": "http.disconnect"}
        raise KeyError("the app's")

    served = serve_asgi(Door("asgi", Governing(starting=BLOCKED), app).app, make_scope())
    assert isinstance(served.error, KeyError)
    assert (served.status, served.body) == (429, b'{"err": 1}')


def test_headers_that_are_an_iterator_reach_the_client():
    async def app(scope, receive, send):
        headers = iter([(b"x-a", b"1")])
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    door = Door("asgi", Governing(starting=(("x-rule", "one"),)), app)
    assert door.ask() == (200, {"x-a": "1", "x-rule": "one"}, b"ok")


def test_fastapi_that_is_answered_for_has_its_span_all_the_same():
    app, telemetry, calls = FastAPI(), Telemetry(), []
    app.get("/")(lambda: calls.append(1))
    governing = Governing(before=BLOCKED)
    ApiMetricsInstrumentor().instrument_app(app, exporters=[governing], **telemetry.providers)
    served = serve_asgi(app, make_scope())
    assert (served.status, calls) == (429, [])
    span = telemetry.server_span
    assert span.attributes["http.response.status_code"] == 429


def test_websockets_are_not_governed():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.close", "code": 1000})

    governing = Governing(before=BLOCKED, starting=BLOCKED)
    door = Door("asgi", governing, app)
    scope = make_scope(type="websocket")
    served = serve_asgi(door.app, scope, [{"type": "websocket.connect"}])
    assert served.error is None
    assert [message["type"] for message in served.sent] == ["websocket.close"]
    assert governing.asked == []
