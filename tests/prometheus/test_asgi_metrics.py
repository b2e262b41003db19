"""Decorators of views of FastAPI and Starlette as OpenTelemetry instruments."""

import asyncio
import contextlib
import gzip
import inspect
import re
from collections.abc import AsyncIterable, Iterable
from functools import partial
from pathlib import Path

import prometheus_client
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.responses import JSONResponse, StreamingResponse
from opentelemetry.sdk.metrics import MeterProvider
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from otel_apimetrics import ConfigError
from otel_apimetrics.prometheus import ASGIMetrics, PrometheusReader, current_request
from tests.compat.asgi_apps import ask, scraped
from tests.in_process import converse, make_scope, serve_asgi


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    made = prometheus_client.CollectorRegistry()
    monkeypatch.setattr(prometheus_client, "REGISTRY", made)
    return made


@pytest.fixture
def given():
    """A reader and its provider."""
    reader = PrometheusReader(target_info=False, created=False)
    return {
        "reader": reader,
        "meter_provider": MeterProvider([reader], shutdown_on_exit=False),
    }


@pytest.fixture
def app():
    return FastAPI()


@pytest.fixture
def metrics(app):
    return ASGIMetrics(app)


def lines(app, *names):
    """The series of some names."""
    return [line for line in scraped(app)[2].splitlines() if line.startswith(names)]


def status(response):
    return response.status_code


STATUS = {"status": status}


def test_async_and_sync_views_are_counted_with_the_response_that_goes_out(app, metrics):
    @app.post("/orders/{kind}", status_code=201)
    @metrics.counter(
        "orders", "Orders", labels={**STATUS, "type": lambda r: r.headers["content-type"]}
    )
    async def order(kind: str):
        return {"kind": kind}

    @app.get("/sync")
    @metrics.counter("syncs", "Syncs", labels=STATUS)
    def sync():
        return {"sync": True}

    assert ask(app, "POST", "/orders/books").body == b'{"kind":"books"}'
    assert ask(app, "GET", "/sync").status == 200
    assert lines(app, "orders_total", "syncs_total") == [
        'orders_total{status="201",type="application/json"} 1.0',
        'syncs_total{status="200"} 1.0',
    ]


def test_each_kind_of_metric_measures_a_view(app, metrics, registry):
    seen = []

    @app.get("/")
    @metrics.counter("calls", "Calls")
    @metrics.gauge("now", "Now")
    @metrics.histogram("seconds", "Seconds", buckets=(60,))
    @metrics.summary("sums", "Sums")
    async def view():
        seen.append(registry.get_sample_value("now"))
        return "OK"

    @app.get("/boom")
    @metrics.gauge("booming", "Now")
    async def boom():
        raise ValueError("boom")

    assert lines(app, "now", "seconds_count", "sums_count") == [
        "now 0.0", "seconds_count 0.0", "sums_count 0.0",
    ]  # fmt: skip
    ask(app, "GET", "/")
    assert isinstance(ask(app, "GET", "/boom").error, ValueError)
    assert seen == [1]
    assert lines(app, "calls_total", "now", "booming", "seconds_bucket", "sums_count") == [
        "calls_total 1.0",
        "now 0.0",
        'seconds_bucket{le="60.0"} 1.0',
        'seconds_bucket{le="+Inf"} 1.0',
        "sums_count 1.0",
        "booming 0.0",
    ]


def test_a_decorated_view_has_the_signature_that_fastapi_reads(app, metrics):
    def user(name: str = "nobody"):
        return name

    async def view(item: int, q: str | None = None, who: str = Depends(user)) -> dict:
        return {"item": item, "q": q, "who": who}

    plain = FastAPI()
    plain.get("/items/{item}")(view)
    app.get("/items/{item}")(metrics.counter("items", "Items")(metrics.do_not_track()(view)))
    assert app.openapi() == plain.openapi()
    for path, query in (("/items/1", b"q=a&name=me"), ("/items/x", b""), ("/items/2", b"")):
        theirs, ours = (
            serve_asgi(each, make_scope(path=path, query=query)) for each in (plain, app)
        )
        assert ours.sent == theirs.sent
    assert lines(app, "items_total") == ["items_total 2.0"]


POSTPONED = """
from __future__ import annotations
from typing import Annotated
from fastapi import Query, Request
class Local: pass
async def view(item: int, request: Request, q: Annotated[str, Query(max_length=3)] = "a") -> list[int]:
    return [item, len(q), len(request.method)]
"""


def test_annotations_that_are_strings_belong_to_the_module_of_the_view(app, metrics):
    module = {}
    exec(POSTPONED, module)
    plain = FastAPI()
    plain.get("/{item}")(module["view"])
    app.get("/{item}")(metrics.counter("items", "Items")(module["view"]))
    assert app.openapi() == plain.openapi()
    assert serve_asgi(app, make_scope(path="/7", query=b"q=abc")).body == b"[7,3,3]"
    assert serve_asgi(app, make_scope(path="/7", query=b"q=abcd")).status == 422


def test_a_function_stays_of_its_kind(metrics):
    async def coroutine():
        return 1

    def function():
        return 1

    def generator():
        yield 1

    async def async_generator():
        yield 1

    decorate = metrics.counter("calls", "Calls")
    assert inspect.iscoroutinefunction(decorate(coroutine))
    assert inspect.iscoroutinefunction(decorate(partial(coroutine)))
    assert inspect.isfunction(decorate(function))
    assert not inspect.iscoroutinefunction(decorate(function))
    assert inspect.isgeneratorfunction(decorate(generator))
    assert inspect.isasyncgenfunction(decorate(async_generator))
    assert decorate(function).__name__ == "function"


def test_outside_a_request_a_decorated_function_is_called_as_it_is(metrics, app):
    decorate = metrics.counter("calls", "Calls")

    async def coroutine():
        return "async"

    assert decorate(lambda: "sync")() == "sync"
    assert asyncio.run(decorate(coroutine)()) == "async"
    assert list(decorate(lambda: iter([1]))()) == [1]
    with pytest.raises(ZeroDivisionError):
        decorate(lambda: 1 / 0)()
    assert lines(app, "calls_total") == ["calls_total 0.0"]


def test_a_class_is_refused_and_its_methods_are_not(metrics, registry):
    with pytest.raises(TypeError, match="decorate its methods"):
        metrics.counter("classes", "Classes")(HTTPEndpoint)

    class Endpoint(HTTPEndpoint):
        @metrics.counter("gets", "Gets", labels=STATUS)
        async def get(self, request):
            return PlainTextResponse("made", 201)

        @metrics.counter("posts", "Posts", labels=STATUS)
        def post(self, request):
            return PlainTextResponse("made", 202)

    app = Starlette(routes=[Route("/", Endpoint)])
    metrics.init_app(app)
    for method in ("GET", "HEAD", "POST"):
        ask(app, method, "/")
    assert lines(app, "gets_total", "posts_total") == [
        'gets_total{status="201"} 2.0',
        'posts_total{status="202"} 1.0',
    ]


def test_labels_see_what_the_apps_handlers_make_of_an_exception(app, metrics):
    decorate = metrics.counter(
        "calls", "Calls", labels={**STATUS, "path": lambda: current_request().url.path}
    )

    @app.exception_handler(KeyError)
    async def handled(request, error):
        return PlainTextResponse("handled", 418)

    def raising(error):
        @decorate
        async def view():
            raise error

        return view

    app.get("/handled")(raising(KeyError("a")))
    app.get("/conflict")(raising(HTTPException(409)))
    app.get("/boom")(raising(ValueError("boom")))
    assert ask(app, "GET", "/handled").body == b"handled"
    assert ask(app, "GET", "/conflict").body == b'{"detail":"Conflict"}'
    boom = ask(app, "GET", "/boom")
    assert (boom.status, type(boom.error)) == (500, ValueError)
    assert lines(app, "calls_total") == [
        'calls_total{path="/handled",status="418"} 1.0',
        'calls_total{path="/conflict",status="409"} 1.0',
        'calls_total{path="/boom",status="500"} 1.0',
    ]


def test_labels_of_other_functions_see_what_they_return(app, metrics):
    @metrics.counter("lookups", "Lookups", labels={"kind": lambda found: type(found).__name__})
    def lookup(key):
        return {"a": 1}[key]

    @metrics.counter("failures", "Failures", labels=STATUS)
    async def refuse():
        raise HTTPException(402)

    @app.get("/{key}")
    async def view(key: str):
        with contextlib.suppress(HTTPException):
            await refuse()
        return lookup(key)

    assert ask(app, "GET", "/a").body == b"1"
    assert isinstance(ask(app, "GET", "/b").error, KeyError)
    assert lines(app, "lookups_total", "failures_total") == [
        'lookups_total{kind="int"} 1.0',
        'lookups_total{kind="Response"} 1.0',
        'failures_total{status="402"} 2.0',
    ]


@pytest.mark.swallows_errors
def test_a_label_that_raises_fails_no_response_and_is_empty(app, metrics):
    @app.get("/")
    @metrics.counter("calls", "Calls", labels={"bad": lambda r: 1 / 0, **STATUS})
    async def view():
        return "OK"

    assert ask(app, "GET", "/").status == 200
    assert lines(app, "calls_total") == ['calls_total{bad="",status="200"} 1.0']


@pytest.mark.parametrize("labels", ["team", ["team"], 1])
def test_default_labels_are_a_dictionary(labels):
    with pytest.raises(ConfigError, match="default_labels=.* is no dictionary"):
        ASGIMetrics(None, default_labels=labels)


@pytest.mark.parametrize("names", ["fastapi-instrumentator", "starlette"])
def test_two_apps_with_readers_of_their_own_show_their_own_numbers(names):
    apps = []
    for number in (1, 2):
        reader = PrometheusReader(target_info=False, created=False)
        provider = MeterProvider([reader], shutdown_on_exit=False)
        app = FastAPI()
        metrics = ASGIMetrics(app, reader=reader, meter_provider=provider, names=names)
        app.get("/")(metrics.counter("orders", "Orders")(lambda: "OK"))
        apps.append((app, number))
        for _ in range(number):
            ask(app, "GET", "/")
    total = {"starlette": "starlette_requests_total"}.get(names, "http_requests_total")
    for app, number in apps:
        assert lines(app, "orders_total") == [f"orders_total {number}.0"]
        (requests,) = [line for line in lines(app, f"{total}{{") if "/metrics" not in line]
        assert requests.endswith(f" {number}.0")


@pytest.mark.parametrize("names", ["fastapi-instrumentator", "starlette"])
def test_an_app_inside_another_shows_its_own_numbers_where_it_has_its_own_reader(names):
    inner, outer = FastAPI(), FastAPI()
    for app in (inner, outer):
        reader = PrometheusReader(target_info=False, created=False)
        provider = MeterProvider([reader], shutdown_on_exit=False)
        ASGIMetrics(app, reader=reader, meter_provider=provider, names=names)
    inner.get("/x/{y}")(lambda y: y)
    outer.mount("/sub", inner)
    ask(outer, "GET", "/sub/x/1")
    total = {"starlette": "starlette_requests_total"}.get(names, "http_requests_total")
    for path, template in (("/metrics", "/sub/x/{y}"), ("/sub/metrics", "/x/{y}")):
        found = scraped(outer, path)[2].splitlines()
        (requests,) = [line for line in found if line.startswith(total) and "x/{y}" in line]
        assert f'"{template}"' in requests
        assert requests.endswith(" 1.0")


def leave(*_):
    raise SystemExit("not from a label")


def cancel(*_):
    raise asyncio.CancelledError


@pytest.mark.swallows_errors
@pytest.mark.parametrize("label", [leave, cancel])
def test_a_label_that_wants_to_end_the_process_or_the_task_fails_no_response(app, metrics, label):
    @app.get("/")
    @metrics.counter("calls", "Calls", labels={"bad": label, **STATUS})
    async def view():
        return "OK"

    assert ask(app, "GET", "/").status == 200
    assert lines(app, "calls_total") == ['calls_total{bad="",status="200"} 1.0']


def test_dependencies_that_yield_are_told_of_exceptions_where_they_yield(app, metrics):
    told = []

    @metrics.counter("opened", "Opened")
    async def opened():
        try:
            yield "a"
        except ValueError as error:
            told.append(repr(error))
            raise

    @metrics.counter("sync_opened", "Opened")
    def sync_opened():
        try:
            yield "b"
        except ValueError as error:
            told.append(repr(error))
            raise

    @app.get("/{fails}")
    async def view(fails: bool, a=Depends(opened), b=Depends(sync_opened)):
        if fails:
            raise ValueError("boom")
        return a + b

    assert ask(app, "GET", "/false").body == b'"ab"'
    assert told == []
    assert isinstance(ask(app, "GET", "/true").error, ValueError)
    assert told == ["ValueError('boom')"] * 2
    assert lines(app, "opened_total", "sync_opened_total") == [
        "opened_total 2.0",
        "sync_opened_total 2.0",
    ]


def test_a_stream_passes_untouched_and_is_measured_when_its_view_returns(app, metrics):
    async def chunks():
        for number in range(3):
            yield str(number)

    @app.get("/")
    @metrics.counter("streams", "Streams", labels=STATUS)
    async def view():
        return StreamingResponse(chunks())

    plain = FastAPI()
    plain.get("/")(lambda: StreamingResponse(chunks()))
    assert ask(app, "GET", "/").sent == ask(plain, "GET", "/").sent
    assert lines(app, "streams_total") == ['streams_total{status="200"} 1.0']


def test_views_that_yield_answer_as_without_us(app, metrics):
    async def numbers() -> AsyncIterable[int]:
        for number in range(3):
            yield number

    def letters() -> Iterable[str]:
        yield from "abc"

    plain = FastAPI()
    for view in (numbers, letters):
        path = f"/{view.__name__}"
        plain.get(path, response_model=None)(view)
        app.get(path, response_model=None)(metrics.counter(view.__name__, "Views")(view))
        theirs, ours = ask(plain, "GET", path), ask(app, "GET", path)
        assert ours.sent == theirs.sent
        # FastAPI's older versions make nothing of an asynchronous one.
        count = float(theirs.status == 200)
        assert lines(app, f"{view.__name__}_total") == [f"{view.__name__}_total {count}"]
    assert app.openapi() == plain.openapi()


def test_a_converter_makes_what_labels_see_at_once(app):
    metrics = ASGIMetrics(app, response_converter=lambda returned: returned["kind"])

    @app.get("/")
    @metrics.counter("kinds", "Kinds", labels={"kind": str.upper})
    async def view():
        return {"kind": "book"}

    assert ask(app, "GET", "/").body == b'{"kind":"book"}'
    assert lines(app, "kinds_total") == ['kinds_total{kind="BOOK"} 1.0']


def test_information_is_a_gauge(app, metrics):
    info = metrics.info("app_info", "This app", version="1.2")
    assert lines(app, "app_info") == ['app_info{version="1.2"} 1.0']
    info.set(3)
    assert lines(app, "app_info") == ['app_info{version="1.2"} 3.0']


def test_middleware_of_functions_inside_and_outside_changes_nothing(app):
    async def passing(request, call_next):
        return await call_next(request)

    app.middleware("http")(passing)
    metrics = ASGIMetrics(app, names="fastapi-instrumentator")
    app.middleware("http")(passing)
    labels = {**STATUS, "path": lambda: current_request().url.path}
    decorate = metrics.counter("calls", "Calls", labels=labels)
    app.get("/async", status_code=201)(decorate(partial(asyncio.sleep, 0)))
    app.get("/sync")(metrics.do_not_track()(decorate(lambda: "OK")))
    assert ask(app, "GET", "/async").body == b"null"
    assert ask(app, "GET", "/sync").body == b'"OK"'
    assert lines(app, "calls_total") == [
        'calls_total{path="/async",status="201"} 1.0',
        'calls_total{path="/sync",status="200"} 1.0',
    ]
    assert lines(app, "http_requests_total")[0] == NAMES["fastapi-instrumentator"] % "/async"
    assert "/sync" not in "".join(lines(app, "http_requests_total"))


def test_a_request_leaves_nothing_for_the_garbage_collector(app, metrics):
    app.get("/")(metrics.counter("calls", "Calls")(lambda: "OK"))
    scope = make_scope()
    serve_asgi(app, scope)
    assert not any(key.startswith("otel_apimetrics") for key in scope)


def test_web_sockets_are_measured_without_a_response():
    metrics = ASGIMetrics.for_app_factory()

    @metrics.gauge("open_sockets", "Sockets")
    @metrics.counter("sockets", "Sockets", labels={"response": str})
    async def socket(websocket):
        await websocket.accept()
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/", socket)])
    metrics.init_app(app)
    scope = {**make_scope(path="/"), "type": "websocket", "subprotocols": []}
    seen = asyncio.run(converse(app, scope, [{"type": "websocket.connect"}]))
    assert [message["type"] for message in seen.sent] == ["websocket.accept", "websocket.close"]
    assert lines(app, "sockets_total", "open_sockets") == [
        "open_sockets 0.0",
        'sockets_total{response="None"} 1.0',
    ]


def test_all_routes_of_the_moment_are_measured_the_endpoint_and_mounts_included(given):
    async def view(request):
        return PlainTextResponse("OK", 201)

    app = Starlette(routes=[Route("/a/{n}", view), Mount("/m", routes=[Route("/b", view)])])
    metrics = ASGIMetrics(app, **given)
    labels = {**STATUS, "path": lambda: current_request().url.path}
    metrics.register_default(metrics.counter("by_path", "Requests", labels=labels))
    app.add_route("/later", view)
    for path in ("/a/1", "/m/b", "/later", "/nowhere", "/metrics"):
        ask(app, "GET", path)
    assert lines(app, "by_path_total") == [
        'by_path_total{path="/a/1",status="201"} 1.0',
        'by_path_total{path="/m/b",status="201"} 1.0',
        'by_path_total{path="/metrics",status="200"} 1.0',
    ]


def test_all_routes_of_fastapi_are_measured_those_of_routers_included(app, metrics):
    router = APIRouter()
    router.get("/{n}")(lambda n: n)
    app.include_router(router, prefix="/r")
    app.get("/own")(lambda: "own")
    metrics.register_default(metrics.histogram("views", "Views", labels=STATUS), app=app)
    assert ask(app, "GET", "/r/1").body == b'"1"'
    assert ask(app, "GET", "/own").body == b'"own"'
    assert lines(app, "views_count") == ['views_count{status="200"} 2.0']


NAMES = {
    "fastapi-instrumentator": 'http_requests_total{handler="%s",method="GET",status="2xx"} 1.0',
    "starlette": 'starlette_requests_total{app_name="starlette",method="GET",path="%s",status_code="200"} 1.0',
}


@pytest.mark.parametrize("names", NAMES)
def test_default_metrics_have_the_names_that_were_chosen(app, given, names):
    metrics = ASGIMetrics(app, names=names, **given)
    app.get("/seen/{n}")(lambda n: n)
    app.get("/hidden")(metrics.do_not_track()(lambda: "hidden"))
    counter = metrics.counter("calls", "Calls")
    app.get("/counted")(counter(metrics.do_not_track()(lambda: "counted")))
    app.get("/nothing")(counter(metrics.exclude_all_metrics()(lambda: "nothing")))
    for path in ("/seen/1", "/hidden", "/counted", "/nothing"):
        assert ask(app, "GET", path).status == 200
    counted = [
        line for line in lines(app, NAMES[names].partition("{")[0]) if "/metrics" not in line
    ]
    assert counted == [NAMES[names] % "/seen/{n}"]
    assert lines(app, "calls_total") == ["calls_total 1.0"]


def test_the_names_may_be_chosen_by_the_environment(app, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_NAMES", "starlette")
    assert ASGIMetrics(app).names == "starlette"
    assert ASGIMetrics(FastAPI(), names="otel", path=None).names == "otel"
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_NAMES", "flask")
    assert ASGIMetrics(FastAPI()).names == "otel"
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_NAMES", "nobody")
    with pytest.raises(ConfigError, match="fastapi-instrumentator"):
        ASGIMetrics(FastAPI())
    with pytest.raises(ConfigError, match="use one of otel"):
        ASGIMetrics(FastAPI(), names="flask")


def test_the_endpoint_is_coded_for_clients_that_take_it(app, metrics):
    metrics.counter("orders", "Orders")
    seen = ask(app, "GET", "/metrics", {"Accept-Encoding": "gzip"})
    assert (b"content-encoding", b"gzip") in seen.sent[0]["headers"]
    assert b"orders_total 0.0" in gzip.decompress(seen.body)


@pytest.mark.parametrize("option", ["group_by", "response_converter"])
def test_a_function_that_nobody_would_await_is_refused(option):
    async def awaited(request):
        return request.url.path

    with pytest.raises(ConfigError, match=f"{option} is a coroutine function.*Give a plain one"):
        ASGIMetrics(None, **{option: awaited})


def half(request):
    return request.url.path[:3]


@pytest.mark.parametrize(("group_by", "value"), [("path", "/u/1"), (half, "/u/")])
@pytest.mark.parametrize("names", NAMES)
def test_requests_may_be_grouped_otherwise(app, names, group_by, value):
    app.get("/u/{n}")(lambda n: n)
    ASGIMetrics(app, names=names, group_by=group_by)
    ask(app, "GET", "/u/1")
    assert NAMES[names] % value in scraped(app)[2]


@pytest.mark.parametrize("names", NAMES)
def test_default_labels_prefix_and_buckets_are_those_of_the_default_metrics(app, names):
    seen = []

    def kind(response):
        seen.append(response.status_code)
        return response.headers.get("x-kind", "")

    labels = {"team": "shop", "kind": kind}
    metrics = ASGIMetrics(app, names=names, prefix="p", buckets=(7,), default_labels=labels)

    @app.get("/")
    @metrics.counter("calls", "Calls")
    async def view():
        return JSONResponse("OK", headers={"X-Kind": "json"})

    ask(app, "GET", "/")
    assert seen == [200, 200], "asked once for the decorator, once for the default metrics"
    text = scraped(app)[2]
    assert 'calls_total{kind="json",team="shop"} 1.0' in text
    (bucket,) = [line for line in text.splitlines() if "_request_duration_seconds_bucket" in line and 'le="7.0"' in line and 'kind="json"' in line]  # fmt: skip
    assert bucket.startswith("p_")
    with pytest.raises(ConfigError, match="method is a label"):
        ASGIMetrics(FastAPI(), names=names, default_labels={"method": 1})


@pytest.mark.parametrize(("decorators_too", "calls"), [(True, 1), (False, 2)])
def test_excluded_paths_are_counted_by_nothing(app, decorators_too, calls):
    metrics = ASGIMetrics(
        app,
        names="fastapi-instrumentator",
        excluded_paths=["/ex", "/metrics"],
        exclude_user_defaults=decorators_too,
    )
    decorate = metrics.counter("calls", "Calls")
    app.get("/x/ex")(decorate(lambda: "seen"))
    app.get("/excluded")(decorate(lambda: "excluded"))
    ask(app, "GET", "/x/ex")
    ask(app, "GET", "/excluded")
    scraped(app)
    assert lines(app, "http_requests_total") == [NAMES["fastapi-instrumentator"] % "/x/ex"]
    assert lines(app, "calls_total") == [f"calls_total {calls}.0"]


def test_one_instance_serves_several_apps_and_counts_no_request_twice(registry):
    metrics = ASGIMetrics.for_app_factory(names="starlette")
    apps = FastAPI(), FastAPI()
    for app in apps:
        app.get("/a")(lambda: "a")
        metrics.init_app(app)
        metrics.export_defaults(app)
        ask(app, "GET", "/a")
    assert lines(apps[0], NAMES["starlette"][:30]) == [
        (NAMES["starlette"] % "/a").replace("1.0", "2.0")
    ]
    with pytest.raises(RuntimeError, match="There is no app"):
        metrics.register_endpoint("/elsewhere")


def test_the_endpoint_may_be_elsewhere_nowhere_or_closed():
    elsewhere, nowhere, closed = FastAPI(), FastAPI(), FastAPI()
    ASGIMetrics(elsewhere, path="/inner/metrics")
    ASGIMetrics(nowhere, path=None)
    ASGIMetrics(closed, authorize=lambda headers: headers.get("authorization") == "me")
    assert scraped(elsewhere, "/inner/metrics")[0] == 200
    assert scraped(nowhere)[0] == 404
    assert scraped(closed)[0] == 401
    assert scraped(closed, authorization="me")[0] == 200
    assert "/metrics" not in str(closed.openapi())


def test_group_by_and_the_provider_are_checked():
    with pytest.raises(ConfigError, match="group_by"):
        ASGIMetrics(group_by="url_rule")
    with pytest.raises(ConfigError, match="come together"):
        ASGIMetrics(reader=PrometheusReader())
    with pytest.raises(TypeError):
        ASGIMetrics(unknown=1)


def test_outside_a_request_there_is_no_current_request():
    with pytest.raises(RuntimeError, match="ASGIMetrics"):
        current_request()


def test_decorators_measure_beside_the_records_of_the_instrumentor(
    given, instrumentor, telemetry, app
):
    metrics = ASGIMetrics(app, **given)
    app.get("/a/{n}")(metrics.counter("orders", "Orders", labels=STATUS)(lambda n: n))
    instrumentor.instrument_app(
        app, tracer_provider=telemetry.tracer_provider, meter_provider=given["meter_provider"]
    )
    ask(app, "GET", "/a/1")
    scraped(app)
    assert lines(app, "orders_total") == ['orders_total{status="200"} 1.0']
    (requests,) = lines(app, "apimetrics_requests_total{")
    assert 'http_route="/a/{n}"' in requests
    assert requests.endswith(" 1.0")


def test_the_examples_of_the_page_run(given):
    page = (Path(__file__).parents[2] / "docs" / "prometheus.md").read_text()
    blocks = [
        code
        for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        if re.search("ASGIMetrics|Instrumentator|PrometheusMiddleware", code)
    ]
    assert len(blocks) == 3
    for code in blocks:
        app = FastAPI()
        # The ellipsis of the page stands for the answer.
        body = code.replace(": ...", ":\n    return limit")
        exec(body, {"app": app, "reader": given["reader"], "provider": given["meter_provider"]})
        if "/orders" in code:
            assert ask(app, "GET", "/orders/books").body == b"10"
            assert lines(app, "orders_total") == ['orders_total{kind="books"} 1.0']
        assert scraped(app)[0] == 200
