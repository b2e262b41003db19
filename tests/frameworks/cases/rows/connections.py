"""The connection: who waits for what, who leaves when, and what else goes over it (cases 3, 9, 10,
12, 13, 27)."""

from __future__ import annotations

from typing import Any

from tests.frameworks.cases.client import LEAVE
from tests.frameworks.cases.row import (
    ABSENT,
    ANY,
    ASGI,
    WSGI,
    Leaves,
    Record,
    Request,
    Row,
)

IN_PROCESS = frozenset({"in-process"})
TEXT = ("Content-Type", "text/plain; charset=utf-8")
EXPECT = ("Expect", "100-continue")


def _frame(text: str) -> bytes:
    """A masked text frame; the mask is zero, so that the bytes are readable."""
    data = text.encode()
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


_UPGRADE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
)


def _socket(name: str, target: str, *frames: bytes, but: Any = None, **record: Any) -> Row:
    incoming: list[dict[str, Any]] = [{"type": "websocket.connect"}]
    for frame in frames:
        if frame == LEAVE:
            incoming.append({"type": "websocket.disconnect", "code": 1001})
        else:
            incoming.append({"type": "websocket.receive", "text": frame[6:].decode()})
    return Row(
        case=13,
        name=name,
        requests=(Request(target=f"/odd/{target}", headers=_UPGRADE),),
        records=(
            Record(
                **{
                    "request_size": ANY,
                    "response_size": ANY,
                    "response_body": None,
                    **record,
                }
            ),
        ),
        frames=frames,
        frameworks=ASGI,
        but=but or {},
        incoming=tuple(incoming),
    )


def _traffic(received: int, sent: int, code: Any) -> dict[str, Any]:
    return {
        "apimetrics.websocket.messages_received": received,
        "apimetrics.websocket.messages_sent": sent,
        "apimetrics.websocket.close_code": code,
    }


_BODY = b"x" * 4000

ROWS = (
    Row(
        case=3,
        name="a-body-that-waits-for-100-continue",
        requests=(
            Request(method="POST", target="/echo", headers=(TEXT, EXPECT), body=b"at last"),
        ),
        records=(Record(status=200, request_body="at last"),),
        waits=True,
    ),
    Row(
        case=3,
        name="a-body-that-is-refused-before-100-continue",
        requests=(
            Request(method="POST", target="/refuse", headers=(TEXT, EXPECT), body=b"never sent"),
        ),
        records=(Record(status=401),),
        but={"django-asgi": {"request_body": "never sent"}},
        waits=True,
    ),
    Row(
        case=9,
        name="a-client-that-leaves-in-mid-request",
        requests=(
            Request(method="POST", target="/echo", headers=(TEXT,), body=b"half", length="8000"),
        ),
        records=(
            Record(
                status=ANY, error=ANY, request_size=ANY, response_size=ANY, request_body=ANY,
                response_body=ANY, truncated=ANY,
            ),
        ),
        but={"any-asgi/in-process": {"error": "client_disconnect", "request_size": 4}},
        leaves=Leaves.IN_REQUEST,
    ),
    Row(
        case=9,
        name="a-client-that-leaves-in-mid-response",
        requests=(Request(target="/say/endless"),),
        records=(
            Record(
                status=200, error="client_disconnect", response_size=ANY, response_body=ANY,
                truncated="response",
            ),
        ),
        # Where nobody asks uvicorn for messages, it tells nobody that the client is gone.
        but={"asgi/uvicorn": {"error": None, "truncated": ANY}},
        leaves=Leaves.IN_RESPONSE,
    ),
    Row(
        case=10,
        name="a-cancellation-before-the-response",
        requests=(Request(target="/raise/killed"),),
        records=(
            Record(
                status=ABSENT, error="tests.frameworks.cases.apps.answers.KilledError",
                response_size=ABSENT, response_body=None,
            ),
        ),
        on=IN_PROCESS,
    ),
    Row(
        case=10,
        name="an-exit",
        requests=(Request(target="/raise/exit"),),
        records=(
            Record(status=ABSENT, error="SystemExit", response_size=ABSENT, response_body=None),
        ),
        # Django runs its view in a task: an exit there ends the loop, and nobody sees it.
        frameworks=(WSGI | ASGI) - {"django-asgi"},
        on=IN_PROCESS,
    ),
    Row(
        case=10,
        name="a-cancellation-in-mid-response",
        requests=(Request(target="/odd/cancelled"),),
        records=(
            Record(status=200, error=ANY, response_size=5, response_body="first",
                   truncated="response"),
        ),
        frameworks=ASGI,
    ),
    Row(
        case=12,
        name="a-stream-that-listens-for-the-clients-end",
        requests=(Request(target="/odd/listen"),),
        frameworks=ASGI,
    ),
    _socket("a-web-socket-that-the-app-closes", "socket", _frame("hello"), _frame("close"),
            status=101, attributes=_traffic(2, 2, 4001)),
    _socket("a-web-socket-that-the-client-leaves", "socket", _frame("hello"), LEAVE,
            status=101, attributes=_traffic(1, 2, 1001)),
    _socket("a-web-socket-that-is-refused", "refused-socket", status=403,
            attributes=_traffic(0, 0, 4003)),
    _socket("a-web-socket-that-is-denied", "denied-socket", status=ANY,
            attributes={"http.response.status_code": ANY}),
    _socket("a-web-socket-whose-app-fails", "broken-socket", status=101,
            error="tests.frameworks.cases.apps.answers.BrokenStreamError",
            but={"litestar": {"error": None}}),  # it answers errors in a socket by closing it
    Row(
        case=27,
        name="three-requests-on-one-connection",
        requests=(
            Request(headers=(("X-Client", "first"),)),
            Request(method="POST", target="/echo", headers=(TEXT,), body=b"second"),
            Request(target="/say/events"),
        ),
        records=(
            Record(attributes={"apimetrics.consumer.id": "first"}),
            Record(request_body="second", attributes={"apimetrics.consumer.id": ABSENT}),
            Record(),
        ),
        frameworks=ASGI,  # gunicorn's sync worker serves one request a connection
    ),
    Row(
        case=27,
        name="http-1.0",
        requests=(Request(version="1.0"),),
        records=(Record(attributes={"network.protocol.version": "1.0"}),),
    ),
    Row(
        case=27,
        name="http-2",
        records=(Record(attributes={"network.protocol.version": "2"}),),
        environ={"SERVER_PROTOCOL": "HTTP/2"},
        scope={"http_version": "2"},
        on=IN_PROCESS,
    ),
)  # fmt: skip
