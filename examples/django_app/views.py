"""A small shop in Django. It tells otel-apimetrics who called; README.md shows how to run it."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from threading import Lock
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET, require_POST

from otel_apimetrics import add_label, set_consumer

CLIENTS = {"acme": ("Acme Corp", "enterprise"), "globex": ("Globex Ltd", "free")}
"""Name and plan by the `x-client` header."""

CUSTOMERS = (
    {"name": "Ada Lovelace", "email": "ada@example.com"},
    {"name": "Alan Turing", "email": "alan@example.com"},
)

_lock = Lock()
_orders: list[dict[str, Any]] = [{"id": 1, "item": "teapot", "quantity": 1}]
"""The orders of one process: a real shop has a database behind its workers."""


def json_body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def refuse(status: int, message: str) -> JsonResponse:
    return JsonResponse({"error": message}, status=status)


@require_POST
def create_order(request: HttpRequest) -> JsonResponse:
    body = json_body(request)
    item, quantity = body.get("item"), body.get("quantity")
    if not isinstance(item, str):
        return refuse(422, "item: a string is needed")
    # bool is an int in Python, and no quantity.
    if type(quantity) is not int or not 1 <= quantity <= 100:
        return refuse(422, "quantity: a whole number from 1 to 100 is needed")
    client = request.headers.get("x-client", "")
    if client in CLIENTS:
        name, plan = CLIENTS[client]
        set_consumer(client, name=name, group=plan)
    add_label("order_size", "bulk" if quantity >= 10 else "single")
    with _lock:
        order = {"id": len(_orders) + 1, "item": item, "quantity": quantity}
        _orders.append(order)
    return JsonResponse(order, status=201)


@require_GET
def get_order(_request: HttpRequest, order_id: int) -> JsonResponse:
    with _lock:
        order = next((order for order in _orders if order["id"] == order_id), None)
    return refuse(404, "no such order") if order is None else JsonResponse(order)


@require_GET
def find_customers(request: HttpRequest) -> JsonResponse:
    email = request.GET.get("email", "")
    found = [customer for customer in CUSTOMERS if customer["email"] == email]
    return JsonResponse(found, safe=False)


@require_POST
def log_in(request: HttpRequest) -> JsonResponse:
    # A real shop compares with a stored hash; what counts here is that neither leaves.
    if not json_body(request).get("password"):
        return refuse(422, "password: a string is needed")
    return JsonResponse({"token": secrets.token_urlsafe(32)})


@require_POST
def upload(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"size": request.FILES["file"].size}, status=201)


@require_GET
def stream_events(request: HttpRequest) -> StreamingHttpResponse:
    # Django buffers a plain iterator under ASGI, and an asynchronous one under WSGI.
    stream = events_async() if isinstance(request, ASGIRequest) else events()
    return StreamingHttpResponse(stream, content_type="text/event-stream")


def events() -> Iterator[str]:
    for number in range(5):
        yield f"data: {number}\n\n"
        time.sleep(0.05)


async def events_async() -> AsyncIterator[str]:
    for number in range(5):
        yield f"data: {number}\n\n"
        await asyncio.sleep(0.05)


@require_GET
def fail(_request: HttpRequest) -> JsonResponse:
    raise RuntimeError("The payment provider is down")


@require_GET
def check_health(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})
