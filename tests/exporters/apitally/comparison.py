"""What differs from the vendor's SDK, and why. One table; the tests fail on any other difference."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Difference:
    message: str
    field: str
    """Dotted; `*` stands for any characters."""
    theirs: str
    ours: str
    reason: str


HUB = (
    Difference(
        "startup",
        "versions.apitally",
        "version of the SDK",
        "`versions.otel-apimetrics`",
        "it is another program",
    ),
    Difference(
        "startup",
        "versions.otel-apimetrics",
        "absent",
        "our version",
        "it is another program",
    ),
    Difference(
        "startup",
        "versions.*",
        "as installed there",
        "as installed here",
        "another environment than the captured one",
    ),
    Difference(
        "startup",
        "openapi",
        "the document, asked of the app in the first second",
        "absent",
        "asking the app is a request that it did not get; `paths` lists its routes",
    ),
    Difference(
        "startup",
        "paths.*.method",
        "lower case in FastAPI and Starlette",
        "upper case",
        "as in Flask, and as in all other messages",
    ),
    Difference(
        "log",
        "request.headers.*",
        "as the framework spells the names",
        "names in lower case",
        "HTTP/2 has no others, and all other frameworks' are so too",
    ),
    Difference(
        "log",
        "response.headers.*",
        "as the framework spells the names",
        "names in lower case",
        "as above",
    ),
    Difference(
        "log",
        "request.url",
        "`api_key=zz` in clear",
        "masked",
        "the SDK's expressions miss the underscore",
    ),
    Difference(
        "log",
        "request.body.*card_number",
        "numbers in clear",
        "masked",
        "a card's number is one whatever its type",
    ),
    Difference(
        "log",
        "request.body.*cvc",
        "in clear",
        "masked",
        "the SDK's expressions miss it",
    ),
    Difference(
        "log",
        "response.body.*card_number",
        "numbers in clear",
        "masked",
        "a card's number is one whatever its type",
    ),
    Difference(
        "log",
        "response.body.*cvc",
        "in clear",
        "masked",
        "the SDK's expressions miss it",
    ),
    Difference(
        "log",
        "logs.*",
        "the app's log records",
        "the same, where there are any",
        "the scenario says nothing; tests/exporters/apitally/test_log_capture.py does",
    ),
    Difference(
        "log",
        "response.response_time",
        "until the app returns",
        "until the last byte is handed over",
        "a streamed body is a part of the response",
    ),
)
"""Of the protocol that a client id goes with; compared with SDK 0.25.1."""


OTLP = (
    Difference(
        "span",
        "attributes.server.address",
        "host and port",
        "the host",
        "the port has an attribute of its own, as the conventions have it",
    ),
    Difference(
        "span",
        "status.message",
        "in Flask type and message of the exception, in FastAPI absent",
        "absent",
        "the exception event says both",
    ),
    Difference(
        "span",
        "name",
        "in Flask the method and the raw path, where there is no route",
        "the method",
        "as in FastAPI; a path may hold what nobody should see",
    ),
    Difference(
        "span",
        "attributes.*card_number",
        "numbers in clear",
        "masked",
        "a card's number is one whatever its type",
    ),
    Difference(
        "startup",
        "versions.otel-apimetrics",
        "absent",
        "our version",
        "it is another program",
    ),
    Difference(
        "startup",
        "versions.*",
        "as installed there",
        "as installed here",
        "another environment than the captured one",
    ),
    Difference(
        "startup",
        "config.capture_logs",
        "on by default",
        "off by default",
        "what an app logs is its own until it is asked for",
    ),
    Difference(
        "startup",
        "config.capture_exceptions",
        "absent",
        "our option",
        "the SDK sends exceptions always",
    ),
    Difference(
        "startup",
        "config.capture_query",
        "absent",
        "our option",
        "the SDK sends queries always",
    ),
    Difference(
        "startup",
        "config.request_logs",
        "absent",
        "our option",
        "the SDK logs requests always",
    ),
    Difference(
        "event",
        "body.attributes.*",
        "attributes of a consumer",
        "absent",
        "a consumer of ours has id, name, e-mail address and group",
    ),
    Difference(
        "resource",
        "telemetry.distro.*",
        "`apitally-py` and its version",
        "`otel-apimetrics` and its version",
        "it is another program",
    ),
)
"""Of the protocol that a write token goes with; compared with SDK 1.0.0."""


ANY = (
    "uuid", "*uuid", "*timestamp", "trace_id", "*traceback", "resources.*",
    "*UnixNano", "*traceId", "*spanId", "*stacktrace", "service.instance.id", "telemetry.sdk.version",
    "*.port", "*.header.host.*",
)  # fmt: skip
"""What is another one each time."""


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Give the leaves by their dotted paths."""
    if isinstance(value, dict) and value:
        parts: Any = value.items()
    elif isinstance(value, list) and value:
        parts = enumerate(value)
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for name, item in parts:
        found |= flat(item, f"{path}.{name}" if path else str(name))
    return found


def unexplained(theirs: Any, ours: Any, message: str, table: tuple[Difference, ...]) -> list[str]:
    """Give what differs and is not in the table."""
    left, right = flat(theirs), flat(ours)
    allowed = [*ANY, *(each.field for each in table if each.message == message)]
    missing = object()
    return [
        f"{path}: {left.get(path)!r} != {right.get(path)!r}"
        for path in sorted({*left, *right})
        if left.get(path, missing) != right.get(path, missing)
        and not any(fnmatchcase(path, field) for field in allowed)
    ]


def needed(theirs: Any, ours: Any, message: str, table: tuple[Difference, ...]) -> set[Difference]:
    """Give the rows of the table that something differs by."""
    left, right = flat(theirs), flat(ours)
    missing = object()
    differs = [
        path for path in {*left, *right} if left.get(path, missing) != right.get(path, missing)
    ]
    return {
        row
        for row in table
        if row.message == message and any(fnmatchcase(path, row.field) for path in differs)
    }
