"""SIGTERM where nobody handles it, and processes of multiprocessing: nothing of ours is lost."""

import os
import signal
import subprocess
import sys
import threading
from textwrap import dedent

import pytest

from otel_apimetrics import ApiMetricsInstrumentor, _guard, ending
from tests.one_span.processes import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no such signals")

SERVED = """
    import multiprocessing, os, signal, sys, threading
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from otel_apimetrics import ApiMetricsInstrumentor, _guard, ending
    class Printed(SpanExporter):
        def export(self, spans):
            for span in spans:
                os.write(1, f"span {span.name}\\n".encode())
            return SpanExportResult.SUCCESS
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Printed()))
    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"hello"]
    def request(served):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http"}
        list(served(environ, lambda *_: None))
    def serve():
        request(ApiMetricsInstrumentor().instrument_app(app, tracer_provider=provider))
    def die():
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(10)
"""


def run(code: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", dedent(SERVED + code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_sigterm_hands_on_what_there_is_and_ends_the_process_as_it_does_without_us():
    assert run("    serve(); die()") == (-signal.SIGTERM, ["span GET"])


def test_a_handler_that_was_there_stays_and_one_that_comes_later_decides_alone():
    handlers = """
    mine = lambda *_: os.write(1, b"mine\\n")
    signal.signal(signal.SIGTERM, mine)
    serve()
    assert signal.getsignal(signal.SIGTERM) is mine
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ApiMetricsInstrumentor().instrument()
    def later(*arguments):
        os.write(1, b"still here\\n")
        os._exit(7)
    signal.signal(signal.SIGTERM, later)
    die()
    """
    assert run(handlers) == (7, ["still here"])


def test_a_handler_that_calls_ours_as_its_predecessor_ends_the_process_by_the_signal():
    handlers = """
    serve()
    before = signal.getsignal(signal.SIGTERM)
    assert callable(before)
    def later(*arguments):
        os.write(1, b"cleaned up\\n")
        before(*arguments)
    signal.signal(signal.SIGTERM, later)
    die()
    """
    assert run(handlers) == (-signal.SIGTERM, ["cleaned up", "span GET"])


def test_a_child_has_the_default_action_again_until_it_serves():
    code = """
    ApiMetricsInstrumentor().instrument()
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    def child():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, set())
        serve()
        die()
    made = multiprocessing.get_context("fork").Process(target=child)
    made.start()
    made.join()
    assert made.exitcode == -signal.SIGTERM, made.exitcode
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    """
    assert run(code) == (0, ["span GET"])


def test_a_process_that_has_served_nothing_dies_at_once():
    code = """
    ApiMetricsInstrumentor().instrument()
    provider.get_tracer("x").start_span("the app's own").end()
    die()
    """
    assert run(code) == (-signal.SIGTERM, [])


def test_a_process_of_multiprocessing_hands_on_at_its_end():
    code = """
    child = multiprocessing.get_context("fork").Process(target=serve)
    child.start()
    child.join()
    assert child.exitcode == 0
    """
    assert run(code) == (0, ["span GET"])


def test_a_child_that_has_served_nothing_is_ended_by_its_parent_as_without_us():
    code = """
    serve()
    for _ in range(20):  # the signal comes before the child has begun, or later
        child = multiprocessing.get_context("fork").Process(target=threading.Event().wait)
        child.start()
        child.terminate()
        child.join(10)
        assert child.exitcode == -signal.SIGTERM, child.exitcode
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, set())
    """
    assert run(code) == (0, ["span GET"])


@pytest.fixture
def default_action():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


def test_uninstrument_gives_the_signal_back(default_action, instrumentor: ApiMetricsInstrumentor):
    instrumentor.instrument()
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    instrumentor.uninstrument()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.swallows_errors
def test_a_provider_that_cannot_hand_on_is_counted_and_the_process_ends():
    class Broken:
        def force_flush(self, _timeout):
            raise ValueError("no backend")

    ending._flush(Broken())
    assert _guard.counts() == {"ending.flush": 1}


@pytest.mark.swallows_errors
def test_a_process_that_can_start_no_thread_ends_all_the_same(monkeypatch):
    def no_thread(_self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    ending.hand_on()
    assert _guard.counts() == {"ending.hand_on": 1}
