"""`instrument`, `expose`, `add`, and the middleware by hand."""

import asyncio
import gzip

import pytest
from fastapi import Depends, FastAPI, HTTPException
from prometheus_client import CONTENT_TYPE_LATEST, Counter
from starlette.applications import Starlette

from otel_apimetrics.compat.prometheus_fastapi_instrumentator import Instrumentator
from otel_apimetrics.compat.prometheus_fastapi_instrumentator.metrics import Info, latency
from otel_apimetrics.compat.prometheus_fastapi_instrumentator.middleware import (
    PrometheusInstrumentatorMiddleware,
)
from tests.compat.asgi_apps import ask, scraped

TOTAL = 'http_requests_total{handler="/items/{item}",method="GET",status="2xx"}'


@pytest.mark.row(119)
def test_names_and_buckets_may_be_chosen(app, make, scrape):
    make(
        instrument={
            "metric_namespace": "shop",
            "metric_subsystem": "api",
            "latency_highr_buckets": (1, 2),
            "latency_lowr_buckets": (3, float("inf")),
        }
    )
    ask(app, "GET", "/items/1")
    shown = scrape()
    assert shown[f"shop_api_{TOTAL}"] == 1
    high, low = (
        shown.of(f"shop_api_http_request_duration_{each}seconds_bucket") for each in ("highr_", "")
    )
    assert [line.split('"')[1] for line in high] == ["1.0", "2.0", "+Inf"]
    assert [line.split('le="')[1].split('"')[0] for line in low] == ["3.0", "+Inf"]


@pytest.mark.row(119)
def test_durations_without_labels_may_be_those_of_successes(app, make, scrape):
    make(instrument={"should_only_respect_2xx_for_highr": True})
    ask(app, "GET", "/items/1")
    ask(app, "GET", "/nowhere")
    shown = scrape()
    assert shown["http_request_duration_highr_seconds_count"] == 1
    assert shown['http_request_duration_seconds_count{handler="none",method="GET"}'] == 1


@pytest.mark.row(119)
def test_several_apps_on_one_registry_are_measured_together(app, make, scrape):
    other = FastAPI()
    other.get("/items/{item}")(lambda item: item)
    make()
    Instrumentator().instrument(other)
    ask(app, "GET", "/items/1")
    ask(other, "GET", "/items/1")
    assert scrape()[TOTAL] == 2


@pytest.mark.row(119)
def test_a_request_is_counted_once_however_often_its_app_is_given(app, make, scrape):
    sub = FastAPI()
    sub.get("/items/{item}")(lambda item: item)
    app.mount("/sub", sub)
    make(should_instrument_requests_inprogress=True)
    make(should_instrument_requests_inprogress=True)
    Instrumentator().instrument(sub)
    ask(app, "GET", "/items/1")
    ask(app, "GET", "/sub/items/1")
    assert [line for line in scrape().of("http_requests_total") if "items" in line] == [
        f"{TOTAL} 1.0",
        f"{TOTAL.replace('/items', '/sub/items')} 1.0",
    ]
    assert scrape()["http_requests_inprogress"] == 1


@pytest.mark.row(119)
def test_another_metric_of_that_name_is_left_alone_and_the_log_says_so(app, make, registry, caplog):
    Counter("http_requests", "Mine", registry=registry).inc(7)
    make()
    assert ask(app, "GET", "/items/1").status == 200
    assert registry.get_sample_value("http_requests_total") == 7
    assert registry.get_sample_value("http_request_duration_highr_seconds_count") == 1
    assert "http_requests is not measured" in caplog.text


@pytest.mark.row(120)
def test_the_endpoint_shows_text_whatever_a_client_asks_for(app, make):
    make()
    for accept in ("", "application/openmetrics-text", "text/html"):
        status, kind, text = scraped(app, accept=accept)
        assert (status, kind) == (200, CONTENT_TYPE_LATEST)
        assert "# EOF" not in text
    assert ask(app, "POST", "/metrics").status == 405


@pytest.mark.row(120)
@pytest.mark.parametrize(
    ("should", "accepts", "coded"), [(1, "gzip, br", 1), (1, "br", 0), (0, "gzip", 0)]
)
def test_it_is_coded_where_both_sides_ask_for_it(app, should, accepts, coded):
    Instrumentator().instrument(app).expose(app, should_gzip=bool(should))
    seen = ask(app, "GET", "/metrics", {"accept-encoding": accepts})
    assert (seen.sent[0]["headers"].count((b"content-encoding", b"gzip"))) == coded
    body = gzip.decompress(seen.body) if coded else seen.body
    assert body.startswith(b"# HELP http_requests_total")


@pytest.mark.row(120)
def test_the_route_takes_what_fastapis_get_takes(app):
    def login():
        raise HTTPException(401)

    made = Instrumentator()
    made.expose(app, endpoint="/inner", tags=["inner"], dependencies=[Depends(login)])
    made.expose(app, endpoint="/hidden", include_in_schema=False)
    assert scraped(app, "/inner")[0] == 401
    assert scraped(app, "/hidden")[0] == 200
    assert app.openapi()["paths"]["/inner"]["get"]["tags"] == ["inner"]
    assert "/hidden" not in app.openapi()["paths"]


@pytest.mark.row(120)
def test_apps_of_starlette_show_the_metrics_too(registry):
    app = Starlette()
    Instrumentator().instrument(app).expose(app, endpoint="/m", include_in_schema=False, tags=["x"])
    scraped(app, "/m")
    assert (
        'http_requests_total{handler="/m",method="GET",status="2xx"} 1.0' in scraped(app, "/m")[2]
    )


@pytest.mark.row(121)
def test_functions_and_coroutine_functions_are_told_of_each_request(app, make, scrape):
    told = []

    async def awaited(info):
        await asyncio.sleep(0)
        told.append(info)

    made = make(None, told.append, awaited)
    app.post("/made/{n}", status_code=201)(lambda n: n)
    ask(app, "POST", "/made/1", {"x-kind": "a"})
    first, second = told
    assert first is second
    assert isinstance(first, Info)
    assert (first.request.method, first.request.headers["x-kind"]) == ("POST", "a")
    assert (first.response.status_code, first.response.headers["content-type"]) == (
        201,
        "application/json",
    )
    assert (first.method, first.modified_handler, first.modified_status) == (
        "POST",
        "/made/{n}",
        "2xx",
    )
    assert 0 < first.modified_duration_without_streaming <= first.modified_duration < 5
    assert (made.instrumentations, made.async_instrumentations) == ([told.append], [awaited])
    assert "http_requests_total" not in scrape()


@pytest.mark.row(121)
@pytest.mark.swallows_errors
def test_one_that_raises_fails_no_request_and_the_others_are_called(app, make):
    told = []

    async def awaited(info):
        raise ValueError("mine")

    make(lambda info: 1 / 0, told.append, awaited)
    seen = ask(app, "GET", "/items/1")
    assert (seen.body, seen.error, len(told)) == (b'"1"', None, 1)


@pytest.mark.row(121)
def test_a_ready_made_metric_that_is_added_twice_measures_once(app, make, scrape):
    make(latency(), latency())
    ask(app, "GET", "/items/1")
    labels = 'handler="/items/{item}",method="GET",status="2xx"'
    assert scrape()[f"http_request_duration_seconds_count{{{labels}}}"] == 1


@pytest.mark.row(122)
def test_the_middleware_may_be_added_by_hand(app, scrape):
    app.add_middleware(
        PrometheusInstrumentatorMiddleware,
        should_group_status_codes=False,
        excluded_handlers=["/metrics"],
        should_respect_env_var=True,
        custom_labels={"team": "a"},
    )
    Instrumentator().expose(app)
    ask(app, "GET", "/items/1")
    assert scrape().of("http_requests_total") == [
        'http_requests_total{handler="/items/{item}",method="GET",status="200",team="a"} 1.0'
    ]
