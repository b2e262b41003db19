"""An OTLP/HTTP receiver as a WSGI app.

Answers as the OTLP specification 1.10 ("OTLP/HTTP") and RFC 9110 ask: POST to /v1/traces,
/v1/metrics and /v1/logs, protobuf or JSON, gzip or plain. A success has the body of an
empty export response, an error that of a `google.rpc.Status`, in the request's encoding.

It hands on what the client sent and redacts nothing: a sink that keeps or forwards
requests of clients that it does not trust needs a redaction in front.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from otel_apimetrics._guard import swallow
from otel_apimetrics.gateway.otlp_json import (
    MalformedRequestError,
    OtlpJson,
    Signal,
    read_json,
    read_protobuf,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a request, before and after inflating: what the stock OTLP/HTTP exporter sends."""

_SLICE: Final = 64 * 1024
_MEMBERS: Final = 8
_RETRY_AFTER: Final = "10"
"""Seconds that a client is asked to wait when the sink fails."""

_PROTOBUF: Final = "application/x-protobuf"
_JSON: Final = "application/json"

_SIGNALS: Final[Mapping[str, Signal]] = MappingProxyType(
    {"/v1/traces": "traces", "/v1/metrics": "metrics", "/v1/logs": "logs"}
)
_READERS: Final[Mapping[str, Callable[[Signal, bytes], OtlpJson]]] = MappingProxyType(
    {_PROTOBUF: read_protobuf, _JSON: read_json}
)


class Sink(Protocol):
    """Where received requests go. Called on the thread of the request, by many at once."""

    def __call__(self, signal: Signal, request: OtlpJson, /) -> None:
        """Take one request; an exception makes the client send it again later."""
        ...


class _RejectedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: HTTPStatus, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = [(name.replace("_", "-"), value) for name, value in headers.items()]


class Receiver:
    """The WSGI app.

    A request without any resource is answered with success and reaches no sink, as in
    the Collector. The app raises nothing: what fails in here is counted and answered 500.

    Args:
        sink: takes each request as OTLP/JSON.
        limit: bytes of a body before and after inflating; more is answered 413.
    """

    def __init__(self, sink: Sink, *, limit: int = LIMIT) -> None:
        self._sink = sink
        self._limit = limit

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        encoding = _media_type(environ)
        headers: list[tuple[str, str]] = []
        try:
            self._receive(environ, encoding)
        except _RejectedError as rejection:
            status, headers = rejection.status, rejection.headers
            content_type, body = _error_body(encoding, rejection.message)
        except Exception as error:
            swallow("gateway.receive", error)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            content_type, body = _error_body(encoding, "The receiver failed.")
        else:
            status, content_type = HTTPStatus.OK, encoding
            body = b"{}" if encoding == _JSON else b""
        headers += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    def _receive(self, environ: "WSGIEnvironment", encoding: str) -> None:
        length = _content_length(environ)
        try:
            signal = _route(environ, encoding)
            if length > self._limit:
                raise _too_large(self._limit)
        except _RejectedError:
            _drain(environ, min(length, self._limit))
            raise
        body = _body(environ, length)
        if environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() == "gzip":
            body = _inflated(body, self._limit)
        try:
            request = _READERS[encoding](signal, body)
        except MalformedRequestError as error:
            raise _RejectedError(HTTPStatus.BAD_REQUEST, str(error)) from error
        if request:
            self._deliver(signal, request)

    def _deliver(self, signal: Signal, request: OtlpJson) -> None:
        try:
            self._sink(signal, request)
        except Exception as error:
            swallow("gateway.sink", error)
            raise _RejectedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The request could not be stored. Send it again later.",
                Retry_After=_RETRY_AFTER,
            ) from error


def _media_type(environ: Mapping[str, Any]) -> str:
    content_type: str = environ.get("CONTENT_TYPE") or ""
    return content_type.partition(";")[0].strip().lower()


def _content_length(environ: Mapping[str, Any]) -> int:
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise _RejectedError(HTTPStatus.LENGTH_REQUIRED, "Send a Content-Length.")
    text: str = environ.get("CONTENT_LENGTH") or "0"
    # int() alone also takes "+1", "1_0" and digits of other scripts (RFC 9110, 8.6).
    if not (text.isascii() and text.isdigit()):
        raise _RejectedError(HTTPStatus.BAD_REQUEST, "The Content-Length is not a number.")
    return int(text)


def _route(environ: Mapping[str, Any], encoding: str) -> Signal:
    signal = _SIGNALS.get(environ.get("PATH_INFO", ""))
    if signal is None:
        paths = ", ".join(_SIGNALS)
        raise _RejectedError(HTTPStatus.NOT_FOUND, f"Not found. The paths are {paths}.")
    if environ.get("REQUEST_METHOD") != "POST":
        raise _RejectedError(HTTPStatus.METHOD_NOT_ALLOWED, "Use POST.", Allow="POST")
    if encoding not in _READERS:
        types = ", ".join(_READERS)
        raise _RejectedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Unsupported content type. Use one of {types}."
        )
    coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in ("", "identity", "gzip"):
        raise _RejectedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Unsupported content encoding. Use gzip or none.",
            Accept_Encoding="gzip",
        )
    return signal


def _too_large(limit: int) -> _RejectedError:
    return _RejectedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request has at most {limit} bytes."
    )


def _body(environ: Mapping[str, Any], length: int) -> bytes:
    try:
        body: bytes = environ["wsgi.input"].read(length)
    except OSError as error:
        raise _RejectedError(HTTPStatus.REQUEST_TIMEOUT, "The body did not come.") from error
    if len(body) != length:
        raise _RejectedError(HTTPStatus.BAD_REQUEST, "The body is shorter than announced.")
    return body


def _drain(environ: Mapping[str, Any], length: int) -> None:
    """Read what a rejected client is sending: closing on unread bytes can cost it the answer."""
    try:
        while length > 0 and (chunk := environ["wsgi.input"].read(min(length, _SLICE))):
            length -= len(chunk)
    except OSError:
        return


def _inflated(data: bytes, limit: int) -> bytes:
    """Undo gzip (RFC 1952), giving up past `limit` bytes."""
    parts: list[bytes] = []
    room = limit
    while data:
        # Each member copies what follows it: without a bound, millions of empty ones would
        # cost quadratic time. Encoders write one.
        if len(parts) == _MEMBERS:
            raise _RejectedError(HTTPStatus.BAD_REQUEST, "The gzip body has too many members.")
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            part = inflater.decompress(data, room + 1)
        except zlib.error as error:
            raise _RejectedError(HTTPStatus.BAD_REQUEST, "The body is not gzip.") from error
        room -= len(part)
        if room < 0:
            raise _too_large(limit)
        if not inflater.eof:
            raise _RejectedError(HTTPStatus.BAD_REQUEST, "The gzip body ends too early.")
        parts.append(part)
        data = inflater.unused_data
    return b"".join(parts)


def _error_body(encoding: str, message: str) -> tuple[str, bytes]:
    """Return content type and body; the status' code may be left out (OTLP/HTTP, Failures)."""
    if encoding == _JSON:
        return _JSON, json.dumps({"message": message}).encode()
    if encoding == _PROTOBUF:
        text = message.encode()
        return _PROTOBUF, b"\x12" + _varint(len(text)) + text
    return "text/plain; charset=utf-8", message.encode()


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004  seven bits a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
