"""Apps answer byte for byte as without us, whatever measures them."""

import pytest
from fastapi import FastAPI

from otel_apimetrics.compat import prometheus_fastapi_instrumentator, starlette_exporter
from otel_apimetrics.prometheus import ASGIMetrics
from tests.compat.asgi_apps import FAST, STAR, ask, fast_app, star_app


def by_instrumentator(app):
    made = prometheus_fastapi_instrumentator.Instrumentator(
        should_instrument_requests_inprogress=True, body_handlers=["."]
    )
    made.instrument(app)


def by_exporter(app):
    async def size(request):
        return len(await request.body())

    app.add_middleware(
        starlette_exporter.PrometheusMiddleware,
        labels={"size": size, "kind": starlette_exporter.from_response_header("x-kind")},
        optional_metrics=starlette_exporter.optional_metrics.all_metrics,
        exemplars=lambda: {"trace_id": "abc"},
    )


def by_decorators(app):
    metrics = ASGIMetrics(app, names="starlette", path=None)
    labels = {"status": lambda response: response.status_code}
    metrics.register_default(
        metrics.counter("calls", "Calls", labels=labels),
        metrics.gauge("now", "Now"),
        metrics.do_not_track(),
        metrics.histogram("seconds", "Seconds", labels=labels),
    )


REQUESTS = (
    *(
        {"method": (each.rpartition(" ")[0] or "GET"), "path": each.rpartition(" ")[2]}
        for each in dict.fromkeys((*FAST, *STAR))
    ),
    {
        "method": "POST",
        "path": "/items/1",
        "headers": {"content-type": "application/json"},
        "body": b'{"a": 1}',
    },
    {"method": "POST", "path": "/sync", "body": b"abc"},
)


@pytest.mark.parametrize("measure", [by_instrumentator, by_exporter, by_decorators])
@pytest.mark.parametrize("make", [fast_app, star_app])
def test_answers_and_exceptions_are_the_same(registry, make, measure):
    plain, measured = make(), make()
    measure(measured)
    for request in REQUESTS:
        theirs, ours = ask(plain, **request), ask(measured, **request)
        assert ours.sent == theirs.sent, request
        assert repr(ours.error) == repr(theirs.error), request
    if isinstance(plain, FastAPI):
        assert measured.openapi() == plain.openapi()
