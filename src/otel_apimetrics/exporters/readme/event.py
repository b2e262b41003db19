"""An exchange as a log of ReadMe Metrics: a HAR with one entry, and who called."""

import platform
from typing import Any, Final
from uuid import UUID, uuid5

from otel_apimetrics.content import is_textual, media_type
from otel_apimetrics.exchange import Consumer, Exchange
from otel_apimetrics.exporters.addresses import origin
from otel_apimetrics.exporters.har.entry import CUT, UNRECORDED, Entry, entry_of
from otel_apimetrics.exporters.readme.lists import Lists
from otel_apimetrics.identity import mask_key
from otel_apimetrics.redaction import MARK
from otel_apimetrics.version import __version__

CREATOR: Final = {
    "name": "otel-apimetrics (python)",
    "version": __version__,
    "comment": (
        f"{platform.machine()}-{platform.system().lower()}{platform.release()}"
        f"/{platform.python_version()}"
    ),
}
NOT_TEXT: Final = "[NOT VALID UTF-8]"
"""What ReadMe shows of a binary body."""
NOT_RECORDED: Final = "[NOT RECORDED]"
TRUNCATED: Final = "[TRUNCATED]"
"""Stands at the end of a text that was cut."""
_OURS: Final = UUID("5d9c4cf4-3a54-4d3c-9d3e-0c3c1fcb8a57")


def event_of(exchange: Exchange, consumer: Consumer, lists: Lists, *, development: bool) -> Entry:
    """Translate one exchange. A pure function.

    Args:
        exchange: redacted.
        consumer: who called; the group of the log.
        lists: ReadMe's own redaction, on top.
        development: the log is kept apart from those of production.
    """
    return {
        "_id": log_id(exchange.id),
        "group": _group(consumer),
        "clientIPAddress": exchange.request.client_address or "",
        "development": development,
        "request": {
            "log": {"version": "1.2", "creator": CREATOR, "entries": [_entry(exchange, lists)]}
        },
    }


def log_id(exchange_id: str) -> str:
    """Give the UUID of a log, the same each time: the documentation URL ends in it."""
    try:
        return str(UUID(hex=exchange_id, version=4))
    except ValueError:
        return str(uuid5(_OURS, exchange_id))


def _group(consumer: Consumer) -> dict[str, str]:
    group = {"id": mask_key(consumer.id)}
    if consumer.name is not None:
        group["label"] = consumer.name
    if consumer.email is not None:
        group["email"] = consumer.email
    return group


def _entry(exchange: Exchange, lists: Lists) -> Entry:
    entry = entry_of(exchange)
    entry["time"] = round(entry["time"])
    request, response = entry["request"], entry["response"]
    lists.apply(entry)
    for header in request["headers"]:
        if header["name"] == "authorization" and "[REDACTED" not in header["value"]:
            header["value"] = mask_key(header["value"])
    route = exchange.request.route
    entry["pageref"] = request["url"] if route is None else origin(exchange.request) + route
    post_data = request.get("postData")
    if post_data is not None:
        _show(post_data)
        for param in post_data.get("params", ()):
            if "fileName" in param:
                param["value"] = _data_url(param)
    _show(response["content"])
    return entry


def _show(body: Entry) -> None:
    """Say in the text what the dashboard would not show of a comment."""
    comment = body.get("comment")
    if comment == UNRECORDED:
        kind = media_type(body["mimeType"])
        body["text"] = NOT_TEXT if kind and not is_textual(kind) else NOT_RECORDED
    elif comment == CUT and "text" in body:
        body["text"] += TRUNCATED


def _data_url(param: dict[str, Any]) -> str:
    """Write a file in the form that ReadMe takes, with a note in the place of its bytes."""
    from base64 import b64encode

    note = b64encode((param["value"] or MARK).encode("utf-8", "replace")).decode("ascii")
    return f"data:{param['contentType']};name={param['fileName']};base64,{note}"
