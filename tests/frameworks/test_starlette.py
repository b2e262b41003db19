"""Starlette apps, in-process."""

import asyncio
import logging

import pytest
import starlette
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, Router, WebSocketRoute

from otel_apimetrics import ApiMetricsInstrumentor, Consumer, set_consumer
from otel_apimetrics.frameworks import starlette as adapter
from otel_apimetrics.frameworks import startup
from tests.in_process import make_scope, request_messages, serve_asgi
from tests.telemetry import Telemetry


async def item(request):
    return PlainTextResponse(str(request.path_params["id"]))


async def boom(request):
    raise ValueError("password=hunter2")


def threaded(request):
    set_consumer("from-the-pool")
    return PlainTextResponse("ok")


async def state(request):
    request.state.consumer = request.query_params["who"]
    return PlainTextResponse("ok")


async def state_object(request):
    request.state.consumer = Consumer(id="obj", group="gold")
    return PlainTextResponse("ok")


async def stream(request):
    async def chunks():
        yield b"one"
        set_consumer("streamed")
        yield b"two"

    return StreamingResponse(chunks(), media_type="text/plain")


async def raw(scope, receive, send):
    await PlainTextResponse("raw")(scope, receive, send)


async def socket(websocket):
    await websocket.accept()
    await websocket.send_text("hi")
    await websocket.close()


def make_app(**named) -> Starlette:
    return Starlette(
        routes=[
            Route("/items/{id:int}", item, methods=["GET", "POST"]),
            Route("/boom", boom),
            Route("/threaded", threaded),
            Route("/state", state),
            Route("/state-object", state_object),
            Route("/stream", stream),
            WebSocketRoute("/ws/{room}", socket),
            Mount("/v1", routes=[Mount("/in", routes=[Route("/items/{id}", item)])]),
            Mount("/apps/{tenant}", app=Starlette(routes=[Route("/x/{id}", item)])),
            Mount("/routers", app=Router([Route("/y/{id}", item)])),
            Mount("/raw", app=raw),
        ],
        **named,
    )


@pytest.fixture
def app(telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor) -> Starlette:
    return instrumentor.instrument_app(make_app(), capture_body="all", **telemetry.providers)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/items/7", "/items/{id}"),
        ("/v1/in/items/7", "/v1/in/items/{id}"),
        ("/apps/acme/x/7", "/apps/{tenant}/x/{id}"),
        ("/routers/y/7", "/routers/y/{id}"),
        ("/raw/anything/at/all", "/raw/{path}"),
        ("/nowhere", None),
        ("/v1/nowhere", None),
    ],
)
def test_the_route_is_the_frameworks_template_with_its_mounts(app, telemetry, path, route):
    serve_asgi(app, make_scope(path=path))
    span = telemetry.server_span
    if route is None:
        assert "/nowhere" not in str(span.attributes.get("http.route"))
        assert span.attributes["http.response.status_code"] == 404
    else:
        assert span.attributes["http.route"] == route
        assert span.name == f"GET {route}"


def test_a_root_path_comes_before_the_route_once(app, telemetry: Telemetry):
    serve_asgi(app, make_scope(path="/api/v1/in/items/7", root_path="/api"))
    span = telemetry.server_span
    assert span.attributes["http.route"] == "/api/v1/in/items/{id}"
    assert span.attributes["http.response.status_code"] == 200


def test_a_method_that_is_not_allowed_keeps_the_route(app, telemetry: Telemetry):
    serve_asgi(app, make_scope("DELETE", path="/items/7"))
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.status_code"] == 405
    assert attributes["http.route"] == "/items/{id}"


@pytest.mark.parametrize(
    ("path", "query", "consumer"),
    [
        ("/threaded", b"", "from-the-pool"),
        ("/state", b"who=acme", "acme"),
        ("/state-object", b"", "obj"),
        ("/stream", b"", "streamed"),
    ],
)
@pytest.mark.parametrize("below", [False, True])
def test_a_consumer_is_found_wherever_the_app_says_it(
    telemetry, instrumentor, path, query, consumer, below
):
    async def dispatch(request, call_next):
        return await call_next(request)

    middleware = [Middleware(BaseHTTPMiddleware, dispatch=dispatch)] if below else []
    app = instrumentor.instrument_app(make_app(middleware=middleware), **telemetry.providers)
    serve_asgi(app, make_scope(path=path, query=query))
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == consumer
    assert telemetry.total() == 1


@pytest.mark.parametrize("below", [False, True])
def test_an_unhandled_exception_is_noted_once(telemetry, instrumentor, below):
    async def dispatch(request, call_next):
        return await call_next(request)

    middleware = [Middleware(BaseHTTPMiddleware, dispatch=dispatch)] if below else []
    app = instrumentor.instrument_app(make_app(middleware=middleware), **telemetry.providers)
    seen = serve_asgi(app, make_scope(path="/boom"))
    assert isinstance(seen.error, ValueError)
    assert seen.status == 500
    span = telemetry.server_span
    assert span.attributes["error.type"] == "ValueError"
    assert span.attributes["http.response.status_code"] == 500
    assert [event.name for event in span.events] == ["exception"]
    assert "hunter2" not in span.to_json()
    assert telemetry.total("apimetrics.exceptions") == 1


def test_a_handler_of_its_own_for_500_has_its_answer_and_the_exception(telemetry, instrumentor):
    async def handler(request, error):
        return JSONResponse({"sorry": True}, status_code=503)

    app = make_app(exception_handlers={Exception: handler})
    instrumentor.instrument_app(app, **telemetry.providers)
    serve_asgi(app, make_scope(path="/boom"))
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.status_code"] == 503
    assert attributes["error.type"] == "ValueError"


def test_a_streamed_body_keeps_its_chunks(app, telemetry: Telemetry):
    seen = serve_asgi(app, make_scope(path="/stream"))
    assert [m.get("body") for m in seen.sent[1:]] == [b"one", b"two", b""]
    assert telemetry.server_span.attributes["http.response.body.content"] == "onetwo"


def test_a_compressed_body_is_captured_in_the_clear(telemetry, instrumentor):
    text = "a password=hunter2 " + "clear text " * 100

    async def big(request):
        return PlainTextResponse(text)

    app = Starlette(routes=[Route("/", big)], middleware=[Middleware(GZipMiddleware)])
    instrumentor.instrument_app(app, capture_body="all", **telemetry.providers)
    seen = serve_asgi(app, make_scope(headers=[(b"accept-encoding", b"gzip")]))
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.body.size"] == len(seen.body) < len(text)
    assert "clear text clear text" in attributes["http.response.body.content"]
    assert "hunter2" not in attributes["http.response.body.content"]


def test_a_background_task_runs_after_the_record(telemetry, instrumentor):
    counts = []

    def later():
        counts.append(telemetry.total())

    async def endpoint(request):
        return PlainTextResponse("x", background=BackgroundTask(later))

    app = instrumentor.instrument_app(
        Starlette(routes=[Route("/", endpoint)]), **telemetry.providers
    )
    serve_asgi(app, make_scope())
    assert counts == [1]


def test_a_websocket_has_its_route_and_status(app, telemetry: Telemetry):
    scope = make_scope(path="/ws/lobby", type="websocket")
    serve_asgi(app, scope, [{"type": "websocket.connect"}])
    attributes = telemetry.server_span.attributes
    assert attributes["http.route"] == "/ws/{room}"
    assert attributes["http.response.status_code"] == 101
    assert attributes["apimetrics.websocket.messages_sent"] == 1


def test_an_app_made_before_and_one_made_after_instrument_are_recorded(telemetry, instrumentor):
    before = make_app()
    instrumentor.instrument(**telemetry.providers)
    after = make_app()
    serve_asgi(before, make_scope(path="/items/1"))
    serve_asgi(after, make_scope(path="/items/1"))
    assert telemetry.total() == 2
    instrumentor.uninstrument()
    serve_asgi(before, make_scope(path="/items/1"))
    assert telemetry.total() == 2


def test_uninstrument_puts_the_original_methods_back(telemetry, instrumentor):
    methods = [
        (Starlette, "__call__"),
        (Route, "handle"),
        (WebSocketRoute, "handle"),
        (Mount, "handle"),
    ]
    originals = [vars(cls)[name] for cls, name in methods]
    instrumentor.instrument(**telemetry.providers)
    assert all(vars(c)[n] is not o for (c, n), o in zip(methods, originals, strict=True))
    instrumentor.uninstrument()
    assert all(vars(c)[n] is o for (c, n), o in zip(methods, originals, strict=True))


def test_one_app_can_be_left_out(telemetry, instrumentor):
    instrumentor.instrument(**telemetry.providers)
    app = make_app()
    assert instrumentor.uninstrument_app(app) is app
    assert serve_asgi(app, make_scope(path="/items/1")).body == b"1"
    assert telemetry.total() == 0


def test_the_route_table_opens_mounts_and_routers():
    assert set(adapter.routes(make_app())) >= {
        "GET /items/{id:int}",
        "POST /items/{id:int}",
        "GET /v1/in/items/{id}",
        "GET /apps/{tenant}/x/{id}",
    }


def test_a_mount_of_itself_ends():
    mount = Mount("/a", routes=[Route("/b", item)])
    mount.routes.append(mount)
    assert "GET /a/a/b" in set(adapter.routes(Starlette(routes=[mount])))


def test_contribs_middleware_is_seen_wherever_it_is():
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    plain = make_app()
    assert not adapter.instrumented_inside(plain)
    by_hand = make_app(middleware=[Middleware(GZipMiddleware), Middleware(OpenTelemetryMiddleware)])
    assert adapter.instrumented_inside(by_hand)
    flagged = make_app()
    flagged._is_instrumented_by_opentelemetry = True
    assert adapter.instrumented_inside(flagged)
    stacked = make_app()
    stacked.middleware_stack = OpenTelemetryMiddleware(stacked)
    assert adapter.instrumented_inside(stacked)


def test_contribs_middleware_inside_makes_the_one_span_and_nobody_ends_it_twice(
    telemetry, instrumentor, caplog
):
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    app = make_app(
        middleware=[Middleware(OpenTelemetryMiddleware, tracer_provider=telemetry.tracer_provider)]
    )
    instrumentor.instrument_app(app, **telemetry.providers)
    with caplog.at_level(logging.WARNING):
        serve_asgi(app, make_scope(path="/stream"))
    assert telemetry.server_span.attributes["http.route"] == "/stream"
    assert telemetry.server_span.attributes["apimetrics.exchange.framework"] == "starlette"
    assert caplog.records == []


def test_two_hundred_requests_at_once_keep_their_consumers_apart(telemetry, instrumentor):
    from tests.in_process import converse

    everyone = asyncio.Event()
    arrived = []

    async def endpoint(request):
        arrived.append(1)
        if len(arrived) == 200:
            everyone.set()
        await everyone.wait()
        request.state.consumer = request.query_params["who"]
        return PlainTextResponse("x")

    async def dispatch(request, call_next):
        return await call_next(request)

    app = Starlette(
        routes=[Route("/", endpoint)],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=dispatch)],
    )
    instrumentor.instrument_app(app, **telemetry.providers)

    async def main():
        await asyncio.gather(
            *(converse(app, make_scope(query=f"who=c{n}".encode())) for n in range(200))
        )

    asyncio.run(main())
    spans = telemetry.server_spans
    assert len(spans) == 200
    assert all(
        f"who={s.attributes['apimetrics.consumer.id']}" == s.attributes["url.query"] for s in spans
    )


def test_a_request_body_read_below_a_middleware_is_captured(app, telemetry: Telemetry):
    async def echo(request):
        return PlainTextResponse(await request.body())

    app.router.routes.append(Route("/echo", echo, methods=["POST"]))
    scope = make_scope("POST", path="/echo", headers=[(b"content-type", b"text/plain")])
    assert serve_asgi(app, scope, request_messages(b"a", b"b")).body == b"ab"
    assert telemetry.server_span.attributes["http.request.body.content"] == "ab"


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    ("target", "place"), [("_note_route", "starlette.route"), ("template", "asgi.start")]
)
def test_an_error_of_ours_at_a_route_leaves_the_answer(
    telemetry, instrumentor, monkeypatch, no_swallowed_errors, target, place
):
    def fail(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr(adapter, target, fail)
    app = instrumentor.instrument_app(make_app(), **telemetry.providers)
    assert serve_asgi(app, make_scope(path="/items/7")).body == b"7"
    assert place in [found for found, _ in no_swallowed_errors]
    assert telemetry.total() == 1


@pytest.mark.swallows_errors
def test_an_error_of_ours_at_validation_errors_leaves_the_answer(
    telemetry, instrumentor, monkeypatch, no_swallowed_errors
):
    async def refuse(request):
        return PlainTextResponse("no", status_code=422)

    def fail(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr(adapter, "validation_errors", fail)
    app = Starlette(routes=[Route("/", refuse)])
    instrumentor.instrument_app(app, **telemetry.providers)
    assert serve_asgi(app, make_scope()).status == 422
    assert no_swallowed_errors
    assert telemetry.total() == 1


def test_the_version_is_read_when_an_app_is_instrumented_and_in_no_request(telemetry, instrumentor):
    startup.version_of.cache_clear()
    app = instrumentor.instrument_app(Starlette(), **telemetry.providers)
    read = startup.version_of.cache_info()
    assert startup.version_of("starlette") == starlette.__version__
    serve_asgi(app, make_scope())
    told = startup.version_of.cache_info()
    assert told.misses == read.misses
    assert told.hits == read.hits + 2
    assert startup.version_of("no-such-distribution") is None
