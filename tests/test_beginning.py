"""The first requests of a process come at once: it begins once, and nobody goes on before."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread
from types import ModuleType

import pytest

from otel_apimetrics import health, open_requests
from otel_apimetrics.beginning import Beginning
from otel_apimetrics.exporters import aside, delivery
from otel_apimetrics.exporters.aside import Aside
from otel_apimetrics.exporters.delivery import DeliveryQueue
from otel_apimetrics.exporters.parcel import Parcel
from tests.exporters.apitally.scenarios import item
from tests.test_open_requests import Request

PIDS = count(-1_000, -1)
"""Of no process."""


class Held:
    """Stands before a call: the first who comes is held until released."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call, self.entered, self.release = call, Event(), Event()
        self.calls = 0

    def __call__(self) -> object:
        self.calls += 1
        if self.calls == 1:
            self.entered.set()
            assert self.release.wait(20)
        return self.call()


@contextmanager
def two_at_once(
    held: Held, first: Callable[[], object], second: Callable[[], object]
) -> Iterator[None]:
    """Have `first` held in its beginning while `second` comes; both are done afterwards."""
    one, other = Thread(target=first), Thread(target=second)
    one.start()
    assert held.entered.wait(20)
    other.start()
    other.join(0.2)  # as far as it gets
    yield
    held.release.set()
    for thread in (one, other):
        thread.join(20)
        assert not thread.is_alive()


def in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on as another process that was forked in C does."""
    pid = next(PIDS)
    monkeypatch.setattr(os, "getpid", lambda: pid)


@contextmanager
def begun_by_two(
    begins: ModuleType, called: str, first: Callable[[], object], second: Callable[[], object]
) -> Iterator[None]:
    """Go on in another process, which two have begun at once.

    The first is held where it calls `called` of the module `begins`.
    """
    with pytest.MonkeyPatch.context() as patch:
        in_another_process(patch)
        held = Held(getattr(begins, called))
        patch.setattr(begins, called, held)
        with two_at_once(held, first, second):
            pass
        yield


def test_a_process_begins_once_and_who_comes_meanwhile_waits():
    beginning, begun = Beginning(), []
    held = Held(lambda: begun.append(os.getpid()))
    done: list[int] = []

    def come() -> None:
        beginning.make_sure(held)
        done.append(len(begun))

    with two_at_once(held, come, come):
        assert done == []
    assert done == [1, 1]
    assert (held.calls, beginning.pid) == (1, os.getpid())


def test_a_beginning_that_fails_is_made_by_the_next_who_comes():
    beginning, begun = Beginning(), []

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        beginning.make_sure(fail)
    beginning.make_sure(lambda: begun.append(1))
    beginning.make_sure(lambda: begun.append(2))
    assert begun == [1]


def test_a_lock_that_the_parent_held_at_the_fork_stops_nobody(monkeypatch: pytest.MonkeyPatch):
    beginning = Beginning()
    held = Held(lambda: None)
    parents = Thread(target=beginning.make_sure, args=[held])
    parents.start()
    assert held.entered.wait(20)

    with monkeypatch.context() as patch:
        in_another_process(patch)
        childs = Thread(target=beginning.make_sure, args=[lambda: None])
        childs.start()
        childs.join(20)
        assert not childs.is_alive()

    held.release.set()
    parents.join(20)


def test_a_queue_loses_nothing_of_the_first_requests_of_a_worker():
    handed: list[str] = []
    queue = DeliveryQueue("test", lambda batch, _: handed.extend(one.id for one in batch) or True)
    first, second = item(1), item(2)
    with begun_by_two(
        delivery, "Patience", lambda: queue.accept(first), lambda: queue.accept(second)
    ):
        assert queue.flush(20)
        queue.close(5)
    assert sorted(handed) == sorted([first.id, second.id])


def test_both_of_the_first_two_requests_are_in_flight():
    first, second = Request(0.0), Request(0.0)
    with begun_by_two(
        health,
        "begin_process",
        lambda: open_requests.add(first),
        lambda: open_requests.add(second),
    ):
        assert [open_requests.take(each) for each in (first, second)] == [True, True]
    open_requests._beginning.make_sure(open_requests._begin_process)


def test_what_is_counted_first_is_counted_of_all_threads():
    def count_one() -> None:
        health.count("sent", "test")

    health.forget()
    with begun_by_two(health, "Lock", count_one, count_one):
        assert health.counts("sent") == {("test", ""): 2}
    health.begin_process()


def test_what_is_set_aside_first_waits_with_all_else():
    line = Aside()

    def put() -> None:
        assert line.put(Parcel("/", b"{}", count=1))

    with begun_by_two(aside, "RLock", put, put):
        assert line.clear() == 2
