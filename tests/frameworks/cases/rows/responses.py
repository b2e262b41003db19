"""Responses: HEAD, no content, codings, streams, files, headers, errors, and the odd ways to
say them (cases 4 to 7, 11, 14 to 17, 24, 25)."""

from __future__ import annotations

from typing import Any

from tests.frameworks.cases.row import ABSENT, ANY, ASGI, WSGI, Record, Request, Row

_X_A = "http.response.header.x-a"


def _get(case: int, name: str, target: str, record: Record | None = None, **more: Any) -> Row:
    return Row(
        case=case,
        name=name,
        requests=(Request(target=target),),
        records=(record or Record(),),
        **more,
    )


def _odd(case: int, name: str, target: str, *, of: frozenset[str], **record: Any) -> Row:
    but = record.pop("but", {})
    on = record.pop("on", frozenset({"server", "in-process"}))
    return _get(case, name, f"/odd/{target}", Record(**record), frameworks=of, but=but, on=on)


_JSON = '{"plain": "text"}'
BOTH = WSGI | ASGI
IN_PROCESS = frozenset({"in-process"})

ROWS = (
    _odd(4, "early-hints-are-no-response", "hints", of=BOTH, status=200),
    _odd(4, "a-push-is-no-response", "push", of=ASGI, status=200),
    _odd(4, "trailers-end-the-response", "trailers", of=ASGI, status=200, response_size=19),
    *(
        Row(
            case=5,
            name=f"head-of-{target.rpartition('/')[2]}",
            requests=(Request(method="HEAD", target=target),),
            records=(Record(response_size=0, response_body=None, route=route),),
        )
        for target, route in (("/text", "text"), ("/say/huge", ANY), ("/say/events", ANY))
    ),
    *(
        _get(6, name, f"/say/{name}", Record(response_size=0, response_body=None))
        for name in ("no-content", "not-modified")
    ),
    *(
        _odd(6, name, name, of=BOTH, response_size=0, response_body=None, error=ANY)
        for name in ("no-content-with-body", "not-modified-with-body")
    ),
    _get(7, "a-gzipped-response", "/say/gzip", Record(response_body=_JSON)),
    _get(7, "a-response-in-stacked-codings", "/say/stacked", Record(response_body=_JSON)),
    _get(
        7,
        "a-response-with-a-wrong-coding",
        "/say/mislabelled",
        Record(response_body=None, truncated=""),
    ),
    _get(7, "a-response-with-an-unknown-coding", "/say/unknown-coding", Record(response_body=None)),
    _get(7, "a-zip-bomb", "/say/bomb", Record(response_body=ANY, truncated=ANY)),
    _get(
        8, "a-huge-response", "/say/huge", Record(response_body="y" * 16384, truncated="response")
    ),
    _get(11, "events-one-by-one", "/say/events"),
    _get(
        11,
        "a-consumer-said-while-streaming",
        "/say/streamed",
        Record(attributes={"apimetrics.consumer.id": "streamed"}),
        # Starlette makes a sync stream in a thread, and each chunk in a context of its own.
    ),
    _get(11, "a-stream-without-a-chunk", "/say/no-chunk"),
    _get(14, "a-file", "/file", Record(response_size=12, response_body=ANY)),
    _odd(14, "a-file-in-memory", "memory-file", of=WSGI, response_size=6, response_body=ANY),
    _odd(
        14, "a-file-sent-without-copying", "zero-copy", of=ASGI, response_size=12, response_body=ANY
    ),
    Row(
        case=15,
        name="a-range-of-a-file",
        requests=(Request(target="/file", headers=(("Range", "bytes=0-3"),)),),
        records=(Record(response_size=ANY, response_body=ANY),),
    ),
    Row(
        case=15,
        name="a-range-beyond-a-file",
        requests=(Request(target="/file", headers=(("Range", "bytes=99-"),)),),
        records=(Record(response_size=ANY, response_body=ANY),),
    ),
    _get(15, "a-part", "/say/range", Record(status=206, response_body="fil")),
    _get(15, "several-parts", "/say/ranges", Record(status=206, response_body=None)),
    _get(15, "no-such-part", "/say/unsatisfiable", Record(status=416, response_body=None)),
    _get(16, "a-response-in-latin-1", "/say/latin-1", Record(response_body="café")),
    _get(16, "a-response-in-utf-16", "/say/utf-16", Record(response_body="café")),
    _get(16, "a-response-that-is-no-utf-8", "/say/no-utf-8", Record(response_body=None)),
    _get(16, "a-picture", "/say/binary", Record(response_body=None)),
    _get(
        17,
        "response-headers-given-twice",
        "/say/twice",
        Record(attributes={_X_A: ["1", "2"], "http.response.header.set-cookie": ANY}),
        but={
            name: {"attributes": {_X_A: ["1, 2"]}}
            for name in ("django-wsgi", "django-asgi", "litestar")
        },
    ),
    _get(36, "a-response-without-a-type", "/say/untyped", Record(response_body=ANY)),
    _get(36, "a-response-of-a-vendor", "/say/vendor"),
    _get(36, "a-problem", "/say/problem", Record(status=422)),
    *(
        _get(
            24,
            f"an-error-before-the-response-{name}",
            f"/raise/{name}",
            Record(status=500, error=error, response_body=ANY, response_size=ANY, secret="hunter2"),
        )
        for name, error in (("value", "ValueError"), ("group", ANY))
    ),
    _get(
        24,
        "an-error-in-mid-body",
        "/say/broken",
        Record(status=200, error=ANY, response_body="first", response_size=5, truncated="response"),
    ),
    _get(
        24,
        "an-error-that-the-app-handles",
        "/raise/handled",
        Record(status=500, error=ANY, response_body="handled"),
    ),
    _get(24, "an-http-error-of-the-framework", "/abort", Record(status=403, response_body=ANY)),
    _get(24, "an-answer-of-503", "/say/failed", Record(status=503, error="503")),
    _odd(
        25,
        "a-response-started-again",
        "restarted",
        of=WSGI,
        status=500,
        error="ValueError",
        secret="hunter2",
    ),
    _odd(
        25,
        "a-response-started-again-too-late",
        "restarted-late",
        of=WSGI,
        status=ANY,
        error="ValueError",
        response_body=ANY,
        response_size=5,
        truncated="response",
    ),
    _odd(25, "a-response-written", "written", of=WSGI, response_size=13),
    _odd(25, "a-response-written-alone", "written-alone", of=WSGI, response_size=7),
    # What comes after the last byte is none of the record's.
    _odd(25, "an-iterable-that-raises-in-close", "bad-close", of=WSGI),
    _odd(
        25,
        "a-generator-that-raises-in-close",
        "bad-finally",
        of=WSGI,
        error="KeyError",
        truncated=ANY,
    ),
    *(
        _odd(25, f"an-iterable-{name}", name, of=WSGI)
        for name in ("close", "no-close", "nothing", "one", "tuple", "empties", "pieces")
    ),
    _odd(25, "a-status-without-reason", "no-reason", of=WSGI),
    _odd(25, "a-response-in-pieces", "pieces", of=ASGI),
    _odd(25, "a-response-of-bare-messages", "bare", of=ASGI),
    _odd(
        25,
        "a-response-started-twice",
        "started-twice",
        of=ASGI,
        status=ANY,
        error=ANY,
        response_size=ANY,
        response_body=ANY,
        truncated=ANY,
        on=IN_PROCESS,
    ),
    _odd(
        25,
        "a-response-never-started",
        "never-started",
        of=ASGI,
        status=ABSENT,
        response_size=ABSENT,
        response_body=None,
    ),
    _odd(
        18,
        "odd-response-headers",
        "headers",
        of=BOTH,
        attributes={"http.response.header.x-empty": [""], "http.response.header.x-caf": ANY},
    ),
)
