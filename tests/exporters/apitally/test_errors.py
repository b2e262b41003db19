"""What goes wrong inside the exporter is counted by its place, and breaks nothing else."""

import asyncio
import logging
import threading
from dataclasses import replace

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from otel_apimetrics import _guard, health, open_requests
from otel_apimetrics.exchange import ExceptionInfo
from otel_apimetrics.exporters.apitally import ApitallySpanExporter, log_capture
from otel_apimetrics.exporters.apitally.masks import Masks
from otel_apimetrics.exporters.apitally.otlp_spans import MARKS
from otel_apimetrics.exporters.apitally.selection import Selection
from otel_apimetrics.exporters.apitally.tally import MAX_ERRORS
from otel_apimetrics.exporters.delivery import DeliveryQueue
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.spans import as_span
from otel_apimetrics.redaction import Redactor
from tests.exporters.apitally.scenarios import created, item

pytestmark = [pytest.mark.swallows_errors, pytest.mark.usefixtures("quick")]

TOKEN = "apt_" + "a" * 24


@pytest.fixture
def made(backend):
    exporters = []

    def make(**options):
        exporters.append(ApitallySpanExporter(write_token=TOKEN, endpoint=backend.url, **options))
        return exporters[-1]

    yield make
    for exporter in exporters:
        exporter._patience = Patience(0.1)
        exporter._patience.end_by(0.0)
        exporter.shutdown()


def fails(*_):
    raise ValueError("hunter2")


def test_a_directory_that_was_taken_away_fails_the_exporter_and_not_the_app(made, tmp_path):
    spool = tmp_path / "spool"
    exporter = made(spool=spool)
    spool.rmdir()
    spool.write_text("a file")

    exporter.start()
    assert exporter.export([as_span(item(), Resource({}))]) is SpanExportResult.FAILURE

    assert _guard.counts() == {"exporter.apitally.start": 1, "exporter.apitally": 1}


def test_an_exchange_that_cannot_be_counted_is_dropped_alone(made):
    exporter = made()

    taken = exporter.export_exchanges([item(1), replace(item(2), duration_ns=None), item(3)])

    assert not taken
    assert exporter.force_flush()
    assert _guard.counts() == {"exporter.apitally.event": 1}
    assert health.counts("dropped") == {("apitally", "untranslatable"): 1}
    assert health.counts("sent") == {("apitally", ""): 2}


def test_an_exchange_that_cannot_be_translated_is_counted_and_not_logged(made):
    exporter = made()
    exporter.export_exchanges([item(1), replace(item(2), started_ns=None), item(3)])

    assert exporter.force_flush()
    assert _guard.counts() == {"exporter.apitally.event": 1}
    assert health.counts("sent") == {("apitally", ""): 2}


def test_a_mask_of_the_users_that_fails_sends_no_body(caplog):
    masks = Masks(MARKS, request_body=fails)
    assert masks.body(created(), of_request=True) == "[REDACTED]"
    assert _guard.counts() == {"apitally.mask_body": 1}
    assert "hunter2" not in caplog.text


def test_a_choice_of_the_users_that_fails_keeps_the_request_back():
    assert not Selection(exclude=fails).wants(item())
    assert _guard.counts() == {"apitally.exclude": 1}


def test_a_record_that_cannot_be_read_is_not_noted_and_the_app_logs_on():
    class Request:
        id = "1" * 32
        moved = 0.0

        class pipeline:
            redactor = Redactor()

        def abandon(self):
            pass

    class Unreadable:
        __str__ = fails

    capture = log_capture.LogCapture()
    logger = logging.getLogger("shop.unreadable")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    capture.install()
    token = open_requests.current.set(Request())
    try:
        logger.warning(Unreadable())
        logger.warning("the next")
        assert [line.message for line in capture.take(Request.id)] == ["the next"]
    finally:
        open_requests.current.reset(token)
        capture.remove()
    assert _guard.counts() == {"apitally.note": 1}


class Own(BaseException):
    """No `Exception`, and raised by a hook itself."""


EXITS = pytest.mark.parametrize(
    "raised", [SystemExit, asyncio.CancelledError, KeyboardInterrupt, Own]
)


@EXITS
@pytest.mark.parametrize("option", ["exclude", "mask_request_body"])
def test_a_hook_of_the_users_that_exits_costs_no_other_exchange(made, backend, option, raised):
    def hook(exchange, *_):
        if exchange.id == second.id:
            raise raised
        return "shown" if option == "mask_request_body" else False

    second = replace(created(), id="2" * 32)
    exporter = made(capture_request_body=True, **{option: hook})
    queue = DeliveryQueue("apitally", exporter.export_exchanges, counts=False)
    queue.accept(replace(created(), id="1" * 32))
    queue.accept(second)
    queue.accept(replace(created(), id="3" * 32))
    assert queue.flush(20)
    assert exporter.force_flush()

    shown = 2 if option == "exclude" else 3
    assert health.counts("sent") == {("apitally", ""): shown}
    assert health.counts("dropped") == health.counts("failed") == {}
    traces = b"".join(each.body for each in backend.received if each.path == "/v1/traces")
    assert traces.count(b"shown") == (0 if option == "exclude" else 2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_started_anew_and_what_it_held_is_counted(made, backend):
    died = []

    def panics(exchange, content):
        if exchange.id == "2" * 32:
            died.append(threading.current_thread())
            # As an extension in C or Rust raises it: no statement of Python's does.
            generator = iter_forever()
            next(generator)
            generator.throw(Own())
        return content

    def iter_forever():
        while True:
            yield

    exporter = made(capture_request_body=True, mask_request_body=panics)
    exporter.export_exchanges([replace(created(), id=str(n) * 32) for n in (1, 2)])
    exporter.force_flush(20_000)
    died[0].join(20)
    assert not died[0].is_alive()
    assert health.counts("sent") == {}

    exporter.export_exchanges([replace(created(), id="3" * 32)])
    assert exporter.force_flush(20_000)

    assert health.counts("sent") == {("apitally", ""): 1}
    assert sum(health.counts("dropped").values()) == 2


def test_past_a_hundred_different_errors_between_two_messages_it_is_told(made, backend, caplog):
    exporter = made()
    crashes = [
        replace(
            item(number),
            response=replace(item().response, status=500),
            exception=ExceptionInfo(type="ValueError", message=f"no {number}", stacktrace=""),
        )
        for number in range(MAX_ERRORS + 2)
    ]
    exporter.export_exchanges(crashes)
    assert exporter.force_flush()

    logs = b"".join(each.body for each in backend.received if each.path == "/v1/logs")
    assert logs.count(b"no 9") > 0
    assert b"no 101" not in logs
    assert caplog.text.count("More than 100 different errors") == 1
    assert health.counts("sent") == {("apitally", ""): MAX_ERRORS + 2}
