"""Where servers differ from each other, with us and without us alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.frameworks.cases import ABSENT, ANY, Row
from tests.servers.commands import ASGI

UWSGI = ("uwsgi-prefork", "uwsgi-lazy-apps", "uwsgi-threads")
GRANIAN = ("granian-wsgi", "granian-asgi")
UVICORN = ("uvicorn", "gunicorn-uvicorn")

_LEFT_OUT: dict[str, tuple[str, ...]] = {
    # The server waits: for more of the body (Werkzeug says 100 twice), or in vain.
    "a-body-that-is-refused-before-100-continue": ("werkzeug", "gunicorn-gevent"),
    "a-stream-that-listens-for-the-clients-end": (
        "gunicorn-asgi",
        # Its `receive` is no coroutine: the app's `create_task` fails without us, and not with us.
        "granian-asgi",
    ),
    # The server waits for the client's close frame.
    "a-web-socket-that-the-app-closes": (*UVICORN, "gunicorn-asgi"),
    "a-web-socket-that-is-refused": ("granian-asgi",),
    "a-web-socket-that-is-denied": ("granian-asgi",),
    # Chance: what is out when the server learns of the error, or of the client's end.
    "an-error-in-mid-body": GRANIAN,
    "a-generator-that-raises-in-close": ("granian-wsgi",),
    "a-client-that-leaves-in-mid-request": ("hypercorn",),
    # The server resets the connection.
    "a-type-of-20-kb": UWSGI,
    "a-web-socket-whose-app-fails": (*UVICORN, "granian-asgi"),
    # uWSGI waits for `socket-timeout`: once is enough.
    "a-length-and-a-transfer-coding": UWSGI[1:],
    "a-body-that-waits-for-100-continue": UWSGI[1:],
}

_ANYTHING = {
    "status": ANY, "error": ANY, "request_size": ANY, "response_size": ANY, "request_body": ANY,
    "response_body": ANY, "truncated": ANY,
}  # fmt: skip

_CHANGES: dict[str, dict[tuple[str, ...], dict[str, Any] | None]] = {
    # uWSGI offers a chunked body in another way (`uwsgi.chunked_read`), and never says 100.
    "a-chunked-body-is-counted-as-it-is-read": {
        UWSGI: {"request_size": None, "request_body": None}
    },
    "a-body-that-waits-for-100-continue": {
        UWSGI: {"status": 500, "error": "OSError", "request_body": None}
    },
    "a-length-and-a-transfer-coding": {UWSGI: _ANYTHING},
    "two-lengths": {UWSGI: _ANYTHING},
    # Its buffer takes 4 KiB of a request's head.
    "a-very-long-path": {UWSGI: None},
    # Waitress reads a body before it calls the app, and takes off what a proxy has said.
    "a-client-that-leaves-in-mid-request": {("waitress",): None},
    **{
        name: {("waitress",): {"attributes": {"client.address": "127.0.0.0"}}}
        for name in (
            "a-proxy-that-is-trusted",
            "a-leftmost-address-that-is-made-up",
            "forwarded-for-on-two-lines",
        )
    },
    "request-headers-given-twice": {
        ("waitress", *UWSGI): {"attributes": {"http.request.header.x-a": ["1, 2"]}}
    },
    "slashes-side-by-side": {("werkzeug",): {"attributes": {"url.path": "/items//7"}}},
    # Granian tells less of the request, and its `start_response` gives no `write`.
    "odd-header-bytes": {("granian-wsgi",): {"attributes": {"http.request.header.x-utf": [""]}}},
    "an-escaped-slash": {("granian-wsgi",): {"attributes": {"url.path": "/items/7"}}},
    "http-1.0": {GRANIAN: {"attributes": {"network.protocol.version": "1"}}},
    "a-response-started-again-too-late": {
        ("granian-wsgi",): {"response_size": 10, "truncated": ""}
    },
    **{
        name: {("granian-wsgi",): {"status": 200, "error": "TypeError", "response_size": 0}}
        for name in ("a-response-written", "a-response-written-alone")
    },
    # ASGI servers swallow what is sent to a client that has left.
    # Waitress's thread may wait for ever to write to one: its request ends with the process.
    "a-client-that-leaves-in-mid-response": {
        tuple(ASGI): {"error": ANY, "truncated": ANY},
        ("waitress",): {"error": ANY},
    },
    "a-web-socket-that-the-client-leaves": {tuple(ASGI): {"error": ANY, "attributes": {}}},
    # uvicorn has resolved it before us.
    "forwarded-for-that-is-junk": {UVICORN: {"attributes": {"client.address": ABSENT}}},
    "a-method-in-lower-case": {("hypercorn",): {"attributes": {"http.request.method": "GET"}}},
}


def is_left_out(row: str, server: str) -> bool:
    """Tell whether a row cannot be compared on a server."""
    return server in _LEFT_OUT.get(row, ())


def adapted(row: Row, server: str) -> Row:
    """Give a row with what this server makes of it."""
    for servers, changes in _CHANGES.get(row.name, {}).items():
        if server not in servers:
            continue
        if changes is None:  # the server does not call the app
            return replace(row, records=(None,) * len(row.records))
        refusable = row.refusable and changes is not _ANYTHING
        but = {**row.but, server: {**row.but.get(server, {}), **changes}}
        row = replace(row, but=but, refusable=refusable)
    return row
