"""What readme-metrics sent, and the exchanges that it saw. See captured/README.md."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from otel_apimetrics import Consumer
from otel_apimetrics.exchange import Body, Exchange, Headers, Request, Response, first

_CAPTURED = Path(__file__).with_name("captured")
FLASK: dict[str, Any] = json.loads((_CAPTURED / "flask.json").read_text())
LISTS: dict[str, Any] = json.loads((_CAPTURED / "flask_lists.json").read_text())

OWLBERT = Consumer(id="owlbert-api-key", name="Owlbert", email="owlbert@example.com")
ROUTES = {"items": "/items/<int:item>"}
_HOP = {"server", "date", "connection"}
"""Added by the server, behind the app."""


def exchange(capture: dict[str, Any], consumer: Consumer | None = OWLBERT) -> Exchange:
    """What an adapter of ours makes of the same request, before any redaction."""
    head, _, body = _bytes(capture["sent"]).partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    method, target, _ = line.split(" ")
    headers = _lower(field.split(": ", 1) for field in fields)
    if first(headers, "transfer-encoding") == "chunked":
        body = b"".join(body.split(b"\r\n")[1::2])
    path, _, query = target.partition("?")
    host, _, port = first(headers, "host").partition(":")
    entry = capture["log"] and capture["log"]["request"]["log"]["entries"][0]
    started = (
        datetime.fromisoformat(entry["startedDateTime"].replace("Z", "+00:00")) if entry else None
    )
    answered = _lower(field for field in capture["headers"] if field[0].lower() not in _HOP)
    return Exchange(
        id="162a2764d8944c1bb9d30e9927cf7ad1",
        request=Request(
            method=method,
            host=host,
            port=int(port) if port else None,
            path=path,
            query=query,
            route=ROUTES.get(path.split("/")[1], path if capture["status"] != 404 else None),
            headers=headers,
            body=_body(body),
            client_address="127.0.0.1",
        ),
        response=Response(
            status=capture["status"], headers=answered, body=_body(_bytes(capture["body"]))
        ),
        started_ns=int(started.timestamp()) * 10**9 + 25_000_000 if started else 0,
        duration_ns=entry["time"] * 1_000_000 if entry else 0,
        consumer=consumer,
    )


def comparable(value: Any, path: str = "") -> dict[str, Any]:
    """A log as values by path; lists of pairs by their names, repeats in order."""
    if isinstance(value, dict):
        found: dict[str, Any] = {} if value else {path: value}
        for name, inner in value.items():
            found |= comparable(inner, f"{path}.{name}" if path else name)
        return found
    if isinstance(value, list) and all(isinstance(item, dict) and "name" in item for item in value):
        pairs: dict[str, Any] = {path: len(value)} if not value else {}
        for item in value:
            name = item["name"].lower() if path.endswith("headers") else item["name"]
            pairs.setdefault(f"{path}.{name}", []).append(item.get("value"))
        return pairs
    if isinstance(value, list):
        (only,) = value
        return comparable(only, path)
    return {path: value}


def _lower(fields: Any) -> Headers:
    return tuple((name.lower(), value) for name, value in fields)


def _bytes(text: str) -> bytes:
    data = text.encode()
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), data)


def _body(data: bytes) -> Body:
    if not data:
        return Body(size=0)
    try:
        return Body(content=data.decode(), size=len(data))
    except UnicodeDecodeError:
        return Body(size=len(data))
