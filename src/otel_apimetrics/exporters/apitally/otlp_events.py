"""Events, as log records, of the protocol that a write token goes with."""

from collections.abc import Iterator
from dataclasses import fields
from time import time_ns
from typing import Any, Final

from otel_apimetrics import semconv
from otel_apimetrics.exchange import Consumer
from otel_apimetrics.exporters.apitally.log_capture import LogLine
from otel_apimetrics.exporters.apitally.options import Options
from otel_apimetrics.exporters.apitally.protobuf import (
    any_value,
    attributes,
    fixed32,
    fixed64,
    integer,
    message,
    scope,
    text,
)
from otel_apimetrics.exporters.apitally.startup import AppStartup, paths, versions
from otel_apimetrics.exporters.apitally.tally import MAX_NAME, Counts, Notes, identifier
from otel_apimetrics.exporters.json_bytes import json_bytes

SCOPE: Final = "apitally"
_SAMPLED: Final = 1
_NOT_SHOWN: Final = frozenset(
    {
        "client_id",
        "write_token",
        "env",
        "names_env",
        "endpoint",
        "app_version",
        "timeout",
        "certificate",
        "spool",
    }
)


def startup_event(startup: AppStartup, options: Options) -> bytes:
    """Write what is told of the app once a process."""
    config = {
        field.name: _shown(value)
        for field in fields(options)
        if field.name not in _NOT_SHOWN and (value := getattr(options, field.name)) is not None
    }
    told = {
        "framework": startup.framework,
        "versions": versions(startup, options.app_version, servers=False),
        "config": config,
        "paths": paths(startup),
    }
    return event("apitally.app.startup", json_bytes(told).decode())


def note_events(notes: Notes) -> Iterator[bytes]:
    """Write the errors and consumers that came up since the last time."""
    for consumer in notes.consumers.values():
        yield event("apitally.consumer.update", _consumer(consumer))
    for complaint, counts in notes.complaints.items():
        yield event(
            "apitally.request.validation_error",
            {
                "method": complaint.method,
                "path": complaint.path,
                "source": complaint.source,
                "field": complaint.field,
                "message": complaint.message,
                "type": complaint.type,
                "counts": _counts(counts),
            },
        )
    for crash, counts in notes.crashes.items():
        yield event(
            "apitally.request.server_error",
            {
                "method": crash.method,
                "path": crash.path,
                "type": crash.type,
                "message": crash.message,
                "stacktrace": crash.stacktrace,
                "counts": _counts(counts),
            },
        )


def event(name: str, body: Any) -> bytes:
    """Write a `ScopeLogs` of one event (opentelemetry.proto.logs.v1)."""
    now = time_ns()
    record = fixed64(1, now) + message(5, any_value(body)) + fixed64(11, now) + text(12, name)
    return scope(SCOPE, (record,))


def record(line: LogLine, trace_id: bytes, span_id: bytes) -> bytes:
    """Write a `ScopeLogs` of one record that the app has logged for a request."""
    said: dict[str, Any] = {
        **line.extra,
        "code.file.path": line.file,
        "code.function.name": line.function,
        "code.line.number": line.line,
        "apitally.request.server_span_id": span_id.hex(),
    }
    if line.exception is not None:
        said[semconv.EXCEPTION_TYPE] = line.exception.type
        said[semconv.EXCEPTION_MESSAGE] = line.exception.message
        said[semconv.EXCEPTION_STACKTRACE] = line.exception.stacktrace
    out = fixed64(1, line.time_ns) + integer(2, _severity(line.number)) + text(3, line.level)
    out += message(5, any_value(line.message)) + attributes(6, said) + fixed32(8, _SAMPLED)
    out += message(9, trace_id) + message(10, span_id) + fixed64(11, line.time_ns)
    return scope(line.logger, (out,))


def _severity(level: int) -> int:
    """Give the number of a level of `logging` (OpenTelemetry logs, "Severity Fields")."""
    if level <= 0:
        return 0
    return min(max(level // 10 * 4 + 1, 1), 21)


def _consumer(consumer: Consumer) -> dict[str, Any]:
    told: dict[str, Any] = {"identifier": identifier(consumer)}
    if consumer.name:
        told["name"] = consumer.name[:MAX_NAME]
    if consumer.group:
        told["group"] = consumer.group[:MAX_NAME]
    return told


def _counts(counts: Counts) -> list[dict[str, Any]]:
    return [
        {"count": number} if consumer is None else {"consumer": consumer, "count": number}
        for consumer, number in counts.items()
    ]


def _shown(value: Any) -> Any:
    return True if callable(value) else value
