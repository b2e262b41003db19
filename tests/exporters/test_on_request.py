"""Delivery on the thread that served the request."""

import threading
from threading import Event

import pytest

from otel_apimetrics import ApiMetricsWSGIMiddleware, Exchange, health
from otel_apimetrics.exchange import Request
from otel_apimetrics.exporters import closing
from otel_apimetrics.exporters.on_request import RequestDelivery
from otel_apimetrics.exporters.readme import ReadMeSpanExporter
from tests.exporters.sink import Reply
from tests.exporters.trickle import trickle
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry


def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"hello"]


@pytest.fixture
def make(backend):
    def made(**options):
        exporter = ReadMeSpanExporter(
            api_key="k",
            anonymous="nobody",
            background_worker_mode=False,
            **{"url": backend.url, **options},
        )
        return ApiMetricsWSGIMiddleware(app, exporters=[exporter], **Telemetry().providers)

    return made


def test_a_log_has_arrived_once_the_request_is_served_and_no_thread_was_started(backend, make):
    before = set(threading.enumerate())
    middleware = make()
    serve_wsgi(middleware, make_environ())
    (received,) = backend.received
    (log,) = received.json
    assert log["request"]["log"]["entries"][0]["response"]["content"]["text"] == "hello"
    new = {thread.name for thread in set(threading.enumerate()) - before}
    assert not any(name.startswith("apimetrics") for name in new)
    assert middleware._pipeline.outlets[0].flush(1)


def test_the_client_has_its_response_before_the_delivery_and_a_backend_that_hangs_is_given_up(
    backend, make
):
    release = Event()
    backend.otherwise = Reply(until=release)
    result = serve_wsgi(make(timeout=0.3), make_environ())
    release.set()
    assert result.body == b"hello"
    assert len(backend.wait_for(1)) == 1
    assert health.counts("failed") == {("readme", "unavailable"): 1}


def test_it_is_closed_with_the_queues(backend, make):
    middleware = make()
    serve_wsgi(middleware, make_environ())
    (outlet,) = middleware._pipeline.outlets
    closing.close_all()
    exporter = middleware._pipeline.config.exporters[0]
    assert exporter._patience.left() == 0
    assert outlet.name == "ReadMeSpanExporter"


def test_what_a_request_hands_on_at_the_end_of_the_process_is_cut_off_and_counted(make):
    with trickle(b"") as hanging:
        middleware = make(timeout=60, url=hanging.url)
        request = threading.Thread(target=serve_wsgi, args=(middleware, make_environ()))
        request.start()
        hanging.wait_for(1)
        (outlet,) = middleware._pipeline.outlets
        outlet.close(1.0)
        request.join(20)
        assert not request.is_alive()
    assert health.counts("failed") == {("readme", "unavailable"): 1}
    assert health.counts("dropped") == {}


def test_who_is_interrupted_at_its_own_delivery_does_not_wait_for_it():
    closed = []

    def export(batch, patience):
        outlet.close(600)  # as a handler of SIGTERM does, on the thread that it interrupts
        closed.append(batch)
        return True

    outlet = RequestDelivery("vendor", export, within=600)
    outlet.accept(Exchange(id="1", request=Request(method="GET")))
    assert len(closed) == 1
    assert health.counts("dropped") == {("vendor", "shutdown"): 1}
    assert health.counts("sent") == {}
