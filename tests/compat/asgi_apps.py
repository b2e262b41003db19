"""Apps that scenarios of both packages for ASGI send requests to. Imports nothing of ours."""

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from tests.in_process import make_scope, request_messages, serve_asgi


def ask(app, method, path, headers=None, body=b""):
    """Send a request, and give the conversation."""
    lines = {"content-length": str(len(body)), **(headers or {})} if body else headers or {}
    scope = make_scope(
        method,
        path,
        headers=[(name.lower().encode(), value.encode()) for name, value in lines.items()],
    )
    return serve_asgi(app, scope, request_messages(body))


def ask_all(app, *requests):
    """Send requests, each a path or a method and a path."""
    for each in requests:
        method, _, path = each.rpartition(" ")
        ask(app, method or "GET", path)


def scraped(app, path="/metrics", **headers):
    """Scrape: status, content type and text."""
    seen = ask(app, "GET", path, headers)
    told = {name.decode(): value.decode() for name, value in seen.sent[0]["headers"]}
    return [seen.status, told.get("content-type", ""), seen.body.decode()]


def fast_app():
    """Make an app of FastAPI that answers in many ways."""
    app = FastAPI()

    @app.get("/items/{item}")
    async def item(item: int):
        return {"item": item}

    @app.post("/items/{item}")
    def change(item: int, body: dict):
        return JSONResponse(body, 201)

    @app.get("/boom")
    def boom():
        raise ValueError("boom")

    @app.get("/conflict")
    async def conflict():
        raise HTTPException(409)

    @app.get("/empty")
    def empty():
        return Response(status_code=204)

    @app.get("/stream")
    def stream():
        return StreamingResponse(str(number) for number in range(3))

    @app.get("/later")
    def later():
        return JSONResponse("later", background=BackgroundTask(lambda: None))

    @app.get("/slash/")
    def slash():
        return "slash"

    router = APIRouter()

    @router.get("/z/{q}")
    async def included(q: str):
        return q

    inner = APIRouter(prefix="/deep")
    inner.get("/{n}", name="deep")(lambda n: n)
    router.include_router(inner)
    app.include_router(router, prefix="/r")

    sub = FastAPI()

    @sub.get("/x/{y}")
    async def mounted(y: str):
        return y

    sub.include_router(router, prefix="/in")
    app.mount("/sub", sub)
    app.mount("/opaque", PlainTextResponse("opaque"))
    return app


FAST = (
    "/items/1", "/items/2", "/items/2?a=b", "/items/x", "/nowhere", "/boom", "/conflict", "/empty",
    "/stream", "/later", "/slash", "/slash/", "/r/z/1", "/r/deep/2", "/sub/x/1", "/sub/in/z/3",
    "/sub/nowhere", "/sub/in/deep/4", "/opaque/any", "DELETE /items/1", "HEAD /items/1",
    "OPTIONS /items/1", "POST /sub/x/1",
)  # fmt: skip


def star_app():
    """Make an app of Starlette that answers in many ways."""

    async def view(request):
        return PlainTextResponse(str(dict(request.path_params)), headers={"X-Kind": "view"})

    def sync_view(request):
        return PlainTextResponse("sync", 201)

    async def boom(request):
        raise ValueError("boom")

    async def stream(request):
        async def chunks():
            yield "a"
            yield "b"

        return StreamingResponse(chunks())

    sub = Starlette(routes=[Route("/x/{y}", view), Mount("/more", routes=[Route("/{z}", view)])])
    return Starlette(
        routes=[
            Route("/u/{n}", view),
            Route("/sync", sync_view, methods=["GET", "POST"]),
            Route("/boom", boom),
            Route("/stream", stream),
            Route("/slash/", view),
            Mount("/sub", sub),
            Mount("/opaque", PlainTextResponse("opaque")),
            Mount("/files/{kind}", routes=[Route("/{name:path}", view)]),
        ]
    )


STAR = (
    "/u/1", "/u/2", "/sync", "POST /sync", "/boom", "/stream", "/slash", "/sub/x/1", "/sub/more/2",
    "/sub/nowhere", "/opaque/any", "/files/a/b/c", "/nowhere", "POST /u/1", "HEAD /u/1",
    "OPTIONS /u/1",
)  # fmt: skip
