"""A small shop in FastAPI. It tells otel-apimetrics who called; README.md shows how to run it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from threading import Lock
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, SecretStr

from otel_apimetrics import add_label, set_consumer

CLIENTS = {"acme": ("Acme Corp", "enterprise"), "globex": ("Globex Ltd", "free")}
"""Name and plan by the `x-client` header."""


class NewOrder(BaseModel):
    item: str
    quantity: int = Field(ge=1, le=100)


class Order(NewOrder):
    id: int


class Customer(BaseModel):
    name: str
    email: str


class Credentials(BaseModel):
    user: str
    password: SecretStr


class Token(BaseModel):
    token: str


class Orders:
    """The orders of one process: a real shop has a database behind its workers."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._orders: list[Order] = []

    def add(self, new: NewOrder) -> Order:
        with self._lock:
            order = Order(id=len(self._orders) + 1, item=new.item, quantity=new.quantity)
            self._orders.append(order)
        return order

    def find(self, order_id: int) -> Order | None:
        with self._lock:
            return next((order for order in self._orders if order.id == order_id), None)


app = FastAPI(title="Shop")
orders = Orders()
orders.add(NewOrder(item="teapot", quantity=1))

CUSTOMERS = (
    Customer(name="Ada Lovelace", email="ada@example.com"),
    Customer(name="Alan Turing", email="alan@example.com"),
)


@app.post("/orders", status_code=201)
def create_order(new: NewOrder, x_client: Annotated[str, Header()] = "") -> Order:
    if x_client in CLIENTS:
        name, plan = CLIENTS[x_client]
        set_consumer(x_client, name=name, group=plan)
    add_label("order_size", "bulk" if new.quantity >= 10 else "single")
    return orders.add(new)


@app.get("/orders/{order_id}")
def get_order(order_id: int) -> Order:
    order = orders.find(order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    return order


@app.get("/customers")
def find_customers(email: str = "") -> list[Customer]:
    return [customer for customer in CUSTOMERS if customer.email == email]


@app.post("/sessions")
def log_in(_credentials: Credentials) -> Token:
    # A real shop compares with a stored hash; what counts here is that neither leaves.
    return Token(token=secrets.token_urlsafe(32))


@app.post("/uploads", status_code=201)
async def upload(file: UploadFile) -> dict[str, int]:
    return {"size": len(await file.read())}


@app.get("/events")
async def stream_events() -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        for number in range(5):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(events(), media_type="text/event-stream")


@app.get("/fail")
def fail() -> dict[str, str]:
    raise RuntimeError("The payment provider is down")


@app.get("/healthz")
def check_health() -> dict[str, str]:
    return {"status": "ok"}
