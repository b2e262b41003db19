"""The handler of a request is the template of its route."""

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Match, Mount, Route

from otel_apimetrics.compat.prometheus_fastapi_instrumentator import Instrumentator
from tests.compat.asgi_apps import ask


def handlers(app, *requests, **options):
    """The handlers of requests."""
    told = []
    Instrumentator(**options).add(told.append).instrument(app)
    for each in requests:
        method, _, path = each.rpartition(" ")
        ask(app, method or "GET", path)
    return [info.modified_handler for info in told]


async def view(request):
    return PlainTextResponse("OK")


@pytest.mark.row(127)
def test_mounted_apps_have_the_templates_of_both(app):
    sub, inner = FastAPI(), FastAPI()
    sub.get("/x/{y}")(lambda y: y)
    inner.get("/{n}")(lambda n: n)
    sub.mount("/inner", inner)
    app.mount("/sub/{kind}", sub)
    app.mount("/opaque", PlainTextResponse("OK"))
    requests = ("/sub/a/x/1", "/sub/a/inner/2", "/sub/a/nowhere", "/opaque/a/b")
    assert handlers(app, *requests) == [
        "/sub/{kind}/x/{y}",
        "/sub/{kind}/inner/{n}",
        "none",
        "/opaque",
    ]


@pytest.mark.row(127)
def test_the_mount_that_matches_first_decides_as_in_starlette(registry):
    app = Starlette(routes=[Mount("/a", routes=[Route("/b", view)]), Route("/a/c", view)])
    assert ask(app, "GET", "/a/c").status == 404
    app = Starlette(routes=app.routes)
    assert handlers(app, "/a/b", "/a/c") == ["/a/b", "none"]


@pytest.mark.row(127)
def test_routes_of_a_host_have_their_templates(registry):
    app = Starlette(routes=[Host("api.example", Starlette(routes=[Route("/h/{n}", view)]))])
    assert handlers(app, "/h/1") == ["/h/{n}"]


@pytest.mark.row(127)
def test_an_app_that_is_mounted_has_its_own_templates(registry):
    sub = FastAPI()
    sub.get("/x/{y}")(lambda y: y)
    outer = Starlette(routes=[Mount("/outer", sub)])
    told = []
    Instrumentator(should_include_root_path=True).add(told.append).instrument(sub)
    ask(outer, "GET", "/outer/x/1")
    assert [info.modified_handler for info in told] == ["/x/{y}"]


@pytest.mark.row(128)
def test_included_routers_have_their_prefixes(app):
    router, inner = APIRouter(prefix="/in"), APIRouter()
    router.get("/z/{q}")(lambda q: q)
    inner.get("/{n}")(lambda n: n)
    router.include_router(inner, prefix="/deep")
    app.include_router(router, prefix="/r/{tenant}")
    assert handlers(app, "/r/t/in/z/1", "/r/t/in/deep/2", "/r/t/in") == [
        "/r/{tenant}/in/z/{q}",
        "/r/{tenant}/in/deep/{n}",
        "none",
    ]


@pytest.mark.row(129)
def test_another_method_keeps_the_template_and_another_slash_the_path(app):
    app.get("/slash/")(lambda: "slash")
    sub = FastAPI()
    sub.get("/x/")(lambda: "x")
    app.mount("/sub", sub)
    requests = ("DELETE /items/1", "/slash", "/sub/x", "/items/1/", "/nowhere/")
    assert handlers(app, *requests) == ["/items/{item}", "/slash", "/sub/x", "/items/1/", "none"]


@pytest.mark.row(129)
def test_without_redirects_another_slash_is_served_by_no_route(registry):
    app = FastAPI(redirect_slashes=False)
    app.get("/slash/")(lambda: "slash")
    assert handlers(app, "/slash") == ["none"]


@pytest.mark.row(129)
def test_an_app_without_routes_has_no_templates(registry):
    app = Starlette()
    assert handlers(app, "/a") == ["none"]


class ByHeader(Route):
    """A route of the app's own, which looks at more than the path."""

    def matches(self, scope):
        """Match requests of a version, whatever their path."""
        if (b"x-version", b"2") in scope["headers"]:
            return Match.FULL, {"endpoint": self.endpoint, "path_params": {}}
        return Match.NONE, {}


@pytest.mark.row(129)
def test_routes_of_the_apps_own_decide_for_themselves(registry):
    app = Starlette(routes=[ByHeader("/v2", view), Route("/a", view)])
    told = []
    Instrumentator().add(told.append).instrument(app)
    ask(app, "GET", "/a", {"x-version": "2"})
    ask(app, "GET", "/a")
    assert [info.modified_handler for info in told] == ["/v2", "/a"]
