"""All bodies in flight together keep at most 64 MiB; what comes after is recorded by its size."""

import asyncio
import gc
import os

import pytest

from otel_apimetrics import ApiMetricsASGIMiddleware, ApiMetricsWSGIMiddleware, open_requests
from otel_apimetrics.content import BodyBuffer, buffer
from tests.in_process import make_environ, make_scope, request_messages, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

STREAMS = 10_000
LARGEST = 16_384
"""The default of `max_body_size`."""


@pytest.fixture(autouse=True)
def nothing_is_kept_before_and_after():
    assert buffer.in_flight() == 0
    yield
    assert buffer.in_flight() == 0
    assert open_requests.count() == 0


@pytest.fixture
def room_for_few(monkeypatch):
    """A bound that a test reaches at once."""
    monkeypatch.setattr(buffer, "MOST_IN_FLIGHT", 1_000)


def test_what_a_buffer_keeps_is_counted_until_it_is_cleared():
    kept = BodyBuffer(100)
    kept.write(b"x" * 60)
    kept.write(bytearray(b"y" * 60))
    assert buffer.in_flight() >= 100
    kept.clear()
    assert buffer.in_flight() == 0
    kept.clear()
    kept.write(b"more")
    assert (buffer.in_flight(), kept.size) == (0, 124)


def test_many_small_chunks_count_with_the_memory_that_they_take():
    kept = BodyBuffer(1_000)
    for index in range(500):
        kept.write(b"%d" % (index % 10) + b"x")
    assert buffer.in_flight() > 500 * 35  # an object of two bytes
    kept.clear()


@pytest.mark.usefixtures("room_for_few")
def test_a_buffer_without_room_lets_go_of_what_it_kept_and_counts_on():
    first, second = BodyBuffer(LARGEST), BodyBuffer(LARGEST)
    first.write(b"x" * 800)
    second.write(b"y" * 10)
    second.write(b"y" * 200)
    assert (first.data, first.truncated) == (b"x" * 800, False)
    assert (second.data, second.size, second.truncated) == (b"", 210, True)
    first.clear()
    second.write(b"z")
    assert (second.data, second.size) == (b"", 211)
    third = BodyBuffer(LARGEST)
    third.write(b"room again")
    assert third.data == b"room again"
    third.clear()


@pytest.mark.usefixtures("room_for_few")
def test_a_request_past_the_bound_is_recorded_by_its_sizes_with_one_warning(
    telemetry: Telemetry, caplog
):
    def app(environ, start_response):
        environ["wsgi.input"].read(3_000)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    served = ApiMetricsWSGIMiddleware(app, capture_body="all", **telemetry.providers)
    for _ in range(2):
        serve_wsgi(
            served,
            make_environ("POST", body=b"x" * 2_000, headers={"Content-Type": "text/plain"}),
        )
    for span in telemetry.server_spans:
        attributes = span.attributes
        assert attributes["http.request.body.size"] == 2_000
        assert "http.request.body.content" not in attributes
        assert attributes["apimetrics.request.body.truncated"] is True
        assert attributes["http.response.body.content"] == "ok"
    assert len([r for r in caplog.records if "max_body_size" in r.message]) == 1


@pytest.mark.parametrize("end", ["close", "exception", "garbage", "abandoned", "skipped"])
def test_a_request_gives_its_room_back_however_it_ends(telemetry: Telemetry, end):
    def app(environ, start_response):
        environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"one"
        if end == "exception":
            raise ValueError
        yield b"two"

    served = ApiMetricsWSGIMiddleware(
        app, capture_body="all", skip=lambda _: end == "skipped", **telemetry.providers
    )
    iterable = served(
        make_environ("POST", body=b"body", headers={"Content-Type": "text/plain"}),
        lambda *_: lambda data: None,
    )
    chunks = iter(iterable)
    assert next(chunks) == b"one"
    assert buffer.in_flight() > 0
    if end == "exception":
        with pytest.raises(ValueError):
            next(chunks)
    elif end == "abandoned":
        (recording,) = open_requests._open
        recording.abandon()
        assert next(chunks) == b"two"
    elif end == "garbage":
        del iterable, chunks
        gc.collect()
    else:
        iterable.close()
    assert buffer.in_flight() == 0


@pytest.mark.parametrize("end", ["raises", "disconnect", "cancelled"])
def test_an_asgi_request_gives_its_room_back_however_it_ends(telemetry: Telemetry, end):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 100, "more_body": True})
        assert buffer.in_flight() > 0
        if end == "cancelled":
            raise asyncio.CancelledError
        if end == "raises":
            raise ValueError
        await send({"type": "http.response.body", "body": b"y"})

    served = ApiMetricsASGIMiddleware(app, capture_body="all", **telemetry.providers)
    seen = serve_asgi(
        served,
        make_scope("POST"),
        request_messages(b"body"),
        gone_after=2 if end == "disconnect" else None,
    )
    assert seen.error is not None
    assert len(telemetry.server_spans) == 1


# Python 3.12 warns of forks beside threads: that is what servers do, and what is tested.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_worker_has_all_of_the_room_and_leaves_the_parents_alone():
    parents = BodyBuffer(100)
    parents.write(b"x" * 100)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        before = buffer.in_flight()
        own = BodyBuffer(100)
        own.write(b"y")
        parents.clear()
        own.clear()
        os.write(writing, b"%d %d" % (before, buffer.in_flight()))
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 100) == b"0 0"
    os.close(reading)
    os.close(writing)
    assert buffer.in_flight() >= 100
    parents.clear()


def binary(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    yield bytes(2 * LARGEST)
    yield b"end"


def test_ten_thousand_open_wsgi_streams_keep_at_most_64_mib_and_leave_nothing(
    telemetry: Telemetry,
):
    served = ApiMetricsWSGIMiddleware(binary, capture_body="all", **telemetry.providers)
    streams = [served(make_environ(), lambda *_: None) for _ in range(STREAMS)]
    for stream in streams:
        assert len(next(iter(stream))) == 2 * LARGEST
    assert open_requests.count() == STREAMS
    assert 60 * 2**20 < buffer.in_flight() <= 64 * 2**20
    for index, stream in enumerate(streams):
        if index % 2:
            assert list(stream) == [b"end"]
        stream.close()
    assert open_requests.count() == 0
    assert telemetry.total() == STREAMS
    sizes = {span.attributes["http.response.body.size"] for span in telemetry.server_spans}
    assert sizes == {2 * LARGEST, 2 * LARGEST + 3}


def test_ten_thousand_open_asgi_streams_keep_at_most_64_mib_and_leave_nothing(
    telemetry: Telemetry,
):
    async def serve_all() -> None:
        opened, gone = 0, asyncio.Event()
        all_open = asyncio.Event()

        async def app(scope, receive, send):
            nonlocal opened
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send(
                {"type": "http.response.body", "body": bytes(2 * LARGEST), "more_body": True}
            )
            opened += 1
            if opened == STREAMS:
                all_open.set()
            if scope["path"] == "/silent":
                assert (await receive())["type"] == "http.disconnect"
                return
            await gone.wait()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if gone.is_set():
                raise OSError("the client is gone")

        served = ApiMetricsASGIMiddleware(app, capture_body="all", **telemetry.providers)
        paths = ["/silent" if index % 2 else "/" for index in range(STREAMS)]
        tasks = [asyncio.create_task(served(make_scope(path=p), receive, send)) for p in paths]
        await all_open.wait()
        assert open_requests.count() == STREAMS
        assert 60 * 2**20 < buffer.in_flight() <= 64 * 2**20
        gone.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(serve_all())
    assert telemetry.total() == STREAMS
    errors = {span.attributes["error.type"] for span in telemetry.server_spans}
    assert errors == {"client_disconnect"}
