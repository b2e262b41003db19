"""How our exporter to ReadMe is made, and what is compared of its logs."""

from typing import Any

from otel_apimetrics import Consumer
from otel_apimetrics.exchange import Exchange, first
from otel_apimetrics.exporters.readme import ReadMeSpanExporter
from tests.exporters.sink import Received, Sink
from tests.parity.comparing import Difference

TITLE = "ReadMe"
SDK = "readme-metrics 3.4.0"


def identify(exchange: Exchange) -> Consumer:
    """Tell the consumer as the SDK's grouping function does."""
    consumer = first(exchange.request.headers, "x-consumer") or "anonymous"
    return Consumer(id=consumer, name=consumer, email=f"{consumer}@example.com")


OPTIONS: dict[str, Any] = {"identify": identify}


def exporter(url: str) -> ReadMeSpanExporter:
    return ReadMeSpanExporter(api_key="key", url=url)


def prepare(backend: Sink) -> None:
    """Nothing is to be planned: any answer is good."""


def events(received: list[Received]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for request in received:
        if request.path == "/v1/request":
            for log in request.json:
                (entry,) = log["request"]["log"]["entries"]
                for side in (entry["request"], entry["response"]):
                    side["headers"] = by_name(side["headers"])
                found[entry["request"]["headers"]["x-step"][0]] = log
    return found


def by_name(pairs: list[dict[str, str]]) -> dict[str, list[str]]:
    """Give values by names in lower case: an adapter sees headers in its own order."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        found.setdefault(pair["name"].lower(), []).append(pair["value"])
    return found


_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ENTRY = r"request\.log\.entries\[0\]\."
SAME_SHAPE = {
    "_id": _UUID,
    _ENTRY + "starteddatetime": r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z",
    _ENTRY + "time": r"\d+",
    _ENTRY + r"timings\.wait": r"\d+(\.\d+)?|\(absent\)",
}
_EITHER = "flask|fastapi"
DIFFERENCES = [
    Difference(
        "the event", "exception", "fastapi",
        "The SDK logs no request of FastAPI whose handler raises.",
    ),
    Difference(
        r"request\.log\.creator\.(name|version)", ".*", _EITHER,
        "It says who has made the log.",
    ),
    Difference(
        rf"request\.log\.version|{_ENTRY}(cache|timings\.(send|receive)"
        r"|response\.(cookies|httpversion|redirecturl))",
        ".*", _EITHER,
        "HAR 1.2 requires these fields, and the SDK leaves them out.",
    ),
    Difference(
        _ENTRY + "pageref", ".*", _EITHER,
        "The SDK tells the URL again; ours, as ReadMe's SDK for Node, the route.",
    ),
    Difference(
        _ENTRY + r"request\.bodysize", ".*", _EITHER,
        "The size is known.",
    ),
    Difference(
        _ENTRY + r"request\.querystring.*", "odd query", _EITHER,
        "The SDK leaves parameters out whose value is empty.",
    ),
    Difference(
        _ENTRY + r"request\.postdata\.params.*", "form", _EITHER,
        "The SDK leaves repeated fields (Flask) or empty ones (FastAPI) out.",
    ),
    Difference(
        _ENTRY + r"request\.postdata\.(params.*|text)", "multipart", _EITHER,
        "The SDK tells no field of a multipart form; ours all, and of files name, type and size.",
    ),
    Difference(
        _ENTRY + r"request\.postdata\.(text|comment)", "unread body", _EITHER,
        "The app never reads this body, and nobody reads it in the app's place.",
    ),
    Difference(
        _ENTRY + r"(request\.postdata|response\.content)\.comment", "binary|picture", _EITHER,
        "HAR has a place to say that a body was not recorded.",
    ),
    Difference(
        _ENTRY + r"response\.(bodysize|content\.(size|text)|headers\.content-length.*)",
        "form|multipart", "flask",
        "The SDK has read the form before the app could: this app answers otherwise beside it.",
    ),
    Difference(
        _ENTRY + r"response\.content\.text", "multipart", "fastapi",
        "The SDK tells nothing of a multipart body with a file; ours its fields.",
    ),
    Difference(
        _ENTRY + r"response\.content\.(text|size)", "gzip answer", _EITHER,
        "The SDK does not take the content-coding away.",
    ),
    Difference(
        _ENTRY + r"response\.content\.text", "not found|exception", "flask",
        "A document type declaration may declare entities, and is taken out of HTML.",
    ),
    Difference(
        _ENTRY + r"response\.(bodysize|content\.size)", "stream", _EITHER,
        "The SDK takes sizes from Content-Length, which a stream has not.",
    ),
    Difference(
        _ENTRY + r"response\.(bodysize|content\.(size|text))", "head", _EITHER,
        "The SDK tells a body that a HEAD never sends.",
    ),
    Difference(
        _ENTRY + r"response\.headers\.content-length.*", "no content", "flask",
        "Flask takes this header away after the SDK has looked; ours tells what the server was given.",
    ),
    Difference(
        _ENTRY + r"response\.headers(\.x-documentation-url.*)?", ".*", _EITHER,
        "The SDK logs this header and never sends it; ours logs it where it was sent.",
    ),
    Difference(
        _ENTRY + r"response\.statustext", ".*", _EITHER,
        "The SDK tells the framework's spelling, or the number; ours the phrase of RFC 9110.",
    ),
    Difference(
        _ENTRY + r"request\.headers\.x-twice.*", "duplicate headers", "fastapi",
        "The SDK keeps the first line of a repeated header.",
    ),
    Difference(
        _ENTRY + r"response\.(headers\.set-cookie|cookies).*", "duplicate headers", _EITHER,
        "The SDK logs one cookie, with its value; ours logs all, redacted.",
    ),
    Difference(
        _ENTRY + r"request\.url", "unicode path", _EITHER,
        "The SDK sends the path decoded; ours as it was sent (RFC 3986).",
    ),
]  # fmt: skip
