"""OTLP requests in one shape: a dict as the Collector's file exporter writes it.

Protobuf and JSON requests both pass through the protobuf message, so that what comes out
does not depend on the encoding that a client chose, and a request of the wrong shape is
refused. Source: OTLP specification 1.10, "JSON Protobuf Encoding": keys in lowerCamelCase,
enums as integers, 64-bit integers as decimal strings, trace and span ids in hex.
"""

import base64
import json
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NoReturn, TypeAlias

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Signal: TypeAlias = Literal["traces", "metrics", "logs"]
"""The kind of telemetry in a request."""

OtlpJson: TypeAlias = dict[str, Any]
"""One export request; its only key is `resourceSpans`, `resourceMetrics` or `resourceLogs`."""

_REQUESTS: Final[Mapping[Signal, type[Message]]] = MappingProxyType(
    {
        "traces": ExportTraceServiceRequest,
        "metrics": ExportMetricsServiceRequest,
        "logs": ExportLogsServiceRequest,
    }
)

_IDS: Final[Mapping[str, int]] = MappingProxyType({"traceId": 16, "spanId": 8, "parentSpanId": 8})
"""Names of the fields that OTLP/JSON writes in hex, with their length in bytes."""

_ALWAYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "opentelemetry.proto.trace.v1.ResourceSpans": ("resource",),
        "opentelemetry.proto.trace.v1.ScopeSpans": ("scope",),
        "opentelemetry.proto.trace.v1.Span": ("status",),
        "opentelemetry.proto.metrics.v1.ResourceMetrics": ("resource",),
        "opentelemetry.proto.metrics.v1.ScopeMetrics": ("scope",),
        "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint": ("positive", "negative"),
        "opentelemetry.proto.logs.v1.ResourceLogs": ("resource",),
        "opentelemetry.proto.logs.v1.ScopeLogs": ("scope",),
        "opentelemetry.proto.logs.v1.LogRecord": ("body",),
        "opentelemetry.proto.common.v1.KeyValue": ("value",),
    }
)
"""Messages that the Collector cannot tell from absent ones, and so always writes."""


class MalformedRequestError(ValueError):
    """The bytes are no OTLP request of their signal. The message quotes none of them."""


def read_protobuf(signal: Signal, data: bytes) -> OtlpJson:
    """Read a binary protobuf request.

    Args:
        signal: what the request carries; it decides the message type.
        data: the body, content-coding removed.

    Raises:
        MalformedRequestError: not that message, or an id of a wrong length.
    """
    message = _REQUESTS[signal]()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise MalformedRequestError("The body is not a protobuf request of this path.") from error
    return _object(message)


def read_json(signal: Signal, data: bytes) -> OtlpJson:
    """Read an OTLP/JSON request.

    Unknown keys are ignored, as the specification asks; so are keys in snake_case, which
    it declares invalid.

    Args:
        signal: what the request carries; it decides the message type.
        data: the body in UTF-8, content-coding removed.

    Raises:
        MalformedRequestError: not JSON, or not that message, or an id of a wrong length.
    """
    message = _REQUESTS[signal]()
    try:
        json_format.ParseDict(_json_object(data), message, ignore_unknown_fields=True)
    except MalformedRequestError:
        raise
    # ParseDict meets a value of a wrong type with whatever exception that type raises.
    except Exception as error:
        raise MalformedRequestError("The body is not a JSON request of this path.") from error
    return _object(message)


def _json_object(data: bytes) -> dict[str, Any]:
    parsed = json.loads(data.decode(), parse_constant=_refuse)
    if not isinstance(parsed, dict):
        raise MalformedRequestError("The body is not a JSON object.")
    rewritten: dict[str, Any] = _with_base64_ids(parsed)
    return rewritten


def _refuse(_constant: str) -> NoReturn:
    raise MalformedRequestError("NaN and Infinity are strings in JSON.")


def _with_base64_ids(value: Any) -> Any:
    """Rewrite hex ids as base64, which is what ParseDict takes for bytes."""
    if isinstance(value, list):
        return [_with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(item)).decode()
        if key in _IDS and isinstance(item, str)
        else _with_base64_ids(item)
        for key, item in value.items()
        if "_" not in key
    }


def _object(message: Message) -> OtlpJson:
    result: OtlpJson = {}
    for field, value in message.ListFields():
        name = field.json_name
        if name in _IDS:
            if any(value):
                result[name] = _hex(name, value)
            continue
        convert = _CONVERTERS.get(field.type)
        if convert is None:
            convert = _unchanged
        # Telling by the value works with each protobuf release; the descriptor's word for
        # "repeated" differs between them.
        if isinstance(value, (str, bytes, int, float, Message)):
            result[name] = convert(value)
        else:
            result[name] = [convert(item) for item in value]
    for name in _ALWAYS.get(message.DESCRIPTOR.full_name, ()):
        result.setdefault(name, {})
    return result


def _hex(name: str, value: bytes) -> str:
    if len(value) != _IDS[name]:
        raise MalformedRequestError(f"A {name} has {_IDS[name]} bytes, not {len(value)}.")
    return value.hex()


def _unchanged(value: Any) -> Any:
    return value


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


_CONVERTERS: Final[Mapping[int, Callable[[Any], Any]]] = MappingProxyType(
    {
        FieldDescriptor.TYPE_MESSAGE: _object,
        FieldDescriptor.TYPE_DOUBLE: _number,
        FieldDescriptor.TYPE_BYTES: _base64,
        FieldDescriptor.TYPE_INT64: str,
        FieldDescriptor.TYPE_UINT64: str,
        FieldDescriptor.TYPE_FIXED64: str,
        FieldDescriptor.TYPE_SFIXED64: str,
    }
)
"""How a value is written, by protobuf type; the other types are JSON already."""
