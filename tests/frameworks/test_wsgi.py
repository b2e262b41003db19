"""Plain WSGI apps, in-process: nothing of PEP 3333 changes, and one record comes out."""

import gc
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread
from wsgiref.handlers import SimpleHandler

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace

from otel_apimetrics import ApiMetricsWSGIMiddleware, open_requests, set_consumer
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry

OK = "200 OK"
TEXT = [("Content-Type", "text/plain")]


def recorded(app, telemetry: Telemetry, **options):
    return ApiMetricsWSGIMiddleware(app, capture_body="all", **telemetry.providers, **options)


def answer(*chunks: bytes, status: str = OK, headers=None):
    def app(environ, start_response):
        start_response(status, list(TEXT if headers is None else headers))
        return list(chunks)

    return app


class OnlyReads:
    """A server's input stream that has no `readinto`."""

    def __init__(self, data: bytes):
        self._stream = io.BytesIO(data)
        self.read = self._stream.read
        self.readline = self._stream.readline
        self.readlines = self._stream.readlines

    def __iter__(self):
        return iter(self._stream)


READS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.sampled_from([(), (None,), (-1,), (0,), (1,), (7,), (99,)])),
        st.tuples(st.just("readline"), st.sampled_from([(), (-1,), (3,)])),
        st.tuples(st.just("readlines"), st.sampled_from([(), (5,)])),
        st.tuples(st.just("readinto"), st.sampled_from([(0,), (4,), (50,)])),
        st.tuples(st.just("iterate"), st.just(())),
        st.tuples(st.just("next"), st.just(())),
    ),
    max_size=6,
)


def read_by(stream, pattern) -> list:
    seen = []
    for how, arguments in pattern:
        if how == "iterate":
            seen.append(list(stream))
        elif how == "next":
            seen.append(next(iter(stream), None))
        elif how == "readinto":
            if hasattr(stream, "readinto"):
                buffer = bytearray(*arguments)
                seen.append((stream.readinto(buffer), bytes(buffer)))
        else:
            seen.append(getattr(stream, how)(*arguments))
    return seen


@settings(max_examples=150, deadline=None)
@given(
    body=st.binary(max_size=60) | st.lists(st.sampled_from([b"a\n", b"\n", b"xyz"])).map(b"".join),
    pattern=READS,
    chunks=st.lists(st.binary(max_size=20), max_size=6),
    written=st.lists(st.binary(max_size=5), max_size=2),
    lazily=st.booleans(),
    items=st.none() | st.integers(0, 4),
    stream_class=st.sampled_from([io.BytesIO, OnlyReads]),
    chunked=st.booleans(),
)
def test_server_and_app_see_the_same_bytes_with_us_and_without(
    body, pattern, chunks, written, lazily, items, stream_class, chunked
):
    app_saw = []

    def app(environ, start_response):
        app_saw.append(read_by(environ["wsgi.input"], pattern))
        write = start_response(OK, [("X-A", "1"), ("X-A", "2")])
        for data in written:
            write(data)
        return (chunk for chunk in chunks) if lazily else chunks

    def environ():
        made = make_environ("POST", body=body, **{"wsgi.input": stream_class(body)})
        if chunked:
            made.pop("CONTENT_LENGTH", None)
            made["HTTP_TRANSFER_ENCODING"] = "chunked"
        return made

    telemetry = Telemetry()
    bare = serve_wsgi(app, environ(), items=items)
    ours = serve_wsgi(recorded(app, telemetry), environ(), items=items)

    assert app_saw[0] == app_saw[1]
    assert [e for e in ours.events if e != ("close",)] == [
        e for e in bare.events if e != ("close",)
    ]
    assert ours.length == bare.length
    assert ours.error is bare.error is None
    span = telemetry.server_span
    assert span.attributes["http.response.body.size"] == len(ours.body)
    assert telemetry.total() == 1


def test_a_body_that_the_app_leaves_alone_stays_unread(telemetry: Telemetry):
    environ = make_environ("POST", body=b"x" * 100)
    stream = environ["wsgi.input"]

    serve_wsgi(recorded(answer(b"ok"), telemetry), environ)

    assert stream.tell() == 0
    assert telemetry.server_span.attributes["http.request.body.size"] == 100
    assert "http.request.body.content" not in telemetry.server_span.attributes


def test_a_body_read_in_part_is_marked_as_truncated(telemetry: Telemetry):
    def app(environ, start_response):
        environ["wsgi.input"].read(4)
        return answer(b"ok")(environ, start_response)

    environ = make_environ("POST", body=b"some text", headers={"content-type": "text/plain"})
    serve_wsgi(recorded(app, telemetry), environ)

    attributes = telemetry.server_span.attributes
    assert attributes["apimetrics.request.body.truncated"] is True
    assert attributes["http.request.body.size"] == 9


def test_a_chunked_body_is_counted_as_it_is_read(telemetry: Telemetry):
    def app(environ, start_response):
        assert environ["wsgi.input"].read() == b"hello world"
        return answer(b"ok")(environ, start_response)

    environ = make_environ(
        "POST", headers={"transfer-encoding": "chunked", "content-type": "text/plain"}
    )
    environ["wsgi.input"] = io.BytesIO(b"hello world")
    environ["wsgi.input_terminated"] = True
    serve_wsgi(recorded(app, telemetry), environ)

    attributes = telemetry.server_span.attributes
    assert attributes["http.request.body.size"] == 11
    assert attributes["http.request.body.content"] == "hello world"
    assert "apimetrics.request.body.truncated" not in attributes


@pytest.mark.parametrize(
    ("method", "headers", "version", "size"),
    [
        ("POST", {"transfer-encoding": "chunked"}, "HTTP/1.1", None),
        ("GET", {"transfer-encoding": "chunked"}, "HTTP/1.1", None),
        ("POST", {}, "HTTP/2", None),
        ("POST", {"content-length": "0"}, "HTTP/2", 0),
        ("POST", {}, "HTTP/1.1", 0),
        ("GET", {}, "HTTP/2", 0),
        ("GET", {}, "HTTP/1.1", 0),
    ],
)
def test_a_body_without_a_length_that_nobody_reads_has_no_size(
    telemetry: Telemetry, method, headers, version, size
):
    environ = make_environ(method, headers=headers, SERVER_PROTOCOL=version)
    serve_wsgi(recorded(answer(b"ok"), telemetry, metrics="all"), environ)
    assert telemetry.server_span.attributes.get("http.request.body.size") == size
    assert len(telemetry.points("apimetrics.request.body.size")) == (size is not None)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_of_http_2_that_is_read_in_part_is_marked_as_truncated(telemetry, method):
    def app(environ, start_response):
        environ["wsgi.input"].read(2)
        return answer(b"ok")(environ, start_response)

    environ = make_environ(method, SERVER_PROTOCOL="HTTP/2", headers={"content-type": "text/plain"})
    environ["wsgi.input"] = io.BytesIO(b"hello")
    serve_wsgi(recorded(app, telemetry), environ)
    assert telemetry.server_span.attributes["http.request.body.size"] == 2
    assert telemetry.server_span.attributes["apimetrics.request.body.truncated"] is True


def test_a_body_of_http_2_needs_no_length_to_be_counted(telemetry: Telemetry):
    def app(environ, start_response):
        assert environ["wsgi.input"].read() == b"hello world"
        return answer(b"ok")(environ, start_response)

    environ = make_environ("POST", headers={"content-type": "text/plain"}, SERVER_PROTOCOL="HTTP/2")
    environ["wsgi.input"] = io.BytesIO(b"hello world")
    environ["wsgi.input_terminated"] = True
    serve_wsgi(recorded(app, telemetry), environ)

    attributes = telemetry.server_span.attributes
    assert attributes["http.request.body.size"] == 11
    assert attributes["http.request.body.content"] == "hello world"


def test_reading_after_the_end_of_the_record_still_reads(telemetry: Telemetry):
    kept = []

    def app(environ, start_response):
        kept.append(environ["wsgi.input"])
        return answer(b"ok")(environ, start_response)

    serve_wsgi(recorded(app, telemetry), make_environ("POST", body=b"late"))

    assert kept[0].read() == b"late"
    assert telemetry.total() == 1


def test_an_environ_without_an_input_is_served(telemetry: Telemetry):
    environ = make_environ("POST", headers={"content-length": "5"})
    del environ["wsgi.input"]
    assert serve_wsgi(recorded(answer(b"ok"), telemetry), environ).body == b"ok"
    assert telemetry.total() == 1


def test_a_server_can_ask_an_iterable_for_its_length_only_where_the_app_gave_one(telemetry):
    one = serve_wsgi(recorded(answer(b"ok"), telemetry), make_environ())
    assert one.length == 1

    def lazy(environ, start_response):
        start_response(OK, TEXT)
        yield b"ok"

    assert serve_wsgi(recorded(lazy, telemetry), make_environ()).length is None


class Closing:
    """An iterable that counts its closes."""

    def __init__(self, *chunks: bytes, error: Exception | None = None):
        self.chunks, self.error, self.closed = chunks, error, 0

    def __iter__(self):
        return iter(self.chunks)

    def close(self):
        self.closed += 1
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("items", [None, 0, 1])
def test_close_reaches_the_apps_iterable_exactly_once(telemetry: Telemetry, items):
    iterable = Closing(b"a", b"b")

    def app(environ, start_response):
        start_response(OK, TEXT)
        return iterable

    serve_wsgi(recorded(app, telemetry), make_environ(), items=items)

    assert iterable.closed == 1
    assert telemetry.total() == 1


def test_an_error_in_close_passes_through_and_is_recorded(telemetry: Telemetry):
    def app(environ, start_response):
        start_response(OK, TEXT)
        return Closing(b"a", b"b", error=KeyError("closing"))

    served = serve_wsgi(recorded(app, telemetry), make_environ(), items=1)

    assert isinstance(served.error, KeyError)
    assert telemetry.server_span.attributes["error.type"] == "KeyError"


def served_by_wsgiref(app) -> tuple[bytes, str]:
    out, errors = io.BytesIO(), io.StringIO()
    handler = SimpleHandler(io.BytesIO(), out, errors, make_environ())
    handler.origin_server = False  # which would say what time it is
    handler.run(app)
    return out.getvalue(), (errors.getvalue().splitlines() or [""])[-1]


@pytest.mark.parametrize(
    "headers", [lambda: list(TEXT), lambda: iter(TEXT), lambda: tuple(TEXT), lambda: None]
)
def test_a_server_is_given_headers_that_it_refuses_as_it_would_be(telemetry: Telemetry, headers):
    def app(environ, start_response):
        start_response(OK, headers())
        return [b"body"]

    assert served_by_wsgiref(recorded(app, telemetry)) == served_by_wsgiref(app)


def test_what_is_answered_with_exc_info_by_its_name_is_noted(telemetry: Telemetry):
    def app(environ, start_response):
        try:
            raise ValueError("x")
        except ValueError:
            start_response("500 Oops", TEXT, exc_info=sys.exc_info())
        return [b"body"]

    assert serve_wsgi(recorded(app, telemetry), make_environ()).status == 500
    assert [event.name for event in telemetry.server_span.events] == ["exception"]


def test_start_response_twice_with_exc_info_leaves_the_last_status(telemetry: Telemetry):
    def app(environ, start_response):
        start_response(OK, TEXT)
        try:
            raise ValueError("late")
        except ValueError:
            import sys

            start_response("500 Oops", TEXT, sys.exc_info())
        return [b"sorry"]

    served = serve_wsgi(recorded(app, telemetry), make_environ())

    assert [event[3] for event in served.events[:2]] == [False, True]
    assert telemetry.server_span.attributes["http.response.status_code"] == 500
    assert telemetry.server_span.attributes["error.type"] == "ValueError"
    assert telemetry.total("apimetrics.exceptions") == 1


def test_what_start_response_raises_reaches_the_app(telemetry: Telemetry):
    caught = []

    def app(environ, start_response):
        try:
            start_response(OK, TEXT)
        except AssertionError as error:
            caught.append(error)
        return [b""]

    def refuse(*_):
        raise AssertionError("headers already sent")

    list(recorded(app, telemetry)(make_environ(), refuse))
    assert len(caught) == 1


def test_a_server_without_a_write_callable_gives_the_app_none(telemetry: Telemetry):
    got = []

    def app(environ, start_response):
        got.append(start_response(OK, TEXT))
        return [b"x"]

    list(recorded(app, telemetry)(make_environ(), lambda *_: None))
    assert got == [None]


def test_what_goes_through_write_is_captured(telemetry: Telemetry):
    def app(environ, start_response):
        write = start_response(OK, TEXT)
        write(b"one ")
        write(b"two")
        return []

    serve_wsgi(recorded(app, telemetry), make_environ())

    assert telemetry.server_span.attributes["http.response.body.content"] == "one two"
    assert telemetry.server_span.attributes["http.response.body.size"] == 7


class FileWrapper:
    """A server's file object, known to it by its type."""

    def __init__(self, file, size=8192):
        self.file, self.size = file, size

    def __iter__(self):
        return iter(lambda: self.file.read(self.size), b"")

    def close(self):
        self.file.close()


class SlottedFileWrapper(FileWrapper):
    """One that takes no attribute."""

    def __setattr__(self, name, value):
        if name == "close":
            raise AttributeError(name)
        super().__setattr__(name, value)


class UnclosedFileWrapper:
    """One without `close`."""

    def __init__(self, file):
        self.file = file

    def __iter__(self):
        return iter(lambda: self.file.read(4), b"")


@pytest.mark.parametrize("wrapper", [FileWrapper, SlottedFileWrapper, UnclosedFileWrapper])
def test_the_servers_own_file_object_comes_back_itself(telemetry: Telemetry, wrapper):
    made = []
    content = io.BytesIO(b"file content")

    def app(environ, start_response):
        start_response(OK, [("Content-Length", "12")])
        made.append(environ["wsgi.file_wrapper"](content))
        return made[0]

    served = serve_wsgi(recorded(app, telemetry), make_environ(**{"wsgi.file_wrapper": wrapper}))
    if wrapper is UnclosedFileWrapper:
        served.iterable.close()

    assert served.iterable is made[0]
    assert served.body == b"file content"
    assert content.closed == (wrapper is not UnclosedFileWrapper)
    assert telemetry.server_span.attributes["http.response.body.size"] == 12


def test_a_file_wrapper_without_a_declared_length_has_no_size_told(telemetry: Telemetry):
    def app(environ, start_response):
        start_response(OK, TEXT)
        return environ["wsgi.file_wrapper"](io.BytesIO(b"abc"))

    serve_wsgi(recorded(app, telemetry), make_environ(**{"wsgi.file_wrapper": FileWrapper}))
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["http.response.status_code"] == 200


def test_a_file_wrapper_that_is_a_function_is_a_plain_iterable(telemetry: Telemetry):
    def app(environ, start_response):
        start_response(OK, TEXT)
        return environ["wsgi.file_wrapper"](io.BytesIO(b"abc"))

    served = serve_wsgi(
        recorded(app, telemetry), make_environ(**{"wsgi.file_wrapper": lambda file: [file.read()]})
    )
    assert served.body == b"abc"
    assert telemetry.server_span.attributes["http.response.body.content"] == "abc"


def test_a_file_that_uwsgi_has_noted_comes_back_itself(telemetry: Telemetry, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"file content")
    made = []

    def app(environ, start_response):
        start_response(OK, [("Content-Length", "12")])
        made.append(environ["wsgi.file_wrapper"](path.open("rb")))
        return made[0]

    # As uWSGI's, a function in C that gives back the file; sendfile goes by its identity.
    served = serve_wsgi(recorded(app, telemetry), make_environ(**{"wsgi.file_wrapper": iter}))

    assert served.iterable is made[0]
    assert served.body == b"file content"
    assert made[0].closed
    assert telemetry.server_span.attributes["http.response.body.size"] == 12


def test_a_list_is_a_list_for_the_server_and_recorded_where_it_is_joined(telemetry: Telemetry):
    def app(environ, start_response):
        start_response(OK, TEXT)
        return [b"one,", b"two"]

    iterable = recorded(app, telemetry)(make_environ(), lambda *_: None)
    assert isinstance(iterable, list)
    assert b"".join(iterable) == b"one,two"  # what Granian does, without `close`

    span = telemetry.server_span
    assert span.attributes["http.response.body.content"] == "one,two"
    assert span.attributes["http.response.body.size"] == 7
    assert "error.type" not in span.attributes


def test_a_list_can_be_looked_at_again(telemetry: Telemetry):
    def app(environ, start_response):
        start_response(OK, TEXT)
        return [b"one,", b"two"]

    iterable = recorded(app, telemetry)(make_environ(), lambda *_: None)
    assert list(iterable) == list(iterable) == [b"one,", b"two"]
    assert telemetry.server_span.attributes["http.response.body.size"] == 7


def test_an_exception_before_the_response_passes_through_and_is_recorded(telemetry: Telemetry):
    boom = ValueError("no card 4111 1111 1111 1111")

    def app(environ, start_response):
        raise boom

    served = serve_wsgi(recorded(app, telemetry), make_environ())

    assert served.error is boom
    span = telemetry.server_span
    assert span.attributes["error.type"] == "ValueError"
    assert span.attributes["http.response.status_code"] == 500
    assert span.status.status_code.name == "ERROR"
    assert "4111 1111" not in span.to_json()
    assert telemetry.total("apimetrics.exceptions") == 1


def test_an_exception_in_the_body_passes_through_after_the_chunks_before_it(telemetry: Telemetry):
    boom = RuntimeError("half-way")

    def app(environ, start_response):
        start_response(OK, TEXT)
        yield b"first"
        raise boom

    served = serve_wsgi(recorded(app, telemetry), make_environ())

    assert served.error is boom
    assert served.body == b"first"
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.status_code"] == 200
    assert attributes["error.type"] == "RuntimeError"
    assert attributes["http.response.body.size"] == 5
    assert attributes["apimetrics.response.body.truncated"] is True


def test_system_exit_passes_through(telemetry: Telemetry):
    def app(environ, start_response):
        raise SystemExit(3)

    assert isinstance(serve_wsgi(recorded(app, telemetry), make_environ()).error, SystemExit)
    assert telemetry.server_span.attributes["error.type"] == "SystemExit"


@pytest.mark.parametrize("items", [0, 1])
def test_a_client_that_leaves_early_is_noted(telemetry: Telemetry, items):
    def app(environ, start_response):
        start_response(OK, TEXT)
        yield b"first"
        yield b"second"

    serve_wsgi(recorded(app, telemetry), make_environ(), items=items)

    if items:
        assert telemetry.server_span.attributes["error.type"] == "client_disconnect"
        assert telemetry.server_span.attributes["http.response.status_code"] == 200
    else:
        # The generator has not begun: no status was ever said.
        assert "http.response.status_code" not in telemetry.server_span.attributes
    assert telemetry.total() == 1


def test_a_server_that_stops_at_the_declared_length_has_sent_everything(telemetry: Telemetry):
    def app(environ, start_response):
        start_response(OK, [*TEXT, ("Content-Length", "5")])
        yield b"whole"
        yield b""

    serve_wsgi(recorded(app, telemetry), make_environ(), items=1)

    attributes = telemetry.server_span.attributes
    assert "error.type" not in attributes
    assert attributes["http.response.body.content"] == "whole"
    assert "apimetrics.response.body.truncated" not in attributes


def test_an_iterable_that_nobody_iterates_or_closes_still_leaves_a_record(telemetry: Telemetry):
    before = set(open_requests._open)
    iterable = recorded(answer(b"a"), telemetry)(make_environ(), lambda *_: None)
    assert telemetry.total() == 0
    del iterable
    gc.collect()
    assert telemetry.total() == 1
    assert not open_requests._open - before


def test_a_body_iterated_in_another_thread_is_one_record_and_leaves_both_threads_clean(telemetry):
    def app(environ, start_response):
        start_response(OK, TEXT)

        def body():
            set_consumer("from-the-stream")
            yield b"a"
            yield b"b"

        return body()

    iterable = recorded(app, telemetry)(make_environ(), lambda *_: None)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(list, iterable).result() == [b"a", b"b"]
        assert pool.submit(open_requests.current.get).result() is None
        span = pool.submit(trace.get_current_span).result()
        assert not span.get_span_context().is_valid
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "from-the-stream"


def test_head_has_no_body_whatever_the_app_says(telemetry: Telemetry):
    serve_wsgi(recorded(answer(b"ignored"), telemetry), make_environ("HEAD"))
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.body.size"] == 0
    assert "http.response.body.content" not in attributes
    assert "error.type" not in attributes


def test_head_whose_body_is_never_iterated_is_no_disconnect(telemetry: Telemetry):
    serve_wsgi(recorded(answer(b"ignored"), telemetry), make_environ("HEAD"), items=0)
    assert "error.type" not in telemetry.server_span.attributes


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_status_without_content_has_no_body(telemetry: Telemetry, status):
    serve_wsgi(recorded(answer(b"ignored", status=status), telemetry), make_environ())
    assert telemetry.server_span.attributes["http.response.body.size"] == 0


def test_two_hundred_requests_at_once_keep_their_consumers_apart(telemetry: Telemetry):
    barrier = Barrier(200)

    def app(environ, start_response):
        barrier.wait(30)
        name = environ["QUERY_STRING"]
        set_consumer(name, group=f"g-{name}")
        barrier.wait(30)
        start_response(OK, TEXT)

        def body():
            yield name.encode()

        return body()

    served = recorded(app, telemetry)
    with ThreadPoolExecutor(200) as pool:
        answers = list(
            pool.map(lambda n: serve_wsgi(served, make_environ(query=f"c{n}")).body, range(200))
        )

    assert answers == [f"c{n}".encode() for n in range(200)]
    assert len(telemetry.server_spans) == 200
    for span in telemetry.server_spans:
        name = span.attributes["url.query"]
        assert span.attributes["apimetrics.consumer.id"] == name
        assert span.attributes["apimetrics.consumer.group"] == f"g-{name}"
        assert span.attributes["http.response.body.content"] == name
    points = telemetry.points("apimetrics.requests")
    assert {p.attributes["apimetrics.consumer.id"] for p in points} == {f"c{n}" for n in range(200)}
    assert all(point.value == 1 for point in points)


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"RAW_URI": "/a%2Fb?q=1"}, "/a%2Fb"),
        ({"REQUEST_URI": "http://api.example/x/y?q=1"}, "/x/y"),
        ({"RAW_URI": "*"}, "*"),
        ({"PATH_INFO": "/caf\xc3\xa9"}, "/caf%C3%A9"),
        ({"SCRIPT_NAME": "/mnt", "PATH_INFO": "/x y"}, "/mnt/x%20y"),
        ({"PATH_INFO": ""}, "/"),
        ({"PATH_INFO": "/" + "x" * 5000}, "/" + "x" * 2047),
    ],
)
def test_the_path_is_as_it_was_sent_where_the_server_tells(telemetry: Telemetry, environ, path):
    serve_wsgi(recorded(answer(b""), telemetry), make_environ(**environ))
    assert telemetry.server_span.attributes["url.path"] == path


def test_an_unknown_method_is_other_with_the_original_beside_it(telemetry: Telemetry):
    serve_wsgi(recorded(answer(b""), telemetry), make_environ("BREW"))
    span = telemetry.server_span
    assert span.name == "HTTP"
    assert span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "BREW"
    (point,) = telemetry.points("apimetrics.requests")
    assert point.attributes["http.request.method"] == "_OTHER"


def test_a_header_in_utf8_is_read_as_such(telemetry: Telemetry):
    headers = {"x-name": "J\xc3\xb6rg", "x-odd": "\xff", "content-type": "text/plain"}
    app = recorded(answer(b""), telemetry, capture_headers="all")
    serve_wsgi(app, make_environ("POST", headers=headers))
    attributes = telemetry.server_span.attributes
    assert attributes["http.request.header.x-name"] == ("Jörg",)
    assert attributes["http.request.header.x-odd"] == ("ÿ",)
    assert attributes["http.request.header.content-type"] == ("text/plain",)


def test_repeated_response_headers_stay_apart_and_cookies_are_masked(telemetry: Telemetry):
    headers = [("Set-Cookie", "sid=s3cr3t-one"), ("Set-Cookie", "b=s3cr3t-two")]
    app = recorded(answer(b"", headers=headers), telemetry, capture_headers="all")
    serve_wsgi(app, make_environ())
    values = telemetry.server_span.attributes["http.response.header.set-cookie"]
    assert len(values) == 2
    assert "s3cr3t" not in str(values)


def test_many_header_names_do_not_grow_memory_without_bound(telemetry: Telemetry):
    from otel_apimetrics.frameworks import wsgi_request

    app = recorded(answer(b""), telemetry, capture_headers="all")
    for n in range(3):
        headers = {f"x-{n}-{i}": "v" for i in range(400)}
        serve_wsgi(app, make_environ(headers={**headers, "content-length": "0"}))
    assert len(wsgi_request._NAMES) <= wsgi_request._MAX_NAMES + 1
    assert wsgi_request._NAMES["CONTENT_LENGTH"] == "content-length"


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "", "REMOTE_PORT": "", "SERVER_NAME": "unix:/run/app.sock"},
        {"REMOTE_PORT": "x", "SERVER_PORT": "99999999"},
        {"HTTP_HOST": "a, b"},
        {"HTTP_HOST": "[::1"},
        {"SERVER_PROTOCOL": "gopher"},
        {"CONTENT_LENGTH": "-5"},
        {"CONTENT_LENGTH": "5, 5"},
    ],
)
def test_odd_environs_make_a_record_all_the_same(telemetry: Telemetry, environ):
    assert serve_wsgi(recorded(answer(b"ok"), telemetry), make_environ(**environ)).body == b"ok"
    assert telemetry.total() == 1


def test_addresses_are_recorded_and_the_clients_is_truncated(telemetry: Telemetry):
    serve_wsgi(recorded(answer(b""), telemetry), make_environ(headers={"host": "[2001:db8::1]:99"}))
    attributes = telemetry.server_span.attributes
    assert attributes["client.address"] == "192.0.2.0"
    assert attributes["client.port"] == 51234
    assert attributes["server.address"] == "2001:db8::1"
    assert attributes["server.port"] == 99
    assert attributes["network.local.address"] == "127.0.0.1"
    assert attributes["network.local.port"] == 8000


def test_a_traceparent_becomes_the_parent(telemetry: Telemetry):
    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    header = {"traceparent": f"00-{trace_id}-{span_id}-01"}
    serve_wsgi(recorded(answer(b""), telemetry), make_environ(headers=header))
    span = telemetry.server_span
    assert f"{span.context.trace_id:032x}" == trace_id
    assert f"{span.parent.span_id:016x}" == span_id


def test_children_made_while_streaming_are_under_the_server_span(telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("app")

    class Body:
        def __iter__(self):
            with tracer.start_as_current_span("in-iter"):
                yield b"a"

        def close(self):
            tracer.start_span("in-close").end()

    def app(environ, start_response):
        tracer.start_span("in-call").end()
        start_response(OK, TEXT)
        return Body()

    serve_wsgi(recorded(app, telemetry), make_environ())
    parents = {s.name: s.parent for s in telemetry.spans}
    server = telemetry.server_span
    assert parents["in-call"].span_id == server.context.span_id
    assert parents["in-iter"].span_id == server.context.span_id


def test_wrapping_twice_makes_one_record(telemetry: Telemetry):
    app = recorded(recorded(answer(b"x"), telemetry), telemetry)
    serve_wsgi(app, make_environ())
    assert len(telemetry.server_spans) == 1
    assert telemetry.total() == 1


def test_an_excluded_path_leaves_no_span_and_no_metric(telemetry: Telemetry):
    app = recorded(answer(b"x"), telemetry, excluded_paths=["/health", "token=1$"])
    assert serve_wsgi(app, make_environ(path="/healthz")).body == b"x"
    serve_wsgi(app, make_environ(path="/a", query="token=1"))
    assert telemetry.spans == []
    assert telemetry.total() == 0
    serve_wsgi(app, make_environ(path="/a", headers={"host": "plain.example"}))
    assert telemetry.total() == 1


def test_an_excluded_user_agent_leaves_no_span_and_no_metric(telemetry: Telemetry):
    app = recorded(answer(b"x"), telemetry, excluded_user_agents=["^kube-probe/"])
    serve_wsgi(app, make_environ(headers={"user-agent": "Kube-Probe/1.30"}))
    assert telemetry.total() == 0
    serve_wsgi(app, make_environ(headers={"user-agent": "curl"}))
    assert telemetry.total() == 1


def test_below_a_span_of_the_apps_own_the_server_span_is_its_child(telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("worker")
    with tracer.start_as_current_span("job") as job:
        header = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        serve_wsgi(recorded(answer(b""), telemetry), make_environ(headers=header))
    assert telemetry.server_span.parent.span_id == job.get_span_context().span_id


def test_a_server_span_outside_is_adopted_and_ends_once(telemetry: Telemetry, caplog):
    from opentelemetry.trace import SpanKind

    tracer = telemetry.tracer_provider.get_tracer("gateway")
    with tracer.start_as_current_span("outer", kind=SpanKind.SERVER) as outer:
        serve_wsgi(recorded(answer(b""), telemetry), make_environ())
        outer.set_attribute("late", 1)
    assert telemetry.server_span.name == "outer"
    assert telemetry.server_span.attributes["apimetrics.exchange.id"]
    assert telemetry.server_span.attributes["late"] == 1
    assert caplog.records == []


def test_a_second_request_below_the_same_server_span_is_counted_and_leaves_it_be(telemetry):
    inner = recorded(answer(b"inner"), telemetry)

    def app(environ, start_response):
        serve_wsgi(inner, make_environ(path="/inner"))
        return answer(b"outer")(environ, start_response)

    serve_wsgi(recorded(app, telemetry), make_environ(path="/outer"))
    assert telemetry.total() == 2
    assert telemetry.server_span.attributes["url.path"] == "/outer"


@pytest.mark.parametrize("sampled", [True, False])
def test_contribs_span_of_another_provider_is_adopted_where_it_is_current(telemetry, sampled):
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

    other = Telemetry(sampler=ALWAYS_ON if sampled else ALWAYS_OFF)
    app = OpenTelemetryMiddleware(answer(b"x"), tracer_provider=other.tracer_provider)
    serve_wsgi(recorded(app, telemetry), make_environ(query="token=s3cr3t"))
    assert telemetry.spans == []
    assert telemetry.total() == 1
    assert len(other.server_spans) == sampled
    for span in other.server_spans:
        assert span.attributes["apimetrics.exchange.id"]
        assert "s3cr3t" not in span.to_json()


class ForeignSpan(trace.NonRecordingSpan):
    """A span of a tracer that is not the SDK's."""

    def __init__(self):
        super().__init__(trace.SpanContext(1, 2, is_remote=False, trace_flags=trace.TraceFlags(1)))
        self.ends = 0

    def is_recording(self):
        return self.ends == 0

    def end(self, end_time=None):
        self.ends += 1


class ForeignTracer(trace.NoOpTracer):
    def __init__(self):
        self.started = []

    def start_span(self, *_, **__):
        self.started.append(ForeignSpan())
        return self.started[-1]


class ForeignProvider(trace.NoOpTracerProvider):
    def __init__(self):
        self.tracer = ForeignTracer()

    def get_tracer(self, *_, **__):
        return self.tracer


def test_a_foreign_tracer_gets_its_span_ended_once_and_the_request_is_counted(telemetry):
    provider = ForeignProvider()
    app = ApiMetricsWSGIMiddleware(
        answer(b"x"), tracer_provider=provider, meter_provider=telemetry.meter_provider
    )
    assert serve_wsgi(app, make_environ()).body == b"x"
    assert [span.ends for span in provider.tracer.started] == [1]
    assert telemetry.total() == 1


class SlottedSpan(trace.Span):
    """A foreign span without a place for attributes of ours."""

    __slots__ = ("ends",)

    def __init__(self):
        self.ends = 0

    def end(self, end_time=None):
        self.ends += 1

    def get_span_context(self):
        return trace.SpanContext(1, 2, is_remote=False, trace_flags=trace.TraceFlags(1))

    def is_recording(self):
        return self.ends == 0

    def set_attribute(self, key, value): ...
    def set_attributes(self, attributes): ...
    def add_event(self, name, attributes=None, timestamp=None): ...
    def update_name(self, name): ...
    def set_status(self, status, description=None): ...
    def record_exception(self, *_, **__): ...


def test_a_foreign_span_that_takes_no_attribute_of_ours_is_ended_once(telemetry, monkeypatch):
    provider = ForeignProvider()
    span = SlottedSpan()
    monkeypatch.setattr(provider.tracer, "start_span", lambda *_, **__: span)
    app = ApiMetricsWSGIMiddleware(
        answer(b"x"), tracer_provider=provider, meter_provider=telemetry.meter_provider
    )
    assert serve_wsgi(app, make_environ()).body == b"x"
    assert span.ends == 1
    assert telemetry.total() == 1


@pytest.mark.parametrize("again", [ValueError("late"), KeyError("another")])
def test_an_exception_that_passes_a_server_span_outside_is_told_once(telemetry, again):
    from opentelemetry.trace import SpanKind

    def app(environ, start_response):
        raise ValueError("x")

    tracer = telemetry.tracer_provider.get_tracer("gateway")
    with (
        pytest.raises(type(again)),
        tracer.start_as_current_span("outer", kind=SpanKind.SERVER),
    ):
        serve_wsgi(recorded(app, telemetry), make_environ())
        raise again
    told = [event.attributes["exception.type"] for event in telemetry.server_span.events]
    assert told == (["ValueError"] if type(again) is ValueError else ["ValueError", "KeyError"])


def test_a_response_nobody_closed_holds_up_nobody_where_it_is_collected_in_the_first_record(
    telemetry, monkeypatch
):
    unclosed = []
    get_meter = telemetry.meter_provider.get_meter
    before = gc.get_threshold()

    def get_meter_meanwhile(*given):
        gc.set_threshold(1, 1, 1)  # garbage is collected as soon as anything is made
        unclosed.clear()
        return get_meter(*given)

    def app(environ, start_response):
        start_response(OK, TEXT)
        yield b"x"

    served = recorded(app, telemetry)
    response = served(make_environ(), lambda *_: None)
    ring = [response]
    ring.append(ring)
    unclosed.append(ring)
    del response, ring
    monkeypatch.setattr(telemetry.meter_provider, "get_meter", get_meter_meanwhile)
    server = Thread(target=serve_wsgi, args=(served, make_environ()), daemon=True)
    try:
        server.start()
        server.join(20)
        assert not server.is_alive()
    finally:
        gc.set_threshold(*before)
    gc.collect()
    serve_wsgi(served, make_environ())
    assert telemetry.total() == 3


@pytest.mark.parametrize("then", ["another request begins", "the process ends"])
def test_a_response_that_is_found_as_garbage_is_recorded_outside_of_the_collection(telemetry, then):
    served = recorded(answer(b"a"), telemetry)
    serve_wsgi(served, make_environ())
    response = served(make_environ(), lambda *_: None)
    ring = [response]
    ring.append(ring)
    del response, ring
    gc.collect()
    assert telemetry.total() == 1
    if then == "the process ends":
        open_requests.abandon_all()
        assert telemetry.total() == 2
    else:
        serve_wsgi(served, make_environ())
        assert telemetry.total() == 3


def _append(chunks):
    chunks.append(b"tail")
    return chunks


def _change(chunks):
    chunks[0] = chunks[0].upper()
    return chunks


def _peep(chunks):
    next(iter(chunks), None)
    return chunks


def _measure(chunks):
    return chunks if sum(map(len, chunks)) == 2 and any(chunk for chunk in chunks) else [b"other"]


def _index(chunks):
    return [*chunks, chunks[0]]


@pytest.mark.parametrize("outside", [_append, _change, _peep, _measure, _index])
@pytest.mark.parametrize("kind", [list, tuple])
def test_a_middleware_may_do_with_a_list_or_a_tuple_whatever_it_may(telemetry, outside, kind):
    if kind is tuple and outside in (_append, _change):
        outside = _index

    def app(environ, start_response):
        start_response(OK, TEXT)
        return kind([b"a", b"b"])

    def around(app):
        return lambda *given: outside(app(*given))

    served = recorded(app, telemetry)
    wanted = b"".join(around(app)(make_environ(), lambda *_: None))
    response = around(served)(make_environ(), lambda *_: None)
    assert b"".join(response) == wanted
    del response
    assert telemetry.total() == 1


@pytest.mark.parametrize("returned", [b"as it is", None])
def test_what_is_no_list_of_chunks_is_returned_itself(telemetry, returned):
    def app(environ, start_response):
        start_response(OK, TEXT)
        return returned

    response = recorded(app, telemetry)(make_environ(), lambda *_: None)
    assert response is returned
    assert telemetry.total() == 1
    size = telemetry.server_span.attributes["http.response.body.size"]
    assert size == len(returned or b"")


class Ambiguous:
    def __bool__(self):
        raise ValueError("ambiguous")


@pytest.mark.swallows_errors
@pytest.mark.parametrize("hook", ["skip", "label"])
def test_a_hook_whose_answer_has_no_truth_leaves_the_request_counted(telemetry, hook):
    serve_wsgi(recorded(answer(b"a"), telemetry, **{hook: lambda _: Ambiguous()}), make_environ())
    assert telemetry.total() == 1
