"""The app in Django: its settings, URLs and views, and the router before its handler."""

from __future__ import annotations

import asyncio
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.urls import include, path

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsInstrumentor,
    ApiMetricsWSGIMiddleware,
)
from tests.frameworks.cases.apps import answers, asgi, below_twice, wsgi
from tests.frameworks.cases.apps.answers import ANSWERS, Answer, HandledError

SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": ["*"],
    "DEBUG": False,
    "LOGGING_CONFIG": None,
    "MIDDLEWARE": [f"{__name__}.handling"],
    "ROOT_URLCONF": __name__,
    "SECRET_KEY": "cases",
}


def said(answer: Answer) -> Any:
    if answer.chunks is None:
        response: Any = HttpResponse(answer.body, status=answer.status)
    else:
        response = StreamingHttpResponse(answer.chunks(), status=answer.status)
    del response.headers["Content-Type"]
    for name, value in answer.lines:
        if name == "Set-Cookie":
            key, _, content = value.partition("=")
            response.cookies[key] = content
        elif response.has_header(name):  # Django keeps one line of a name
            response.headers[name] += f", {value}"
        else:
            response.headers[name] = value
    return response


async def _each(answer: Answer) -> Any:
    for chunk in answer.chunks() if answer.chunks else ():
        yield chunk
        await asyncio.sleep(0)


def handling(get_response: Any) -> Any:
    """Be the middleware that answers for a view which raises what is known."""

    def middleware(request: Any) -> Any:
        return get_response(request)

    def process_exception(request: Any, error: Exception) -> Any:
        return said(answers.HANDLED) if isinstance(error, HandledError) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def echo(request: Any) -> Any:
    return said(answers.echoed(request.body, request.headers.get("Content-Type")))


def count(request: Any) -> Any:
    size = 0
    while piece := request.read(65536):
        size += len(piece)
    return said(answers.counted(size))


def part(request: Any) -> Any:
    return said(answers.counted(len(request.read(4))))


def ignore(request: Any) -> Any:
    return said(answers.IGNORED)


def refuse(request: Any) -> Any:
    return said(answers.TOO_EARLY)


def raising(request: Any, name: str) -> Any:
    answers.raise_(name)


def aborted(request: Any) -> Any:
    raise PermissionDenied


def text(request: Any) -> Any:
    return said(answers.PLAIN_TEXT)


def say(request: Any, name: str) -> Any:
    answer = ANSWERS[name]
    response = said(answer)
    if answer.chunks is not None and isinstance(request, ASGIRequest):
        response.streaming_content = _each(answer)
    return response


def caller(request: Any, name: str) -> Any:
    return said(answers.caller(name))


def file(request: Any) -> Any:
    headers = dict([answers.MARK])
    return FileResponse(answers.FILE.open("rb"), content_type="text/plain", headers=headers)


def after(request: Any) -> Any:
    response = said(Answer(b"before"))
    response._resource_closers.append(answers.background)
    return response


def clock(request: Any) -> Any:
    return said(answers.set_clock_back())


def health(request: Any) -> Any:
    return said(answers.HEALTHY)


def reset(request: Any, token: str) -> Any:
    return said(Answer(b"reset"))


def item(request: Any, number: int) -> Any:
    return said(answers.item(number))


items = [path("items/<int:number>", item)]
urlpatterns = [
    *(path(view.__name__, view) for view in (echo, count, part, ignore, refuse)),
    path("raise/<name>", raising),
    path("say/<name>", say),
    path("caller/<name>", caller),
    path("abort", aborted),
    path("text", text),
    path("file", file),
    path("after", after),
    path("clock", clock),
    path("health", health),
    path("reset/<token>", reset),
    *items,
    path("api/", include([path("v1/", include(items))])),
]


class Router:
    """Serves what Django cannot say beside Django: paths by their first segment."""

    def __init__(self, django_app: Any, odd: Any, twice: Any) -> None:
        self.django, self.odd, self.twice = django_app, odd, twice

    def __call__(self, asked: dict[str, Any], *rest: Any) -> Any:
        path = asked.get("PATH_INFO") or asked.get("path") or ""
        if path.startswith("/odd/"):
            return self.odd(asked, *rest)
        return (self.twice if path.startswith("/twice/") else self.django)(asked, *rest)


class AsyncRouter(Router):
    """The same where servers look whether the app is a coroutine function."""

    async def __call__(self, asked: dict[str, Any], *rest: Any) -> None:
        await super().__call__(asked, *rest)


def configure() -> None:
    """Configure Django for a process that has nothing else to do with it."""
    if not settings.configured:
        settings.configure(**SETTINGS)
        django.setup()


def build(framework: str) -> Any:
    configure()
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application

    if framework == "django-wsgi":
        return Router(get_wsgi_application(), wsgi.odd, below_twice.call_wsgi)
    return AsyncRouter(get_asgi_application(), asgi.odd, below_twice.call_asgi)


def instrument_router(router: Router, options: dict[str, Any]) -> Router:
    """Instrument Django's handler in its way, and what is beside it in that of plain apps."""
    around: Any = ApiMetricsASGIMiddleware
    if not isinstance(router, AsyncRouter):
        around = ApiMetricsWSGIMiddleware
    handler = ApiMetricsInstrumentor().instrument_app(router.django, **options)
    return type(router)(handler, around(router.odd, **options), around(router.twice, **options))
