"""What a recording becomes when the request ends."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics import ApiMetricsWSGIMiddleware, exceptions
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry


def attributes_of(telemetry, *chunks, headers=(), environ=None, items=None, read=True, **options):
    def app(environ, start_response):
        if read:
            environ["wsgi.input"].read()
        start_response("200 OK", list(headers))
        return chunks

    served = ApiMetricsWSGIMiddleware(
        app, **{"capture_body": "all", **options}, **telemetry.providers
    )
    serve_wsgi(served, environ or make_environ(), items=items)
    return dict(telemetry.server_span.attributes)


TEXT = ("Content-Type", "text/plain")


@given(st.text(max_size=200), st.integers(1, 50))
def test_text_is_captured_whole_whatever_its_chunks(text, size):
    telemetry = Telemetry()
    data = text.encode()
    chunks = [data[n : n + size] for n in range(0, len(data), size)]
    environ = make_environ("POST", body=data, headers={"content-type": "application/json"})
    attributes = attributes_of(telemetry, *chunks, headers=[TEXT], environ=environ)
    assert attributes["http.response.body.size"] == len(data)
    assert attributes["http.request.body.size"] == len(data)
    assert "apimetrics.response.body.truncated" not in attributes


def test_a_coded_body_is_decoded_and_its_size_is_that_of_the_wire(telemetry):
    wire = gzip.compress(b"clear text")
    attributes = attributes_of(telemetry, wire, headers=[TEXT, ("Content-Encoding", "gzip")])
    assert attributes["http.response.body.content"] == "clear text"
    assert attributes["http.response.body.size"] == len(wire)


def test_stacked_codings_over_two_lines_are_undone(telemetry):
    wire = gzip.compress(gzip.compress(b"clear text"))
    headers = [TEXT, ("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")]
    attributes = attributes_of(telemetry, wire, headers=headers)
    assert attributes["http.response.body.content"] == "clear text"


def test_a_charset_is_honoured(telemetry):
    headers = [("Content-Type", "text/plain; charset=latin-1")]
    attributes = attributes_of(telemetry, "grün".encode("latin-1"), headers=headers)
    assert attributes["http.response.body.content"] == "grün"


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b"\xc3\x28\xff", [TEXT]),
        (b"not gzip", [TEXT, ("Content-Encoding", "gzip")]),
        (b"x", [TEXT, ("Content-Encoding", "unheard-of")]),
        (b"\x89PNG", [("Content-Type", "image/png")]),
    ],
)
def test_what_cannot_be_decoded_is_its_size_alone(telemetry, data, headers):
    attributes = attributes_of(telemetry, data, headers=headers)
    assert "http.response.body.content" not in attributes
    assert attributes["http.response.body.size"] == len(data)


def test_a_long_body_is_cut_and_marked_and_its_size_is_whole(telemetry):
    attributes = attributes_of(telemetry, b"ab" * 100, headers=[TEXT], max_body_size=10)
    assert len(attributes["http.response.body.content"]) <= 10
    assert attributes["apimetrics.response.body.truncated"] is True
    assert attributes["http.response.body.size"] == 200


def test_a_disconnected_upload_has_the_bytes_that_came(telemetry):
    def app(environ, start_response):
        environ["wsgi.input"].read(3)
        start_response("200 OK", [])
        yield b"a"
        yield b"b"

    served = ApiMetricsWSGIMiddleware(app, capture_body="all", **telemetry.providers)
    serve_wsgi(served, make_environ("POST", body=b"123456"), items=1)
    attributes = telemetry.server_span.attributes
    assert attributes["error.type"] == "client_disconnect"
    assert attributes["http.request.body.size"] == 3


def test_without_capture_nothing_is_kept(telemetry):
    environ = make_environ("POST", body=b"12345", headers={"content-type": "text/plain"})
    attributes = attributes_of(
        telemetry, b"abc", headers=[TEXT], environ=environ, capture_body="off"
    )
    assert attributes["http.request.body.size"] == 5
    assert attributes["http.response.body.size"] == 3
    assert not [key for key in attributes if key.endswith("content")]


class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no text")


def test_an_exception_is_described_within_bounds():
    described = exceptions.describe(ValueError("m" * 200_000))
    assert described.type == "ValueError"
    assert len(described.message) == exceptions.READ_MESSAGE
    assert len(described.stacktrace) <= exceptions.READ_STACK


def test_an_exception_without_text_is_described_by_its_type():
    described = exceptions.describe(Unprintable())
    assert described.type == f"{__name__}.Unprintable"
    assert described.message == ""


def test_an_exception_whose_stack_cannot_be_told_is_described():
    class Odd(Exception):
        @property
        def __notes__(self):
            raise ValueError("no notes")

        __cause__ = property(lambda self: (_ for _ in ()).throw(ValueError()))

    assert exceptions.describe(Odd("x")).message == "x"
