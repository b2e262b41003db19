"""Hostile requests: the app answers as without us, and we do a bounded work."""

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from time import process_time

import pytest

from otel_apimetrics import ApiMetricsASGIMiddleware, ApiMetricsWSGIMiddleware
from tests.in_process import make_environ, make_scope, request_messages, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

DEPTH = 100_000
LINES = 10_000
MOST_LINES = 128
LARGEST = 1 << 20


def echo(environ, start_response):
    """Give back the body, under the type and the coding of the request."""
    body = environ["wsgi.input"].read()
    headers = [("Content-Type", environ.get("CONTENT_TYPE", ""))]
    if "HTTP_CONTENT_ENCODING" in environ:
        headers.append(("Content-Encoding", environ["HTTP_CONTENT_ENCODING"]))
    start_response("200 OK", headers)
    return [body]


async def echo_asgi(scope, receive, send):
    body = (await receive())["body"]
    given = {name: value for name, value in scope["headers"] if name.startswith(b"content-")}
    await send({"type": "http.response.start", "status": 200, "headers": list(given.items())})
    await send({"type": "http.response.body", "body": body})


def served_by_both(body: bytes, headers: dict[str, str], method: str = "POST", **options):
    """The spans of a request to a WSGI and to an ASGI app, whose answers are right."""
    spans = []
    for kind in ("wsgi", "asgi"):
        telemetry = Telemetry()
        chosen = {"capture_body": "all", "max_body_size": LARGEST, **telemetry.providers, **options}
        if kind == "wsgi":
            app = ApiMetricsWSGIMiddleware(echo, **chosen)
            seen = serve_wsgi(app, make_environ(method, body=body, headers=headers))
        else:
            app = ApiMetricsASGIMiddleware(echo_asgi, **chosen)
            raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            seen = serve_asgi(app, make_scope(method, headers=raw), request_messages(body))
        assert seen.error is None
        assert (seen.status, seen.body) == (200, body)
        assert telemetry.total() == 1
        spans.append(telemetry.server_span)
    return spans


@pytest.mark.parametrize("capture", ["safe", "all"])
@pytest.mark.parametrize("name", ["accept", "x-flood-{}"])
def test_a_flood_of_headers_is_recorded_in_part(capture, name):
    telemetry = Telemetry()
    app = ApiMetricsASGIMiddleware(echo_asgi, capture_headers=capture, **telemetry.providers)
    headers = [(name.format(index).encode(), b"value") for index in range(LINES)]
    assert serve_asgi(app, make_scope(headers=headers)).status == 200
    attributes = telemetry.server_span.attributes
    told = {key: len(v) for key, v in attributes.items() if ".header." in key}
    assert attributes["http.request.method"] == "GET"
    assert len(told) <= 40
    assert sum(told.values()) <= MOST_LINES


def test_a_flood_of_headers_in_a_response_is_recorded_in_part():
    def app(environ, start_response):
        start_response("200 OK", [("Link", f"</{index}>") for index in range(LINES)])
        return [b""]

    telemetry = Telemetry()
    served = ApiMetricsWSGIMiddleware(app, capture_headers="all", **telemetry.providers)
    seen = serve_wsgi(served, make_environ())
    assert len(seen.events[0][2]) == LINES
    assert len(telemetry.server_span.attributes["http.response.header.link"]) == MOST_LINES


@pytest.mark.parametrize("name", ["accept", "x-flood-{}"])
def test_four_times_the_headers_are_not_much_more_than_four_times_the_work(name):
    telemetry = Telemetry()
    app = ApiMetricsASGIMiddleware(echo_asgi, capture_headers="all", **telemetry.providers)

    def work(lines: int) -> float:
        headers = [(name.format(index).encode(), b"value") for index in range(lines)]
        begun = process_time()
        serve_asgi(app, make_scope(headers=headers))
        return process_time() - begun

    work(LINES)
    assert min(work(4 * LINES) for _ in range(3)) < 10 * min(work(LINES) for _ in range(3))


@pytest.mark.parametrize("method", ["X" * 10_240, "get", "\u00e9" * 10_240, "PROPFIND"])
def test_an_odd_method_is_other_and_bounded(method):
    for span in served_by_both(b"", {}, method=method):
        assert span.name == "HTTP"
        assert span.attributes["http.request.method"] == "_OTHER"
        assert len(span.attributes["http.request.method_original"]) <= 2_048


def test_all_odd_methods_are_one_point_of_the_metrics(telemetry: Telemetry):
    app = ApiMetricsWSGIMiddleware(echo, metrics="all", **telemetry.providers)
    for index in range(100):
        serve_wsgi(app, make_environ(f"M{index}" * 1_000))
    assert len(telemetry.points("apimetrics.requests")) == 1
    assert len(telemetry.points("apimetrics.active_requests")) == 1


@pytest.mark.parametrize(
    "coding",
    [
        "gzip", "deflate", "br", "zstd", "x-unknown", "gzip, gzip, gzip, gzip", "identity, br",
        "," * 5_000, "gzip" * 5_000, "\u00fc", "gzip;q=1", "identity",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", [b"\x00\xff" * 500, b'{"a": 1}', b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"]
)
def test_a_coding_that_the_body_has_not_costs_its_text_alone(coding, body):
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    for span in served_by_both(body, headers):
        assert span.attributes["http.request.body.size"] == len(body)
        text = span.attributes.get("http.request.body.content")
        assert text == ('{"a": 1}' if coding == "identity" and body[:1] == b"{" else None)


@pytest.mark.parametrize(
    "charset", ["utf-16", "utf-7", "rot13", "zip", "cp037", "x" * 10_000, "utf-8; charset=utf-32", ""]
)  # fmt: skip
def test_a_charset_that_the_body_has_not_costs_at_most_its_text(charset):
    headers = {"Content-Type": f"application/json; charset={charset}"}
    for body in (b'{"a": "\xff\xfe"}', b"\xff\xfe{\x00", b"\xed\xa0\x80", bytes(range(256))):
        for span in served_by_both(body, headers):
            assert span.attributes["http.request.body.size"] == len(body)


DEEP = {
    "arrays": (b"[" * DEPTH + b"]" * DEPTH, "application/json"),
    "open arrays": (b"[" * DEPTH, "application/json"),
    "objects": (b'{"a":' * DEPTH + b"1" + b"}" * DEPTH, "application/json"),
    "a secret inside": (b"[" * 25_000 + b'{"password":"s3cr3tword"}' + b"]" * 25_000, "application/json"),
    "lines": (b"[" * 20_000 + b"\n" + b"[" * 20_000, "application/x-ndjson"),
    "elements": (b"<a>" * DEPTH, "application/xml"),
    "selections": (json.dumps({"query": "query Q " + "{a" * 20_000}).encode(), "application/json"),
    "a batch of depths": (b'[{"query":"{a}"},' + b"[" * 40_000 + b"]" * 40_000 + b"]", "application/json"),
    "brackets in a form": (b"a" + b"[b]" * 20_000 + b"=1", "application/x-www-form-urlencoded"),
}  # fmt: skip


@pytest.mark.parametrize("capture", ["all", "schema"])
@pytest.mark.parametrize("size", [16_384, LARGEST])
@pytest.mark.parametrize("what", DEEP)
def test_a_deep_document_is_no_error_of_ours(what, size, capture):
    body, kind = DEEP[what]
    options = {"max_body_size": size, "capture_body": capture}
    for span in served_by_both(body, {"Content-Type": kind}, **options):
        assert span.attributes["http.request.body.size"] == len(body)
        assert "s3cr3tword" not in str(dict(span.attributes))


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "9" * 5_000}, {"Content-Length": "-1"}, {"Content-Length": "5, 5"},
        {"Content-Type": "a/" * 10_000}, {"Content-Type": ";" * 20_000}, {"Host": "a, b"},
        {"Host": "[" * 10_000}, {"traceparent": "00-" + "0" * 10_000}, {"baggage": "a=b," * 5_000},
        {"X-Forwarded-For": "1.2.3.4," * 5_000}, {"Forwarded": "for=" * 5_000},
        {"User-Agent": "\x7f" * 20_000}, {"Cookie": "a=b;" * 10_000},
    ],
    ids=lambda headers: next(iter(headers.items()))[0] + next(iter(headers.values()))[:4],
)  # fmt: skip
def test_a_header_that_is_garbage_changes_nothing(headers):
    served_by_both(b"", headers, capture_headers="all", trusted_proxies=["*"])


BOMBS = """
import resource, sys, zlib
from tests.bounds.test_hostile_requests import bomb, served_by_both

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

coding = sys.argv[1]
served_by_both(bomb(coding, 1 << 16), {"Content-Type": "text/plain", "Content-Encoding": coding})
data = bomb(coding, 1 << 26)
before = peak()
headers = {"Content-Type": "text/plain", "Content-Encoding": coding}
spans = served_by_both(data, headers)
texts = [s.attributes.get("http.request.body.content") or "" for s in spans]
print(len(data), peak() - before, max(map(len, texts)))
"""


def bomb(coding: str, size: int) -> bytes:
    """Zeros, compressed without ever being there at once."""
    zeros = bytes(1 << 16)
    if coding == "br":
        import brotli

        made = brotli.Compressor(quality=1)
        return b"".join(made.process(zeros) for _ in range(size >> 16)) + made.finish()
    if coding == "zstd":
        import zstandard

        stream = zstandard.ZstdCompressor(level=1).compressobj()
        return b"".join(stream.compress(zeros) for _ in range(size >> 16)) + stream.flush()
    packed = zlib.compressobj(6, zlib.DEFLATED, 31 if "gzip" in coding else 15)
    data = b"".join(packed.compress(zeros) for _ in range(size >> 16)) + packed.flush()
    if coding != "gzip, gzip":
        return data
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packed.compress(data) + packed.flush()


@pytest.mark.e2e
@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "deflate", "br", "zstd"])
def test_a_bomb_of_64_mib_costs_little_memory_and_is_cut(coding):
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", BOMBS, coding],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    size, grown, text = done.stdout.split()
    assert int(size) < LARGEST + (1 << 16)
    # KiB: zstd's window is 8 MiB, and two requests were served.
    assert int(grown) < 32 * 1024
    assert int(text) <= 65_536
