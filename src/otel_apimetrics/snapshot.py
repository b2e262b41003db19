"""The immutable `Exchange` of a recording, as it stands when the request ends."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_apimetrics import _guard, operations
from otel_apimetrics.content import BodyBuffer, body_text
from otel_apimetrics.exchange import Body, Exchange, Headers, Request, Response, copier, maker

if TYPE_CHECKING:
    from otel_apimetrics.recording import Recording

CLIENT_DISCONNECT = "client_disconnect"
"""`error.type` of a request whose client left before the response's last byte."""

_new_exchange, _new_response, _new_body = maker(Exchange), maker(Response), maker(Body)
_with_route_and_body = copier(Request, "route", "body")

BODILESS = frozenset({204, 304})
"""Final statuses without content (RFC 9110, 6.4.1)."""


def is_bodiless(recording: "Recording") -> bool:
    """Tell whether a response has no content, whatever the app says (RFC 9110, 6.4.1)."""
    status = recording.status
    return recording.request.method == "HEAD" or (
        status is not None and (status in BODILESS or status < 200)  # noqa: PLR2004
    )


def snapshot(recording: "Recording", duration_ns: int) -> Exchange:
    """Build the exchange, unredacted.

    Args:
        recording: settled; nothing changes it any more.
        duration_ns: nanoseconds from entry to now.
    """
    status = recording.status
    wants = recording.pipeline.kept_bytes > 0 and recording.pipeline.wants_content(
        status, raised=recording.exception is not None
    )
    trace_id, span_id, parent_span_id = recording.server_span.ids()
    return _new_exchange(
        id=recording.id,
        request=_with_route_and_body(
            recording.request, recording.route, _request_body(recording, wants=wants)
        ),
        response=None if status is None else _response(recording, status, wants=wants),
        started_ns=recording.started_ns,
        duration_ns=duration_ns,
        consumer=recording.consumer,
        company=recording.company,
        session=recording.session,
        labels=_labels(recording),
        metadata=recording.metadata or {},
        error=_error(recording),
        exception=recording.exception,
        validation_errors=recording.validation_errors,
        websocket=recording.websocket,
        framework=recording.framework,
        blocked_by=recording.blocked_by,
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_span_id,
    )


def _labels(recording: "Recording") -> Mapping[str, str]:
    said = recording.labels or {}
    try:
        request, buffer = recording.request, recording.request_body
        if not operations.may_ask(request, buffer):
            return said
        whole = _request_size(recording)[1] and not buffer.truncated
        found = operations.labels(request, buffer, complete=whole)
    except Exception as error:
        _guard.swallow("snapshot.operations", error)
        return said
    return {**found, **said} if found else said


def _request_size(recording: "Recording") -> tuple[int | None, bool]:
    """Give the size of the request's body, `None` where unknown, and whether all was seen."""
    size, declared = recording.request_body.size, recording.content_length
    if declared is not None and recording.error != CLIENT_DISCONNECT:
        # The server enforces the declared length; the app may well have read less.
        return declared, size >= declared
    if size == 0 and declared is None and not recording.request_ended:
        return None, False  # announced without a length, and left alone
    return size, recording.request_ended


def _request_body(recording: "Recording", *, wants: bool) -> Body:
    buffer = recording.request_body
    size, complete = _request_size(recording)
    if not wants or buffer.size == 0:
        return _new_body(size=size)
    return _body(recording, buffer, recording.request.headers, size, complete=complete)


def _response(recording: "Recording", status: int, *, wants: bool) -> Response:
    headers = recording.response_headers
    if is_bodiless(recording):
        return _new_response(status=status, headers=headers, body=_new_body(size=0))
    if recording.size_told is not None:
        body = _new_body(size=recording.size_told)
    elif not wants or recording.response_body.size == 0:
        body = _new_body(size=recording.response_body.size)
    else:
        buffer = recording.response_body
        complete = recording.response_ended
        body = _body(recording, buffer, headers, buffer.size, complete=complete)
    return _new_response(status=status, headers=headers, body=body)


def _body(
    recording: "Recording",
    buffer: BodyBuffer,
    headers: Headers,
    size: int | None,
    *,
    complete: bool,
) -> Body:
    data = buffer.data
    if not data:  # let go: all requests in flight together keep no more
        return _new_body(size=size, truncated=True)
    told = dict(headers)
    content_type, content_encoding = told.get("content-type", ""), ""
    if "content-encoding" in told:
        content_encoding = ", ".join(v for name, v in headers if name == "content-encoding" and v)
    complete = complete and not buffer.truncated
    try:
        text = body_text(
            data,
            content_type,
            content_encoding,
            complete=complete,
            limit=recording.pipeline.text_bytes,
        )
    except Exception as error:
        _guard.swallow("snapshot.body", error)
        text = None
    if text is None:
        return _new_body(size=size, truncated=not complete)
    return _new_body(content=text.content, size=size, truncated=text.truncated or not complete)


def _error(recording: "Recording") -> str | None:
    if recording.error is not None:
        return recording.error
    if recording.exception is not None:
        return recording.exception.type
    status = recording.status
    return str(status) if status is not None and status >= 500 else None  # noqa: PLR2004
