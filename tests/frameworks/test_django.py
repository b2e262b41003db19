"""Django's WSGI and ASGI handlers, in-process."""

import asyncio
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent

import pytest

from otel_apimetrics import ApiMetricsInstrumentor, ConfigError
from otel_apimetrics.frameworks import django as adapter
from tests.frameworks import django_project
from tests.in_process import converse, make_environ, make_scope, serve_asgi, serve_wsgi
from tests.one_span.processes import ROOT
from tests.telemetry import Telemetry

django_project.configure()

from django.contrib.staticfiles.handlers import (  # noqa: E402
    ASGIStaticFilesHandler,
    StaticFilesHandler,
)
from django.core.asgi import get_asgi_application  # noqa: E402  needs the settings
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.core.handlers.base import BaseHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.test import override_settings  # noqa: E402


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL, "django.request")


@pytest.fixture(params=["wsgi", "asgi"])
def ask(request, telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor):
    """Serve one request to the handler of either kind: status and body."""
    if request.param == "wsgi":
        wsgi = instrumentor.instrument_app(
            get_wsgi_application(), capture_body="all", **telemetry.providers
        )

        def over_wsgi(path, prefix=""):
            seen = serve_wsgi(wsgi, make_environ(path=path, SCRIPT_NAME=prefix))
            return seen.status, seen.body

        return over_wsgi
    asgi = instrumentor.instrument_app(
        get_asgi_application(), capture_body="all", **telemetry.providers
    )

    def over_asgi(path, prefix=""):
        seen = serve_asgi(asgi, make_scope(path=prefix + path, root_path=prefix))
        return seen.status, seen.body

    return over_asgi


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/items/7/", "/items/<int:pk>/"),
        ("/items-async/7/", "/items-async/<int:pk>/"),
        ("/api/things/7/", "/api/things/<int:pk>/"),
        ("/years/2026/", "/years/(?P<pk>[0-9]{4})/$"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/mnt"])
def test_the_route_is_the_one_that_django_resolved(ask, telemetry, path, route, prefix):
    assert ask(path, prefix)[0] == 200
    span = telemetry.server_span
    assert span.attributes["http.route"] == prefix + route
    assert span.name == f"GET {prefix}{route}"
    assert span.attributes["apimetrics.exchange.framework"] == "django"
    assert telemetry.total() == 1


def test_a_path_without_a_view_has_no_route(ask, telemetry: Telemetry):
    assert ask("/nowhere/")[0] == 404
    assert "http.route" not in telemetry.server_span.attributes
    assert "error.type" not in telemetry.server_span.attributes


@pytest.mark.parametrize(
    ("path", "consumer"),
    [
        ("/items/1/", "acme"),
        ("/items-async/1/", "async-acme"),
    ],
)
def test_a_consumer_set_in_a_view_is_found(ask, telemetry: Telemetry, path, consumer):
    ask(path)
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == consumer


@pytest.mark.parametrize("path", ["/boom/", "/boom-async/"])
def test_an_exception_that_django_answers_is_noted_once(ask, telemetry: Telemetry, path):
    assert ask(path)[0] == 500
    span = telemetry.server_span
    assert span.attributes["error.type"] == "ValueError"
    assert [event.name for event in span.events] == ["exception"]
    assert "hunter2" not in span.to_json()
    assert telemetry.total("apimetrics.exceptions") == 1


def test_a_denied_request_is_an_answer_and_no_error(ask, telemetry: Telemetry):
    assert ask("/denied/")[0] == 403
    assert "error.type" not in telemetry.server_span.attributes
    assert telemetry.total("apimetrics.exceptions") == 0


def test_a_stream_keeps_its_chunks_and_is_captured(telemetry, instrumentor):
    wsgi = instrumentor.instrument_app(
        get_wsgi_application(), capture_body="all", **telemetry.providers
    )
    seen = serve_wsgi(wsgi, make_environ(path="/stream/"))
    assert [e[1] for e in seen.events if e[0] == "chunk"] == [b"one", b"two"]
    asgi = instrumentor.instrument_app(
        get_asgi_application(), capture_body="all", **telemetry.providers
    )
    assert serve_asgi(asgi, make_scope(path="/stream-async/")).body == b"onetwo"
    for span in telemetry.server_spans:
        assert span.attributes["apimetrics.consumer.id"] == "streamed"
        assert span.attributes["http.response.body.size"] == 6


def test_a_handler_of_static_files_and_the_one_in_it_are_recorded(
    telemetry, instrumentor, settings_of_static_files
):
    wsgi = StaticFilesHandler(get_wsgi_application())
    assert instrumentor.instrument_app(wsgi, **telemetry.providers) is wsgi
    asgi = ASGIStaticFilesHandler(get_asgi_application())
    assert instrumentor.instrument_app(asgi, **telemetry.providers) is asgi
    for path in ("/static/file.txt", "/items/1/"):
        assert serve_wsgi(wsgi, make_environ(path=path)).status == 200
        assert serve_asgi(asgi, make_scope(path=path)).status == 200
    routes = [span.attributes.get("http.route") for span in telemetry.server_spans]
    assert routes == [None, None, "/items/<int:pk>/", "/items/<int:pk>/"]
    for served in (wsgi, asgi):
        instrumentor.uninstrument_app(served)
    serve_wsgi(wsgi, make_environ(path="/items/1/"))
    serve_asgi(asgi, make_scope(path="/items/1/"))
    assert telemetry.total() == 4


@pytest.fixture
def settings_of_static_files(tmp_path):
    (tmp_path / "file.txt").write_text("static")
    with override_settings(
        DEBUG=True,
        STATIC_URL="/static/",
        STATICFILES_DIRS=[tmp_path],
        INSTALLED_APPS=["django.contrib.staticfiles"],
    ):
        yield


def test_handlers_made_before_and_after_instrument_are_recorded(telemetry, instrumentor):
    before = get_wsgi_application()
    instrumentor.instrument(**telemetry.providers)
    serve_wsgi(before, make_environ(path="/items/1/"))
    serve_wsgi(get_wsgi_application(), make_environ(path="/items/1/"))
    serve_asgi(get_asgi_application(), make_scope(path="/items/1/"))
    assert telemetry.total() == 3


def test_uninstrument_puts_the_original_methods_back(telemetry, instrumentor):
    methods = [
        (WSGIHandler, "__call__"),
        (ASGIHandler, "__call__"),
        (BaseHandler, "resolve_request"),
    ]
    originals = [vars(cls)[name] for cls, name in methods]
    instrumentor.instrument(**telemetry.providers)
    assert all(vars(c)[n] is not o for (c, n), o in zip(methods, originals, strict=True))
    instrumentor.uninstrument()
    assert all(vars(c)[n] is o for (c, n), o in zip(methods, originals, strict=True))


def test_a_handler_that_is_not_recorded_resolves_as_ever(telemetry, instrumentor):
    instrumentor.instrument(**telemetry.providers)
    handler = get_wsgi_application()
    instrumentor.uninstrument_app(handler)
    assert serve_wsgi(handler, make_environ(path="/items/1/")).status == 200
    assert serve_wsgi(handler, make_environ(path="/boom/")).status == 500
    assert telemetry.total() == 0


def test_two_hundred_requests_at_once_keep_their_routes_and_bodies_apart(telemetry, instrumentor):
    handler = instrumentor.instrument_app(
        get_wsgi_application(), capture_body="all", **telemetry.providers
    )
    with ThreadPoolExecutor(50) as pool:
        list(
            pool.map(
                lambda n: serve_wsgi(handler, make_environ(path=f"/items/{n}/", query=f"n={n}")),
                range(200),
            )
        )
    assert len(telemetry.server_spans) == 200
    for span in telemetry.server_spans:
        number = span.attributes["url.query"].removeprefix("n=")
        assert span.attributes["url.path"] == f"/items/{number}/"


def test_concurrent_tasks_share_nothing(telemetry, instrumentor):
    handler = instrumentor.instrument_app(
        get_asgi_application(), capture_body="all", **telemetry.providers
    )

    async def main():
        scopes = [make_scope(path=f"/items-async/{n}/") for n in range(50)]
        return await asyncio.gather(*(converse(handler, scope) for scope in scopes))

    answers = asyncio.run(main())
    assert [seen.body for seen in answers] == [f"item {n}".encode() for n in range(50)]
    assert telemetry.total() == 50


def test_the_route_table_is_that_of_the_url_configuration():
    assert set(adapter.routes(None)) >= {
        "* /items/<int:pk>/",
        "* /api/things/<int:pk>/",
        "* /years/(?P<pk>[0-9]{4})/$",
    }


def test_a_url_configuration_that_includes_itself_ends():
    class Loop:
        pattern = "a/"

        @property
        def url_patterns(self):
            return [self]

    assert list(adapter._patterns([Loop()], "/", 0)) == []


def test_contribs_middleware_in_the_settings_is_seen(monkeypatch):
    from django.conf import settings

    assert not adapter.instrumented_inside(None)
    monkeypatch.setattr(settings, "MIDDLEWARE", [adapter._CONTRIB])
    assert adapter.instrumented_inside(None)


def test_the_name_of_contribs_middleware_is_still_this_one():
    from opentelemetry.instrumentation.django import DjangoInstrumentor

    assert DjangoInstrumentor._opentelemetry_middleware == adapter._CONTRIB


def test_an_async_hook_is_awaited_under_asgi_and_refused_by_a_wsgi_handler(telemetry, instrumentor):
    async def identify(exchange):
        return "awaited"

    handler = get_asgi_application()
    instrumentor.instrument_app(handler, identify=identify, **telemetry.providers)
    serve_asgi(handler, make_scope(path="/years/2026/"))
    serve_asgi(handler, make_scope(path="/nowhere/"))
    assert telemetry.server_spans[1].attributes["apimetrics.consumer.id"] == "awaited"
    with pytest.raises(ConfigError, match="identify cannot be async under Django"):
        instrumentor.instrument_app(get_wsgi_application(), identify=identify)


def test_what_the_wsgi_handler_returns_is_still_read_as_djangos_response(telemetry, instrumentor):
    handler = instrumentor.instrument_app(
        get_wsgi_application(), capture_body="all", **telemetry.providers
    )
    response = handler(make_environ(path="/items/7/"), lambda _status, _headers: None)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert bytes(response).endswith(b"item 7")
    assert not hasattr(response, "_container_of_nothing")
    assert list(response) == [b"item 7"]
    response.close()
    assert telemetry.server_span.attributes["http.response.body.content"] == "item 7"


@pytest.mark.swallows_errors
def test_an_error_of_ours_at_a_route_leaves_the_answer(
    telemetry, instrumentor, monkeypatch, no_swallowed_errors
):
    def fail(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr(adapter, "_note_route", fail)
    handler = instrumentor.instrument_app(get_wsgi_application(), **telemetry.providers)
    assert serve_wsgi(handler, make_environ(path="/items/1/")).body == b"item 1"
    assert [place for place, _ in no_swallowed_errors] == ["django.route"]
    assert telemetry.total() == 1


@pytest.mark.swallows_errors
def test_an_error_of_ours_at_an_exception_leaves_the_answer(
    telemetry, instrumentor, monkeypatch, no_swallowed_errors
):
    from otel_apimetrics.recording import Recording

    def fail(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr(Recording, "note_exception", fail)
    handler = instrumentor.instrument_app(get_wsgi_application(), **telemetry.providers)
    assert serve_wsgi(handler, make_environ(path="/boom/")).status == 500
    assert [place for place, _ in no_swallowed_errors] == ["django.exception"]
    assert telemetry.total() == 1


def test_a_response_that_is_held_until_the_process_ends_says_nothing_at_its_end():
    code = """
    from django.conf import settings
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path
    from otel_apimetrics import ApiMetricsInstrumentor
    from tests.in_process import make_environ
    urlpatterns = [path("a", lambda request: HttpResponse("body"))]
    app = ApiMetricsInstrumentor().instrument_app(get_wsgi_application())
    held = app(make_environ(path="/a"), lambda *_: None)
    def fails(response):
        raise ValueError("the last line")
    fails(held)
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == "ValueError: the last line"
