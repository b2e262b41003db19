"""The metrics of `PrometheusMiddleware`."""

import asyncio

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from otel_apimetrics.compat.starlette_exporter import PrometheusMiddleware
from tests.compat.asgi_apps import ask
from tests.in_process import converse, make_scope, serve_asgi

LABELS = '{app_name="starlette",method="GET",path="%s",status_code="%s"}'
LE = ["0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0", "7.5", "10.0", "+Inf"]  # fmt: skip


@pytest.mark.row(201)
def test_requests_are_counted_and_timed_by_method_path_and_status(make, scrape, totals):
    make("/u/1", "/u/2", "POST /u/3")
    assert totals() == [
        f"starlette_requests_total{LABELS % ('/u/{n}', 200)} 2.0",
        f"starlette_requests_total{LABELS % ('/u/{n}', 200)} 1.0".replace("GET", "POST"),
    ]
    shown = scrape()
    name = "starlette_request_duration_seconds"
    buckets = [line for line in shown.of(f"{name}_bucket") if "GET" in line and "/u/" in line]
    assert [line.split('le="')[1].split('"')[0] for line in buckets] == LE
    assert 0 < shown[f"{name}_sum{LABELS % ('/u/{n}', 200)}"] < 5
    assert shown[f"{name}_count{LABELS % ('/u/{n}', 200)}"] == 2


@pytest.mark.row(202)
def test_requests_in_progress_are_counted_by_method(app, make, registry):
    seen = []
    labels = {"app_name": "starlette", "method": "GET"}

    async def now(request):
        seen.append(registry.get_sample_value("starlette_requests_in_progress", labels))
        raise ValueError("now")

    app.add_route("/now", now)
    make("/now")
    assert seen == [1]
    assert registry.get_sample_value("starlette_requests_in_progress", labels) == 0


@pytest.mark.row(201, 202)
def test_methods_that_nobody_has_named_are_one(make, scrape, totals):
    make("BREW /u/1", "POUR /u/1", filter_unhandled_paths=False)
    assert totals() == [
        f"starlette_requests_total{LABELS.replace('GET', '_OTHER') % ('/u/1', 405)} 2.0"
    ]
    assert scrape()['starlette_requests_in_progress{app_name="starlette",method="_OTHER"}'] == 0


@pytest.mark.row(203)
def test_an_uncaught_exception_is_a_500_and_goes_on(app, make, totals):
    def boom(request):
        raise ValueError("boom")

    app.add_route("/boom", boom)
    make()
    assert isinstance(ask(app, "GET", "/boom").error, ValueError)
    assert totals() == [f"starlette_requests_total{LABELS % ('/boom', 500)} 1.0"]


@pytest.mark.row(203)
def test_an_exception_that_a_handler_answers_has_the_handlers_status(registry, totals, make):
    app = FastAPI()
    app.exception_handler(KeyError)(lambda request, error: PlainTextResponse("handled", 418))
    app.get("/k/{key}")(lambda key: {}[key])
    make("/k/a", app=app)
    assert totals(app) == [f"starlette_requests_total{LABELS % ('/k/{key}', 418)} 1.0"]


class Silent:
    """An endpoint that answers nothing."""

    async def __call__(self, scope, receive, send):
        """Say nothing."""


@pytest.mark.row(204)
def test_a_client_that_is_gone_before_a_response_is_a_499(app, make, totals):
    app.add_route("/silent", Silent())
    make()
    serve_asgi(app, make_scope(path="/silent"), [{"type": "http.disconnect"}])
    serve_asgi(app, make_scope(path="/silent"), [{"type": "http.request"}])
    assert totals() == [
        f"starlette_requests_total{LABELS % ('/silent', status)} 1.0" for status in (499, 500)
    ]


@pytest.mark.row(204)
def test_a_request_that_is_cancelled_is_no_longer_in_progress(app, make, scrape, totals):
    async def cancelled(request):
        raise asyncio.CancelledError

    app.add_route("/cancelled", cancelled)
    make()
    assert isinstance(ask(app, "GET", "/cancelled").error, asyncio.CancelledError)
    assert totals() == []
    # The scrape that is under way.
    assert scrape()['starlette_requests_in_progress{app_name="starlette",method="GET"}'] == 1


@pytest.mark.row(205)
def test_web_sockets_are_not_counted(registry, make, scrape, totals):
    async def socket(websocket):
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/socket", socket)])
    make(app=app, filter_unhandled_paths=False)
    scope = {**make_scope(path="/socket"), "type": "websocket", "subprotocols": []}
    asyncio.run(converse(app, scope, [{"type": "websocket.connect"}]))
    assert totals(app) == []


@pytest.mark.row(222)
def test_two_apps_on_one_registry_count_together(app, make, totals):
    other = Starlette(routes=[Route("/u/{n}", lambda request: PlainTextResponse("OK"))])
    other.add_middleware(PrometheusMiddleware)
    make("/u/1")
    ask(other, "GET", "/u/1")
    assert totals() == [f"starlette_requests_total{LABELS % ('/u/{n}', 200)} 2.0"]


@pytest.mark.row(206)
def test_apps_of_other_labels_under_one_prefix_are_left_out_and_the_log_says_so(
    app, make, totals, caplog
):
    other = Starlette(routes=[Route("/u/{n}", lambda request: PlainTextResponse("OK"))])
    other.add_middleware(PrometheusMiddleware, labels={"team": "a"})
    make("/u/1")
    seen = ask(other, "GET", "/u/1")
    assert (seen.body, seen.error) == (b"OK", None)
    assert totals() == [f"starlette_requests_total{LABELS % ('/u/{n}', 200)} 1.0"]
    assert "starlette_requests_total is not measured" in caplog.text
