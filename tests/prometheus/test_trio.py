"""Apps that Trio runs, as Hypercorn does with `--worker-class trio`."""

import threading

import pytest
from fastapi import FastAPI
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics.compat.prometheus_fastapi_instrumentator import Instrumentator
from otel_apimetrics.prometheus import ASGIMetrics, PrometheusReader, ScrapeASGIApp
from tests.in_process import make_scope

pytestmark = pytest.mark.e2e  # for want of Trio in the environments of other versions


def serve(app, path="/metrics"):
    """Serve one request in a loop of Trio's: what was sent."""
    import trio

    sent = []

    async def receive():
        await trio.lowlevel.checkpoint()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        await trio.lowlevel.checkpoint()
        sent.append(message)

    trio.run(app, make_scope(path=path), receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture
def given():
    reader = PrometheusReader(registry=CollectorRegistry(), target_info=False, created=False)
    return {"reader": reader, "meter_provider": MeterProvider([reader], shutdown_on_exit=False)}


def test_a_scrape_is_collected_on_another_thread(given):
    threads = []

    def observed(_options):
        threads.append(threading.current_thread())
        return [Observation(21.5)]

    given["meter_provider"].get_meter("shop").create_observable_gauge("heat", [observed])
    shown = b"# HELP heat \n# TYPE heat gauge\nheat 21.5\n"
    assert serve(ScrapeASGIApp(given["reader"])) == (200, shown)
    assert threads != [threading.current_thread()]


def test_the_endpoint_of_an_app_with_metrics_answers(given):
    app = FastAPI()
    metrics = ASGIMetrics(app, **given)
    metrics.info("app_info", "This app", version="1.2")
    status, shown = serve(app)
    assert status == 200
    assert b'app_info{version="1.2"} 1.0' in shown


def test_async_instrumentations_are_awaited_one_after_the_other(no_swallowed_errors):
    import trio

    said = []

    async def first(_info):
        await trio.lowlevel.checkpoint()
        said.append("first")

    async def second(info):
        await trio.lowlevel.checkpoint()
        said.append(info.modified_status)

    app = FastAPI()
    app.get("/hello")(lambda: "hello")
    Instrumentator(registry=CollectorRegistry()).add(first, second).instrument(app)
    assert serve(app, "/hello") == (200, b'"hello"')
    assert said == ["first", "2xx"]
