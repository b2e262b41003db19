"""The queue between requests and an exporter, with an exporter in-process."""

import os
import signal
import sys
import threading
from contextlib import suppress
from threading import Event
from time import monotonic
from types import SimpleNamespace

import pytest

from otel_apimetrics import Exchange, health, open_requests
from otel_apimetrics.exchange import Body, Request, Response
from otel_apimetrics.exporters import closing, delivery
from otel_apimetrics.exporters.delivery import BATCH, MAX_COUNT, DeliveryQueue
from otel_apimetrics.exporters.memory import size_of

MEASURING = sys.gettrace()
"""What measures the coverage, put back behind each trace of ours."""


def exchange(number: int = 0, content: str | None = None) -> Exchange:
    return Exchange(id=f"{number:032x}", request=Request(method="GET", body=Body(content=content)))


class Backend:
    """Takes exchanges, once it may."""

    def __init__(self, *, answer: bool = True) -> None:
        self.taken: list[Exchange] = []
        self.may_take = Event()
        self.may_take.set()
        self.asked = Event()
        self.answer = answer
        self.closed = 0

    def export(self, batch, _patience):
        self.asked.set()
        assert self.may_take.wait(10)
        self.taken += batch
        return self.answer

    def shutdown(self) -> None:
        self.closed += 1


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture
def queue(backend):
    made = DeliveryQueue("vendor", backend.export, shutdown=backend.shutdown)
    yield made
    backend.may_take.set()
    made.close()


def test_a_request_that_ends_while_the_process_does_is_handed_on(queue, backend):
    queue.accept(exchange(1))
    queue.begin_close(monotonic() + 5)
    queue._thread.join(10)
    queue.accept(exchange(2))
    queue.close()
    assert backend.taken == [exchange(1), exchange(2)]
    assert health.counts("sent") == {("vendor", ""): 2}


def test_what_is_accepted_is_handed_on_in_order_and_counted(queue, backend):
    for number in range(3 * BATCH):
        queue.accept(exchange(number))
    assert queue.flush(10)
    assert [int(taken.id, 16) for taken in backend.taken] == list(range(3 * BATCH))
    assert health.counts("sent") == {("vendor", ""): 3 * BATCH}


def test_a_queue_with_nothing_in_it_is_flushed_at_once(queue):
    assert queue.flush(0)


def test_after_a_flush_in_vain_batches_are_waited_for_as_before(queue, backend):
    backend.may_take.clear()
    queue.accept(exchange())
    assert not queue.flush(0.01)
    queue.accept(exchange(1))
    assert not queue._is_due()


def test_past_the_count_the_oldest_are_dropped_and_counted(queue, backend):
    backend.may_take.clear()
    queue.accept(exchange(0))
    assert backend.asked.wait(10)  # the first batch is in the exporter's hands
    for number in range(1, MAX_COUNT + 11):
        queue.accept(exchange(number))
    assert not queue.flush(0.01)
    backend.may_take.set()
    assert queue.flush(10)
    assert len(backend.taken) == MAX_COUNT + 1
    assert int(backend.taken[-1].id, 16) == MAX_COUNT + 10
    assert health.counts("dropped") == {("vendor", "queue_full"): 10}


def test_past_the_bytes_the_oldest_are_dropped_too(queue, backend, monkeypatch):
    monkeypatch.setattr(delivery, "MAX_BYTES", 10 * 1024)
    backend.may_take.clear()
    queue.accept(exchange(0))
    assert backend.asked.wait(10)
    for number in range(1, 4):
        queue.accept(exchange(number, "x" * 6 * 1024))
    backend.may_take.set()
    assert queue.flush(10)
    assert [int(taken.id, 16) for taken in backend.taken] == [0, 3]


def test_large_exchanges_go_out_before_they_are_too_many_to_wait(queue, backend, monkeypatch):
    monkeypatch.setattr(delivery, "DELAY", 600.0)
    large = exchange(content="x" * (delivery.MAX_BYTES // 8))
    queue.accept(large)
    queue.accept(large)
    assert backend.asked.wait(20)
    assert queue.flush(10)
    assert backend.taken == [large, large]
    assert health.counts("dropped") == {}


def test_what_the_exporter_refuses_is_counted_as_failed():
    backend = Backend(answer=False)
    queue = DeliveryQueue("vendor", backend.export)
    queue.accept(exchange())
    assert queue.flush(10)
    queue.close()
    assert health.counts("failed") == {("vendor", "refused"): 1}
    assert health.counts("sent") == {}


@pytest.mark.swallows_errors
def test_an_exporter_that_raises_loses_its_batch_and_nothing_else():
    answers = [OSError("down"), True]

    def export(batch, _patience):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    queue = DeliveryQueue("vendor", export)
    for _ in range(2):
        queue.accept(exchange())
        assert queue.flush(10)
    queue.close()
    assert health.counts("failed") == {("vendor", "error"): 1}
    assert health.counts("sent") == {("vendor", ""): 1}


def test_closing_hands_on_what_waits_and_shuts_the_exporter_down(queue, backend):
    queue.accept(exchange())
    queue.close()
    assert len(backend.taken) == 1
    assert backend.closed == 1


def test_closing_gives_up_after_its_time_and_counts_what_is_left(queue, backend):
    backend.may_take.clear()
    queue.accept(exchange(0))
    assert backend.asked.wait(10)
    queue.accept(exchange(1))
    queue.close(0.01)
    assert health.counts("dropped") == {("vendor", "shutdown"): 2}


def test_what_was_given_up_in_flight_is_not_counted_again_when_it_is_taken_after_all(
    queue, backend
):
    backend.may_take.clear()
    queue.accept(exchange())
    assert backend.asked.wait(10)
    queue.close(0.01)
    backend.may_take.set()
    queue._thread.join(10)
    assert len(backend.taken) == 1
    assert health.counts("dropped") == {("vendor", "shutdown"): 1}
    assert health.counts("sent") == {}


def test_of_a_batch_in_flight_only_what_its_exporter_has_not_counted_is_given_up(backend):
    def export(batch, patience):
        health.count("sent", "small", number=2)
        health.count("failed", "small", "refused")
        health.keep(1)
        backend.export(batch, patience)
        health.count("sent", "small", number=len(batch) - 4)
        return True

    queue = DeliveryQueue("vendor", export, counts=False)
    backend.may_take.clear()
    for number in range(BATCH):
        queue.accept(exchange(number))
    assert backend.asked.wait(10)
    queue.close(0.01)
    backend.may_take.set()
    queue._thread.join(10)
    assert health.counts("sent") == {("small", ""): 2}
    assert health.counts("failed") == {("small", "refused"): 1}
    assert health.counts("dropped") == {("vendor", "shutdown"): BATCH - 4}


@pytest.mark.swallows_errors
def test_an_exporter_that_raises_has_what_it_counted_not_counted_again():
    def export(batch, _patience):
        health.count("sent", "small", number=2)
        raise OSError

    queue = DeliveryQueue("vendor", export, counts=False)
    for number in range(5):
        queue.accept(exchange(number))
    queue.close()
    assert health.counts("sent") == {("small", ""): 2}
    assert health.counts("failed") == {("vendor", "error"): 3}


def test_what_comes_after_the_end_is_counted_as_dropped(queue, backend):
    queue.accept(exchange())
    queue.close()
    queue.accept(exchange(1))
    assert len(backend.taken) == 1
    assert health.counts("dropped") == {("vendor", "shutdown"): 1}


@pytest.mark.swallows_errors
def test_an_exporter_that_cannot_shut_down_does_not_raise():
    def fail():
        raise RuntimeError

    DeliveryQueue("vendor", lambda batch: True, shutdown=fail).close()


@pytest.mark.swallows_errors  # other tests' queues may still be there
def test_the_end_of_the_process_closes_every_queue(queue, backend):
    queue.accept(exchange())
    assert closing.close_all in open_requests.at_end
    closing.close_all()
    assert backend.closed == 1


@pytest.mark.parametrize(("rate", "taken"), [(1.0, 100), (0.0, 0), (lambda _exchange: 1, 100)])
def test_the_rate_thins_what_goes_in(backend, rate, taken):
    queue = DeliveryQueue("vendor", backend.export, rate=rate)
    for number in range(100):
        queue.accept(exchange(number))
    queue.close()
    assert len(backend.taken) == taken


def test_a_thinned_exchange_stands_for_those_left_out(backend):
    queue = DeliveryQueue("vendor", backend.export, rate=0.5)
    for number in range(200):
        queue.accept(exchange(number))
    queue.close()
    assert 0 < len(backend.taken) < 200
    assert {taken.weight for taken in backend.taken} == {2.0}


@pytest.mark.swallows_errors
@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_a_rate_that_raises_drops_the_exchange_and_counts_it(backend, kind):
    def fail(_exchange):
        raise kind

    queue = DeliveryQueue("vendor", backend.export, rate=fail)
    queue.accept(exchange())
    queue.close()
    assert health.counts("dropped") == {("vendor", "error"): 1}


@pytest.mark.swallows_errors
def test_an_exporter_that_exits_ends_nothing(backend):
    failing = [SystemExit]

    def export(batch, patience):
        if failing:
            raise failing.pop()
        return backend.export(batch, patience)

    queue = DeliveryQueue("vendor", export)
    queue.accept(exchange(1))
    assert queue.flush(10)
    queue.accept(exchange(2))
    queue.close()
    assert health.counts("failed") == {("vendor", "error"): 1}
    assert len(backend.taken) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_an_exception_from_outside_ends_is_started_anew(backend):
    class Panic(BaseException):
        """As an extension in C or Rust raises it: no statement of Python's does."""

    threads = []

    def waits():
        while True:
            yield

    def export(batch, patience):
        threads.append(threading.current_thread())
        if len(threads) == 1:
            panicking = waits()
            next(panicking)
            panicking.throw(Panic())
        return backend.export(batch, patience)

    queue = DeliveryQueue("vendor", export)
    queue.accept(exchange(1))
    queue.flush(10)
    threads[0].join(10)
    queue.accept(exchange(2))
    assert queue.flush(10)
    queue.close()

    assert threads[1] is not threads[0]
    assert health.counts("failed") == {("vendor", "error"): 1}
    assert health.counts("sent") == {("vendor", ""): 1}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_worker_has_a_queue_of_its_own(queue, backend):
    backend.may_take.clear()
    queue.accept(exchange(1))
    assert backend.asked.wait(10)
    queue.accept(exchange(2))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        backend.may_take.set()
        backend.taken.clear()
        queue.accept(exchange(3))
        queue.flush(10)
        os.write(writer, ",".join(str(int(t.id, 16)) for t in backend.taken).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as said:
        assert said.read() == "3"


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(delivery, "monotonic", made)
    return made


@pytest.fixture
def no_threads(monkeypatch):
    """What uWSGI before 2.0.28 shows of itself without `enable-threads`."""
    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(has_threads=0))


def test_without_threads_a_request_hands_a_batch_on_itself_at_most_once_a_second(
    no_threads, clock, queue, backend
):
    before = threading.active_count()
    queue.accept(exchange(0))
    assert len(backend.taken) == 1
    queue.accept(exchange(1))
    clock.now += delivery.DELAY / 2
    queue.accept(exchange(2))
    assert len(backend.taken) == 1
    clock.now += delivery.DELAY / 2
    queue.accept(exchange(3))
    assert [int(taken.id, 16) for taken in backend.taken] == [0, 1, 2, 3]
    assert threading.active_count() == before


def test_without_threads_a_full_batch_goes_out_before_its_time(no_threads, clock, queue, backend):
    for number in range(1 + BATCH):
        queue.accept(exchange(number))
    assert len(backend.taken) == 1 + BATCH


def test_without_threads_a_slow_backend_costs_requests_a_bounded_share_of_their_time(
    no_threads, clock
):
    took = 3.0
    batches = []

    def export(batch, _patience):
        clock.now += took
        batches.append(len(batch))
        return True

    queue = DeliveryQueue("vendor", export)
    queue.accept(exchange())
    rest_ends = clock.now + delivery.REST * took
    while clock.now < rest_ends - 0.1:
        for number in range(BATCH):
            queue.accept(exchange(number))
        clock.now += 0.1
    assert batches == [1]
    clock.now = rest_ends
    queue.accept(exchange())
    assert batches == [1, BATCH]
    queue.close()


def test_without_threads_a_flush_and_the_end_hand_on_all_of_it(no_threads, clock, queue, backend):
    for number in range(BATCH):
        queue.accept(exchange(number))
    assert queue.flush(10)
    assert len(backend.taken) == BATCH
    for number in range(3 * BATCH - 1):
        queue.accept(exchange(number))
    queue.close()
    assert len(backend.taken) == 4 * BATCH - 1


def test_without_threads_the_end_takes_no_longer_than_it_may(no_threads, clock):
    def export(batch, _patience):
        clock.now += 3.0
        return True

    queue = DeliveryQueue("vendor", export)
    for number in range(1 + 4 * BATCH):
        queue.accept(exchange(number))
    queue.close(5.0)
    assert health.counts("sent") == {("vendor", ""): 1 + 2 * BATCH}
    assert health.counts("dropped") == {("vendor", "shutdown"): 2 * BATCH}


def test_where_no_thread_can_be_started_the_request_hands_on_itself(monkeypatch, queue, backend):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    queue.accept(exchange())
    assert len(backend.taken) == 1


def test_the_size_counts_bodies_and_headers_of_both_sides():
    bare = exchange()
    full = Exchange(
        id="0",
        request=Request(method="GET", headers=(("a", "12"),), body=Body(content="xyz")),
        response=Response(status=200, headers=(("b", "3"),), body=Body(content="xy")),
    )
    assert size_of(full) - size_of(bare) == 3 + 3 + 2 + 2


def test_a_signal_while_one_thread_puts_keeps_no_other_from_it(queue, backend):
    def interrupts(number, frame):
        raise KeyboardInterrupt

    def trace(frame, event, argument):
        code = frame.f_code
        if event == "return" and (code.co_name, code.co_filename) == (
            "__enter__",
            threading.__file__,
        ):
            sys.settrace(MEASURING)
            signal.raise_signal(signal.SIGUSR1)
        return trace

    backend.may_take.clear()
    queue.accept(exchange())
    assert backend.asked.wait(10)
    before = signal.signal(signal.SIGUSR1, interrupts)
    sys.settrace(trace)
    try:
        with suppress(KeyboardInterrupt):
            queue.accept(exchange(1))
    finally:
        sys.settrace(MEASURING)
        signal.signal(signal.SIGUSR1, before)
    other = threading.Thread(target=queue.accept, args=(exchange(2),), daemon=True)
    other.start()
    other.join(10)
    assert not other.is_alive()
