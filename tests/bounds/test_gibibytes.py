"""A gibibyte in either direction passes in the memory of a few chunks."""

import asyncio
import gc
import tracemalloc
from contextlib import contextmanager

import pytest

from otel_apimetrics import ApiMetricsASGIMiddleware, ApiMetricsWSGIMiddleware
from tests.in_process import make_environ, make_scope
from tests.telemetry import Telemetry

GIBIBYTE = 1 << 30
CHUNK = 1 << 20
CHUNKS = GIBIBYTE // CHUNK
MOST = 8 << 20
"""Bytes that may be held beyond what was held before; the chunk in hand is among them."""

JSON = "application/json"
BYTES = "application/octet-stream"


class Upload:
    """An input of a gibibyte that is made as it is read."""

    def __init__(self) -> None:
        self.left = GIBIBYTE

    def read(self, size: int) -> bytes:
        size = min(size, self.left)
        self.left -= size
        return bytes(size)

    def readinto(self, view: memoryview) -> int:
        size = min(len(view), self.left)
        self.left -= size
        return size


class Measured:
    """The peak of memory, in bytes, beyond what was held before."""

    peak = 0


@contextmanager
def measured_memory():
    measured = Measured()
    gc.collect()
    tracemalloc.start(1)
    try:
        yield measured
        measured.peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


OPTIONS = [
    {"capture_body": "all"},
    {"capture_body": "all", "max_body_size": 1 << 20},
    {"capture_body": "off", "metrics": "all"},
]


@pytest.fixture(params=OPTIONS, ids=str)
def options(request, telemetry: Telemetry):
    return {**request.param, **telemetry.providers}


def download(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(CHUNKS):
        yield bytes(CHUNK)


def upload(environ, start_response):
    read = environ["wsgi.input"].read
    while read(CHUNK):
        pass
    start_response("204 No Content", [])
    return []


def upload_into(environ, start_response):
    view = memoryview(bytearray(CHUNK))
    while environ["wsgi.input"].readinto(view):
        pass
    start_response("204 No Content", [])
    return []


def serve(app, environ):
    size = 0
    iterable = app(environ, lambda *_: lambda data: None)
    for chunk in iterable:
        size += len(chunk)
    if hasattr(iterable, "close"):
        iterable.close()
    return size


def test_a_wsgi_download(telemetry: Telemetry, options):
    served = ApiMetricsWSGIMiddleware(download, **options)
    with measured_memory() as measured:
        assert serve(served, make_environ()) == GIBIBYTE
    assert measured.peak < MOST
    assert telemetry.server_span.attributes["http.response.body.size"] == GIBIBYTE


@pytest.mark.parametrize("app", [upload, upload_into])
@pytest.mark.parametrize("content_type", [JSON, BYTES])
def test_a_wsgi_upload(telemetry: Telemetry, options, app, content_type):
    served = ApiMetricsWSGIMiddleware(app, **options)
    environ = make_environ(
        "POST",
        headers={"Content-Type": content_type, "Content-Length": str(GIBIBYTE)},
        **{"wsgi.input": Upload()},
    )
    with measured_memory() as measured:
        serve(served, environ)
    assert measured.peak < MOST
    assert telemetry.server_span.attributes["http.request.body.size"] == GIBIBYTE


async def both_ways(scope, receive, send):
    while (await receive())["more_body"]:
        pass
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(CHUNKS):
        await send({"type": "http.response.body", "body": bytes(CHUNK), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def test_an_asgi_upload_and_download(telemetry: Telemetry, options):
    served = ApiMetricsASGIMiddleware(both_ways, **options)
    left, size = CHUNKS, 0

    async def receive():
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": bytes(CHUNK), "more_body": left > 0}

    async def send(message):
        nonlocal size
        size += len(message.get("body", b""))

    scope = make_scope("POST", headers=[(b"content-type", JSON.encode())])
    with measured_memory() as measured:
        asyncio.run(served(scope, receive, send))
    assert size == GIBIBYTE
    assert measured.peak < MOST
    attributes = telemetry.server_span.attributes
    assert attributes["http.request.body.size"] == GIBIBYTE
    assert attributes["http.response.body.size"] == GIBIBYTE


def test_a_websocket_of_a_gibibyte(telemetry: Telemetry):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        for _ in range(CHUNKS):
            await send({"type": "websocket.send", "bytes": bytes(CHUNK)})
        await send({"type": "websocket.close"})

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message): ...

    scope = {**make_scope(), "type": "websocket", "scheme": "ws"}
    served = ApiMetricsASGIMiddleware(app, capture_body="all", **telemetry.providers)
    with measured_memory() as measured:
        asyncio.run(served(scope, receive, send))
    assert measured.peak < MOST
    assert telemetry.server_span.attributes["apimetrics.websocket.bytes_sent"] == GIBIBYTE
