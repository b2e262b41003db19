"""`wsgi.input` is to the app what the server's stream is, and what the app reads is copied."""

import array
import copy
import ctypes
import io
import os
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics import ApiMetricsWSGIMiddleware
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry

BODY = b"first\nsecond\nlast"


class Body:
    """As gunicorn's: no `io.IOBase`, and an iterator of its lines."""

    def __init__(self, data: bytes):
        self._stream = io.BytesIO(data)
        self.read, self.readlines = self._stream.read, self._stream.readlines

    def __iter__(self):
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def readline(self, size=None):
        return self._stream.readline(size)


class Lines:
    """One that is no iterator itself, and has nothing but what PEP 3333 asks for."""

    def __init__(self, data: bytes):
        stream = self._stream = io.BytesIO(data)
        self.read, self.readline, self.readlines = stream.read, stream.readline, stream.readlines

    def __iter__(self):
        return iter(self._stream)


class Seven:
    def __index__(self):
        return 7


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int32), ("y", ctypes.c_int32)]


def into(buffer):
    return lambda stream: (stream.readinto(buffer), bytes(buffer))


def entered(stream):
    with stream as same:
        return same is stream, same.read()


def set_and_deleted(stream):
    stream.mine = 1
    seen = [stream.mine, "mine" in vars(stream)]
    del stream.mine
    return [*seen, hasattr(stream, "mine")]


def file_number(stream):
    return os.fstat(stream.fileno()).st_size


def back_and_forth(stream):
    return stream.read(8), stream.seek(2), stream.read(3), stream.tell(), stream.read()


def twice(stream):
    return stream.read(), stream.seek(0), stream.read(), stream.seek(-4, 2), stream.read()


def wrapped_as_text(stream):
    text = io.TextIOWrapper(stream, encoding="utf-8")
    return [*text], text.detach() is stream


def closed(stream):
    stream.close()
    return stream.closed, stream.read()


TRIES = {
    "entered": entered,
    "attributes": set_and_deleted,
    "fileno": file_number,
    "back and forth": back_and_forth,
    "twice": twice,
    "as text": wrapped_as_text,
    "closed": closed,
    "is a": lambda s: [isinstance(s, c) for c in (io.IOBase, io.BytesIO, io.BufferedReader, Body)],
    "bytearray": lambda s: into(bytearray(8))(s),
    "structure": lambda s: into(Point())(s),
    "integers": lambda s: into(array.array("i", [0] * 3))(s),
    "part": lambda s: into(memoryview(bytearray(6))[1:4])(s),
    "no buffer": lambda s: s.readinto("text"),
    "read1": lambda s: [s.read1(3), s.read1()],
    "peek": lambda s: s.peek(3)[:3],
    "limited": lambda s: [s.readline(3), s.readline(None), s.readlines(1), s.readline()],
    "index": lambda s: s.read(Seven()),
    "text for a size": lambda s: s.read("7"),
    "lines": lambda s: [next(s), iter(s) is s, list(s)],
    "listed": lambda s: [list(s), s.readline()],
    "length": len,
    "call": lambda s: s(),
    "copied": lambda s: copy.copy(s).read(),
    "pickled": lambda s: pickle.loads(pickle.dumps(s)).read(),
    "names": lambda s: sorted(dir(s)),
    "can": lambda s: [getattr(s, f"{w}able", str)() for w in ("read", "seek", "writ")],
    "bool and hash": lambda s: [bool(s), hash(s) == hash(s), s == s, s in {s: 1}],
    "value": lambda s: s.getvalue(),
    "unbuffered": lambda s: s.raw.readall(),
    "nothing": lambda s: [s.read(0), s.readline(0)],
}


STREAMS = {
    "bytes": lambda path: io.BytesIO(BODY),
    "buffered": lambda path: path.open("rb"),
    "gunicorn": lambda path: Body(BODY),
    "least": lambda path: Lines(BODY),
}


def tried(stream, attempt, middleware=lambda app: app):
    """What an app gets of its input, an error told as its type and message."""
    got = []

    def app(environ, start_response):
        try:
            got.append(attempt(environ["wsgi.input"]))
        except Exception as error:
            got.append((type(error), str(error).replace("_io.", "")))
        start_response("200 OK", [])
        return []

    headers = {"transfer-encoding": "chunked", "content-type": "text/plain"}
    serve_wsgi(middleware(app), make_environ("POST", headers=headers, **{"wsgi.input": stream}))
    return got


@pytest.mark.parametrize("attempt", TRIES.values(), ids=TRIES)
@pytest.mark.parametrize("make", STREAMS.values(), ids=STREAMS)
def test_the_input_does_for_the_app_what_the_servers_stream_does(
    telemetry, tmp_path, make, attempt
):
    path = tmp_path / "body"
    path.write_bytes(BODY)
    bare, stream = make(path), make(path)
    ours = tried(
        stream,
        attempt,
        lambda app: ApiMetricsWSGIMiddleware(app, capture_body="all", **telemetry.providers),
    )
    assert ours == tried(bare, attempt)
    assert telemetry.total() == 1
    for opened in (bare, stream):
        getattr(opened, "close", str)()


def recorded_of(attempt, stream=None):
    telemetry = Telemetry()
    tried(
        stream or io.BytesIO(BODY),
        attempt,
        lambda app: ApiMetricsWSGIMiddleware(app, capture_body="all", **telemetry.providers),
    )
    attributes = telemetry.server_span.attributes
    return (
        attributes.get("http.request.body.content", "").encode(),
        "apimetrics.request.body.truncated" not in attributes,
    )


@pytest.mark.parametrize(
    ("attempt", "content", "whole"),
    [
        (entered, BODY, True),
        (back_and_forth, BODY, True),
        (twice, BODY, True),
        (wrapped_as_text, BODY, True),
        (lambda s: [s.read1(6), s.read1(), s.read1()], BODY, True),
        (list, BODY, True),
        (lambda s: [s.readline(), *iter(s.readline, b"")], BODY, True),
        (lambda s: s.readlines(), BODY, True),
        (lambda s: s.readlines(1), b"first\n", False),
        (lambda s: s.readinto(array.array("i", [0] * 3)), BODY[:12], False),
        (lambda s: s.readinto(Point()), BODY[:8], False),
        (lambda s: [s.readinto(bytearray(20)), s.readinto(bytearray(1))], BODY, True),
        (lambda s: s.read(Seven()), BODY[:7], False),
        (lambda s: [s.read(2), s.seek(9), s.read()], BODY[:2], False),
    ],
)
def test_what_was_read_is_recorded_once_however_it_was_read(attempt, content, whole):
    assert recorded_of(attempt) == (content, whole)


def test_a_stream_that_is_no_iterator_is_recorded_by_its_lines():
    assert recorded_of(list, Lines(BODY)) == (BODY, True)


def test_a_stream_that_seeks_and_cannot_tell_is_not_copied_any_more():
    class Blind(io.BytesIO):
        def tell(self):
            raise OSError("no position")

    assert recorded_of(lambda s: [s.read(6), s.seek(0), s.read()], Blind(BODY)) == (
        b"first\n",
        False,
    )


STEPS = st.lists(
    st.tuples(st.just("read"), st.sampled_from([-1, 0, 1, 5]))
    | st.tuples(st.just("seek"), st.integers(0, 30))
    | st.tuples(st.just("readline"), st.sampled_from([-1, 2])),
    max_size=8,
)


@settings(max_examples=60)
@given(steps=STEPS)
def test_what_is_recorded_is_the_beginning_of_the_body(steps):
    content, _ = recorded_of(lambda s: [getattr(s, name)(size) for name, size in steps])
    assert BODY.startswith(content)
