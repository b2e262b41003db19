"""Several `PrometheusMiddleware` in one process: beside each other, and one around another."""

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from otel_apimetrics.compat.starlette_exporter import (
    PrometheusMiddleware,
    handle_metrics,
    handle_openmetrics,
)
from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus import PrometheusReader
from tests.compat.asgi_apps import ask, ask_all, scraped

ENDPOINTS = [Route("/metrics", handle_metrics), Route("/open", handle_openmetrics)]


def view(request):
    return PlainTextResponse("OK")


def with_reader():
    """A reader and its provider."""
    reader = PrometheusReader(target_info=False, registry=CollectorRegistry())
    return {"reader": reader, "meter_provider": MeterProvider([reader], shutdown_on_exit=False)}


def with_registry():
    return {"registry": CollectorRegistry()}


def measured(*routes, **options):
    """An app of its own, with endpoints, measured."""
    middleware = [Middleware(PrometheusMiddleware, skip_paths=[".*/(metrics|open)"], **options)]
    return Starlette(routes=[*routes, *ENDPOINTS], middleware=middleware)


def counted(app, path="/metrics", name="starlette_requests_total"):
    """The paths that an endpoint shows, and how often."""
    lines = scraped(app, path)[2].splitlines()
    found = [line for line in lines if line.startswith(f"{name}{{")]
    return {line.split('path="')[1].split('"')[0]: float(line.split()[-1]) for line in found}


@pytest.fixture(params=[with_reader, with_registry])
def own(request, registry):
    """What makes options that let a middleware measure into something of its own."""
    return request.param


@pytest.mark.row(222)
def test_apps_beside_each_other_measure_each_into_its_own(own, registry):
    apps = [measured(Route("/u/{n}", view), **own()) for _ in range(2)]
    for number, app in enumerate(apps, 1):
        ask_all(app, *["/u/1"] * number)
    assert [counted(app) for app in apps] == [{"/u/{n}": 1}, {"/u/{n}": 2}]
    assert [counted(app, "/open") for app in apps] == [{"/u/{n}": 1}, {"/u/{n}": 2}]
    assert not list(registry.collect())


@pytest.mark.row(222)
def test_labels_and_buckets_of_one_do_not_bind_the_other(own):
    apps = [
        measured(Route("/u/{n}", view), labels={"team": "a"}, buckets=(1, 2), **own()),
        measured(Route("/u/{n}", view), **own()),
    ]
    for app in apps:
        ask(app, "GET", "/u/1")
    assert [counted(app) for app in apps] == [{"/u/{n}": 1}] * 2


@pytest.mark.row(222)
def test_an_app_inside_another_measures_into_its_own_by_its_own_templates(own):
    inner = measured(Route("/x/{y}", view), **own())
    outer = measured(Route("/o", view), Mount("/sub", inner), **own())
    ask_all(outer, "/sub/x/1", "/sub/nowhere", "/o")
    assert counted(outer) == {"/sub/x/{y}": 1, "/o": 1}
    assert counted(outer, "/sub/metrics") == {"/x/{y}": 1}


@pytest.mark.row(222)
def test_a_middleware_of_a_mount_measures_into_its_own(own):
    inside = Starlette(routes=[Route("/x/{y}", view), *ENDPOINTS])
    outer = measured(
        Mount("/wrapped", PrometheusMiddleware(inside, **own())),
        Mount(
            "/mount",
            routes=[Route("/z/{q}", view), *ENDPOINTS],
            middleware=[Middleware(PrometheusMiddleware, **own())],
        ),
        **own(),
    )
    ask_all(outer, "/wrapped/x/1", "/mount/z/1")
    assert counted(outer, "/wrapped/metrics") == {"/x/{y}": 1}
    assert counted(outer, "/mount/metrics") == {"/z/{q}": 1}
    assert counted(outer) == {"/wrapped": 1, "/mount/z/{q}": 1}


@pytest.mark.row(222)
def test_prefixes_tell_an_app_from_the_one_inside(registry):
    inner = measured(Route("/x/{y}", view), prefix="inner")
    outer = measured(Mount("/sub", inner))
    ask(outer, "GET", "/sub/x/1")
    assert counted(outer) == {"/sub/x/{y}": 1}
    assert counted(outer, name="inner_requests_total") == {"/x/{y}": 1}


@pytest.mark.row(222)
@pytest.mark.parametrize("options", [{}, {"filter_unhandled_paths": False, "app_name": "inner"}])
def test_one_request_counts_once_in_one_registry(registry, options):
    seen = []
    name = "starlette_requests_in_progress"

    def now(request):
        labels = {"app_name": "starlette", "method": "GET"}
        seen.append(registry.get_sample_value(name, labels))
        return view(request)

    inner = measured(Route("/x/{y}", now), **options)
    # A template of the outer app that the inner one's path matches, too.
    outer = measured(Mount("/sub", inner), Route("/x/{other}", view))
    outer.add_middleware(PrometheusMiddleware)
    ask(outer, "GET", "/sub/x/1")
    assert counted(outer) == {"/sub/x/{y}": 1}
    assert seen == [1]
    lines = [line for line in scraped(outer)[2].splitlines() if line.startswith(name)]
    # The scrape that is under way, of the middleware that skips none.
    assert [line.split()[-1] for line in lines] == ["1.0"]


@pytest.mark.row(222)
def test_what_the_app_around_leaves_out_the_one_inside_counts(registry):
    inner = measured(Route("/x/{y}", view))

    async def dispatch(scope, receive, send):
        await inner({**scope}, receive, send)

    ask(PrometheusMiddleware(dispatch), "GET", "/x/1")
    assert counted(inner) == {"/x/{y}": 1}


@pytest.mark.row(206)
@pytest.mark.parametrize("left_out", ["reader", "meter_provider"])
def test_a_reader_and_its_provider_come_together(left_out):
    given = with_reader()
    del given[left_out]
    with pytest.raises(ConfigError, match="reader and meter_provider come together"):
        PrometheusMiddleware(view, **given)


@pytest.mark.row(220)
def test_an_endpoint_without_a_middleware_shows_the_registry_of_prometheus_client(registry):
    ask(measured(Route("/u/{n}", view)), "GET", "/u/1")
    assert counted(Starlette(routes=ENDPOINTS)) == {"/u/{n}": 1}
