"""The app in Starlette."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from tests.frameworks.cases.apps import answers, asgi, below_twice
from tests.frameworks.cases.apps.answers import ANSWERS, Answer, HandledError


def said(answer: Answer, **more: Any) -> Response:
    response = (
        Response(answer.body, answer.status, **more)
        if answer.chunks is None
        else StreamingResponse(answer.chunks(), answer.status, **more)
    )
    for name, value in answer.lines:
        response.headers.append(name, value)
    return response


async def echo(request: Request) -> Response:
    return said(answers.echoed(await request.body(), request.headers.get("content-type")))


async def count(request: Request) -> Response:
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return said(answers.counted(size))


async def part(request: Request) -> Response:
    async for piece in request.stream():
        return said(answers.counted(len(piece)))
    return said(answers.counted(0))


async def ignore(request: Request) -> Response:
    return said(answers.IGNORED)


async def refuse(request: Request) -> Response:
    return said(answers.TOO_EARLY)


async def raising(request: Request) -> Any:
    answers.raise_(request.path_params["name"])


async def aborted(request: Request) -> Response:
    raise HTTPException(403)


async def handled(request: Request, error: Exception) -> Response:
    return said(answers.HANDLED)


async def text(request: Request) -> Response:
    return said(answers.PLAIN_TEXT)


async def say(request: Request) -> Response:
    return said(ANSWERS[request.path_params["name"]])


async def caller(request: Request) -> Response:
    return said(await run_in_threadpool(answers.caller, request.path_params["name"]))


async def file(request: Request) -> Response:
    return FileResponse(answers.FILE, media_type="text/plain", headers=dict([answers.MARK]))


async def after(request: Request) -> Response:
    return said(Answer(b"before"), background=BackgroundTask(answers.background))


async def clock(request: Request) -> Response:
    return said(answers.set_clock_back())


async def health(request: Request) -> Response:
    return said(answers.HEALTHY)


async def reset(request: Request) -> Response:
    return said(Answer(b"reset"))


def item(request: Request) -> Response:
    # Not async: in a thread.
    return said(answers.item(int(request.path_params["number"])))


def build(_framework: str) -> Any:
    bodies = (echo, count, part, ignore, refuse)
    return Starlette(
        routes=[
            *(Route(f"/{body.__name__}", body, methods=["POST"]) for body in bodies),
            Route("/raise/{name}", raising),
            Route("/abort", aborted),
            Route("/text", text),
            Route("/say/{name}", say),
            Route("/caller/{name}", caller),
            Route("/file", file),
            Route("/after", after),
            Route("/clock", clock),
            Route("/health", health),
            Route("/reset/{token}", reset),
            Route("/items/{number}", item),
            Mount("/api", routes=[Mount("/v1", routes=[Route("/items/{number}", item)])]),
            Mount("/odd", app=asgi.odd),
            Mount("/twice", app=below_twice.call_asgi),
        ],
        exception_handlers={HandledError: handled},
    )
