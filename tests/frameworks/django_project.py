"""The settings, URLs and views of a Django project, in one module."""

import asyncio

import django
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import include, path, re_path

from otel_apimetrics import set_consumer


def item(request, pk):
    set_consumer("acme")
    return HttpResponse(f"item {pk}")


async def item_async(request, pk):
    await asyncio.sleep(0)
    set_consumer("async-acme")
    return HttpResponse(f"item {pk}")


def echo(request):
    return JsonResponse({"length": len(request.body)})


def boom(request):
    raise ValueError("password=hunter2")


async def boom_async(request):
    raise ValueError("password=hunter2")


def denied(request):
    raise PermissionDenied


def stream(request):
    def chunks():
        yield b"one"
        set_consumer("streamed")
        yield b"two"

    return StreamingHttpResponse(chunks())


async def stream_async(request):
    async def chunks():
        yield b"one"
        set_consumer("streamed")
        yield b"two"

    return StreamingHttpResponse(chunks())


urlpatterns = [
    path("items/<int:pk>/", item),
    path("items-async/<int:pk>/", item_async),
    path("echo/", echo),
    path("boom/", boom),
    path("boom-async/", boom_async),
    path("denied/", denied),
    path("stream/", stream),
    path("stream-async/", stream_async),
    re_path(r"^years/(?P<pk>[0-9]{4})/$", item),
    path("api/", include(([path("things/<int:pk>/", item)], "inner"))),
]


def configure() -> None:
    """Configure Django once a process."""
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            DEBUG=False,
            LOGGING_CONFIG=None,
            MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
            ROOT_URLCONF="tests.frameworks.django_project",
            SECRET_KEY="test",
        )
        django.setup()
