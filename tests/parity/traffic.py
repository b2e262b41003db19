"""The traffic that goes through a vendor's SDK and through ours, byte by byte the same."""

import gzip
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

STEP: Final = "X-Step"
"""Names the step in each request, so that what a vendor was sent of it can be found."""
BOUNDARY: Final = "parity0123456789"

Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Step:
    """One request."""

    name: str
    method: str
    target: str
    headers: Lines = ()
    body: bytes = b""


_JSON: Final = (("Content-Type", "application/json"),)
_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)
_NESTED: Final = {
    "order": {"id": 7, "lines": [{"sku": "A-1", "price": 9.5}, {"sku": "B-2", "price": None}]},
    "paid": True,
    "note": "für Ada",
}
_PARTS: Final = (
    (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nA picture\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="owl.png"\r\n'
        f"Content-Type: image/png\r\n\r\n"
    ).encode()
    + b"\x89PNG\r\n\x1a\n\x00\xff"
    + f"\r\n--{BOUNDARY}--\r\n".encode()
)


def steps() -> Iterator[Step]:
    """Give the requests in the order in which they are sent."""
    yield Step("odd query", "GET", "/echo?x=1&q=a%20b&arr%5B1%5D=3&empty=&x=2&plus=a+b&u=%C3%BC")
    yield Step("no query", "GET", "/items/7")
    yield Step("json", "POST", "/echo", _JSON, b'{"name": "Ada", "age": 36}')
    yield Step("nested json", "POST", "/echo", _JSON, json.dumps(_NESTED).encode())
    yield Step("json list", "POST", "/echo", _JSON, b"[1, 2, 3]")
    yield Step("malformed json", "POST", "/echo", _JSON, b'{"name": "Ada", ')
    yield Step("form", "POST", "/echo", _FORM, b"a=1&b=two+words&a=3&empty=")
    multipart = (("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"),)
    yield Step("multipart", "POST", "/echo", multipart, _PARTS)
    binary = (("Content-Type", "application/octet-stream"),)
    yield Step("binary", "POST", "/echo", binary, bytes(range(256)))
    yield Step(
        "text", "POST", "/echo", (("Content-Type", "text/plain; charset=utf-8"),), "Grüße".encode()
    )
    yield Step("gzip answer", "GET", "/gzip", (("Accept-Encoding", "gzip"),))
    yield Step("picture", "GET", "/picture")
    yield Step("not found", "GET", "/nowhere")
    yield Step("error answer", "GET", "/failing")
    yield Step("exception", "GET", "/raising")
    yield Step("stream", "GET", "/stream")
    yield Step("head", "HEAD", "/items/7")
    yield Step("no content", "DELETE", "/items/7")
    yield Step("duplicate headers", "GET", "/cookies", (("X-Twice", "a"), ("X-Twice", "b")))
    yield Step("unicode path", "GET", "/items/%C3%BCber%20alles")
    yield Step("unread body", "POST", "/unread", _JSON, b'{"nobody": "reads this"}')
    yield Step("forwarded", "GET", "/items/7", (("X-Forwarded-For", "203.0.113.7, 10.0.0.1"),))
    yield Step("consumer one", "GET", "/items/7", (("X-Consumer", "ada"),))
    yield Step("consumer two", "GET", "/items/7", (("X-Consumer", "grace"),))


def send(step: Step, port: int) -> tuple[int, bytes]:
    """Send one request on a connection of its own; give status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(step.method, step.target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", "api.example:8080")
        connection.putheader(STEP, step.name)
        connection.putheader("User-Agent", "parity/1")
        for name, value in step.headers:
            connection.putheader(name, value)
        if step.method == "POST":
            connection.putheader("Content-Length", str(len(step.body)))
        connection.endheaders(step.body or None)
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        except http.client.IncompleteRead as error:
            # ReadMe's SDK replaces a binary body of FastAPI's by a shorter text.
            return answer.status, error.partial
    finally:
        connection.close()


GZIPPED: Final = gzip.compress(b'{"zipped": true}', mtime=0)
