"""Bodies that carry secrets, in each shape that APIs speak. Each says its own word."""

import gzip
import json
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus
from xml.sax.saxutils import escape, quoteattr

from tests.e2e.canaries.fill import PLAIN, Fill, compact

CAP: Final = 16 * 1024
"""Bytes of a body that are captured."""

_XML_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_GRAPHQL_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_BOUNDARY: Final = "canaryboundary"


class Content(NamedTuple):
    """A body and what its headers say about it."""

    media_type: str
    data: bytes
    coding: str = ""


Shape = Callable[[Fill, str], Content]
"""Fills a body; the second argument is the side, `request` or `response`."""


def _json(document: Any) -> Content:
    return Content("application/json", compact(document).encode())


def _members(fill: Fill) -> dict[str, Any]:
    document: dict[str, Any] = {"id": 7, "word": fill.word(), **dict(fill.pairs()), "total": 1.5}
    if fill.kind.places.by_value:
        document["seen"] = {secret: 3 for _, secret in fill.pairs()}
        document["message"] = " ".join(fill.sentences())
    return {**document, "numbers": fill.numbers()}


def members(fill: Fill, side: str) -> Content:
    return _json(_members(fill.at(f"{side} JSON")))


def nested(fill: Fill, side: str) -> Content:
    fill.at(f"{side} nested JSON")
    inner = {"attributes": {"current": {"first": {**dict(fill.pairs()), "ok": True}}}}
    lists: dict[str, Any] = {name: ["a", secret] for name, secret in fill.pairs()}
    objects: dict[str, Any] = {name: {"current": secret} for name, secret in fill.pairs()}
    return Content(
        "application/problem+json",
        json.dumps(
            {"word": fill.word(), "data": [inner], "lists": lists, "objects": objects}, indent=2
        ).encode(),
    )


def in_strings(fill: Fill, side: str) -> Content:
    fill.at(f"{side} JSON in a string")
    payload = compact({"id": 7, "word": fill.word(), **dict(fill.pairs())})
    fill.at(f"{side} pairs of name and value")
    pairs = [{"name": name, "value": secret} for name, secret in fill.pairs()]
    return _json({"payload": payload, "word": fill.word(), "pairs": pairs})


def lines(fill: Fill, side: str) -> Content:
    fill.at(f"{side} NDJSON")
    rows = [{"word": fill.word()}, dict(fill.pairs()), *({n: s} for n, s in fill.pairs())]
    return Content("application/x-ndjson", "".join(f"{compact(row)}\n" for row in rows).encode())


def events(fill: Fill, side: str) -> Content:
    fill.at(f"{side} events")
    said = [compact({"word": fill.word(), **dict(fill.pairs())})]
    said += [text for text in fill.sentences() if "\n" not in text and "\r" not in text]
    data = "".join(f"event: note\ndata: {text}\n\n" for text in said)
    return Content("text/event-stream", data.encode())


def form(fill: Fill, side: str) -> Content:
    fill.at(f"{side} form")
    fields = [("page", "2"), ("word", fill.word()), *fill.parameters()]
    fields += [(f"user[{name}]", secret) for name, secret in fill.pairs() if "[" not in name]
    data = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields)
    return Content("application/x-www-form-urlencoded", data.encode())


def text(fill: Fill, side: str) -> Content:
    fill.at(f"{side} text")
    return Content("text/plain", "\n".join([fill.word(), *fill.sentences(), "The end."]).encode())


def multipart(fill: Fill, side: str) -> Content:
    fill.at(f"{side} multipart")
    fields = [("word", fill.word()), *fill.pairs()]
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    document = compact(dict(fill.pairs()))
    parts.append(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="document"\r\n'
        f"Content-Type: application/json\r\n\r\n{document}\r\n"
    )
    name = fill.value(lambda spelled: PLAIN.fullmatch(spelled) is not None)
    parts.append(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}.txt"\r\n'
        f"Content-Type: text/plain\r\n\r\n{' '.join(fill.sentences())}\r\n--{_BOUNDARY}--\r\n"
    )
    return Content(f"multipart/form-data; boundary={_BOUNDARY}", "".join(parts).encode())


def xml(fill: Fill, side: str) -> Content:
    fill.at(f"{side} XML")
    rows = [f"<word>{fill.word()}</word>"]
    for name, secret in fill.pairs():
        if _XML_NAME.fullmatch(name):
            rows.append(f"<{name}>{escape(secret)}</{name}>")
    for name, secret in fill.pairs():
        if _XML_NAME.fullmatch(name):
            rows.append(f"<item {name}={quoteattr(secret)}/>")
    for name, secret in fill.pairs():
        rows.append(f"<entry name={quoteattr(name)}><value>{escape(secret)}</value></entry>")
    document = "<?xml version='1.0'?>\n<order>\n  " + "\n  ".join(rows) + "\n</order>\n"
    return Content("application/xml", document.encode())


def _operation(fill: Fill) -> str:
    # All literals of a query are taken out, so the word is a name.
    given = [
        f"{name}: {json.dumps(secret)}"
        for name, secret in fill.pairs()
        if _GRAPHQL_NAME.fullmatch(name)
    ]
    return f"mutation LogIn {{ {fill.word()}: logIn({', '.join(given)}) {{ id }} }}"


def graphql(fill: Fill, side: str) -> Content:
    query = _operation(fill.at(f"{side} GraphQL"))
    return _json({"operationName": "LogIn", "query": query, "variables": dict(fill.pairs())})


def graphql_document(fill: Fill, side: str) -> Content:
    return Content("application/graphql", _operation(fill.at(f"{side} GraphQL document")).encode())


def zipped(fill: Fill, side: str) -> Content:
    document = compact(_members(fill.at(f"{side} gzip")))
    return Content("application/json", gzip.compress(document.encode(), mtime=0), "gzip")


def cut(fill: Fill, side: str) -> Content:
    """Have the cap fall into a secret; which one of a kind's is the turn's."""
    fill.at(f"{side} cut")
    places = fill.kind.places
    if places.names:
        chosen = places.names[fill.turn % len(places.names)]
        ((name, secret),) = fill.named((chosen,))
    else:
        name, secret = "note", fill.value() or ""
    written = json.dumps(secret)[1:-1]
    start = f'{{"word":"{fill.word()}","pad":"'
    before = f'","{json.dumps(name)[1:-1]}":"'
    shown = fill.random.randint(1, len(written) - 1)
    pad = "." * (CAP - len(start) - len(before) - shown)
    return Content("application/json", f'{start}{pad}{before}{written}","more":[1,2]}}'.encode())


SHAPES: Final[tuple[Shape, ...]] = (
    members, nested, in_strings, lines, events, form, text, multipart, xml, graphql,
    graphql_document, zipped, cut,
)  # fmt: skip
