"""Requests of several consumers to the shop of `app.py`: good, bad, slow and odd ones."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor

CONSUMERS = ("acme", "globex", "initech", "umbrella", None)

_ORDER = json.dumps({"item": "teapot", "quantity": 1})
_BAD_ORDER = json.dumps({"quantity": 0})
_OF_EACH = (
    ("GET", "/orders/1", ""),
    ("GET", "/orders/99", ""),
    ("GET", "/orders", ""),
    ("GET", "/fail", ""),
    ("POST", "/orders", _ORDER),
    ("POST", "/orders", _BAD_ORDER),
)
_ONCE = (
    ("GET", "/events", ""),
    ("GET", "/nowhere", ""),
    ("GET", "/mute/", ""),
    ("GET", "/orders/1?odd", ""),
)
EACH_ROUND = len(_OF_EACH) * len(CONSUMERS) + len(_ONCE) + 1
"""Requests."""


def send_round(port: int) -> None:
    """Send each kind of request once, a slow one beside them."""
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(_send, port, "GET", "/reports/sales", "", {"x-client": "acme"})
        for consumer in CONSUMERS:
            for kind in _OF_EACH:
                _send(port, *kind, {"x-client": consumer} if consumer else {})
        for kind in _ONCE:
            _send(port, *kind, {})
        slow.result()


def _send(port: int, method: str, path: str, body: str, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        kind = {"content-type": "application/json"} if body else {}
        connection.request(method, path, body or None, {**headers, **kind})
        connection.getresponse().read()
    finally:
        connection.close()
