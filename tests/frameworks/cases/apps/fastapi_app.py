"""The app in FastAPI."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, Response

from tests.frameworks.cases.apps import answers, asgi, below_twice
from tests.frameworks.cases.apps.answers import ANSWERS, Answer, HandledError
from tests.frameworks.cases.apps.starlette_app import handled, said


def build(_framework: str) -> Any:
    app = FastAPI(exception_handlers={HandledError: handled})
    _add_bodies(app)
    _add_others(app)
    _add_routers(app)
    app.mount("/odd", asgi.odd)
    app.mount("/twice", below_twice.call_asgi)
    return app


def _add_bodies(app: FastAPI) -> None:
    @app.post("/echo")
    async def echo(request: Request) -> Response:
        return said(answers.echoed(await request.body(), request.headers.get("content-type")))

    @app.post("/count")
    async def count(request: Request) -> Response:
        size = 0
        async for piece in request.stream():
            size += len(piece)
        return said(answers.counted(size))

    @app.post("/part")
    async def part(request: Request) -> Response:
        async for piece in request.stream():
            return said(answers.counted(len(piece)))
        return said(answers.counted(0))

    @app.post("/ignore")
    def ignore() -> Response:
        return said(answers.IGNORED)

    @app.post("/refuse")
    async def refuse() -> Response:
        return said(answers.TOO_EARLY)


def _add_others(app: FastAPI) -> None:
    @app.get("/raise/{name}")
    async def raising(name: str) -> None:
        answers.raise_(name)

    @app.get("/abort")
    def aborted() -> None:
        raise HTTPException(403)

    @app.api_route("/text", methods=["GET", "HEAD"])
    def text() -> Response:
        return said(answers.PLAIN_TEXT)

    @app.api_route("/say/{name}", methods=["GET", "HEAD"])
    async def say(name: str) -> Response:
        return said(ANSWERS[name])

    @app.get("/caller/{name}")
    def caller(name: str) -> Response:
        return said(answers.caller(name))

    @app.api_route("/file", methods=["GET", "HEAD"])
    def file() -> Response:
        return FileResponse(answers.FILE, media_type="text/plain", headers=dict([answers.MARK]))

    @app.get("/after")
    def after(tasks: BackgroundTasks) -> Response:
        tasks.add_task(answers.background)
        return said(Answer(b"before"), background=tasks)

    @app.get("/clock")
    def clock() -> Response:
        return said(answers.set_clock_back())

    @app.get("/health")
    def health() -> Response:
        return said(answers.HEALTHY)

    @app.get("/reset/{token}")
    def reset(token: str) -> Response:
        return said(Answer(b"reset"))


def _add_routers(app: FastAPI) -> None:
    items = APIRouter()

    @items.get("/items/{number}")
    def item(number: int) -> Response:
        return said(answers.item(number))

    version = APIRouter(prefix="/v1")
    version.include_router(items)
    app.include_router(items)
    app.include_router(version, prefix="/api")
