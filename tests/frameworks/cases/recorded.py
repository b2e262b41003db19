"""What was recorded of a row, and whether it is what the row says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from tests.frameworks.cases.apps import template
from tests.frameworks.cases.row import ABSENT, ANY, SEEN, Record, Row


@dataclass(frozen=True)
class Recorded:
    """A SERVER span, as plain data."""

    trace_id: str
    parent: int
    """Position of its request in the row, from 1."""
    attributes: dict[str, Any]
    events: list[Any]
    status: str
    duration_ns: int


class Response(Protocol):
    """What the client saw of a response."""

    status: int
    headers: Any
    body: bytes


def describe(span: ReadableSpan) -> Recorded:
    """Take over what a row may ask about a span."""
    return Recorded(
        trace_id=f"{span.context.trace_id:032x}",
        parent=span.parent.span_id if span.parent else 0,
        attributes={
            name: list(value) if isinstance(value, tuple) else value
            for name, value in (span.attributes or {}).items()
        },
        events=[[event.name, dict(event.attributes or {})] for event in span.events],
        status=span.status.status_code.name,
        duration_ns=(span.end_time or 0) - (span.start_time or 0),
    )


class FileSpanExporter(SpanExporter):
    """Appends every SERVER span to a file as a line of JSON, at once; processes may share it."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = [json.dumps(vars(describe(s))) for s in spans if s.kind is SpanKind.SERVER]
        if lines:
            with self._path.open("a") as file:
                file.write("".join(f"{line}\n" for line in lines))
        return SpanExportResult.SUCCESS


def read(path: str | Path) -> list[Recorded]:
    """Read what a `FileSpanExporter` wrote."""
    file = Path(path)
    lines = file.read_text().splitlines() if file.exists() else []
    return [Recorded(**json.loads(line)) for line in lines]


def check(
    row: Row,
    framework: str,
    received: Sequence[Response],
    records: Iterable[Recorded],
    server: str = "in-process",
) -> None:
    """Fail where the records of a row are not those that it asks for.

    Args:
        row: what was done.
        framework: of the app.
        received: the responses, in order; fewer than requests where the connection was cut.
        records: of this row or of many.
        server: its name, for what a row says of it alone.
    """
    of_row = [record for record in records if record.trace_id == row.trace_id]
    refusable = row.refusable and server != "in-process"
    for index, wanted in enumerate(row.records_on(framework, server)):
        found = [record for record in of_row if record.parent == index + 1]
        response = received[index] if index < len(received) else None
        if wanted is None:
            assert found == [], f"request {index}: recorded, and should not be"
            continue
        if refusable and not found and _is_refusal(response):
            continue
        assert len(found) == 1, f"request {index}: {len(found)} records"
        differences = list(_differences(row, index, framework, wanted, response, found[0]))
        assert differences == [], f"request {index}: {differences}\n{found[0]}"


def _is_refusal(response: Response | None) -> bool:
    if response is None:
        return True
    return all(name.lower() != "x-app" for name, _ in response.headers)


def _differences(
    row: Row,
    index: int,
    framework: str,
    wanted: Record,
    response: Response | None,
    found: Recorded,
) -> Iterable[str]:
    body = b"" if response is None else response.body
    expected: dict[str, Any] = {
        "http.response.status_code": _seen(wanted.status, response and response.status),
        "error.type": wanted.error,
        "http.request.body.size": _seen(wanted.request_size, len(row.requests[index].payload)),
        "http.response.body.size": _seen(wanted.response_size, len(body)),
        "http.request.body.content": wanted.request_body,
        "http.response.body.content": _seen(
            wanted.response_body, body.decode("utf-8", "replace") or None
        ),
        "apimetrics.request.body.truncated": _cut(wanted.truncated, "request"),
        "apimetrics.response.body.truncated": _cut(wanted.truncated, "response"),
        "http.route": template(framework, wanted.route),
        **wanted.attributes,
    }
    for name, value in expected.items():
        got = found.attributes.get(name)
        if value is not ANY and got != (None if value is ABSENT else value):
            yield f"{name} is {got!r}, not {value!r}"
    if wanted.secret and wanted.secret in json.dumps([found.attributes, found.events]):
        yield f"{wanted.secret!r} was recorded"


def _seen(wanted: Any, seen: Any) -> Any:
    return seen if wanted is SEEN else wanted


def _cut(wanted: Any, side: str) -> Any:
    return wanted if wanted is ANY else wanted in {side, "both"} or None
