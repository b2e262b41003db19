"""Sends a realistic mixture of requests to any of the examples.

    python examples/traffic.py http://127.0.0.1:8000 --requests 48

The mixture repeats every 16 requests, so a number of requests always gives the same counts.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPSConnection
from itertools import cycle, islice
from typing import NamedTuple
from urllib.parse import urlsplit

PASSWORD = "correct horse battery staple"
"""What the clients log in with: it must be nowhere in what leaves the app."""

EVENTS = 5
"""How many events `GET /events` streams."""

_BOUNDARY = "a-boundary-in-no-file"
_FILE = b"item,quantity\n" + b"teapot,1\n" * 100
_TIMEOUT = 60.0


class Step(NamedTuple):
    """One request of the mixture."""

    consumer: str
    method: str
    path: str
    body: bytes = b""
    content_type: str = ""

    @property
    def route(self) -> str:
        """The path with its variable part named, and without the query."""
        path = self.path.partition("?")[0]
        return "/orders/{id}" if path.startswith("/orders/") else path


class Sent(NamedTuple):
    """What requests are counted by."""

    method: str
    route: str
    status: int
    consumer: str
    """The `x-client` header, "" where none was sent."""


class Answer(NamedTuple):
    """A response, read to its end."""

    status: int
    body: bytes


class BrokenStreamError(Exception):
    """The event stream ended before its last event."""


def send(base_url: str, requests: int) -> Counter[Sent]:
    """Send requests one after another, and count what was answered.

    Args:
        base_url: of the app ("http://127.0.0.1:8000"), without a slash at the end.
        requests: how many; the mixture has 16 different ones.

    Raises:
        BrokenStreamError: an event stream was cut off.
        OSError: the app cannot be reached.
    """
    counted: Counter[Sent] = Counter()
    for step in islice(cycle(MIXTURE), requests):
        answer = send_step(base_url, step)
        if step.route == "/events" and answer.body.count(b"data:") != EVENTS:
            raise BrokenStreamError(f"{step.path} had {answer.body.count(b'data:')} events")
        counted[Sent(step.method, step.route, answer.status, step.consumer)] += 1
    return counted


def send_step(base_url: str, step: Step) -> Answer:
    """Send one request and read its response to the end."""
    url = urlsplit(base_url)
    connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = connect(url.netloc, timeout=_TIMEOUT)
    try:
        body = step.body or None
        connection.request(step.method, url.path + step.path, body, _headers(step))
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


def order(quantity: int) -> tuple[bytes, str]:
    """Return body and content type of an order."""
    return _json({"item": "teapot", "quantity": quantity})


def login() -> tuple[bytes, str]:
    """Return body and content type of a login."""
    return _json({"user": "ada", "password": PASSWORD})


def upload() -> tuple[bytes, str]:
    """Return body and content type of a form with one file (RFC 7578)."""
    head = (
        f"--{_BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="orders.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    body = head.encode() + _FILE + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return body, f"multipart/form-data; boundary={_BOUNDARY}"


def _json(content: Mapping[str, object]) -> tuple[bytes, str]:
    return json.dumps(content).encode(), "application/json"


def _headers(step: Step) -> dict[str, str]:
    headers = {"User-Agent": "shop-traffic/1.0"}
    if step.consumer:
        headers["x-client"] = step.consumer
    if step.content_type:
        headers["Content-Type"] = step.content_type
    return headers


MIXTURE = (
    Step("", "GET", "/healthz"),
    Step("acme", "POST", "/sessions", *login()),
    Step("acme", "POST", "/orders", *order(2)),
    Step("acme", "GET", "/orders/1"),
    Step("globex", "POST", "/orders", *order(0)),
    Step("globex", "GET", "/orders/999999"),
    Step("globex", "GET", "/customers?email=ada@example.com"),
    Step("acme", "POST", "/uploads", *upload()),
    Step("acme", "GET", "/events"),
    Step("globex", "GET", "/fail"),
    Step("globex", "POST", "/orders", *order(25)),
    Step("acme", "GET", "/orders/1"),
    Step("acme", "GET", "/customers?email=alan@example.com"),
    Step("globex", "GET", "/orders/1"),
    Step("acme", "POST", "/orders", *order(1)),
    Step("globex", "POST", "/sessions", *login()),
)


def summary(base_url: str, counted: Counter[Sent]) -> str:
    """Return one line: how many requests, by consumer and by status."""
    consumers: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    for sent, count in counted.items():
        consumers[sent.consumer or "nobody"] += count
        statuses[sent.status] += count
    by_consumer = ", ".join(f"{name} {count}" for name, count in sorted(consumers.items()))
    by_status = ", ".join(f"{status} x {count}" for status, count in sorted(statuses.items()))
    return f"{counted.total()} requests to {base_url}: {by_consumer}; {by_status}"


def main() -> int:
    """Send what the command line asks for. Return 1 where the app fails to answer."""
    parser = argparse.ArgumentParser(description="Send a mixture of requests to an example app.")
    parser.add_argument("url", help="where the app is, such as http://127.0.0.1:8000")
    parser.add_argument("--requests", type=int, default=48, help="how many (%(default)s)")
    options = parser.parse_args()
    base_url = options.url.rstrip("/")
    try:
        counted = send(base_url, options.requests)
    except (BrokenStreamError, OSError) as error:
        print(f"traffic: {base_url}: {error}", file=sys.stderr)
        return 1
    print(summary(base_url, counted))
    return 0


if __name__ == "__main__":
    sys.exit(main())
