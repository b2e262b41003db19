"""How our exporter to Metlo is made, and what is compared of its traces."""

from typing import Any

from otel_apimetrics.exporters.metlo import MetloSpanExporter
from tests.exporters.sink import Received, Reply, Sink
from tests.parity.comparing import Difference

TITLE = "Metlo"
SDK = "metlo 0.0.17"
OPTIONS: dict[str, Any] = {}


def exporter(url: str) -> MetloSpanExporter:
    return MetloSpanExporter(host=url, api_key="metlo.key")


def prepare(backend: Sink) -> None:
    backend.otherwise = Reply(200, {}, b"OK")


def events(received: list[Received]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for request in received:
        if "/log-request/" in request.path:
            for trace in request.json if request.path.endswith("batch") else [request.json]:
                sides = (trace["request"], trace["response"])
                for side in sides:
                    by_name: dict[str, list[str]] = {}
                    for pair in side["headers"]:
                        by_name.setdefault(pair["name"].lower(), []).append(pair["value"])
                    side["headers"] = by_name
                found[trace["request"]["headers"]["x-step"][0]] = trace
    return found


# The SDK sends ports as the server tells them, mostly as text; ours are integers.
SAME_SHAPE = {r"meta\.(source|destination)port": r"\d+"}
DIFFERENCES = [
    Difference(
        "the event", "multipart|binary|picture|gzip answer", "flask",
        "The SDK loses what is not UTF-8. Ours tells the request, without what is no text.",
    ),
    Difference(
        r"response\.url", ".*", "flask",
        "The SDK tells the server's own name and port, which nobody reads; ours the host of the"
        " request.",
    ),
    Difference(
        r"meta\.destination", ".*", "flask",
        "The SDK tells the server's name, which Waitress does not know; ours the host of the"
        " request.",
    ),
    Difference(
        r"meta\.source", "forwarded", "flask",
        "Any client can write X-Forwarded-For: it counts only behind `trusted_proxies`.",
    ),
    Difference(
        r"request\.url\.parameters.*", "odd query", "flask",
        "The SDK keeps the first value of each parameter.",
    ),
    Difference(
        r"request\.body", "unread body", "flask",
        "The app never reads this body, and nobody reads it in the app's place.",
    ),
    Difference(
        r"response\.headers\.set-cookie.*", "duplicate headers", "flask",
        "The values of cookies are redacted.",
    ),
    Difference(
        r"response\.body", "not found|exception", "flask",
        "A document type declaration may declare entities, and is taken out of HTML.",
    ),
    Difference(
        r"response\.body", "head", "flask",
        "The SDK tells a body that a HEAD never sends.",
    ),
    Difference(
        r"response\.headers\.content-length.*", "no content", "flask",
        "Flask takes this header away after the SDK has looked; ours tells what the server was given.",
    ),
]  # fmt: skip
