"""Litestar apps, in-process."""

from typing import Any

import pytest
from litestar import Litestar, Request, Router, asgi, get, post
from litestar.params import FromPath, JSONBody

from otel_apimetrics import ApiMetricsInstrumentor, set_consumer
from otel_apimetrics.frameworks import litestar as adapter
from tests.in_process import make_scope, request_messages, serve_asgi
from tests.telemetry import Telemetry


@get("/items/{item_id:int}")
async def read(item_id: FromPath[int]) -> dict[str, int]:
    set_consumer("acme")
    return {"id": item_id}


@get("/sync", sync_to_thread=True)
def threaded() -> str:
    set_consumer("from-the-pool")
    return "x"


@get("/state")
async def state(request: Request[Any, Any, Any]) -> str:
    request.state.consumer = "from-state"
    return "x"


@get("/boom")
async def boom() -> None:
    raise ValueError("password=hunter2")


@post("/items")
async def create(data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    return data


@asgi("/mounted", is_mount=True, copy_scope=True)
async def mounted(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"m"})


def make_app() -> Litestar:
    routed = Router("/api", route_handlers=[read])
    return Litestar(
        [read, threaded, state, boom, create, routed, mounted],
        openapi_config=None,
        logging_config=None,
    )


@pytest.fixture
def app(telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor) -> Litestar:
    instrumentor.instrument(capture_body="all", **telemetry.providers)
    return make_app()


def test_one_app_can_be_instrumented_by_itself(telemetry, instrumentor):
    app = instrumentor.instrument_app(make_app(), **telemetry.providers)
    serve_asgi(app, make_scope(path="/items/7"))
    serve_asgi(make_app(), make_scope(path="/items/7"))
    assert telemetry.total() == 1


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/items/7", "/items/{item_id}"),
        ("/api/items/7", "/api/items/{item_id}"),
        ("/nowhere", None),
    ],
)
def test_the_route_is_the_frameworks_template(app, telemetry: Telemetry, path, route):
    serve_asgi(app, make_scope(path=path))
    span = telemetry.server_span
    assert span.attributes.get("http.route") == route
    assert span.attributes["apimetrics.exchange.framework"] == "litestar"
    assert telemetry.total() == 1


@pytest.mark.parametrize(
    ("path", "consumer"),
    [("/items/1", "acme"), ("/sync", "from-the-pool"), ("/state", "from-state")],
)
def test_a_consumer_is_found_wherever_the_app_says_it(app, telemetry: Telemetry, path, consumer):
    serve_asgi(app, make_scope(path=path))
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == consumer


def test_an_unhandled_exception_is_noted(app, telemetry: Telemetry):
    assert serve_asgi(app, make_scope(path="/boom")).status == 500
    span = telemetry.server_span
    assert span.attributes["http.response.status_code"] == 500
    assert span.attributes["error.type"] == "ValueError"
    assert "hunter2" not in span.to_json()


def test_a_mounted_asgi_app_is_part_of_the_one_record(app, telemetry: Telemetry):
    assert serve_asgi(app, make_scope(path="/mounted/deep")).body == b"m"
    assert telemetry.total() == 1
    assert "deep" not in str(telemetry.server_span.attributes.get("http.route"))


def test_bodies_are_captured_and_redacted(app, telemetry: Telemetry):
    scope = make_scope("POST", path="/items", headers=[(b"content-type", b"application/json")])
    seen = serve_asgi(app, scope, request_messages(b'{"password": "hunter2", "a": 1}'))
    assert b"hunter2" in seen.body
    span = telemetry.server_span
    assert '"a": 1' in span.attributes["http.request.body.content"]
    assert "hunter2" not in span.to_json()


def test_an_app_made_before_and_one_made_after_instrument_are_recorded(telemetry, instrumentor):
    before = make_app()
    instrumentor.instrument(**telemetry.providers)
    serve_asgi(before, make_scope(path="/items/1"))
    serve_asgi(make_app(), make_scope(path="/items/1"))
    assert telemetry.total() == 2


def test_uninstrument_puts_the_original_call_back(telemetry, instrumentor):
    original = vars(Litestar)["__call__"]
    instrumentor.instrument(**telemetry.providers)
    assert vars(Litestar)["__call__"] is not original
    instrumentor.uninstrument()
    assert vars(Litestar)["__call__"] is original


def test_the_route_table_is_the_apps_own():
    assert set(adapter.routes(make_app())) >= {
        "GET /items/{item_id}",
        "POST /items",
        "GET /api/items/{item_id}",
    }


def test_contribs_middleware_in_front_is_seen():
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    app = make_app()
    assert not adapter.instrumented_inside(app)
    app.asgi_handler = OpenTelemetryMiddleware(app.asgi_handler)
    assert adapter.instrumented_inside(app)


def test_litestars_own_opentelemetry_plugin_makes_the_one_span(telemetry, instrumentor):
    from litestar.plugins.opentelemetry import OpenTelemetryConfig, OpenTelemetryPlugin

    plugin = OpenTelemetryPlugin(OpenTelemetryConfig(tracer_provider=telemetry.tracer_provider))
    instrumentor.instrument(**telemetry.providers)
    app = Litestar([read], plugins=[plugin], openapi_config=None, logging_config=None)
    serve_asgi(app, make_scope(path="/items/1"))
    span = telemetry.server_span
    assert span.attributes["apimetrics.exchange.id"]
    assert span.instrumentation_scope.name != "otel_apimetrics"


def test_an_app_beside_one_with_options_of_its_own_is_served(telemetry, instrumentor):
    from flask import Flask

    instrumentor.instrument(**telemetry.providers)
    instrumentor.instrument_app(Flask("other"))
    assert serve_asgi(make_app(), make_scope(path="/items/1")).status == 200
    assert telemetry.total() == 1


def test_one_app_can_be_left_out(telemetry, instrumentor):
    instrumentor.instrument(**telemetry.providers)
    app = make_app()
    assert instrumentor.uninstrument_app(app) is app
    assert serve_asgi(app, make_scope(path="/items/1")).status == 200
    assert telemetry.total() == 0
