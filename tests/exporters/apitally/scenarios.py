"""The requests of the captured payloads, as exchanges: raw, then redacted as in an app."""

import json
from pathlib import Path
from typing import Any

from otel_apimetrics import Config
from otel_apimetrics.config import build
from otel_apimetrics.exchange import (
    Body,
    Consumer,
    ExceptionInfo,
    Exchange,
    Request,
    Response,
    ValidationError,
)
from otel_apimetrics.masking import Masking
from otel_apimetrics.redaction import Redactor

MS = 1_000_000
ALICE = Consumer(id="alice", name="Alice", group="gold")
BOB = Consumer(id="bob", name="Bob", group="free")
_JSON = ("content-type", "application/json")
_HTML = ("content-type", "text/html; charset=utf-8")
_POSTED = {
    "name": "pen",
    "price": 1.5,
    "password": "hunter2",
    "nested": {"auth_token": "tk-31", "card_number": 4111, "cvc": "123"},
}
_ECHO = {
    "echo": {
        "name": "pen",
        "nested": {"auth_token": "tk-31", "card_number": 4111, "cvc": "123"},
        "password": "hunter2",
        "price": 1.5,
    },
    "ok": True,
    "token": "tk-32",
}
STACK = "Traceback (most recent call last):\nValueError: boom happened"


def captured(name: str) -> Any:
    path = Path(__file__).parent / "captured" / f"{name}.json"
    return json.loads(path.read_text())


def config() -> Config:
    return build({"capture_body": "all", "capture_headers": "all", "client_ip": "full"}, {})


def redacted(exchange: Exchange) -> Exchange:
    made = config()
    masking = Masking(made, Redactor(made.redaction))
    return masking.redact(masking.redact_keys(exchange))


def text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def exchange(
    number: int = 1,
    *,
    method: str = "GET",
    path: str = "/items/1",
    query: str = "",
    route: str | None = "/items/<int:item_id>",
    status: int | None = 200,
    consumer: Consumer | None = None,
    duration_ns: int = MS,
    posted: str | None = None,
    received: int | None = None,
    said: str | None = None,
    sent: int | None = 29,
    kind: tuple[str, str] = _JSON,
    **more: Any,
) -> Exchange:
    headers = [
        ("host", "127.0.0.1:18195"),
        ("accept", "*/*"),
        ("accept-encoding", "gzip, deflate"),
        ("connection", "keep-alive"),
        ("user-agent", "python-httpx/0.28.1"),
    ]
    if consumer is not None:
        headers += [
            ("x-user", consumer.id),
            ("authorization", "Bearer abc.def"),
            ("x-api-key", "key-of-the-user"),
            ("cookie", "session=abc"),
        ]
    if posted is not None:
        headers += [("content-length", str(received)), _JSON]
    request = Request(
        method=method,
        host="127.0.0.1",
        port=18195,
        path=path,
        query=query,
        route=route,
        user_agent="python-httpx/0.28.1",
        headers=tuple(headers),
        body=Body(content=posted, size=received or 0),
        client_address="127.0.0.1",
        client_port=35900,
    )
    response = None
    if status is not None:
        told = (kind, ("content-length", str(sent)))
        response = Response(status=status, headers=told, body=Body(content=said, size=sent))
    return Exchange(
        id=f"{number:032x}",
        request=request,
        response=response,
        consumer=consumer,
        duration_ns=duration_ns,
        trace_id=number << 64 | number,
        span_id=number,
        framework="flask",
        **more,
    )


def item(number: int = 1, consumer: Consumer | None = ALICE, **options: Any) -> Exchange:
    said = '{"id":1,"name":"xxxxxxxxxx"}\n'
    return redacted(exchange(number, consumer=consumer, said=said, **options))


def queried() -> Exchange:
    return item(
        1,
        query="q=hello&token=abc&api_key=zz",
        started_ns=1_795_272_037_481_419_600,
        labels={"tenant.id": "t-1"},
    )


def created() -> Exchange:
    return redacted(
        exchange(
            2,
            method="POST",
            path="/items",
            route="/items",
            status=201,
            consumer=ALICE,
            posted=text(_POSTED),
            received=107,
            said=text(_ECHO),
            sent=144,
        )
    )


def crash(number: int = 3, consumer: Consumer | None = BOB, **options: Any) -> Exchange:
    error = ExceptionInfo(type="ValueError", message="boom happened", stacktrace=STACK)
    return redacted(
        exchange(
            number,
            path="/boom",
            route="/boom",
            status=500,
            consumer=consumer,
            sent=265,
            kind=_HTML,
            exception=error,
            error="ValueError",
            **options,
        )
    )


def missing() -> Exchange:
    return redacted(
        exchange(4, path="/nope", route=None, status=404, consumer=BOB, sent=207, kind=_HTML)
    )


def handled() -> Exchange:
    return redacted(
        exchange(5, path="/handled", route="/handled", status=503, consumer=ALICE, sent=7)
    )


def bad() -> Exchange:
    said = '{"error":"bad request"}\n'
    return redacted(
        exchange(6, path="/bad", route="/bad", status=400, consumer=BOB, said=said, sent=24)
    )


def healthy() -> Exchange:
    return redacted(exchange(7, path="/healthz", route="/healthz", sent=2))


def invalid(consumer: Consumer = BOB) -> Exchange:
    complaint = ValidationError(
        source="body",
        field="price",
        message="Input should be greater than 0",
        type="greater_than",
    )
    return redacted(
        exchange(
            8,
            method="POST",
            path="/items",
            route="/items",
            status=422,
            consumer=consumer,
            posted='{"name":"pen","price":-1}',
            received=25,
            sent=126,
            validation_errors=(complaint,),
        )
    )
