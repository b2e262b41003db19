"""Plain ASGI apps, in-process: no message changes, and one record comes out."""

import asyncio
import contextvars
import inspect
from contextlib import closing
from threading import Event
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics import ApiMetricsASGIMiddleware, Consumer, ending, open_requests, set_consumer
from tests.in_process import converse, make_scope, request_messages, serve_asgi
from tests.telemetry import Telemetry

START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain")],
}
END = {"type": "http.response.body", "body": b""}


def body(data: bytes, *, more: bool = False):
    return {"type": "http.response.body", "body": data, "more_body": more}


def recorded(app, telemetry: Telemetry, **options):
    return ApiMetricsASGIMiddleware(app, capture_body="all", **telemetry.providers, **options)


def saying(*messages, read: int = 0):
    async def app(scope, receive, send):
        for _ in range(read):
            await receive()
        for message in messages:
            await send(message)

    return app


@settings(max_examples=120, deadline=None)
@given(
    incoming=st.lists(st.binary(max_size=20), max_size=4),
    reads=st.integers(0, 6),
    chunks=st.lists(st.binary(max_size=20), max_size=6),
    omits_more=st.booleans(),
    extra=st.sampled_from([(), ({"type": "http.response.early_hint", "links": [b"</a>"]},)]),
    gone_after=st.none() | st.integers(0, 4),
)
def test_server_and_app_see_the_same_messages_with_us_and_without(
    incoming, reads, chunks, omits_more, extra, gone_after
):
    app_saw = []

    async def app(scope, receive, send):
        seen = []
        app_saw.append(seen)
        for _ in range(min(reads, len(incoming) or 1)):
            seen.append(await receive())
        for message in extra:
            await send(message)
        await send(START)
        for chunk in chunks:
            await send(body(chunk, more=True))
        await send({"type": "http.response.body"} if omits_more else END)
        seen.append(await receive())

    def scope():
        return make_scope("POST")

    telemetry = Telemetry()
    messages = request_messages(*incoming)
    bare = serve_asgi(app, scope(), messages, gone_after=gone_after)
    ours = serve_asgi(recorded(app, telemetry), scope(), messages, gone_after=gone_after)

    assert app_saw[0] == app_saw[1]
    assert ours.sent == bare.sent
    assert ours.received == bare.received
    assert repr(ours.error) == repr(bare.error)
    assert telemetry.total() == 1
    span = telemetry.server_span
    if any(m["type"] == "http.response.start" for m in ours.sent):
        assert span.attributes["http.response.body.size"] == len(ours.body)
    assert (span.attributes.get("error.type") == "client_disconnect") == isinstance(
        ours.error, OSError
    )


def test_the_messages_themselves_are_handed_on(telemetry: Telemetry):
    handed = []

    async def send(message):
        handed.append(message)

    async def receive():
        return incoming

    incoming = {"type": "http.request", "body": b"x"}
    got = []

    async def app(scope, receive, send):
        got.append(await receive())
        await send(START)
        await send(END)

    asyncio.run(recorded(app, telemetry)(make_scope(), receive, send))
    assert got[0] is incoming
    assert handed[0] is START
    assert handed[1] is END


@pytest.mark.parametrize("kind", ["http", "websocket", "lifespan", "other"])
def test_what_the_app_returns_is_returned(telemetry: Telemetry, kind):
    async def app(scope, receive, send):
        await receive()
        return "not None"

    async def channel(*_):
        return {"type": f"{kind}.x"}

    scope = make_scope(type=kind)
    assert asyncio.run(recorded(app, telemetry)(scope, channel, channel)) == "not None"


class NoTruth:
    def __bool__(self):
        raise ArithmeticError("neither")


@pytest.mark.swallows_errors
@pytest.mark.parametrize("kind", ["http", "websocket", "lifespan"])
@pytest.mark.parametrize(
    "message",
    [
        5,
        {},
        {"type": ["http.response.start"]},
        {"type": "http.response.start"},
        {"type": "http.response.start", "status": 400, "trailers": NoTruth()},
        {"type": "http.response.body", "more_body": NoTruth()},
    ],
)
def test_a_message_that_is_none_of_asgis_is_the_servers_to_refuse(
    telemetry: Telemetry, kind, message
):
    async def app(scope, receive, send):
        await send(message)

    async def receive():
        return {"type": "lifespan.startup"}

    async def send(message):
        raise LookupError("of the server")

    served = recorded(app, telemetry)
    with pytest.raises(LookupError, match="of the server"):
        asyncio.run(served(make_scope(type=kind), receive, send))


def test_receive_is_never_called_of_our_own_accord(telemetry: Telemetry):
    seen = serve_asgi(recorded(saying(START, END), telemetry), make_scope("POST"))
    assert seen.received == 0
    assert telemetry.server_span.attributes["http.response.status_code"] == 200


def test_a_request_body_is_captured_as_the_app_reads_it(telemetry: Telemetry):
    scope = make_scope("POST", headers=[(b"content-type", b"text/plain")])
    serve_asgi(
        recorded(saying(START, END, read=2), telemetry), scope, request_messages(b"hello ", b"you")
    )
    attributes = telemetry.server_span.attributes
    assert attributes["http.request.body.content"] == "hello you"
    assert attributes["http.request.body.size"] == 9


def test_a_declared_length_is_the_size_of_a_body_that_nobody_reads(telemetry: Telemetry):
    scope = make_scope("POST", headers=[(b"content-length", b"12345")])
    serve_asgi(recorded(saying(START, END), telemetry), scope)
    assert telemetry.server_span.attributes["http.request.body.size"] == 12345


@pytest.mark.parametrize(
    ("method", "headers", "version", "size"),
    [
        ("POST", [(b"transfer-encoding", b"chunked")], "1.1", None),
        ("POST", [], "2", None),
        ("POST", [(b"content-length", b"0")], "2", 0),
        ("POST", [], "1.1", 0),
        ("GET", [], "2", 0),
    ],
)
def test_a_body_without_a_length_that_nobody_reads_has_no_size(
    telemetry: Telemetry, method, headers, version, size
):
    scope = make_scope(method, headers=headers, http_version=version)
    serve_asgi(recorded(saying(START, END), telemetry, metrics="all"), scope)
    assert telemetry.server_span.attributes.get("http.request.body.size") == size
    assert len(telemetry.points("apimetrics.request.body.size")) == (size is not None)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_that_is_received_in_part_is_marked_as_truncated(telemetry: Telemetry, method):
    scope = make_scope(method, headers=[(b"content-type", b"text/plain")], http_version="2")
    messages = request_messages(b"he", b"llo")
    serve_asgi(recorded(saying(START, END, read=1), telemetry), scope, messages)
    assert telemetry.server_span.attributes["http.request.body.size"] == 2
    assert telemetry.server_span.attributes["apimetrics.request.body.truncated"] is True


@pytest.mark.parametrize("length", [b"-5", b"5, 5", b"\xb2"])
def test_a_length_that_is_no_number_is_left_out(telemetry: Telemetry, length):
    scope = make_scope("POST", headers=[(b"content-length", length)])
    serve_asgi(recorded(saying(START, END), telemetry), scope)
    assert telemetry.server_span.attributes["http.request.body.size"] == 0


def test_the_record_is_made_with_the_last_message_and_not_after_background_work(telemetry):
    counts = []

    async def app(scope, receive, send):
        await send(START)
        counts.append(telemetry.total())
        await send(END)
        counts.append(telemetry.total())
        set_consumer("too-late")
        await send({"type": "http.response.debug"})
        await receive()

    serve_asgi(recorded(app, telemetry), make_scope())
    assert counts == [0, 1]
    assert "apimetrics.consumer.id" not in telemetry.server_span.attributes


def test_trailers_end_the_response(telemetry: Telemetry):
    start = {**START, "trailers": True}
    counts = []

    async def app(scope, receive, send):
        await send(start)
        await send(body(b"x"))
        counts.append(telemetry.total())
        await send({"type": "http.response.trailers", "headers": [], "more_trailers": True})
        counts.append(telemetry.total())
        await send({"type": "http.response.trailers", "headers": []})
        counts.append(telemetry.total())

    serve_asgi(recorded(app, telemetry), make_scope())
    assert counts == [0, 0, 1]


def test_a_file_sent_by_its_path_has_the_declared_size(telemetry: Telemetry):
    start = {**START, "headers": [(b"content-length", b"4096")]}
    sent = {"type": "http.response.pathsend", "path": "/srv/file"}
    seen = serve_asgi(recorded(saying(start, sent), telemetry), make_scope())
    assert seen.sent[1] == sent
    assert telemetry.server_span.attributes["http.response.body.size"] == 4096
    assert "error.type" not in telemetry.server_span.attributes


def test_a_file_sent_without_copying_has_the_declared_size(telemetry: Telemetry):
    start = {**START, "headers": [(b"content-length", b"10")]}
    parts = (
        {"type": "http.response.zerocopysend", "file": 3, "more_body": True},
        {"type": "http.response.zerocopysend", "file": 3},
    )
    serve_asgi(recorded(saying(start, *parts), telemetry), make_scope())
    assert telemetry.server_span.attributes["http.response.body.size"] == 10


def test_a_client_that_leaves_mid_response_is_noted_and_the_error_passes(telemetry: Telemetry):
    app = saying(START, body(b"one", more=True), body(b"two", more=True), END)
    seen = serve_asgi(recorded(app, telemetry), make_scope(), gone_after=2)
    assert isinstance(seen.error, OSError)
    attributes = telemetry.server_span.attributes
    assert attributes["error.type"] == "client_disconnect"
    assert attributes["http.response.body.size"] == 3
    assert telemetry.total() == 1
    assert telemetry.total("apimetrics.exceptions") == 0


def test_a_disconnect_message_before_the_end_is_noted(telemetry: Telemetry):
    app = saying(START, read=2)
    incoming = [*request_messages(b"x"), {"type": "http.disconnect"}]
    serve_asgi(recorded(app, telemetry), make_scope("POST"), incoming)
    assert telemetry.server_span.attributes["error.type"] == "client_disconnect"


def test_an_exception_before_the_response_passes_through_and_is_recorded(telemetry: Telemetry):
    boom = ValueError("password=hunter2")

    async def app(scope, receive, send):
        raise boom

    seen = serve_asgi(recorded(app, telemetry), make_scope())
    assert seen.error is boom
    span = telemetry.server_span
    assert span.attributes["error.type"] == "ValueError"
    assert "hunter2" not in span.to_json()
    assert [event.name for event in span.events] == ["exception"]
    assert telemetry.total("apimetrics.exceptions") == 1


def test_an_exception_in_mid_body_leaves_the_started_status(telemetry: Telemetry):
    async def app(scope, receive, send):
        await send(START)
        await send(body(b"x", more=True))
        raise RuntimeError("half-way")

    serve_asgi(recorded(app, telemetry), make_scope())
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.status_code"] == 200
    assert attributes["error.type"] == "RuntimeError"
    assert attributes["apimetrics.response.body.truncated"] is True


def test_a_cancelled_request_is_recorded_and_the_cancellation_passes(telemetry: Telemetry):
    async def app(scope, receive, send):
        await send(START)
        await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(converse(recorded(app, telemetry), make_scope()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        return await task

    seen = asyncio.run(main())
    assert isinstance(seen.error, asyncio.CancelledError)
    assert telemetry.server_span.attributes["error.type"] == "asyncio.exceptions.CancelledError"


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_coroutine_that_is_thrown_away_leaves_a_record(telemetry: Telemetry, kind):
    class Never:
        def __await__(self):
            yield

    async def app(scope, receive, send):
        await Never()

    before = set(open_requests._open)
    coroutine = recorded(app, telemetry)(make_scope(type=kind), None, None)
    contextvars.Context().run(coroutine.send, None)
    coroutine.close()

    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["error.type"] == "abandoned"
    assert not open_requests._open - before


def test_a_scope_of_an_unknown_type_passes_through(telemetry: Telemetry):
    seen = []

    async def app(scope, receive, send):
        seen.append((scope, receive, send))

    scope, receive, send = {"type": "something.new"}, object(), object()
    asyncio.run(recorded(app, telemetry)(scope, receive, send))
    assert seen == [({"type": "something.new"}, receive, send)]
    assert telemetry.total() == 0


def test_the_body_is_what_the_app_sent_whatever_is_made_of_its_message_outside(telemetry):
    inner = recorded(saying(START, body(b"plain")), telemetry)

    async def compressing(scope, receive, send):
        async def send_smaller(message):
            if message["type"] == "http.response.body":
                message["body"] = b"p"
            await send(message)

        await inner(scope, receive, send_smaller)

    assert serve_asgi(compressing, make_scope()).body == b"p"
    assert telemetry.server_span.attributes["http.response.body.content"] == "plain"
    assert telemetry.server_span.attributes["http.response.body.size"] == 5


def test_the_lifespan_passes_through(telemetry: Telemetry):
    async def app(scope, receive, send):
        assert (await receive())["type"] == "lifespan.startup"
        scope["state"]["db"] = 1
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        await send({"type": "lifespan.shutdown.complete"})

    state = {}
    seen = serve_asgi(
        recorded(app, telemetry),
        {"type": "lifespan", "asgi": {"version": "3.0"}, "state": state},
        [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}],
    )
    assert seen.error is None
    assert [m["type"] for m in seen.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert state == {"db": 1}
    assert telemetry.total() == 0


LIFESPAN = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]


def test_an_app_that_ignores_the_lifespan_is_flushed_at_its_end_all_the_same(telemetry: Telemetry):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            raise AssertionError

    seen = serve_asgi(recorded(app, telemetry), {"type": "lifespan"}, LIFESPAN)
    assert seen.error is None
    assert [m["type"] for m in seen.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_an_error_in_the_apps_own_lifespan_reaches_the_server(telemetry: Telemetry):
    boom = RuntimeError("no database")

    async def app(scope, receive, send):
        await receive()
        raise boom

    seen = serve_asgi(recorded(app, telemetry), {"type": "lifespan"}, LIFESPAN)
    assert seen.error is boom
    assert seen.sent == []


@pytest.mark.swallows_errors
@pytest.mark.parametrize("ending", ["complete", "failed"])
def test_a_provider_that_cannot_flush_does_not_hold_up_the_shutdown(
    telemetry, monkeypatch, no_swallowed_errors, ending
):
    async def app(scope, receive, send):
        await receive()
        await send({"type": f"lifespan.shutdown.{ending}"})

    def fail(*_):
        raise RuntimeError("backend is down")

    monkeypatch.setattr(telemetry.tracer_provider, "force_flush", fail)
    monkeypatch.setattr(telemetry.meter_provider, "force_flush", None)
    seen = serve_asgi(recorded(app, telemetry), {"type": "lifespan"}, LIFESPAN)
    assert [m["type"] for m in seen.sent] == [f"lifespan.shutdown.{ending}"]
    assert [place for place, _ in no_swallowed_errors] == ["asgi.flush"]


def test_what_else_runs_in_the_event_loop_goes_on_while_the_shutdown_flushes(
    telemetry, monkeypatch
):
    moved = Event()
    meanwhile = []

    def force_flush(_milliseconds):
        loop.call_soon_threadsafe(moved.set)
        meanwhile.append(moved.wait(1))  # sooner than the shutdown gives up

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    monkeypatch.setattr(telemetry.tracer_provider, "force_flush", force_flush)
    loop = asyncio.new_event_loop()
    with closing(loop):
        seen = loop.run_until_complete(
            converse(recorded(app, telemetry), {"type": "lifespan"}, LIFESPAN)
        )
    assert meanwhile == [True]
    assert [m["type"] for m in seen.sent] == ["lifespan.shutdown.complete"]


def test_a_loop_that_is_not_asyncios_flushes_too(telemetry, monkeypatch):
    flushed = []

    async def app(scope, receive, send):
        await send({"type": "lifespan.shutdown.complete"})

    async def send(message):
        flushed.append(message["type"])

    monkeypatch.setattr(telemetry.tracer_provider, "force_flush", flushed.append)
    coroutine = recorded(app, telemetry)({"type": "lifespan"}, None, send)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    milliseconds, last = flushed
    assert 0 < milliseconds <= (ending.PATIENCE - ending.LAST) * 1_000
    assert last == "lifespan.shutdown.complete"


@pytest.mark.swallows_errors
def test_an_error_of_ours_at_the_shutdown_reaches_nobody(
    telemetry, monkeypatch, no_swallowed_errors
):
    from otel_apimetrics.frameworks import asgi_lifespan

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def fail(_):
        raise RuntimeError("ours")

    monkeypatch.setattr(asgi_lifespan, "flush", fail)
    seen = serve_asgi(recorded(app, telemetry), {"type": "lifespan"}, LIFESPAN)
    assert [m["type"] for m in seen.sent] == ["lifespan.shutdown.complete"]
    assert [place for place, _ in no_swallowed_errors] == ["asgi.lifespan"]


def test_a_hook_that_is_cancelled_leaves_the_record_without_its_answer(telemetry: Telemetry):
    async def identify(exchange):
        await asyncio.Event().wait()

    async def main():
        served = recorded(saying(START, END), telemetry, identify=identify)
        task = asyncio.create_task(converse(served, make_scope()))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        return await task

    assert isinstance(asyncio.run(main()).error, asyncio.CancelledError)
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["http.response.status_code"] == 200


def test_the_middleware_is_asgi_3_for_servers_that_ask():
    call = ApiMetricsASGIMiddleware(saying(START, END)).__call__
    assert inspect.iscoroutinefunction(call)


def test_two_hundred_requests_at_once_keep_their_consumers_apart(telemetry: Telemetry):
    async def main():
        arrived, everyone = [], asyncio.Event()

        async def app(scope, receive, send):
            name = scope["query_string"].decode()
            arrived.append(name)
            if len(arrived) == 200:
                everyone.set()
            await everyone.wait()
            # From a task of the app's own: the context is a copy, the request is the same.
            await asyncio.create_task(identify(name))
            await asyncio.sleep(0)
            await send(START)
            await asyncio.sleep(0)
            await send(body(name.encode()))

        async def identify(name):
            await asyncio.sleep(0)
            set_consumer(name)

        served = recorded(app, telemetry)
        scopes = [make_scope(query=f"c{n}".encode()) for n in range(200)]
        return await asyncio.gather(*(converse(served, scope) for scope in scopes))

    answers = asyncio.run(main())
    assert [seen.body for seen in answers] == [f"c{n}".encode() for n in range(200)]
    assert len(telemetry.server_spans) == 200
    for span in telemetry.server_spans:
        name = span.attributes["url.query"]
        assert span.attributes["apimetrics.consumer.id"] == name
        assert span.attributes["http.response.body.content"] == name
    assert {p.value for p in telemetry.points("apimetrics.requests")} == {1}


def test_async_hooks_are_awaited(telemetry: Telemetry):
    async def identify(exchange):
        await asyncio.sleep(0)
        return Consumer(id="awaited", group="gold")

    async def label(exchange):
        return {"plan": "gold"}

    async def skip(exchange):
        return exchange.request.path == "/skipped"

    app = recorded(saying(START, END), telemetry, identify=identify, label=label, skip=skip)
    serve_asgi(app, make_scope())
    serve_asgi(app, make_scope(path="/skipped"))
    first, second = telemetry.server_spans
    assert first.attributes["apimetrics.consumer.id"] == "awaited"
    assert first.attributes["apimetrics.label.plan"] == "gold"
    assert "apimetrics.exchange.id" not in second.attributes
    assert telemetry.total() == 1


def test_async_hooks_are_awaited_where_the_app_raises(telemetry: Telemetry):
    async def identify(exchange):
        return "awaited"

    async def app(scope, receive, send):
        raise ValueError("x")

    serve_asgi(recorded(app, telemetry, identify=identify), make_scope())
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "awaited"


@pytest.mark.swallows_errors
def test_an_async_hook_that_raises_leaves_the_rest_of_the_record(
    telemetry: Telemetry, no_swallowed_errors
):
    async def identify(exchange):
        raise KeyError("x")

    serve_asgi(recorded(saying(START, END), telemetry, identify=identify), make_scope())
    assert [place for place, _ in no_swallowed_errors] == ["hooks.identify"]
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["http.response.status_code"] == 200


def test_skip_request_under_async_hooks_leaves_no_metric(telemetry: Telemetry):
    from otel_apimetrics import skip_request

    async def identify(exchange):
        return "x"

    async def app(scope, receive, send):
        skip_request()
        await saying(START, END)(scope, receive, send)

    serve_asgi(recorded(app, telemetry, identify=identify), make_scope())
    assert telemetry.total() == 0
    assert "apimetrics.exchange.id" not in telemetry.server_span.attributes


@pytest.mark.parametrize(
    ("extra", "path"),
    [
        ({"raw_path": b"/a%2Fb?x=1"}, "/a%2Fb"),
        ({"raw_path": None, "path": "/caf\xe9 x"}, "/caf%C3%A9%20x"),
        ({"raw_path": b"/" + b"y" * 3000}, "/" + "y" * 2047),
    ],
)
def test_the_path_is_as_it_was_sent_where_the_server_tells(telemetry: Telemetry, extra, path):
    serve_asgi(recorded(saying(START, END), telemetry), make_scope(**extra))
    assert telemetry.server_span.attributes["url.path"] == path


@pytest.mark.parametrize(
    "extra",
    [
        {"client": None, "server": None},
        {"server": ("/run/app.sock", None)},
        {"headers": [(b"host", b"a, b")]},
        {"headers": [(b"x", b"\xff\xfe")]},
        {"headers": None},
        {"query_string": None},
        {"http_version": ""},
        {"client": ("", 0)},
    ],
)
def test_odd_scopes_make_a_record_all_the_same(telemetry: Telemetry, extra):
    app = recorded(saying(START, body(b"ok")), telemetry, capture_headers="all")
    seen = serve_asgi(app, {**make_scope(), **extra})
    assert seen.body == b"ok"
    assert telemetry.total() == 1


def test_a_traceparent_becomes_the_parent(telemetry: Telemetry):
    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    header = (b"TraceParent", f"00-{trace_id}-{span_id}-01".encode())
    serve_asgi(recorded(saying(START, END), telemetry), make_scope(headers=[header]))
    span = telemetry.server_span
    assert f"{span.context.trace_id:032x}" == trace_id
    assert f"{span.parent.span_id:016x}" == span_id


def test_a_scope_that_was_seen_is_not_recorded_again(telemetry: Telemetry):
    app = recorded(recorded(saying(START, END), telemetry), telemetry)
    serve_asgi(app, make_scope())
    assert telemetry.total() == 1


def test_an_inner_app_that_gets_a_copied_scope_is_the_same_request(telemetry: Telemetry):
    inner = recorded(saying(START, END), telemetry)

    async def outer(scope, receive, send):
        await inner(dict(scope), receive, send)

    serve_asgi(recorded(outer, telemetry), make_scope())
    assert telemetry.total() == 1
    assert len(telemetry.server_spans) == 1


def test_an_excluded_path_leaves_no_span_and_no_metric(telemetry: Telemetry):
    app = recorded(saying(START, body(b"x")), telemetry, excluded_paths=["^/metrics$"])
    assert serve_asgi(app, make_scope(path="/metrics")).body == b"x"
    assert telemetry.spans == []
    assert telemetry.total() == 0


WS = {"type": "websocket", "method": "GET"}


def websocket(*messages, incoming=(), telemetry: Telemetry, raises=None, **options):
    async def app(scope, receive, send):
        for _ in incoming:
            await receive()
        for message in messages:
            await send(message)
        if raises:
            raise raises

    scope = make_scope(**{**WS, "scheme": "ws"})
    return serve_asgi(recorded(app, telemetry, **options), scope, incoming)


def test_a_websocket_is_one_record_with_its_traffic(telemetry: Telemetry):
    seen = websocket(
        {"type": "websocket.accept"},
        {"type": "websocket.send", "text": "grüß"},
        {"type": "websocket.send", "bytes": b"12345"},
        {"type": "websocket.close", "code": 1001},
        incoming=[
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": "hello"},
            {"type": "websocket.receive", "bytes": b"xy", "text": None},
        ],
        telemetry=telemetry,
    )
    assert [m["type"] for m in seen.sent][0] == "websocket.accept"
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.status_code"] == 101
    assert attributes["apimetrics.websocket.messages_received"] == 2
    assert attributes["apimetrics.websocket.messages_sent"] == 2
    assert attributes["apimetrics.websocket.bytes_received"] == 7
    assert attributes["apimetrics.websocket.bytes_sent"] == 11
    assert attributes["apimetrics.websocket.close_code"] == 1001
    assert "http.request.body.content" not in attributes
    assert telemetry.total() == 1
    assert telemetry.points("apimetrics.request.duration") == []


def test_a_websocket_that_the_client_closes_has_its_code(telemetry: Telemetry):
    websocket(
        {"type": "websocket.accept"},
        incoming=[{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}],
        telemetry=telemetry,
    )
    assert telemetry.server_span.attributes["apimetrics.websocket.close_code"] == 1006


def test_a_refused_websocket_has_the_servers_status(telemetry: Telemetry):
    websocket({"type": "websocket.close"}, telemetry=telemetry)
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.status_code"] == 403
    assert attributes["apimetrics.websocket.close_code"] == 1000


def test_a_websocket_denied_by_a_response_has_its_status(telemetry: Telemetry):
    websocket(
        {"type": "websocket.http.response.start", "status": 401, "headers": []},
        {"type": "websocket.http.response.body", "body": b"no"},
        telemetry=telemetry,
    )
    assert telemetry.server_span.attributes["http.response.status_code"] == 401


def test_a_websocket_whose_client_left_before_an_answer_says_so(telemetry: Telemetry):
    websocket(
        incoming=[{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}],
        telemetry=telemetry,
    )
    attributes = telemetry.server_span.attributes
    assert attributes["error.type"] == "client_disconnect"
    assert attributes["apimetrics.websocket.close_code"] == 1006
    assert "http.response.status_code" not in attributes


def test_a_websocket_whose_client_is_gone_when_the_app_speaks_says_so(telemetry: Telemetry):
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "too late"})

    served = ApiMetricsASGIMiddleware(app, **telemetry.providers)
    seen = serve_asgi(served, make_scope(**WS), [{"type": "websocket.connect"}], gone_after=1)
    assert isinstance(seen.error, OSError)
    attributes = telemetry.server_span.attributes
    assert attributes["error.type"] == "client_disconnect"
    assert attributes["apimetrics.websocket.messages_sent"] == 0
    assert telemetry.server_span.events == ()


def test_text_that_is_no_unicode_is_counted_all_the_same(telemetry: Telemetry):
    websocket(
        {"type": "websocket.accept"},
        {"type": "websocket.send", "text": "\ud800"},
        telemetry=telemetry,
    )
    assert telemetry.server_span.attributes["apimetrics.websocket.bytes_sent"] == 3


def test_an_exception_in_a_websocket_passes_through_and_is_recorded(telemetry: Telemetry):
    boom = RuntimeError("x")
    seen = websocket({"type": "websocket.accept"}, raises=boom, telemetry=telemetry)
    assert seen.error is boom
    assert telemetry.server_span.attributes["error.type"] == "RuntimeError"


def test_request_headers_that_are_an_iterator_reach_the_app(telemetry: Telemetry):
    async def app(scope, receive, send):
        body = dict(scope["headers"])[b"authorization"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    scope = make_scope()
    scope["headers"] = iter([(b"authorization", b"me")])
    served = serve_asgi(recorded(app, telemetry), scope)
    assert served.body == b"me"
    assert telemetry.total() == 1


def test_a_query_that_is_text_is_recorded(telemetry: Telemetry):
    serve_asgi(recorded(saying(START, END), telemetry), make_scope(query="name=ada"))
    assert telemetry.server_span.attributes["url.query"] == "name=ada"


@pytest.mark.parametrize("kind", ["http", "lifespan"])
def test_a_scope_that_cannot_be_changed_is_served_and_recorded_once(telemetry: Telemetry, kind):
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        if kind == "http":
            await saying(START, END)(scope, receive, send)
        else:
            await send({"type": "lifespan.startup.complete"})

    scope = MappingProxyType({**make_scope(), "type": kind})
    seen = serve_asgi(recorded(recorded(app, telemetry), telemetry), scope)
    assert seen.error is None
    assert scopes == [scope]
    assert scopes[0] is scope
    assert len(telemetry.server_spans) == (kind == "http")
