"""The app in Litestar."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, Response, Router, asgi, get, post, route
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import Cookie
from litestar.exceptions import PermissionDeniedException
from litestar.response import File, Stream

from tests.frameworks.cases.apps import answers, below_twice
from tests.frameworks.cases.apps import asgi as plain
from tests.frameworks.cases.apps.answers import ANSWERS, Answer, HandledError

AnyRequest = Request[Any, Any, Any]


def said(answer: Answer, **more: Any) -> Response[Any]:
    content_type = answer.content_type
    headers: dict[str, str] = {}
    for name, value in answer.lines:
        if name not in {"Content-Type", "Set-Cookie"}:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    cookies = [
        Cookie(*value.partition("=")[::2]) for name, value in answer.headers if name == "Set-Cookie"
    ]
    more |= {
        "headers": headers,
        "cookies": cookies,
        "status_code": answer.status,
        "media_type": content_type or "application/octet-stream",
    }
    if answer.chunks is not None:
        return Stream(answer.chunks(), **more)
    return Response(answer.body, **more)


def _content_type(request: AnyRequest) -> str | None:
    return request.headers.get("content-type")


@post("/echo", status_code=200)
async def echo(request: AnyRequest) -> Response[Any]:
    return said(answers.echoed(await request.body(), _content_type(request)))


@post("/count", status_code=200)
async def count(request: AnyRequest) -> Response[Any]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return said(answers.counted(size))


@post("/part", status_code=200)
async def part(request: AnyRequest) -> Response[Any]:
    async for piece in request.stream():
        return said(answers.counted(len(piece)))
    return said(answers.counted(0))


@post("/ignore", status_code=200, sync_to_thread=False)
def ignore() -> Response[Any]:
    return said(answers.IGNORED)


@post("/refuse", sync_to_thread=True)
def refuse() -> Response[Any]:
    return said(answers.TOO_EARLY)


@get("/raise/{name:str}")
async def raising(request: AnyRequest) -> None:
    answers.raise_(request.path_params["name"])


@get("/abort")
async def aborted() -> None:
    raise PermissionDeniedException


def handled(request: AnyRequest, error: Exception) -> Response[Any]:
    return said(answers.HANDLED)


@route("/text", http_method=["GET", "HEAD"], sync_to_thread=False)
def text() -> Response[Any]:
    return said(answers.PLAIN_TEXT)


@route("/say/{name:str}", http_method=["GET", "HEAD"])
async def say(request: AnyRequest) -> Response[Any]:
    return said(ANSWERS[request.path_params["name"]])


@get("/caller/{name:str}", sync_to_thread=True)
def caller(request: AnyRequest) -> Response[Any]:
    return said(answers.caller(request.path_params["name"]))


@get("/file")
async def file() -> File:
    return File(answers.FILE, media_type="text/plain", headers=dict([answers.MARK]))


@get("/after")
async def after() -> Response[Any]:
    return said(Answer(b"before"), background=BackgroundTask(answers.background))


@get("/clock", sync_to_thread=False)
def clock() -> Response[Any]:
    return said(answers.set_clock_back())


@get("/health", sync_to_thread=False)
def health() -> Response[Any]:
    return said(answers.HEALTHY)


@get("/reset/{token:str}", sync_to_thread=False)
def reset(request: AnyRequest) -> Response[Any]:
    return said(Answer(b"reset"))


@get("/items/{number:int}", sync_to_thread=True)
def item(request: AnyRequest) -> Response[Any]:
    return said(answers.item(request.path_params["number"]))


@asgi("/odd", is_mount=True, copy_scope=True)
async def odd(scope: Any, receive: Any, send: Any) -> None:
    await plain.odd({**scope, "path": scope["path"].rstrip("/")}, receive, send)


@asgi("/twice", is_mount=True, copy_scope=True)
async def twice(scope: Any, receive: Any, send: Any) -> None:
    await below_twice.call_asgi({**scope, "path": scope["path"].rstrip("/")}, receive, send)


def build(_framework: str) -> Any:
    handlers = [
        *(echo, count, part, ignore, refuse, raising, aborted, text, say, caller),
        *(file, after, clock, health, reset, item, odd, twice),
        Router("/api", route_handlers=[Router("/v1", route_handlers=[item])]),
    ]
    return Litestar(
        handlers,
        exception_handlers={HandledError: handled},
        openapi_config=None,
        logging_config=None,
    )
