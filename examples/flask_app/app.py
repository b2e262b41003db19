"""A small shop in Flask. It tells otel-apimetrics who called; README.md shows how to run it."""

import secrets
import time
from collections.abc import Iterator
from threading import Lock
from typing import Any, TypedDict

from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from otel_apimetrics import add_label, set_consumer

CLIENTS = {"acme": ("Acme Corp", "enterprise"), "globex": ("Globex Ltd", "free")}
"""Name and plan by the `x-client` header."""

CUSTOMERS = (
    {"name": "Ada Lovelace", "email": "ada@example.com"},
    {"name": "Alan Turing", "email": "alan@example.com"},
)


class Order(TypedDict):
    id: int
    item: str
    quantity: int


class Orders:
    """The orders of one process: a real shop has a database behind its workers."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._orders: list[Order] = []

    def add(self, item: str, quantity: int) -> Order:
        with self._lock:
            order = Order(id=len(self._orders) + 1, item=item, quantity=quantity)
            self._orders.append(order)
        return order

    def find(self, order_id: int) -> Order | None:
        with self._lock:
            return next((order for order in self._orders if order["id"] == order_id), None)


app = Flask(__name__)
orders = Orders()
orders.add("teapot", 1)


@app.errorhandler(HTTPException)
def answer_error(error: HTTPException) -> tuple[dict[str, Any], int]:
    return {"error": error.description}, error.code or 500


@app.post("/orders")
def create_order() -> tuple[Order, int]:
    body = request.get_json()
    if not isinstance(body, dict) or not isinstance(body.get("item"), str):
        abort(422, "item: a string is needed")
    # bool is an int in Python, and no quantity.
    if type(body.get("quantity")) is not int or not 1 <= body["quantity"] <= 100:
        abort(422, "quantity: a whole number from 1 to 100 is needed")
    client = request.headers.get("x-client", "")
    if client in CLIENTS:
        name, plan = CLIENTS[client]
        set_consumer(client, name=name, group=plan)
    add_label("order_size", "bulk" if body["quantity"] >= 10 else "single")
    return orders.add(body["item"], body["quantity"]), 201


@app.get("/orders/<int:order_id>")
def get_order(order_id: int) -> Order:
    order = orders.find(order_id)
    if order is None:
        abort(404, "no such order")
    return order


@app.get("/customers")
def find_customers() -> list[dict[str, str]]:
    email = request.args.get("email", "")
    return [customer for customer in CUSTOMERS if customer["email"] == email]


@app.post("/sessions")
def log_in() -> dict[str, str]:
    body = request.get_json()
    # A real shop compares with a stored hash; what counts here is that neither leaves.
    if not isinstance(body, dict) or not body.get("password"):
        abort(422, "password: a string is needed")
    return {"token": secrets.token_urlsafe(32)}


@app.post("/uploads")
def upload() -> tuple[dict[str, int], int]:
    return {"size": len(request.files["file"].read())}, 201


@app.get("/events")
def stream_events() -> Response:
    def events() -> Iterator[str]:
        for number in range(5):
            yield f"data: {number}\n\n"
            time.sleep(0.05)

    return Response(events(), mimetype="text/event-stream")


@app.get("/fail")
def fail() -> dict[str, str]:
    raise RuntimeError("The payment provider is down")


@app.get("/healthz")
def check_health() -> dict[str, str]:
    return {"status": "ok"}
