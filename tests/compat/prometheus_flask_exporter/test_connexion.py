"""Connexion's handlers, in its version 3."""

import sys
from dataclasses import dataclass
from types import ModuleType

import connexion
import pytest

from otel_apimetrics.compat.prometheus_flask_exporter import ConnexionPrometheusMetrics

LABELS = {
    "status": lambda response: response.status_code,
    "type": lambda response: response.content_type,
}


@dataclass
class Item:
    number: int


def operation(name, kind="application/json"):
    answers = {"200": {"description": "", "content": {kind: {}}}}
    return {"get": {"operationId": f"handlers.{name}", "responses": answers}}


RETURNED = {
    "data": {"a": 1},
    "made": ({"a": 1}, 201, {"X": "1"}),
    "typed": Item(3),
    "nothing": (None, 204),
    "no_content": (connexion.NoContent, 204),
    "text": "plain",
}


def served(monkeypatch, decorate):
    """Give a client of an app whose handlers are decorated."""
    handlers = ModuleType("handlers")
    monkeypatch.setitem(sys.modules, "handlers", handlers)
    app = connexion.App("shop")
    decorator = decorate(app)
    paths = {}
    for name, value in RETURNED.items():

        def handler(value=value):
            return value

        setattr(handlers, name, decorator(name, lambda handler=handler: handler()))
        kind = "text/plain" if name == "text" else "application/json"
        paths[f"/{name}"] = operation(name, kind)
    app.add_api({"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": paths})
    return app.test_client()


def told(answer):
    return answer.status_code, answer.headers.get("content-type"), answer.text


@pytest.mark.row(68)
def test_handlers_answer_as_without_us_and_labels_see_a_response(registry, monkeypatch):
    without = served(monkeypatch, lambda _app: lambda _name, handler: handler)
    before = {name: told(without.get(f"/{name}")) for name in RETURNED}

    def decorate(app):
        metrics = ConnexionPrometheusMetrics(app)

        def decorator(name, handler):
            counted = metrics.counter(name, "Calls", labels=LABELS)(handler)
            return metrics.content_type("text/plain")(counted) if name == "text" else counted

        return decorator

    client = served(monkeypatch, decorate)
    assert {name: told(client.get(f"/{name}")) for name in RETURNED} == before
    text = client.get("/metrics").text
    for line in (
        'data_total{status="200",type="application/json"} 1.0',
        'made_total{status="201",type="application/json"} 1.0',
        'typed_total{status="200",type="application/json"} 1.0',
        'nothing_total{status="204",type="application/json"} 1.0',
        'no_content_total{status="204",type="application/json"} 1.0',
        'text_total{status="200",type="text/plain; charset=utf-8"} 1.0',
        'flask_http_request_total{method="GET",status="200"} 3.0',
    ):
        assert line in text.splitlines()
