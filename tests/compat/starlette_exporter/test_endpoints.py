"""`handle_metrics`, `handle_openmetrics`, and the templates of routes."""

import pytest
from fastapi import APIRouter, FastAPI
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CONTENT_TYPE_LATEST, Counter
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route

from tests.compat.asgi_apps import ask, scraped
from tests.in_process import make_scope, serve_asgi


def paths(lines):
    """The paths that were counted."""
    return [line.split('path="')[1].split('"')[0] for line in lines]


async def view(request):
    return PlainTextResponse("OK")


@pytest.mark.row(220)
def test_either_format_has_an_endpoint(app, make, registry):
    Counter("orders", "Mine", registry=registry).inc(3)
    make("/u/1")
    status, kind, text = scraped(app)
    assert (status, kind) == (200, CONTENT_TYPE_LATEST)
    assert "orders_total 3.0" in text
    status, kind, text = scraped(app, "/open", accept="text/plain")
    assert (status, kind) == (200, openmetrics.CONTENT_TYPE_LATEST)
    assert "orders_total 3.0" in text
    assert text.endswith("# EOF\n")


@pytest.mark.row(220)
def test_durations_have_the_span_of_their_request_as_an_exemplar(app, make):
    make()
    tracer = TracerProvider().get_tracer("shop")
    with tracer.start_as_current_span("request") as span:
        ask(app, "GET", "/u/1")
    trace_id = f"{span.get_span_context().trace_id:032x}"
    marked = [line for line in scraped(app, "/open")[2].splitlines() if trace_id in line]
    assert len(marked) == 1
    assert marked[0].startswith("starlette_request_duration_seconds_bucket")


@pytest.mark.row(220)
def test_all_processes_are_shown_where_they_share_a_directory(app, make, monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    make("/u/1", exemplars=lambda: {"trace_id": "abc"})
    text = scraped(app)[2]
    assert 'path="/u/{n}",status_code="200"} 1.0' in text
    assert "_created" not in text
    assert (
        'path="/u/{n}",status_code="200"} 1.0 # {trace_id="abc"} 1.0 ' in scraped(app, "/open")[2]
    )


@pytest.mark.row(221)
def test_mounts_have_the_templates_of_both(registry, make, totals):
    sub = Starlette(routes=[Route("/x/{y}", view), Mount("/more", routes=[Route("/{z}", view)])])
    hosted = Starlette(routes=[Route("/h/{n}", view)])
    app = Starlette(
        routes=[
            Mount("/sub/{kind}", sub),
            Mount("/opaque", PlainTextResponse("OK")),
            Host("hosts.example", hosted),
        ]
    )
    make("/sub/a/x/1", "/sub/a/more/2", "/sub/a/nowhere", "/opaque/b", app=app)
    serve_asgi(app, {**make_scope(path="/h/1"), "headers": [(b"host", b"hosts.example")]})
    assert paths(totals(app)) == ["/sub/{kind}/x/{y}", "/sub/{kind}/more/{z}", "/opaque", "/h/{n}"]


@pytest.mark.row(221)
def test_included_routers_have_their_prefixes(registry, make, totals):
    app, sub, router, inner = FastAPI(), FastAPI(), APIRouter(prefix="/in"), APIRouter()
    router.get("/z/{q}")(lambda q: q)
    inner.get("/{n}")(lambda n: n)
    router.include_router(inner, prefix="/deep")
    app.include_router(router, prefix="/r/{tenant}")
    sub.include_router(router)
    app.mount("/sub", sub)
    make("/r/t/in/z/1", "/r/t/in/deep/2", "/sub/in/z/3", "/sub/in/deep/4", app=app)
    assert paths(totals(app)) == [
        "/r/{tenant}/in/z/{q}",
        "/r/{tenant}/in/deep/{n}",
        "/sub/in/z/{q}",
        "/sub/in/deep/{n}",
    ]


@pytest.mark.row(221)
@pytest.mark.parametrize(("group", "path"), [(True, "/u/{n}"), (False, "/u/1")])
def test_the_root_path_is_no_part_of_the_path(app, make, totals, group, path):
    make(group_paths=group)
    assert serve_asgi(app, make_scope(path="/api/u/1", root_path="/api")).status == 200
    assert paths(totals()) == [path]
