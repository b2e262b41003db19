"""The requests in flight: each ends once, and what is forgotten ends too."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from otel_apimetrics import ApiMetricsWSGIMiddleware, open_requests
from tests.in_process import make_environ
from tests.telemetry import Telemetry


class Request:
    def __init__(self, moved: float):
        self.moved = moved
        self.abandoned = 0

    def abandon(self):
        self.abandoned += 1
        open_requests.take(self)


@pytest.fixture(autouse=True)
def nothing_open():
    before = set(open_requests._open)
    open_requests._open.clear()
    yield
    open_requests._open.clear()
    open_requests._open.update(before)


def test_a_request_is_taken_by_exactly_one_of_many_threads():
    for _ in range(50):
        request = Request(monotonic())
        open_requests.add(request)
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda _: open_requests.take(request), range(8)))
        assert sum(taken) == 1


def test_what_moved_no_byte_for_ten_minutes_is_abandoned_and_a_live_stream_is_not():
    now = monotonic() + 10_000
    stale, live = Request(now - open_requests.IDLE - 1), Request(now - open_requests.IDLE + 1)
    open_requests._open.update({stale, live})
    open_requests.sweep(now)
    assert (stale.abandoned, live.abandoned) == (1, 0)
    assert open_requests.count() == 1


def test_a_new_request_looks_after_forgotten_ones_once_a_minute():
    now = monotonic() + 20_000
    open_requests.add(Request(now))
    stale = Request(now - 10_000)
    open_requests._open.add(stale)
    open_requests.add(Request(now + 1))
    assert stale.abandoned == 0
    open_requests.add(Request(now + 61))
    assert stale.abandoned == 1
    open_requests.sweep(monotonic())


def test_at_the_end_of_the_process_every_record_is_made():
    requests = [Request(monotonic()) for _ in range(3)]
    for request in requests:
        open_requests.add(request)
    open_requests.abandon_all()
    assert [request.abandoned for request in requests] == [1, 1, 1]
    assert open_requests.count() == 0


def test_a_response_that_nobody_finishes_is_a_record_marked_as_abandoned(telemetry: Telemetry):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        yield b"b"

    served = ApiMetricsWSGIMiddleware(app, **telemetry.providers)
    iterable = served(make_environ(), lambda *_: None)
    assert next(iter(iterable)) == b"a"
    (recording,) = open_requests._open
    recording.abandon()
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["error.type"] == "abandoned"
    assert next(iter(iterable)) == b"b"
    iterable.close()
    assert telemetry.total() == 1


# Python 3.12 warns of forks beside threads: that is what servers do, and what is tested.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_worker_starts_with_nothing_open(telemetry: Telemetry):
    open_requests.add(Request(monotonic()))
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, b"%d" % open_requests.count())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 10) == b"0"
    os.close(reading)
    os.close(writing)
    assert open_requests.count() == 1


def test_a_fork_that_runs_no_handlers_is_seen_at_the_first_request(monkeypatch):
    parents = Request(monotonic())
    open_requests.add(parents)
    monkeypatch.setattr(open_requests.os, "getpid", lambda: -1)
    mine = Request(monotonic())
    open_requests.add(mine)
    monkeypatch.undo()
    assert open_requests._open == {mine}
    assert parents.abandoned == 0
    open_requests._beginning.make_sure(open_requests._begin_process)


SCRIPT = """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from otel_apimetrics import ApiMetricsWSGIMiddleware
from tests.in_process import make_environ

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))

def app(environ, start_response):
    start_response("200 OK", [])
    yield b"a"
    yield b"b"

kept = ApiMetricsWSGIMiddleware(app, tracer_provider=provider)(make_environ(), lambda *_: None)
next(iter(kept))
import builtins
builtins.kept = kept
"""


def test_a_request_in_flight_at_exit_is_exported():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.count('"apimetrics.exchange.id"') == 1
    assert '"error.type": "abandoned"' in done.stdout
    assert done.stderr == ""
