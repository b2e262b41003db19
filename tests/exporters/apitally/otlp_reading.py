"""OTLP read by OpenTelemetry's own messages, in the form of the captured payloads."""

from base64 import b64decode
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
}
IDS = {"traceId", "spanId", "parentSpanId"}


def read(path: str, body: bytes) -> Any:
    """Give a body as the captured ones are: proto JSON with ids in hex."""
    return _hex(MessageToDict(KINDS[path].FromString(body)))


def records(document: Any) -> list[dict[str, Any]]:
    """Give spans, log records or metrics, with plain attributes and bodies."""
    found = []
    for of_resource in next(iter(document.values())):
        for of_scope in next(v for k, v in of_resource.items() if k.startswith("scope")):
            kept = next(v for k, v in of_scope.items() if k not in {"scope", "schemaUrl"})
            found += [plain(record) for record in kept]
    return found


def resource(document: Any) -> dict[str, Any]:
    return plain(next(iter(document.values()))[0]["resource"])["attributes"]


def plain(value: Any) -> Any:
    """Give attributes and values without their wrapping."""
    if isinstance(value, list):
        if value and all(
            isinstance(item, dict) and set(item) == {"key", "value"} for item in value
        ):
            return {item["key"]: plain(item["value"]) for item in value}
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, held),) = value.items()
        if name == "intValue":
            return int(held)
        if name in {"stringValue", "boolValue", "doubleValue"}:
            return held
        if name in {"arrayValue", "kvlistValue"}:
            return plain(held.get("values", []))
    return {name: plain(item) for name, item in value.items()}


def _hex(value: Any) -> Any:
    if isinstance(value, list):
        return [_hex(item) for item in value]
    if isinstance(value, dict):
        return {
            name: b64decode(item).hex() if name in IDS else _hex(item)
            for name, item in value.items()
        }
    return value
