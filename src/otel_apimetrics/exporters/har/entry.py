"""An exchange as an entry of an HTTP Archive (HAR 1.2)."""

from collections.abc import Iterator
from datetime import datetime, timezone
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from otel_apimetrics.content import media_type
from otel_apimetrics.exchange import Body, Exchange, Headers, Request, Response, first
from otel_apimetrics.exporters.addresses import strict_url
from otel_apimetrics.exporters.har.parts import params_of

Entry: TypeAlias = dict[str, Any]
Pairs: TypeAlias = list[dict[str, str]]

FORM: Final = "application/x-www-form-urlencoded"
CUT: Final = "truncated"
"""The comment on a body that goes on where it was not captured."""
UNRECORDED: Final = "not recorded"
"""The comment on a body that was seen and not captured."""
_UNKNOWN: Final = -1
_COOKIE_FLAGS: Final = {"httponly": "httpOnly", "secure": "secure"}
_COOKIE_VALUES: Final = frozenset({"path", "domain"})


def entry_of(exchange: Exchange) -> Entry:
    """Translate one exchange. A pure function; the dictionaries are the caller's to change.

    Args:
        exchange: redacted.

    Returns:
        An entry with all fields that HAR 1.2 requires. Times are milliseconds. A response that
        never started has the status 0. A cut body has `comment` "truncated", and a cut JSON one
        the type text/plain: it is no JSON.
    """
    milliseconds = round(exchange.duration_ns / 1_000_000, 3)
    return {
        "startedDateTime": _date(exchange.started_ns),
        "time": milliseconds,
        "request": _request(exchange.request),
        "response": _response(exchange.response, exchange.request.http_version),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }


def is_json(kind: str) -> bool:
    """Tell whether a media type is JSON (RFC 6839, 3.1)."""
    return kind == "application/json" or kind.endswith("+json")


def pairs_of(query: str) -> Pairs:
    """Read a query string or a form; empty values and repeats stay."""
    return [{"name": name, "value": value} for name, value in parse_qsl(query, True)]


def _date(ns: int) -> str:
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{_second(seconds)}.{rest // 1_000_000:03d}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}"


def _request(request: Request) -> Entry:
    size = request.body.size
    said: Entry = {
        "method": request.method,
        "url": strict_url(request),
        "httpVersion": f"HTTP/{request.http_version}",
        "headers": _headers(request.headers),
        "headersSize": _UNKNOWN,
        "queryString": pairs_of(request.query),
        "cookies": list(_cookies(request.headers)),
        "bodySize": _UNKNOWN if size is None else size,
    }
    if request.body.content or size or first(request.headers, "content-length"):
        said["postData"] = _post_data(request.body, first(request.headers, "content-type"))
    return said


def _post_data(body: Body, content_type: str) -> Entry:
    kind = media_type(content_type)
    content = body.content
    params = None
    if content is not None and kind == FORM:
        params = pairs_of(content)
    elif content is not None and kind == "multipart/form-data":
        params = params_of(content, content_type)
    if params is not None:
        said: Entry = {"mimeType": content_type, "params": params}
        return {**said, "comment": CUT} if body.truncated else said
    return _text(body, content_type or "text/plain")


def _response(response: Response | None, http_version: str) -> Entry:
    if response is None:
        response = Response(status=0)
    body, headers = response.body, response.headers
    return {
        "status": response.status,
        "statusText": _reason(response.status),
        "httpVersion": f"HTTP/{http_version}",
        "headers": _headers(headers),
        "headersSize": _UNKNOWN,
        "cookies": list(_set_cookies(headers)),
        "redirectURL": first(headers, "location"),
        "bodySize": _UNKNOWN if body.size is None else body.size,
        "content": {
            **_text(body, first(headers, "content-type")),
            "size": _decoded_size(body, headers),
        },
    }


def _text(body: Body, content_type: str) -> Entry:
    said: Entry = {"mimeType": content_type}
    if body.content is not None:
        said["text"] = body.content
    elif not body.size:
        said["text"] = ""
    else:
        said["comment"] = UNRECORDED
    if body.truncated and body.content is not None:
        said["comment"] = CUT
        if is_json(media_type(content_type)):
            said["mimeType"] = "text/plain"
    return said


def _decoded_size(body: Body, headers: Headers) -> int:
    """Give the size without content-coding: known of what is kept whole, else that on the wire."""
    coded = first(headers, "content-encoding").lower() not in {"", "identity"}
    if coded and body.content is not None and not body.truncated:
        return len(body.content.encode("utf-8", "replace"))
    return body.size or 0


@lru_cache(maxsize=256)
def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _headers(headers: Headers) -> Pairs:
    return [{"name": name, "value": value} for name, value in headers]


def _cookies(headers: Headers) -> Iterator[Entry]:
    for name, line in headers:
        if name == "cookie":
            for pair in line.split(";"):
                key, equals, value = pair.strip().partition("=")
                if equals:
                    yield {"name": key, "value": value}


def _set_cookies(headers: Headers) -> Iterator[Entry]:
    for header, line in headers:
        if header != "set-cookie":
            continue
        pair, *attributes = line.split(";")
        key, equals, value = pair.strip().partition("=")
        if not equals:
            continue
        cookie: Entry = {"name": key, "value": value}
        for attribute in attributes:
            name, _, told = attribute.strip().partition("=")
            if name.lower() in _COOKIE_FLAGS:
                cookie[_COOKIE_FLAGS[name.lower()]] = True
            elif name.lower() in _COOKIE_VALUES:
                cookie[name.lower()] = told
        yield cookie
