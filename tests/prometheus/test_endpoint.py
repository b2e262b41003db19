"""`/metrics` in Flask, WSGI and ASGI apps."""

import asyncio
import gzip
import re
from functools import partial
from pathlib import Path

import flask
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from otel_apimetrics import ConfigError
from otel_apimetrics.prometheus import (
    ASGIMetrics,
    FlaskMetrics,
    PrometheusReader,
    ScrapeASGIApp,
    ScrapeServer,
    ScrapeWSGIApp,
    add_route,
)
from tests.in_process import make_environ, make_scope, serve_asgi, serve_wsgi

TYPE = "text/plain; version=0.0.4; charset=utf-8"


@pytest.fixture
def reader():
    made = PrometheusReader(registry=CollectorRegistry(), target_info=False, created=False)
    provider = MeterProvider([made], shutdown_on_exit=False)
    made.provider = provider
    provider.get_meter("shop").create_counter("orders").add(1)
    return made


@pytest.fixture(params=["wsgi", "asgi", "flask"])
def ask(request, reader):
    """Ask the endpoint of either kind: status, header lines by name, body."""

    def asked(method="GET", query="", headers=None, authorize=None):
        headers = headers or {}
        if request.param == "asgi":
            app = ScrapeASGIApp(reader, authorize=authorize)
            lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            seen = serve_asgi(app, make_scope(method, query=query.encode(), headers=lines))
            shown = [(name.decode(), value.decode()) for name, value in seen.sent[0]["headers"]]
        else:
            app = ScrapeWSGIApp(reader, authorize=authorize)
            if request.param == "flask":
                app = flask.Flask("shop")
                add_route(app, reader, authorize=authorize)
            seen = serve_wsgi(app, make_environ(method, "/metrics", query=query, headers=headers))
            shown = seen.events[0][2]
        assert seen.error is None
        return seen.status, {name.lower(): value for name, value in shown}, seen.body

    return asked


def test_a_scrape_has_a_type_and_a_length_and_says_what_it_depends_on(ask):
    status, headers, body = ask()
    assert (status, headers["content-type"]) == (200, TYPE)
    assert body == b"# HELP orders_total \n# TYPE orders_total counter\norders_total 1.0\n"
    assert headers["content-length"] == str(len(body))
    assert headers["vary"] == "Accept, Accept-Encoding"


def test_a_client_chooses_format_coding_and_names(ask):
    asked = {"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"}
    _, headers, body = ask(query="name[]=orders_total&name[]=x&name=y", headers=asked)
    assert headers["content-type"].startswith("application/openmetrics-text")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body).endswith(b"# EOF\n")
    assert ask(query="name%5B%5D=unknown")[::2] == (200, b"")


@pytest.mark.parametrize("weight", ["0", " 0.000", "0."])
def test_a_client_that_gives_gzip_no_weight_gets_none(ask, weight):
    _, headers, body = ask(headers={"Accept-Encoding": f"br, GZIP ;q={weight}, identity"})
    assert "content-encoding" not in headers
    assert body.startswith(b"# HELP")
    assert ask(headers={"Accept-Encoding": "gzip;q=0.001"})[1]["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("accepts", "coded"),
    [
        ("", False),
        ("x-gzip", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity;q=1, gzip;q=0.5", False),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("gzip;level=9;q=1.0;", True),
        ("deflate, br", False),
    ],
)
def test_a_client_gets_gzip_where_it_does_not_like_plain_text_better(ask, accepts, coded):
    _, headers, _ = ask(headers={"Accept-Encoding": accepts})
    assert ("content-encoding" in headers) == coded


@pytest.mark.parametrize(
    "make", [ScrapeWSGIApp, ScrapeASGIApp, lambda one: add_route(flask.Flask("shop"), one)]
)
def test_what_is_no_reader_is_refused_at_once(reader, make):
    with pytest.raises(ConfigError, match="is no PrometheusReader"):
        make(reader.provider)


async def allow(_headers):
    return True


class Allow:
    """Is called and awaited."""

    async def __call__(self, _headers):
        return True


@pytest.mark.parametrize("authorize", [allow, partial(allow), Allow()])
def test_an_authorization_that_nobody_awaits_is_refused_at_once(reader, authorize):
    for make in (
        partial(ScrapeWSGIApp, reader),
        partial(add_route, flask.Flask("shop"), reader),
        partial(ScrapeServer, reader, port=0),
    ):
        with pytest.raises(ConfigError, match=r"authorize is a coroutine function.*plain one"):
            make(authorize=authorize)
    app = ScrapeASGIApp(reader, authorize=authorize)
    assert serve_asgi(app, make_scope()).status == 200


def test_an_authorization_that_cannot_be_called_is_refused_at_once(reader):
    for make in (
        partial(ScrapeWSGIApp, reader),
        partial(ScrapeASGIApp, reader),
        partial(ASGIMetrics, FastAPI(), registry=CollectorRegistry()),
    ):
        with pytest.raises(ConfigError, match="authorize='secret' cannot be called"):
            make(authorize="secret")


def test_a_reader_that_no_provider_was_given_says_so_once_when_it_is_scraped(caplog):
    app = flask.Flask("shop")
    forgotten = PrometheusReader(registry=CollectorRegistry())
    add_route(app, forgotten)
    assert "MeterProvider" not in caplog.text
    for _ in range(2):
        assert app.test_client().get("/metrics").status_code == 200
    assert caplog.text.count("given to no MeterProvider") == 1


def test_a_scrape_of_a_reader_that_a_provider_was_given_says_nothing(ask, caplog):
    assert ask()[0] == 200
    assert not caplog.messages


def test_several_routes_of_one_app_have_names_of_their_own(reader):
    app = flask.Flask("shop")
    FlaskMetrics(app, registry=CollectorRegistry())
    for path in ("/otel", "/more"):
        add_route(app, reader, path=path)
        with pytest.raises(AssertionError, match="prometheus_metrics"):
            add_route(app, reader, path=path)
    for path in ("/otel", "/more"):
        assert b"orders_total 1.0" in app.test_client().get(path).data
    with app.test_request_context():
        assert flask.url_for("prometheus_metrics") == "/metrics"
        assert flask.url_for("prometheus_metrics_2") == "/otel"


def test_other_methods_are_told_which_are_allowed(ask):
    status, headers, _ = ask("HEAD")
    assert (status, headers["content-type"]) == (200, TYPE)
    status, headers, _ = ask("POST")
    assert (status, {*headers["allow"].split(", ")}) == (405, {"GET", "HEAD", "OPTIONS"})
    assert ask("OPTIONS")[0] == 200


def test_who_may_not_read_reads_nothing(ask):
    def authorize(headers):
        return headers.get("authorization") == "Basic c2VjcmV0"

    status, headers, body = ask(authorize=authorize)
    assert (status, headers["www-authenticate"][:5]) == (401, "Basic")
    assert b"orders" not in body
    assert ask(authorize=authorize, headers={"Authorization": "Basic c2VjcmV0"})[0] == 200


@pytest.mark.swallows_errors
def test_an_authorization_that_raises_or_says_nothing_lets_nobody_in(ask, no_swallowed_errors):
    assert ask(authorize=lambda headers: headers["authorization"])[0] == 500
    assert ask(authorize=lambda _headers: "yes")[0] == 401
    assert [place for place, _ in no_swallowed_errors] == ["prometheus.authorize"]


@pytest.mark.swallows_errors
def test_a_scrape_that_fails_is_answered_without_its_reason(reader, ask, no_swallowed_errors):
    def fail(*_):
        raise RuntimeError("collecting password=hunter2")

    reader.scrape = fail
    assert ask()[::2] == (500, b"500 Internal Server Error\n")
    assert [place for place, _ in no_swallowed_errors] == ["prometheus.scrape"]


def test_an_authorization_may_be_a_coroutine_function_under_asgi(reader):
    async def authorize(headers):
        await asyncio.sleep(0)
        return "x-token" in headers

    app = ScrapeASGIApp(reader, authorize=authorize)
    assert serve_asgi(app, make_scope()).status == 401
    assert serve_asgi(app, make_scope(headers=[(b"x-token", b"1")])).status == 200


def test_the_endpoint_is_not_recorded_and_the_rest_of_the_app_is(reader, instrumentor, telemetry):
    options = {**telemetry.providers, "meter_provider": reader.provider, "metrics": "all"}
    wsgi = flask.Flask("shop")
    wsgi.get("/hello")(lambda: "hello")
    add_route(wsgi, reader)
    instrumentor.instrument_app(wsgi, **options)
    client = wsgi.test_client()
    asgi = Starlette(
        routes=[
            Route("/hello", lambda _request: PlainTextResponse("hello")),
            Route("/metrics", ScrapeASGIApp(reader)),
        ]
    )
    instrumentor.instrument_app(asgi, **options)
    for path in ("/hello", "/metrics"):
        assert client.get(path).status_code == 200
        assert serve_asgi(asgi, make_scope(path=path)).status == 200
    for shown in (
        client.get("/metrics").text,
        serve_asgi(asgi, make_scope(path="/metrics")).body.decode(),
    ):
        total, active = (
            [line for line in shown.splitlines() if line.startswith(f"apimetrics_{name}{{")]
            for name in ("requests_total", "active_requests")
        )
        assert [line.rpartition(" ")[2] for line in total] == ["2.0"]
        assert "/hello" in total[0]
        assert [line.rpartition(" ")[2] for line in active] == ["0.0"]


@pytest.mark.parametrize("kind", [Starlette, FastAPI])
def test_the_route_of_the_page_redirects_nobody_and_records_nothing(
    reader, kind, instrumentor, telemetry
):
    page = (Path(__file__).parents[2] / "docs" / "prometheus.md").read_text()
    (line,) = re.findall("^(.*)  # Starlette, FastAPI$", page, re.MULTILINE)
    app = kind()
    exec(line, {"app": app, "reader": reader, "ScrapeASGIApp": ScrapeASGIApp})
    options = {**telemetry.providers, "meter_provider": reader.provider, "metrics": "all"}
    instrumentor.instrument_app(app, **options)
    for _ in range(2):
        seen = serve_asgi(app, make_scope(path="/metrics"))
        assert seen.status == 200
    assert b"orders_total 1.0" in seen.body
    assert b"apimetrics_requests_total{" not in seen.body


def test_a_decorator_of_the_view_decides(reader):
    app = flask.Flask("shop")

    def login(view):
        return lambda: view() if flask.request.headers.get("X-Login") else ("log in", 403)

    add_route(app, reader, path="/internal", decorator=login)
    client = app.test_client()
    assert client.get("/internal").status_code == 403
    assert client.get("/internal", headers={"X-Login": "1"}).status_code == 200
    with app.test_request_context():
        assert flask.url_for("prometheus_metrics") == "/internal"


def test_an_asgi_endpoint_alone_serves_a_lifespan_and_refuses_websockets(reader):
    app = ScrapeASGIApp(reader)
    phases = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    seen = serve_asgi(app, {"type": "lifespan"}, phases)
    assert [message["type"] for message in seen.sent] == [
        f"{phase['type']}.complete" for phase in phases
    ]
    refused = serve_asgi(app, {"type": "websocket"}, [{"type": "websocket.connect"}])
    assert [message["type"] for message in refused.sent] == ["websocket.close"]
