"""The exporter behind real apps: what a vendor gets to see of them."""

import gzip
import json

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from otel_apimetrics.exporters.apitally import ApitallySpanExporter
from otel_apimetrics.exporters.patience import Patience
from tests.in_process import make_scope, request_messages, serve_asgi
from tests.telemetry import Telemetry

CLIENT = "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9"
TOKEN = "apt_" + "a" * 24


@pytest.fixture
def made(backend):
    exporters = []

    def make(**options):
        exporters.append(ApitallySpanExporter(endpoint=backend.url, **options))
        return exporters[-1]

    yield make
    for exporter in exporters:
        exporter._patience = Patience(0.1)
        exporter._patience.end_by(0.0)
        exporter.shutdown()


def flask_app():
    import flask

    app = flask.Flask("shop")

    @app.get("/items/<int:item_id>")
    def item(item_id):
        return {"id": item_id, "password": "hunter2"}

    @app.post("/items")
    def create():
        return flask.request.get_json(), 201

    return app


def fastapi_app():
    import fastapi
    import pydantic

    class Item(pydantic.BaseModel):
        name: str
        price: float

    app = fastapi.FastAPI()

    @app.post("/items", status_code=201)
    async def create(item: Item):
        return item

    @app.get("/boom")
    async def boom():
        raise ValueError("the card 4111111111111111 boomed")

    return app


def synced(backend):
    return [r.json for r in backend.received if r.path.endswith("/sync")]


def test_a_flask_app_is_counted_exactly_though_its_traces_are_sampled_out(
    backend, made, instrumentor
):
    telemetry = Telemetry(sampler=ALWAYS_OFF)
    exporter = made(
        client_id=CLIENT, request_logs=True, capture_request_body=True, capture_response_body=True
    )
    app = flask_app()
    instrumentor.instrument_app(
        app, exporters=[exporter], identify="header:x-user", **telemetry.providers
    )
    client = app.test_client()
    for number in range(20):
        client.get(f"/items/{number}", headers={"X-User": "alice"})
    client.post("/items", json={"name": "pen", "password": "hunter2"}, headers={"X-User": "bob"})
    client.get("/nope").close()

    flush(instrumentor, app)
    assert exporter.force_flush()

    counts = {
        (each["consumer"], each["method"], each["path"]): each["request_count"]
        for message in synced(backend)
        for each in message["requests"]
    }
    assert counts == {
        ("alice", "GET", "/items/<int:item_id>"): 20,
        ("bob", "POST", "/items"): 1,
    }
    startups = [r.json for r in backend.received if r.path.endswith("/startup")]
    assert {"method": "POST", "path": "/items"} in startups[-1]["paths"]
    assert startups[-1]["client"] == "python:flask"
    logs = [gzip.decompress(r.raw) for r in backend.received if "/log?" in r.path]
    assert sum(len(log.splitlines()) for log in logs) == 22
    assert all(b"hunter2" not in log for log in logs)
    bodies = [json.loads(line) for log in logs for line in log.splitlines()]
    assert any("body" in line["request"] for line in bodies)
    assert any("body" in line["response"] for line in bodies)


def test_a_fastapi_app_tells_of_its_errors(backend, made, instrumentor, telemetry):
    from tests.exporters.apitally.otlp_reading import read, records

    exporter = made(write_token=TOKEN)
    app = fastapi_app()
    app = instrumentor.instrument_app(app, exporters=[exporter], **telemetry.providers)
    for price in (b'"much"', b"3"):
        scope = make_scope("POST", "/items", headers=[(b"content-type", b"application/json")])
        serve_asgi(app, scope, request_messages(b'{"name": "pen", "price": %s}' % price))
    serve_asgi(app, make_scope("GET", "/boom"))

    flush(instrumentor, app)
    assert exporter.force_flush()

    events = {}
    for request in backend.received:
        if request.path == "/v1/logs":
            for event in records(read(request.path, request.body)):
                events[event["eventName"]] = event["body"]
    startup = json.loads(events["apitally.app.startup"])
    assert startup["framework"] == "fastapi"
    assert {"method": "POST", "path": "/items"} in startup["paths"]
    assert {"fastapi", "starlette", "python"} <= set(startup["versions"])
    complaint = events["apitally.request.validation_error"]
    assert (complaint["source"], complaint["field"]) == ("body", "price")
    assert complaint["type"] == "float_parsing"
    crash = events["apitally.request.server_error"]
    assert crash["type"] == "builtins.ValueError"
    assert "4111111111111111" not in json.dumps(crash)
    traced = [
        record
        for request in backend.received
        if request.path == "/v1/traces"
        for record in records(read(request.path, request.body))
    ]
    assert [span["attributes"]["http.response.status_code"] for span in traced] == [422, 201, 500]


def flush(instrumentor, app):
    """Have the app's queue hand on what it has."""
    from otel_apimetrics.exporters import closing

    for queue in list(closing.queues):
        queue.flush(20)
