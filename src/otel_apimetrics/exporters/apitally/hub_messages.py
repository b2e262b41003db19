"""The messages of the protocol that a client id goes with: pure functions, JSON out."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from math import floor
from time import time
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.apitally import process
from otel_apimetrics.exporters.apitally.log_capture import LogLine
from otel_apimetrics.exporters.apitally.masks import Marks, Masks
from otel_apimetrics.exporters.apitally.options import Options
from otel_apimetrics.exporters.apitally.startup import AppStartup, paths, versions
from otel_apimetrics.exporters.apitally.tally import (
    MAX_NAME,
    Key,
    Notes,
    Requests,
    cut,
    identifier,
    qualified,
    status_of,
)
from otel_apimetrics.exporters.json_bytes import json_bytes

MARKS: Final = Marks("******", "%2A%2A%2A%2A%2A%2A", "<masked>", "<body too large>")
_PORTS: Final = {"http": 80, "https": 443}
_FRAMEWORKS: Final = {"fastapi": "starlette"}
"""Where the vendor's name is another one."""


class Bins:
    """The requests of one key, in bins of 10 ms and of 1 kB."""

    __slots__ = ("_count", "_received", "_request_sizes", "_response_sizes", "_sent", "_times")

    def __init__(self) -> None:
        self._count = self._received = self._sent = 0
        self._times: dict[int, int] = {}
        self._request_sizes: dict[int, int] = {}
        self._response_sizes: dict[int, int] = {}

    def add(self, exchange: Exchange, number: int) -> None:
        """Add an exchange that stands for `number` requests."""
        self._count += number
        _add(self._times, floor(exchange.duration_ns / 1e9 / 0.01) * 10, number)
        # A request without a body has no size that anybody asks for.
        received = exchange.request.body.size or 0
        if received > 0:
            self._received += received * number
            _add(self._request_sizes, received // 1000, number)
        sent = None if exchange.response is None else exchange.response.body.size
        if sent is not None and sent >= 0:
            self._sent += sent * number
            _add(self._response_sizes, sent // 1000, number)

    def said(self, key: Key) -> dict[str, Any]:
        """Give an item of a sync message's `requests`."""
        return {
            "consumer": key.consumer,
            "method": key.method,
            "path": key.path,
            "status_code": key.status,
            "request_count": self._count,
            "request_size_sum": self._received,
            "response_size_sum": self._sent,
            "response_times": _named(self._times),
            "request_sizes": _named(self._request_sizes),
            "response_sizes": _named(self._response_sizes),
        }


def startup_message(instance: str, startup: AppStartup, options: Options) -> bytes:
    """Write the message that tells of the app."""
    client = _FRAMEWORKS.get(startup.framework, startup.framework) or "otel-apimetrics"
    return json_bytes(
        {
            "instance_uuid": instance,
            "message_uuid": str(uuid4()),
            "paths": paths(startup),
            "versions": versions(startup, options.app_version, servers=True),
            "client": f"python:{client}",
        }
    )


def sync_message(instance: str, counted: Requests[Bins], notes: Notes, work: float | None) -> bytes:
    """Write the message that counts, and that is the heartbeat where there is nothing to count.

    Args:
        instance: of this process.
        counted: since the last one.
        notes: since the last one.
        work: seconds of processor time a second, `None` where nobody knows yet.
    """
    resources = None
    if work is not None:
        resources = {"cpu_percent": round(work * 100, 2), "memory_rss": process.memory()}
    return json_bytes(
        {
            "instance_uuid": instance,
            "message_uuid": str(uuid4()),
            "timestamp": time(),
            "requests": [bins.said(key) for key, bins in counted.points.items()],
            "validation_errors": [
                {
                    "consumer": consumer,
                    "method": error.method,
                    "path": error.path,
                    "loc": [part for part in (error.source, *error.field.split(".")) if part],
                    "msg": error.message,
                    "type": error.type,
                    "error_count": number,
                }
                for error, counts in notes.complaints.items()
                for consumer, number in counts.items()
            ],
            "server_errors": _server_errors(notes),
            "consumers": [
                {
                    "identifier": identifier(consumer),
                    "name": consumer.name and consumer.name[:MAX_NAME],
                    "group": consumer.group and consumer.group[:MAX_NAME],
                }
                for consumer in notes.consumers.values()
            ],
            "resources": resources,
        }
    )


def _server_errors(notes: Notes) -> list[dict[str, Any]]:
    return [
        {
            "consumer": consumer,
            "method": crash.method,
            "path": crash.path,
            "type": crash.type,
            "msg": crash.message,
            "traceback": crash.stacktrace,
            "sentry_event_id": None,
            "error_count": number,
        }
        for crash, counts in notes.crashes.items()
        for consumer, number in counts.items()
    ]


def log_line(
    exchange: Exchange, options: Options, masks: Masks, lines: Sequence[LogLine] = ()
) -> bytes:
    """Write one line of a request log."""
    line: dict[str, Any] = {
        "uuid": _uuid(exchange.id),
        "request": _said(_request(exchange, options, masks)),
        "response": _said(_response(exchange, options, masks)),
    }
    error = exchange.exception
    if error is not None and options.capture_exceptions:
        line["exception"] = {
            "type": qualified(error.type),
            "message": cut(error.message),
            "traceback": error.stacktrace,
        }
    if lines:
        line["logs"] = [
            {
                "timestamp": each.time_ns / 1e9,
                "logger": each.logger,
                "level": each.level,
                "message": each.message,
                "file": each.file,
                "line": each.line,
            }
            for each in lines
        ]
    if exchange.trace_id:
        line["trace_id"] = f"{exchange.trace_id:032x}"
    return json_bytes(line)


def _request(exchange: Exchange, options: Options, masks: Masks) -> dict[str, Any]:
    request, consumer = exchange.request, exchange.consumer
    return {
        "timestamp": exchange.started_ns / 1e9,
        "method": request.method.upper(),
        "path": request.route,
        "url": _url(exchange, options, masks),
        "headers": list(masks.headers(request.headers)) if options.capture_request_headers else (),
        "size": request.body.size or None,
        "consumer": None if consumer is None else identifier(consumer),
        "body": _body(masks.body(exchange, of_request=True))
        if options.capture_request_body
        else None,
    }


def _response(exchange: Exchange, options: Options, masks: Masks) -> dict[str, Any]:
    response = exchange.response
    said: dict[str, Any] = {
        "status_code": status_of(exchange),
        "response_time": exchange.duration_ns / 1e9,
    }
    if response is None:
        return said
    if options.capture_response_headers:
        said["headers"] = list(masks.headers(response.headers))
    said["size"] = response.body.size
    if options.capture_response_body:
        said["body"] = _body(masks.body(exchange, of_request=False))
    return said


def _body(content: str | None) -> str | None:
    return None if content is None else b64encode(content.encode("utf-8", "replace")).decode()


def _said(side: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is empty, as the vendor does."""
    return {name: value for name, value in side.items() if value not in (None, "", (), [])}


def _url(exchange: Exchange, options: Options, masks: Masks) -> str:
    request = exchange.request
    host = f"[{request.host}]" if ":" in request.host else request.host or "localhost"
    if request.port is not None and request.port != _PORTS.get(request.scheme):
        host = f"{host}:{request.port}"
    query = masks.query(request.query) if options.capture_query and request.query else ""
    return f"{request.scheme}://{host}{request.path}{query and '?' + query}"


def _uuid(exchange_id: str) -> str:
    """Give the id of a line: the exchange's own, so that one that comes twice is told."""
    try:
        return str(UUID(exchange_id))
    except ValueError:
        return str(uuid5(NAMESPACE_OID, exchange_id))


def _add(bins: dict[int, int], lower: int, number: int) -> None:
    bins[lower] = bins.get(lower, 0) + number


def _named(bins: dict[int, int]) -> dict[str, int]:
    return {str(lower): number for lower, number in bins.items()}
