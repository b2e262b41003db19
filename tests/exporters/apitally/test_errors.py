"""What goes wrong inside the exporter is counted by its place, and breaks nothing else."""

import logging
from dataclasses import replace

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from otel_apimetrics import _guard, health, open_requests
from otel_apimetrics.exporters.apitally import ApitallySpanExporter, log_capture
from otel_apimetrics.exporters.apitally.masks import Masks
from otel_apimetrics.exporters.apitally.otlp_spans import MARKS
from otel_apimetrics.exporters.apitally.selection import Selection
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
