"""How our exporter to Apitally is made, and what is compared of the spans of single requests."""

import json
from contextlib import suppress
from typing import Any

from otel_apimetrics.exporters.apitally import ApitallySpanExporter
from tests.exporters.apitally.otlp_reading import read, records
from tests.exporters.sink import Received, Sink
from tests.parity.comparing import Difference

TITLE = "Apitally"
SDK = "apitally 1.0.0 (OTLP)"
OPTIONS: dict[str, Any] = {}


def exporter(url: str) -> ApitallySpanExporter:
    return ApitallySpanExporter(
        write_token="apt_" + "a" * 24,
        endpoint=url,
        capture_request_headers=True,
        capture_request_body=True,
        capture_response_headers=True,
        capture_response_body=True,
    )


def prepare(backend: Sink) -> None:
    """Nothing is to be planned: any answer is good."""


def events(received: list[Received]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for request in received:
        if request.path == "/v1/traces":
            for span in records(read(request.path, request.body)):
                step = span.get("attributes", {}).get("http.request.header.x-step")
                if step:
                    found[step[0]] = read_bodies(span)
    return found


def read_bodies(span: dict[str, Any]) -> dict[str, Any]:
    """Read JSON bodies: the SDK writes them anew, ours as they came."""
    for side in ("request", "response"):
        body = span["attributes"].get(f"apitally.{side}.body")
        with suppress(TypeError, ValueError):
            span["attributes"][f"apitally.{side}.body"] = json.loads(body)
    return span


# The port of the server is that of the socket in the SDK's spans, and that of the URL in ours.
SAME_SHAPE = {
    "(start|end)timeunixnano": r"\d{19}",
    "traceid": "[0-9a-f]{32}",
    "spanid": "[0-9a-f]{16}",
    r"attributes\.(client|server)\.port": r"\d+",
    r"events\[0\]\.timeunixnano": r"\d{19}",
    # Of other files, because the environments are others.
    r"events\[0\]\.attributes\.exception\.stacktrace": r"(?s)Traceback .*ValueError: no such thing\n?",
}
_EITHER = "flask|fastapi"
DIFFERENCES = [
    Difference(
        r"attributes\.server\.address", ".*", _EITHER,
        "The SDK tells the Host header with its port (WSGI) or the socket (ASGI); the semantic"
        " conventions want the host of the request alone.",
    ),
    Difference(
        r"attributes\.url\.path", "unicode path", _EITHER,
        "The SDK sends the path decoded, in WSGI as Latin-1; ours as it was sent (RFC 3986).",
    ),
    Difference(
        "name", "not found", "flask",
        "A path that matched no route is no name: there would be as many as clients invent.",
    ),
    Difference(
        r"attributes\.apitally\.request\.body.*", "unread body", "flask",
        "The app never reads this body, and nobody reads it in the app's place.",
    ),
    Difference(
        r"attributes\.apitally\.response\.body", "odd query|head", "flask",
        "A body that is empty is left out.",
    ),
    Difference(
        r"attributes\.(apitally|http)\.response\.body.*", "head", _EITHER,
        "The SDK tells a body that a HEAD never sends.",
    ),
    Difference(
        r"attributes\.http\.request\.body\.size", "odd query|stream", "fastapi",
        "The size of a body that nobody has sent is left out.",
    ),
    Difference(
        r"status\.message", "exception", "flask",
        "The exception is told once, by its event.",
    ),
]  # fmt: skip
