"""Request bodies: framing, codings, charsets, types, sizes (cases 1, 2, 7, 8, 16, 36, 37, 38)."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

from tests.frameworks.cases.row import ANY, Record, Request, Row

TEXT = ("Content-Type", "text/plain; charset=utf-8")
JSON = ("Content-Type", "application/json")
REDACTED_PART = "[REDACTED]"


def _post(
    target: str, body: bytes = b"", *headers: tuple[str, str | bytes], **more: Any
) -> Request:
    return Request(method="POST", target=target, body=body, headers=headers, **more)


def _echo(
    case: int,
    name: str,
    body: bytes,
    captured: str | None,
    *headers: tuple[str, str | bytes],
    answered: Any = None,
    **more: Any,
) -> Row:
    """A body that the app reads and gives back under the same type."""
    record = more.pop("record", {})
    return Row(
        case=case,
        name=name,
        requests=(_post("/echo", body, *headers),),
        records=(
            Record(
                request_body=captured,
                response_body=captured if answered is None else answered,
                **record,
            ),
        ),
        **more,
    )


_FORM = (
    b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    b'--b\r\nContent-Disposition: form-data; name="doc"; filename="a.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\x00\x01\xffSECRET-BYTES\r\n--b--\r\n"
)
_CHUNKED = Request(method="POST", target="/echo", headers=(TEXT,), chunks=(b"hello ", b"world"))
_UNREAD = _post("/ignore", b"left alone!", TEXT)
_HUGE = b"0123456789abcdef" * 65536 * 2

ROWS = (
    Row(
        case=1,
        name="a-chunked-body-is-counted-as-it-is-read",
        requests=(_CHUNKED,),
        records=(Record(request_body="hello world"),),
        # Django's WSGI handler reads nothing without a Content-Length.
        but={"django-wsgi": {"request_size": None, "request_body": None}},
    ),
    Row(
        case=1,
        name="a-chunked-body-read-bit-by-bit",
        requests=(
            Request(method="POST", target="/part", headers=(TEXT,), chunks=(b"hell", b"o world")),
        ),
        records=(Record(request_size=4, request_body="hell", truncated="request"),),
        but={
            "django-wsgi": {"request_size": None, "request_body": None, "truncated": ""},
            # Django's ASGI handler reads all before it calls a view.
            "django-asgi": {"request_size": 11, "request_body": "hello world", "truncated": ""},
        },
        on=frozenset({"in-process"}),
    ),
    Row(
        case=2,
        name="a-body-that-nobody-reads-stays-where-it-is",
        requests=(_UNREAD,),
        records=(Record(),),
        but={"django-asgi": {"request_body": "left alone!"}},
    ),
    Row(
        case=2,
        name="the-request-behind-a-body-that-nobody-read-is-served",
        requests=(_UNREAD, Request(target="/say/created")),
        records=(Record(request_body=ANY), Record()),
        frameworks=frozenset({"asgi", "starlette", "fastapi", "litestar", "django-asgi"}),
    ),
    Row(
        case=2,
        name="a-body-read-in-part-is-marked-as-cut",
        requests=(_post("/part", b"some text", TEXT),),
        records=(Record(request_body=ANY, truncated="request"),),
        but={"any-asgi": {"truncated": "", "request_body": "some text"}},
    ),
    Row(
        case=2,
        name="a-form-that-is-refused-unread",
        requests=(_post("/refuse", b"a=1", ("Content-Type", "application/x-www-form-urlencoded")),),
        records=(Record(status=401),),
        but={"django-asgi": {"request_body": "a=1"}},
    ),
    Row(
        case=7,
        name="a-gzipped-request-body",
        requests=(
            _post(
                "/count", gzip.compress(b'{"a": 1}', mtime=0), JSON, ("Content-Encoding", "gzip")
            ),
        ),
        records=(Record(request_body='{"a": 1}'),),
    ),
    Row(
        case=7,
        name="a-request-body-in-stacked-codings",
        requests=(
            _post(
                "/count",
                zlib.compress(gzip.compress(b"plain", mtime=0)),
                TEXT,
                ("Content-Encoding", "gzip, deflate"),
            ),
        ),
        records=(Record(request_body="plain"),),
    ),
    Row(
        case=8,
        name="a-huge-upload-is-cut-and-counted",
        requests=(_post("/count", _HUGE, TEXT),),
        records=(Record(request_body=_HUGE[:16384].decode(), truncated="request"),),
    ),
    Row(
        case=8,
        name="files-in-a-form-are-told-by-type-and-size",
        requests=(_post("/count", _FORM, ("Content-Type", "multipart/form-data; boundary=b")),),
        records=(Record(request_body=ANY, secret="SECRET-BYTES"),),
    ),
    _echo(16, "a-body-that-is-no-utf-8", b"caf\xe9", None, TEXT),
    _echo(
        16,
        "a-body-in-latin-1",
        "café".encode("latin-1"),
        "café",
        ("Content-Type", "text/plain; charset=iso-8859-1"),
    ),
    _echo(
        16,
        "a-body-in-utf-16",
        "café".encode("utf-16"),
        "café",
        ("Content-Type", "text/plain; charset=utf-16"),
    ),
    _echo(16, "a-body-with-a-byte-order-mark", b"\xef\xbb\xbfcaf\xc3\xa9", "café", TEXT),
    _echo(16, "a-body-with-nul", b"a\0b", "a\0b", TEXT),
    _echo(16, "a-lone-surrogate-in-json", b'{"a": "\\ud800"}', '{"a": "\\ud800"}', JSON),
    _echo(
        36,
        "json-with-a-charset",
        b'{"a": 1}',
        '{"a": 1}',
        ("Content-Type", "application/json;charset=UTF-8"),
    ),
    _echo(36, "json-as-text", b'{"a": 1}', '{"a": 1}', ("Content-Type", "text/json")),
    _echo(
        36,
        "json-of-a-vendor",
        b'{"a": 1}',
        '{"a": 1}',
        ("Content-Type", "application/vnd.api+json; v=2"),
    ),
    _echo(36, "a-lie-about-the-type", b"\x89PNG\r\n\x1a\n\xff", None, JSON),
    Row(
        case=36,
        name="json-without-a-type",
        requests=(_post("/count", b'{"password": "hunter2"}'),),
        records=(Record(request_body='{"password": "[REDACTED]"}', secret="hunter2"),),
    ),
    Row(
        case=36,
        name="a-type-of-20-kb",
        requests=(_post("/count", b"x", ("Content-Type", "text/plain; x=" + "y" * 20_000)),),
        # Django 6 raises at a header so long.
        records=(
            Record(status=ANY, error=ANY, request_body=ANY, response_body=ANY, response_size=ANY),
        ),
        refusable=True,
    ),
    Row(
        case=37,
        name="a-length-and-a-transfer-coding",
        requests=(
            Request(method="POST", target="/count", headers=(TEXT,), chunks=(b"abc",), length="30"),
        ),
        records=(Record(request_size=ANY, request_body=ANY, truncated=ANY),),
        refusable=True,
        on=frozenset({"server"}),
    ),
    *(
        Row(
            case=37,
            name=f"a-length-that-is-{name}",
            requests=(_post("/ignore", b"hello", TEXT, length=length),),
            records=(Record(request_size=ANY, request_body=ANY, truncated=ANY, status=ANY),),
            refusable=True,
        )
        for name, length in (("negative", "-5"), ("repeated", "5, 5"), ("junk", "five"))
    ),
    Row(
        case=37,
        name="two-lengths",
        requests=(_post("/count", b"hello", TEXT, ("Content-Length", "5")),),
        records=(Record(request_size=ANY, request_body=ANY, truncated=ANY),),
        refusable=True,
        on=frozenset({"server"}),
    ),
    *(
        Row(
            case=38,
            name=f"json-with-{name}",
            requests=(_post("/count", body, JSON),),
            records=(Record(request_body=ANY, secret="hunter2"),),
        )
        for name, body in (
            ("a-number-of-5000-digits", b'{"password": "hunter2", "n": ' + b"9" * 5000 + b"}"),
            ("deep-nesting", b'{"password": "hunter2", "n": ' + b"[" * 8000 + b"]" * 8000 + b"}"),
            ("a-name-twice", b'{"password": "hunter2", "password": "hunter2x"}'),
            ("nan", b'{"password": "hunter2", "n": NaN, "m": -Infinity}'),
            ("a-cut-end", b'{"password": "hunter2", "n": [1, 2'),
        )
    ),
)
