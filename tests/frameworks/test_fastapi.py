"""FastAPI apps, in-process."""

import contextvars
import json
from importlib.util import find_spec
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel

from otel_apimetrics import ApiMetricsInstrumentor, set_consumer
from otel_apimetrics.frameworks import fastapi as adapter
from tests.in_process import make_scope, request_messages, serve_asgi
from tests.telemetry import Telemetry


class Item(BaseModel):
    name: str
    price: int


def who(x_client: Annotated[str, Header()]) -> None:
    set_consumer(x_client)


async def who_async(x_client: Annotated[str, Header()]) -> None:
    set_consumer(x_client)


def make_app(**named) -> FastAPI:
    app = FastAPI(**named)
    inner = APIRouter(prefix="/inner")
    outer = APIRouter(prefix="/outer")

    @app.get("/items/{item_id}")
    async def read(item_id: int):
        return {"id": item_id}

    @app.post("/items")
    async def create(item: Item):
        return item

    @app.get("/sync", dependencies=[Depends(who)])
    def sync():
        return 1

    @app.get("/async", dependencies=[Depends(who_async)])
    async def asynchronous():
        return 1

    @app.get("/gone")
    async def gone():
        raise HTTPException(404, "not here")

    @app.get("/boom")
    async def boom():
        raise ValueError("x")

    @inner.get("/things/{thing}")
    async def thing(thing: str):
        return thing

    outer.include_router(inner)
    app.include_router(outer, prefix="/api")
    app.mount("/sub", sub_app())
    return app


def sub_app() -> FastAPI:
    sub = FastAPI()

    @sub.get("/pets/{pet}")
    async def pet(pet: str):
        return pet

    return sub


@pytest.fixture
def app(telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor) -> FastAPI:
    return instrumentor.instrument_app(make_app(), capture_body="all", **telemetry.providers)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/items/7", "/items/{item_id}"),
        ("/api/outer/inner/things/x", "/api/outer/inner/things/{thing}"),
        ("/sub/pets/rex", "/sub/pets/{pet}"),
    ],
)
def test_the_route_is_the_whole_template(app, telemetry: Telemetry, path, route):
    serve_asgi(app, make_scope(path=path))
    span = telemetry.server_span
    assert span.attributes["http.route"] == route
    assert span.name == f"GET {route}"
    assert telemetry.total() == 1


def test_the_framework_is_fastapi_whichever_way_it_was_instrumented(telemetry, instrumentor):
    serve_asgi(
        instrumentor.instrument_app(make_app(), **telemetry.providers), make_scope(path="/items/7")
    )
    assert telemetry.server_span.attributes["apimetrics.exchange.framework"] == "fastapi"


def test_the_framework_is_fastapi_under_instrument(telemetry, instrumentor):
    instrumentor.instrument(**telemetry.providers)
    serve_asgi(make_app(), make_scope(path="/items/7"))
    assert telemetry.server_span.attributes["apimetrics.exchange.framework"] == "fastapi"


def post(app, document) -> None:
    scope = make_scope("POST", path="/items", headers=[(b"content-type", b"application/json")])
    return serve_asgi(app, scope, request_messages(json.dumps(document).encode()))


@pytest.mark.parametrize("below", [False, True])
def test_validation_errors_are_noted_without_the_rejected_input(telemetry, instrumentor, below):
    app = make_app()
    if below:

        @app.middleware("http")
        async def through(request, call_next):
            return await call_next(request)

    instrumentor.instrument_app(app, **telemetry.providers)
    assert post(app, {"price": "s3cr3t-input"}).status == 422
    span = telemetry.server_span
    errors = json.loads(span.attributes["apimetrics.validation_errors"])
    assert [(e["source"], e["field"], e["type"]) for e in errors] == [
        ("body", "name", "missing"),
        ("body", "price", "int_parsing"),
    ]
    assert "s3cr3t-input" not in span.to_json()
    assert telemetry.total("apimetrics.validation_errors") == 2


def test_a_path_parameter_that_does_not_parse_is_a_validation_error(app, telemetry: Telemetry):
    serve_asgi(app, make_scope(path="/items/x"))
    (error,) = json.loads(telemetry.server_span.attributes["apimetrics.validation_errors"])
    assert error["source"] == "path"
    assert error["field"] == "item_id"


def test_validation_errors_are_bounded():
    from fastapi.exceptions import RequestValidationError

    from otel_apimetrics.frameworks.starlette import validation_errors

    items = [{"loc": (), "msg": "m" * 1000, "type": "t"}] * 500
    found = validation_errors(RequestValidationError(items))
    assert len(found) == 100
    assert len(found[0].message) == 512
    assert found[0].source == ""
    assert validation_errors(ValueError()) == ()
    assert validation_errors(None) == ()


def test_an_http_exception_is_an_answer_and_no_error(app, telemetry: Telemetry):
    serve_asgi(app, make_scope(path="/gone"))
    span = telemetry.server_span
    assert span.attributes["http.response.status_code"] == 404
    assert "error.type" not in span.attributes
    assert span.events == ()
    assert telemetry.total("apimetrics.exceptions") == 0


def test_an_unhandled_exception_is_noted(app, telemetry: Telemetry):
    serve_asgi(app, make_scope(path="/boom"))
    assert telemetry.server_span.attributes["error.type"] == "ValueError"
    assert telemetry.total("apimetrics.exceptions") == 1


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_a_consumer_set_in_a_dependency_is_found(app, telemetry: Telemetry, path):
    serve_asgi(app, make_scope(path=path, headers=[(b"x-client", b"acme")]))
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "acme"


def test_an_app_made_before_and_one_made_after_instrument_are_recorded(telemetry, instrumentor):
    before = make_app()
    instrumentor.instrument(**telemetry.providers)
    serve_asgi(before, make_scope(path="/items/1"))
    serve_asgi(make_app(), make_scope(path="/items/1"))
    assert telemetry.total() == 2
    assert len(telemetry.server_spans) == 2


def test_uninstrument_puts_the_original_call_back(telemetry, instrumentor):
    original = vars(FastAPI)["__call__"]
    instrumentor.instrument(**telemetry.providers)
    assert vars(FastAPI)["__call__"] is not original
    instrumentor.uninstrument()
    assert vars(FastAPI)["__call__"] is original


def test_the_route_table_opens_routers_and_mounts():
    assert set(adapter.routes(make_app())) >= {
        "GET /items/{item_id}",
        "POST /items",
        "GET /api/outer/inner/things/{thing}",
        "GET /sub/pets/{pet}",
    }
    assert list(adapter.routes(make_app(openapi_url=None)))


def test_the_first_request_does_not_build_the_apps_openapi_document(telemetry, instrumentor):
    # It is the app's to build: what is cached early lacks the routes that are added later.
    instrumentor.instrument(**telemetry.providers)
    app = make_app()
    serve_asgi(app, make_scope(path="/items/1"))
    assert app.openapi_schema is None


native = pytest.mark.skipif(
    find_spec("fastapi.telemetry") is None, reason="this FastAPI has no telemetry of its own"
)


@native
@pytest.mark.parametrize("by_app", [False, True])
def test_native_telemetry_makes_the_one_span_and_we_adopt_it(telemetry, instrumentor, by_app):
    app = make_app(telemetry={"tracer_provider": telemetry.tracer_provider})
    if by_app:
        instrumentor.instrument_app(app, **telemetry.providers)
    else:
        instrumentor.instrument(**telemetry.providers)
    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    parent = (b"traceparent", f"00-{trace_id}-{span_id}-01".encode())
    serve_asgi(app, make_scope(path="/items/7", headers=[parent]))
    span = telemetry.server_span
    assert span.instrumentation_scope.name != "otel_apimetrics"
    assert span.attributes["http.route"] == "/items/{item_id}"
    assert span.attributes["apimetrics.exchange.id"]
    assert f"{span.parent.span_id:016x}" == span_id


def test_a_coroutine_that_is_thrown_away_inside_native_telemetry_raises_nothing(
    telemetry, instrumentor
):
    class Never:
        def __await__(self):
            yield

    app = make_app(telemetry={"tracer_provider": telemetry.tracer_provider, "logs": False})

    @app.middleware("http")
    async def wait(request, call_next):
        await Never()

    async def bare(scope, receive, send):
        await Never()

    app.middleware_stack = bare
    instrumentor.instrument(**telemetry.providers)
    coroutine = app(make_scope(), None, None)
    contextvars.Context().run(coroutine.send, None)
    coroutine.close()
    assert telemetry.total() == 1


@native
@pytest.mark.swallows_errors
def test_an_error_of_ours_where_the_span_is_decided_leaves_the_answer(
    telemetry, instrumentor, monkeypatch, no_swallowed_errors
):
    from otel_apimetrics.frameworks import starlette

    def fail(_):
        raise RuntimeError("ours")

    app = make_app(telemetry={"tracer_provider": telemetry.tracer_provider})
    instrumentor.instrument(**telemetry.providers)
    monkeypatch.setattr(starlette, "instrumented_inside", fail)
    assert serve_asgi(app, make_scope(path="/items/7")).body == b'{"id":7}'
    assert "starlette.decide" in [place for place, _ in no_swallowed_errors]
    assert telemetry.total() == 1


def test_the_route_table_has_what_an_openapi_document_that_is_there_adds():
    app = make_app()
    app.openapi_schema = {"paths": {"/documented": {"get": {}}}}
    assert "GET /documented" in set(adapter.routes(app))
