"""An exit, a cancellation or an interrupt: a hook's own ends there, one from outside passes."""

import asyncio
import contextvars
import functools
import gc
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry import trace as otel_trace

import otel_apimetrics
from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsWSGIMiddleware,
    metrics,
    open_requests,
    tally,
)
from tests.in_process import make_environ, make_scope, serve_asgi, serve_wsgi
from tests.one_span.processes import run_python
from tests.telemetry import Telemetry

SOURCES = str(Path(otel_apimetrics.__file__).parent)

MEASURING = sys.gettrace()
"""What measures the coverage, put back behind each trace of ours."""


class Unknown(BaseException):
    pass


OWN = [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, Unknown]


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
    return [b"body"]


async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"body"})


@pytest.mark.swallows_errors
@pytest.mark.parametrize("option", ["skip", "identify", "label"])
@pytest.mark.parametrize("kind", OWN)
def test_what_a_hook_raises_by_itself_is_counted_and_the_record_stays(
    telemetry: Telemetry, no_swallowed_errors, option, kind
):
    def hook(exchange):
        raise kind

    served = ApiMetricsWSGIMiddleware(app, **{option: hook}, **telemetry.providers)
    seen = serve_wsgi(served, make_environ())
    assert (seen.error, seen.body) == (None, b"body")
    assert [place for place, _ in no_swallowed_errors] == [f"hooks.{option}"]
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["http.response.status_code"] == 200


@pytest.mark.swallows_errors
@pytest.mark.parametrize("kind", [kind for kind in OWN if kind is not GeneratorExit])
def test_what_an_async_hook_raises_by_itself_is_counted_and_the_next_is_asked(
    telemetry: Telemetry, no_swallowed_errors, kind
):
    async def identify(exchange):
        await asyncio.sleep(0)
        raise kind

    served = ApiMetricsASGIMiddleware(
        asgi, identify=identify, label=lambda exchange: {"a": "b"}, **telemetry.providers
    )
    seen = serve_asgi(served, make_scope())
    assert (seen.error, seen.body) == (None, b"body")
    assert [place for place, _ in no_swallowed_errors] == ["hooks.identify"]
    assert telemetry.server_span.attributes["apimetrics.label.a"] == "b"


@pytest.mark.swallows_errors
def test_an_exit_through_a_call_is_the_hooks_own_too(telemetry: Telemetry, no_swallowed_errors):
    served = ApiMetricsWSGIMiddleware(app, identify=lambda _: sys.exit(3), **telemetry.providers)
    assert serve_wsgi(served, make_environ()).error is None
    assert [place for place, _ in no_swallowed_errors] == ["hooks.identify"]


@pytest.mark.swallows_errors
def test_the_callback_of_redaction_that_exits_leaves_a_mark_and_no_secret(
    telemetry: Telemetry, no_swallowed_errors
):
    served = ApiMetricsWSGIMiddleware(
        app, redaction={"callback": lambda *_: sys.exit(3)}, **telemetry.providers
    )
    seen = serve_wsgi(served, make_environ(query="name=lovelace"))
    assert seen.error is None
    assert {place for place, _ in no_swallowed_errors} == {"redaction.callback"}
    assert "lovelace" not in telemetry.server_span.to_json()


@contextmanager
def handled(handler):
    before = signal.signal(signal.SIGUSR1, handler)
    yield
    signal.signal(signal.SIGUSR1, before)


def exits(number, frame):
    raise SystemExit(number)


def times_out(number, frame):
    raise TimeoutError("the app's own alarm")


class Exits:
    def __call__(self, number, frame):
        raise SystemExit(number)

    def method(self, number, frame):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (exits, SystemExit),
        (functools.partial(exits), SystemExit),
        (Exits(), SystemExit),
        (Exits().method, KeyboardInterrupt),
        (signal.default_int_handler, KeyboardInterrupt),
        (times_out, TimeoutError),
    ],
)
def test_what_a_signal_handler_raises_in_a_hook_passes_and_the_record_is_made(
    telemetry: Telemetry, handler, kind
):
    def identify(exchange):
        signal.raise_signal(signal.SIGUSR1)

    served = ApiMetricsWSGIMiddleware(
        app, identify=identify, label=lambda exchange: {"a": "b"}, **telemetry.providers
    )
    with handled(handler):
        seen = serve_wsgi(served, make_environ())
    assert type(seen.error) is kind
    assert telemetry.total() == 1
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.status_code"] == 200
    assert "apimetrics.label.a" not in attributes  # no further hook is asked
    assert open_requests.count() == 0


def served_with_a_signal_at(number: int, telemetry: Telemetry, before: int = 0):
    """Serve, with a signal at the n-th call inside of us once hooks are asked; give the calls.

    The interpreter looks for signals where a function begins.
    """
    calls, begun = [], []

    def trace(frame, event, argument):
        if not frame.f_code.co_filename.startswith(SOURCES):
            return
        if frame.f_code.co_name == "__del__":
            begun.clear()  # Python itself drops what is raised there
        if begun:
            calls.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
            if len(calls) - 1 == number:
                sys.settrace(MEASURING)
                signal.raise_signal(signal.SIGUSR1)

    def label(exchange):
        begun.append(True)
        return {"a": "b"}

    served = ApiMetricsWSGIMiddleware(
        app, label=label, capture_body="all", metrics="all", **telemetry.providers
    )
    for _ in range(before):
        serve_wsgi(served, make_environ())
    begun.clear()
    with handled(exits):
        gc.disable()  # Python drops what is raised in a callback of the collector, too
        sys.settrace(trace)
        try:
            seen = contextvars.copy_context().run(serve_wsgi, served, make_environ())
        finally:
            sys.settrace(MEASURING)
            gc.enable()
    return seen, calls


# Those after the first are told of together.
@pytest.mark.parametrize(("before", "step"), [(0, 1), (1, 1), (tally.MOST + 1, 3)])
def test_a_signal_anywhere_in_the_making_of_a_record_loses_nothing(before, step):
    number = 0
    while True:
        telemetry = Telemetry()
        seen, calls = served_with_a_signal_at(number, telemetry, before)
        if len(calls) <= number:  # the end is reached without it
            break
        call = "".join((calls[number], "\n", *traceback.format_exception(seen.error)))
        assert type(seen.error) is SystemExit, call
        assert telemetry.total() == before + 1, call
        assert telemetry.total("apimetrics.active_requests") == 0, call
        attributes = telemetry.server_spans[-1].attributes
        assert attributes.get("http.response.body.content") == "body", call
        assert open_requests.count() == 0, call
        number += step
    assert number > 50


def test_a_signal_where_workers_write_down_what_was_counted_loses_nothing(
    telemetry: Telemetry, monkeypatch
):
    @contextmanager
    def place():
        signal.raise_signal(signal.SIGUSR1)
        yield

    def write():
        with place():
            raise AssertionError("goes on")

    monkeypatch.setattr(metrics, "recorded", [write])
    served = ApiMetricsWSGIMiddleware(app, capture_body="all", **telemetry.providers)
    with handled(exits):
        seen = serve_wsgi(served, make_environ())
    assert type(seen.error) is SystemExit
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["http.response.body.content"] == "body"


class PythonLock:
    """Acquired by a function of Python, as gevent's; an interruption comes at its end."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_interrupted = False

    def acquire(self, blocking=True, timeout=-1):
        taken = self.lock.acquire(timeout=2 if timeout == -1 else timeout)
        assert taken or timeout != -1, "waits for a lock that nobody gives back"
        if not self.is_interrupted:
            self.is_interrupted = True
            signal.raise_signal(signal.SIGUSR1)
        return taken

    def release(self):
        self.lock.release()

    def __enter__(self):
        self.acquire()

    def __exit__(self, *_):
        self.release()


@pytest.mark.parametrize("holder", [lambda s: s, lambda s: s._attributes, lambda s: s._events])
def test_a_lock_that_an_interrupted_step_left_held_is_waited_for_by_nobody(telemetry, holder):
    locks = []

    def label(exchange):
        span = served_span[0]
        holder(span)._lock = PythonLock()
        locks.append(holder(span)._lock)

    def failing(environ, start_response):
        served_span.append(otel_trace.get_current_span())
        start_response("500 Oh", [], (ValueError, ValueError("x"), None))
        return [b"body"]

    served_span = []
    served = ApiMetricsWSGIMiddleware(failing, label=label, **telemetry.providers)
    with handled(exits):
        seen = serve_wsgi(served, make_environ())
    assert type(seen.error) is SystemExit
    assert locks[0].lock.locked()
    assert telemetry.total() == 1
    assert telemetry.server_span.name == "GET"
    assert open_requests.count() == 0


def test_a_hook_that_waits_for_a_lock_costs_no_record(telemetry: Telemetry):
    lock = PythonLock()
    served = ApiMetricsWSGIMiddleware(app, label=lambda _: lock.acquire(), **telemetry.providers)
    with handled(exits):
        assert type(serve_wsgi(served, make_environ()).error) is SystemExit
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["http.response.status_code"] == 200


ENDS = {"finish", "note_failure", "__del__"}
"""Where the record is made, which the test above is about, and where Python drops exceptions."""


def interrupted_around_the_app(number: int, served, serve):
    """Serve, with a signal at the n-th beginning or end of a call inside of us around the app."""
    places, begun = [], []

    def trace(frame, event, argument):
        if not frame.f_code.co_filename.startswith(SOURCES):
            return None
        if frame.f_code.co_name == "enter":
            begun.append(True)
        if frame.f_code.co_name in ENDS:
            sys.settrace(MEASURING)
            return None
        if begun and event != "line":
            places.append(f"{event} {frame.f_code.co_filename}:{frame.f_lineno}")
            if len(places) - 1 == number:
                sys.settrace(MEASURING)
                signal.raise_signal(signal.SIGUSR1)
        return trace

    with handled(exits):
        gc.disable()
        sys.settrace(trace)
        try:
            seen = serve(served)
        finally:
            sys.settrace(MEASURING)
            gc.enable()
    left = open_requests.current.get(), otel_trace.get_current_span()
    return seen, places, left


def generating(environ, start_response):
    start_response("200 OK", [])
    yield b"body"


@pytest.mark.parametrize(
    ("middleware", "answering", "serve"),
    [
        (ApiMetricsWSGIMiddleware, app, lambda a: serve_wsgi(a, make_environ())),
        (ApiMetricsWSGIMiddleware, generating, lambda a: serve_wsgi(a, make_environ())),
    ],
)
def test_a_signal_anywhere_around_the_app_leaves_nothing_current_and_one_record(
    middleware, answering, serve
):
    number = 0
    gc.freeze()  # what other tests have left need not be looked through each time
    while True:
        telemetry = Telemetry()
        served = middleware(answering, **telemetry.providers)
        seen, places, left = contextvars.copy_context().run(
            interrupted_around_the_app, number, served, serve
        )
        if len(places) <= number:
            break
        place = places[number]
        assert type(seen.error) is SystemExit, place
        assert left == (None, otel_trace.INVALID_SPAN), place
        del seen  # its error holds the response that was on its way
        gc.collect()
        open_requests.finish_postponed()
        assert open_requests.count() == 0, place
        assert telemetry.total() == 1, place
        number += 1
    gc.unfreeze()
    assert number > 20


@pytest.mark.e2e
def test_a_timeout_and_a_kill_of_gevents_pass_through_a_hook():
    said = run_python(
        """
        import gevent, sys
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from otel_apimetrics import ApiMetricsWSGIMiddleware, _guard
        from tests.in_process import make_environ
        spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(spans))
        def app(environ, start_response):
            start_response("200 OK", [])
            return [b"body"]
        waiting = gevent.event.Event()
        def identify(exchange):
            waiting.set()
            gevent.sleep(30)
        served = ApiMetricsWSGIMiddleware(app, identify=identify, tracer_provider=provider)
        def request():
            iterable = served(make_environ(), lambda *_: None)
            list(iterable)
        try:
            with gevent.Timeout(0.01):
                request()
        except gevent.Timeout:
            print("timeout")
        waiting.clear()
        task = gevent.spawn(request)
        waiting.wait()
        task.kill()
        print(type(task.value).__name__)
        print(len(spans.get_finished_spans()), _guard.counts())
        """
    )
    assert said.splitlines() == ["timeout", "GreenletExit", "2 {}"]
