"""What an app logs for a request, sent with it."""

import gzip
import json
import logging

import flask
import pytest

from otel_apimetrics.exporters import closing
from otel_apimetrics.exporters.apitally import ApitallySpanExporter, log_capture
from otel_apimetrics.exporters.patience import Patience
from tests.exporters.apitally.otlp_reading import read, records

CLIENT = "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9"
TOKEN = "apt_" + "a" * 24
log = logging.getLogger("shop.orders")


@pytest.fixture
def served(backend, instrumentor, telemetry):
    """Serve two requests, one of which logs, and give what was sent of it."""
    before = logging.Logger.callHandlers
    exporters = []

    def serve(view, **options):
        exporter = ApitallySpanExporter(endpoint=backend.url, **options)
        exporters.append(exporter)
        app = flask.Flask("shop")
        app.add_url_rule("/order", "order", view)
        app.add_url_rule("/silent", "silent", lambda: "ok")
        instrumentor.instrument_app(app, exporters=[exporter], **telemetry.providers)
        client = app.test_client()
        log.warning("before any request")
        client.get("/order").close()
        client.get("/silent").close()
        log.warning("after them")
        for queue in list(closing.queues):
            queue.flush(20)
        assert exporter.force_flush()

    yield serve
    for exporter in exporters:
        exporter._patience = Patience(0.1)
        exporter._patience.end_by(0.0)
        exporter.shutdown()
    assert log_capture._active == []
    assert logging.Logger.callHandlers is before


def order():
    log.info("unheard")
    log.warning("order of %s with password=hunter2", "alice", extra={"seats": 3, "api_key": "k-77"})
    try:
        raise ValueError("the card 4111111111111111")
    except ValueError:
        log.exception("it failed")
    return "ok"


def test_the_hub_gets_them_in_the_line_of_their_request(backend, served):
    served(order, client_id=CLIENT, request_logs=True, capture_logs=True)

    lines = [
        json.loads(line)
        for request in backend.received
        if "/log?" in request.path
        for line in gzip.decompress(request.raw).splitlines()
    ]
    by_path = {line["request"]["path"]: line for line in lines}
    assert "logs" not in by_path["/silent"]
    first, second = by_path["/order"]["logs"]
    assert first["message"] == "order of alice with password=[REDACTED]"
    assert (first["logger"], first["level"]) == ("shop.orders", "WARNING")
    assert first["file"] == __file__
    assert first["line"] == order.__code__.co_firstlineno + 2
    assert second["message"] == "it failed"


def test_otlp_gets_them_as_records_that_name_their_request(backend, served):
    served(order, write_token=TOKEN, capture_logs=True)

    found = []
    spans = {}
    for request in backend.received:
        document = read(request.path, request.body)
        if request.path == "/v1/logs":
            found += [each for each in records(document) if "eventName" not in each]
        elif request.path == "/v1/traces":
            spans |= {each["name"]: each for each in records(document)}
    first, second = found
    attributes = first["attributes"]
    assert first["body"] == "order of alice with password=[REDACTED]"
    assert first["severityNumber"] == "SEVERITY_NUMBER_WARN"
    assert first["spanId"] == attributes["apitally.request.server_span_id"]
    assert first["spanId"] == spans["GET /order"]["spanId"]
    assert first["traceId"] == spans["GET /order"]["traceId"]
    assert attributes["seats"] == 3
    assert "k-77" not in json.dumps(found)
    assert attributes["code.function.name"] == "order"
    assert second["severityNumber"] == "SEVERITY_NUMBER_ERROR"
    assert second["attributes"]["exception.type"] == "ValueError"
    assert "4111111111111111" not in json.dumps(found)


def test_nothing_is_noted_unless_it_is_asked_for(backend, served):
    served(order, write_token=TOKEN)
    assert b"order of alice" not in b"".join(gzip.decompress(r.raw) for r in backend.received)
    assert log_capture._active == []


def test_the_root_logger_has_no_handler_more(served, backend):
    before = list(logging.getLogger().handlers)
    served(order, write_token=TOKEN, capture_logs=True)
    assert logging.getLogger().handlers == before


def test_a_request_that_logs_without_end_is_bounded(backend, served):
    def view():
        for number in range(3_000):
            log.warning("line %d", number)
        return "ok"

    served(view, client_id=CLIENT, request_logs=True, capture_logs=True)

    (line,) = [
        json.loads(line)
        for request in backend.received
        if "/log?" in request.path
        for line in gzip.decompress(request.raw).splitlines()
        if b"/order" in line
    ]
    assert len(line["logs"]) == log_capture.MAX_LINES


def test_requests_that_never_become_exchanges_do_not_pile_up(monkeypatch):
    from otel_apimetrics import open_requests
    from otel_apimetrics.redaction import Redactor

    class Pipeline:
        redactor = Redactor()

    class Open:
        moved = 0.0
        pipeline = Pipeline

        def __init__(self, number):
            self.id = str(number)

        def abandon(self):
            pass

    capture = log_capture.LogCapture()
    record = logging.LogRecord("shop", logging.INFO, "f.py", 1, "said %s", ("x",), None)
    for number in range(5_000):
        token = open_requests.current.set(Open(number))
        for _ in range(10):
            capture.note(record)
        open_requests.current.reset(token)

    assert sum(len(kept.lines) for kept in capture._kept.values()) <= 20_000
    assert capture.take("0") == ()
    assert len(capture.take("4999")) == 10
