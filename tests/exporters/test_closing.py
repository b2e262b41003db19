"""The end of a process, whose steps have one time together."""

import fcntl
import os
from threading import Event

import pytest

from otel_apimetrics import ApiMetricsASGIMiddleware, _guard, ending, health
from otel_apimetrics.config import Config
from otel_apimetrics.exporters import closing, loading
from otel_apimetrics.exporters.har import HarFileExporter
from otel_apimetrics.exporters.metlo import MetloSpanExporter
from otel_apimetrics.exporters.moesif import MoesifSpanExporter
from otel_apimetrics.frameworks.asgi_lifespan import flush
from tests.exporters.apitally.scenarios import item
from tests.exporters.sink import Reply

LATE = 1_000.0
"""Seconds that no test takes: a step that waits for as long has waited for the wrong time."""


@pytest.fixture
def clock(monkeypatch):
    """The end's clock, which a test sets."""
    now = [LATE]
    monkeypatch.setattr(ending, "monotonic", lambda: now[0])
    monkeypatch.setattr(ending, "_until", 0.0)
    return now


def test_the_steps_of_an_end_have_one_time_together(clock):
    until = ending.end_by()
    assert until == LATE + ending.PATIENCE

    clock[0] += 3
    assert ending.end_by() == until

    clock[0] += 3
    assert ending.end_by() == clock[0] + ending.LAST


def test_a_process_that_goes_on_has_all_the_time_at_its_end(clock):
    ending.end_by()
    clock[0] += 3
    ending.go_on()
    assert ending.end_by() == clock[0] + ending.PATIENCE

    clock[0] += 3 * ending.PATIENCE
    assert ending.end_by() == clock[0] + ending.PATIENCE


def test_a_lifespan_that_flushes_in_vain_leaves_the_queues_the_rest(
    backend, telemetry, monkeypatch
):
    monkeypatch.setattr(ending, "PATIENCE", 1.5)
    monkeypatch.setattr(ending, "_until", 0.0)
    backend.otherwise = Reply(until=(release := Event()))
    exporters = [
        MoesifSpanExporter(application_id="k", base_uri=backend.url),
        MetloSpanExporter(host=backend.url, api_key="k"),
    ]
    served = ApiMetricsASGIMiddleware(lambda *_: None, exporters=exporters, **telemetry.providers)
    for outlet in served._pipeline.outlets:
        outlet.accept(item(1))
    backend.wait_for(2)

    flush(served._pipeline)
    until = ending._until
    closing.close_all()
    release.set()

    assert ending._until == until > 0
    counted = [*health.counts("failed").values(), *health.counts("dropped").values()]
    assert sum(counted) == 2


def test_a_lifespan_that_has_flushed_all_begins_no_end(backend, telemetry, monkeypatch):
    monkeypatch.setattr(ending, "_until", 0.0)
    exporters = [MoesifSpanExporter(application_id="k", base_uri=backend.url)]
    served = ApiMetricsASGIMiddleware(lambda *_: None, exporters=exporters, **telemetry.providers)
    (outlet,) = served._pipeline.outlets
    outlet.accept(item(1))

    flush(served._pipeline)

    assert health.counts("sent") == {("moesif", ""): 1}
    assert ending._until == 0.0
    outlet.close()


@pytest.mark.swallows_errors
def test_a_file_that_another_process_holds_is_given_up_with_the_process(tmp_path):
    exporter = HarFileExporter(path=tmp_path / "a.har")
    (queue,) = loading.outlets({"har": exporter}, Config())
    holder = os.open(tmp_path / ".a.har.lock", os.O_RDWR)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        queue.accept(item(1))
        assert not queue.flush(0.1)
        queue.close(1.0)
        assert queue._thread is not None
        queue._thread.join(20)
        assert not queue._thread.is_alive()
    finally:
        os.close(holder)

    assert health.counts("failed") == {("har", "unavailable"): 1}
    assert health.counts("dropped") == {}
    assert _guard.counts() == {"exporter.har.file": 1}
