"""How our exporter to Moesif is made, and what is compared of its events."""

from typing import Any

from otel_apimetrics.exporters.moesif import MoesifSpanExporter
from tests.exporters.sink import Received, Reply, Sink
from tests.parity.comparing import Difference

TITLE = "Moesif"
SDK = "moesifwsgi 1.10.5 or moesifasgi 1.1.8"
OPTIONS: dict[str, Any] = {}


def exporter(url: str) -> MoesifSpanExporter:
    return MoesifSpanExporter(application_id="application", base_uri=url)


def prepare(backend: Sink) -> None:
    backend.by_path["/v1/events"] = Reply(201)
    backend.by_path["/v1/rules"] = Reply(200, {}, b"[]")


def events(received: list[Received]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for request in received:
        if request.path == "/v1/events/batch":
            for event in request.json:
                headers = {k.lower(): v for k, v in event["request"]["headers"].items()}
                found[headers["x-step"]] = event
    return found


_TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SAME_SHAPE = {r"(request|response)\.time": _TIME, "transaction_id": _UUID}
_EITHER = "flask|fastapi"
DIFFERENCES = [
    Difference(
        r"(request|response)\.headers\.x-moesif-transaction-id", ".*", _EITHER,
        "Moesif's SDK adds this header to what it logs (under ASGI the client never gets it).",
    ),
    Difference(
        r"response\.headers\.set-cookie", "duplicate headers", _EITHER,
        "The SDK logs one cookie, with its value; ours logs all, redacted.",
    ),
    Difference(
        r"request\.headers\.x-twice", "duplicate headers", "fastapi",
        "The SDK keeps the first line of a repeated header; Moesif's documentation asks for all.",
    ),
    Difference(
        r"request\.uri", "unicode path", _EITHER,
        "The SDK sends the path decoded, in WSGI as Latin-1; ours as it was sent (RFC 3986).",
    ),
    Difference(
        r"request\.ip_address", "forwarded", _EITHER,
        "Any client can write X-Forwarded-For: it counts only behind `trusted_proxies`.",
    ),
    Difference(
        r"(request|response)\.(body|transfer_encoding)", "binary|picture", _EITHER,
        "What is no text cannot be redacted, and is never captured.",
    ),
    Difference(
        r"request\.(body|transfer_encoding).*", "unread body", _EITHER,
        "The app never reads this body, and nobody reads it in the app's place.",
    ),
    Difference(
        r"response\.(body|transfer_encoding).*", "gzip answer", _EITHER,
        "The SDK sends inflated JSON as base64, which Moesif does not analyse; ours as JSON.",
    ),
    Difference(
        r"(request|response)\.body", "multipart", "flask",
        "The contents of files are never captured.",
    ),
    Difference(
        r"(request|response)\.(body|transfer_encoding).*", "multipart", "fastapi",
        "The SDK names fields and files of a form, and logs no such answer; ours has the parts,"
        " without the contents of files.",
    ),
    Difference(
        r"response\.body", "not found|exception", "flask",
        "A document type declaration may declare entities, and is taken out of HTML.",
    ),
    Difference(
        "the event", "exception", "fastapi",
        "The SDK loses the event of a request that raises.",
    ),
    Difference(
        r"response\.(body|transfer_encoding).*", "head", "fastapi",
        "The SDK logs a body that a HEAD never sends.",
    ),
    Difference(
        r"response\.headers", "no content", "fastapi",
        "Without the header that the SDK adds there is none.",
    ),
]  # fmt: skip
"""In the order of the page."""
