"""The one request that every variant serves, and its answer: an order placed in a shop."""

import json
from typing import Any

PATH = "/v1/shops/42/orders"
QUERY = "currency=EUR&notify=true"

_ITEMS = [
    {
        "sku": f"SKU-{10_000 + 7919 * index}",
        "name": name,
        "quantity": 1 + index % 3,
        "unit_price": 9.9 + 12.5 * index,
    }
    for index, name in enumerate(
        (
            "Espresso cup",
            "Saucer, set of four",
            "Filter paper",
            "Milk jug",
            "Grinder",
            "Scale",
            "Spoon",
        )
    )
]

_ORDER: dict[str, Any] = {
    "reference": "web-2026-000731",
    "customer": {
        "id": "cus_8842",
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "language": "en",
    },
    "shipping": {
        "street": "12 St James's Square",
        "city": "London",
        "zip": "SW1Y 4JH",
        "country": "GB",
        "express": False,
    },
    "items": _ITEMS,
    "notes": "Leave it with the neighbours, please.",
    "tags": ["web", "returning", "newsletter"],
}

PAYLOADS: dict[str, bytes] = {
    "secret": json.dumps({**_ORDER, "password": "correct horse battery"}).encode(),
    "clean": json.dumps({**_ORDER, "greeting": "many happy returns, A"}).encode(),
}
"""Request bodies of about 1 KB, of equal length: with one field to redact, and with none."""

_CLAIMS = (
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhY21lIiwiaWF0IjoxNzYwMDAwMDAwfQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4"
)


def headers(body: bytes) -> list[tuple[str, str]]:
    """Give the 12 headers of a browser that calls an API."""
    return [
        ("host", "api.example.com"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        ("accept", "application/json, text/plain, */*"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("accept-language", "en-GB,en;q=0.8,de;q=0.5"),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("authorization", f"Bearer {_CLAIMS}"),
        ("cookie", "theme=dark; sid=9f86d081884c7d659a2feaa0c55ad015"),
        ("origin", "https://shop.example.com"),
        ("referer", "https://shop.example.com/cart?step=3"),
        ("x-client-id", "acme"),
    ]


def answer(shop: int, order: dict[str, Any]) -> dict[str, Any]:
    """Give what the app answers: about 2 KB of JSON."""
    lines = [
        {
            **item,
            "line": number,
            "line_id": f"ln_{number:04d}{shop:04d}",
            "total": round(item["quantity"] * item["unit_price"], 2),
            "in_stock": number % 4 != 0,
            "warehouse": {"id": f"wh_{number % 3}", "name": "Rotterdam North"},
        }
        for number, item in enumerate(order["items"], 1)
    ]
    return {
        "id": "ord_01J9ZK3V5Q8R",
        "shop": shop,
        "status": "accepted",
        "reference": order["reference"],
        "customer": order["customer"],
        "shipping": order["shipping"],
        "lines": lines,
        "total": round(sum(line["total"] for line in lines), 2),
        "currency": "EUR",
        "links": {"self": "/v1/orders/ord_01J9ZK3V5Q8R", "invoice": None},
    }
