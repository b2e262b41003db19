"""A small shop in plain WSGI (PEP 3333). README.md shows how to run it.

No framework's class tells which callable is the app: the middleware in the last line does.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from email.parser import BytesParser
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs

from otel_apimetrics import ApiMetricsWSGIMiddleware, add_label, set_consumer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Answer: TypeAlias = tuple[HTTPStatus, Any]
CLIENTS = {"acme": ("Acme Corp", "enterprise"), "globex": ("Globex Ltd", "free")}
CUSTOMERS = ({"name": "Ada Lovelace", "email": "ada@example.com"},)
NOT_FOUND = HTTPStatus.NOT_FOUND, {"error": "not found"}

# The orders of one process: a real shop has a database behind its workers.
_orders: list[dict[str, Any]] = [{"id": 1, "item": "teapot", "quantity": 1}]
_lock = Lock()


def body_of(environ: "WSGIEnvironment") -> bytes:
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def json_body(environ: "WSGIEnvironment") -> dict[str, Any]:
    try:
        body = json.loads(body_of(environ))
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def create_order(environ: "WSGIEnvironment") -> Answer:
    body = json_body(environ)
    item, quantity = body.get("item"), body.get("quantity")
    # bool is an int in Python, and no quantity.
    if not isinstance(item, str) or type(quantity) is not int or not 1 <= quantity <= 100:
        return HTTPStatus.UNPROCESSABLE_ENTITY, {"error": "an item and 1 to 100 of it are needed"}
    if (client := environ.get("HTTP_X_CLIENT", "")) in CLIENTS:
        name, plan = CLIENTS[client]
        set_consumer(client, name=name, group=plan)
    add_label("order_size", "bulk" if quantity >= 10 else "single")
    with _lock:
        order = {"id": len(_orders) + 1, "item": item, "quantity": quantity}
        _orders.append(order)
    return HTTPStatus.CREATED, order


def get_order(environ: "WSGIEnvironment") -> Answer:
    order_id = environ["PATH_INFO"].removeprefix("/orders/")
    with _lock:
        found = [order for order in _orders if str(order["id"]) == order_id]
    return (HTTPStatus.OK, found[0]) if found else NOT_FOUND


def find_customers(environ: "WSGIEnvironment") -> Answer:
    query = parse_qs(environ["QUERY_STRING"])
    return HTTPStatus.OK, [who for who in CUSTOMERS if who["email"] in query.get("email", ())]


def log_in(environ: "WSGIEnvironment") -> Answer:
    # A real shop compares with a stored hash; what counts here is that neither leaves.
    if not json_body(environ).get("password"):
        return HTTPStatus.UNPROCESSABLE_ENTITY, {"error": "password: a string is needed"}
    return HTTPStatus.OK, {"token": secrets.token_urlsafe(32)}


def upload(environ: "WSGIEnvironment") -> Answer:
    head = f"Content-Type: {environ['CONTENT_TYPE']}\r\n\r\n".encode()
    form = BytesParser().parsebytes(head + body_of(environ))
    files = [part.get_payload(decode=True) or b"" for part in form.walk() if part.get_filename()]
    return HTTPStatus.CREATED, {"size": sum(map(len, files))}


def fail(_environ: "WSGIEnvironment") -> Answer:
    raise RuntimeError("The payment provider is down")


ROUTES: dict[str, Callable[["WSGIEnvironment"], Answer]] = {
    "POST /orders": create_order,
    "GET /orders/{id}": get_order,
    "GET /customers": find_customers,
    "POST /sessions": log_in,
    "POST /uploads": upload,
    "GET /fail": fail,
    "GET /healthz": lambda _environ: (HTTPStatus.OK, {"status": "ok"}),
}


def events() -> Iterator[bytes]:
    for number in range(5):
        yield f"data: {number}\n\n".encode()
        time.sleep(0.05)


def shop(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    if line == "GET /events":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return events()
    if line.startswith("GET /orders/"):
        line = "GET /orders/{id}"
    status, content = ROUTES[line](environ) if line in ROUTES else NOT_FOUND
    body = json.dumps(content).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]


app = ApiMetricsWSGIMiddleware(shop)
