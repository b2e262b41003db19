"""GraphQL operations of a request: their names and types, as labels.

All GraphQL requests go to one route, so that without these a route's numbers tell nothing.
The specification of October 2021; requests as "GraphQL over HTTP" has them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote_plus

from otel_apimetrics import semconv
from otel_apimetrics.content import BodyBuffer, body_text, media_type
from otel_apimetrics.exchange import Headers, Request, first
from otel_apimetrics.redaction import graphql

MOST: Final = 20
"""Operations of a batch that are told."""
LONGEST: Final = 256
"""Characters of a label: names that do not fit any more are left out."""

_MEMBER: Final = b'"query"'
_JSON: Final = frozenset({"application/json", "application/graphql+json"})
_NAME: Final = re.compile(r"[A-Za-z_][0-9A-Za-z_]{0,127}")
_PARAMETER: Final = re.compile(r"(?:^|&)(query|operationName)=([^&]*)")

_Asked = tuple[str, str]
"""A document, and the name of the operation in it; "" for the only one."""


def may_ask(request: Request, body: BodyBuffer) -> bool:
    """Tell whether a request may be one of GraphQL, at the price of one search for a word.

    Args:
        request: as it came.
        body: what was kept of its body, perhaps nothing.
    """
    if request.method == "GET":
        return "query=" in request.query
    if request.method != "POST" or not body.size:
        return False
    data = body.data
    # From the end: CPython's search for a word is about twice as fast backwards.
    if data.rfind(_MEMBER) >= 0:
        return True
    # JSON as it stands has the member in sight; what is no JSON may be compressed.
    return data[:1] not in (b"{", b"[", b"") and _is_coded(request.headers)


def labels(request: Request, body: BodyBuffer, *, complete: bool) -> Mapping[str, str]:
    """Give the labels of a request that `may_ask`; nothing where it is none of GraphQL.

    Args:
        request: not redacted.
        body: what was kept of its body, perhaps nothing.
        complete: it is the whole body.

    Returns:
        `graphql.operation.name` and `graphql.operation.type`; of a batch each different one
        once, joined with commas. An anonymous operation has no name.
    """
    if request.method == "GET":
        return _told(_of_query(request.query))
    return _told(_of_body(request.headers, body.data, complete=complete))


def _is_coded(headers: Headers) -> bool:
    return first(headers, "content-encoding") != ""


def _of_query(query: str) -> Iterator[_Asked]:
    given = dict(_PARAMETER.findall(query))
    yield unquote_plus(given.get("query", "")), unquote_plus(given.get("operationName", ""))


def _of_body(headers: Headers, data: bytes, *, complete: bool) -> Iterator[_Asked]:
    content_type = first(headers, "content-type")
    if media_type(content_type) not in _JSON:
        return
    coding = ", ".join(value for name, value in headers if name == "content-encoding")
    text = body_text(data, content_type, coding, complete=complete)
    if text is None:
        return
    if text.truncated:
        for document in graphql.documents(text.content):
            yield document, ""
        return
    try:
        said = json.loads(text.content)
    except (ValueError, RecursionError):
        return
    for item in said if isinstance(said, list) else [said]:
        if isinstance(item, dict):
            yield _text(item.get("query")), _text(item.get("operationName"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _told(asked: Iterable[_Asked]) -> Mapping[str, str]:
    names: dict[str, None] = {}
    types: dict[str, None] = {}
    for document, chosen in islice(asked, MOST):
        found = graphql.operation(document, chosen) if graphql.is_graphql(document) else None
        if found is not None:
            types[found[0]] = None
            if _NAME.fullmatch(found[1]) and len(",".join((*names, found[1]))) <= LONGEST:
                names[found[1]] = None
    told: dict[str, str] = {}
    if names:
        told[semconv.GRAPHQL_NAME] = ",".join(names)
    if types:
        told[semconv.GRAPHQL_TYPE] = ",".join(types)
    return told
