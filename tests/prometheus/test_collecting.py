"""A fork and a collection keep out of each other's way, and nothing of one is left for ever."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics.prometheus import PrometheusReader, collecting

ROOT = Path(__file__).parents[2]


def ran(script: str, *arguments: str) -> list[str]:
    """What a process of its own says, whose forks and signals are nobody else's."""
    command = [sys.executable, "-W", "ignore", "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


FORK_WHILE_ONE_COLLECTS = """
import os, threading, time
from otel_apimetrics.prometheus import collecting

collecting._PATIENCE = 60.0
entered, collected = threading.Event(), []

def collect():
    entered.set()
    while not collecting._forking:
        time.sleep(0.001)
    collected.append("all of it")

thread = threading.Thread(target=collecting.undisturbed, args=(collect,))
thread.start()
entered.wait()
pid = os.fork()
if pid == 0:
    os._exit(0 if collected and not collecting._collecting and not collecting._forking else 1)
print(os.waitpid(pid, 0)[1], len(collecting._collecting), len(collecting._forking))
"""


def test_a_fork_waits_for_a_collection_of_another_thread():
    assert ran(FORK_WHILE_ONE_COLLECTS) == ["0 0 0"]


COLLECT_WHILE_ONE_FORKS = """
import os, threading

seen, threads = [], []

def before():
    from otel_apimetrics.prometheus import collecting
    collecting._PATIENCE = 60.0
    collect = lambda: seen.append("all")
    threads.append(threading.Thread(target=collecting.undisturbed, args=(collect,)))
    threads[0].start()
    threads[0].join(0.2)
    print(seen)

os.register_at_fork(before=before)  # the last of those before, because it is the first here
from otel_apimetrics.prometheus import collecting

pid = os.fork()
if pid == 0:
    os._exit(0)
threads[0].join()
print(seen, os.waitpid(pid, 0)[1])
"""


def test_a_collection_waits_for_a_fork_of_another_thread():
    assert ran(COLLECT_WHILE_ONE_FORKS) == ["[]", "['all'] 0"]


FORK_WITHIN = """
import os
from otel_apimetrics.prometheus import collecting

collecting._PATIENCE = 60.0
pids = []
collecting.undisturbed(lambda: collecting.undisturbed(lambda: pids.append(os.fork())))
if pids[0] == 0:
    collecting.undisturbed(int)
    os._exit(len(collecting._collecting))
print(os.waitpid(pids[0], 0)[1], len(collecting._collecting))
"""


def test_one_that_collects_may_fork_itself_and_collect_within_a_collection():
    assert ran(FORK_WITHIN) == ["0 0"]


INTERRUPTED = """
import os, random, signal, sys
from otel_apimetrics.prometheus import collecting

class Stop(Exception): pass

is_armed, interruptions, kept = False, 0, []

def handle(*_):
    global interruptions
    if is_armed:
        interruptions += 1
        raise Stop

def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    pids.append(pid)

signal.signal(signal.SIGALRM, handle)
sys.unraisablehook = lambda _: None  # of a handler of a fork
collects = sys.argv[1] == "collect"
while interruptions < int(sys.argv[2]):
    pids = []
    try:
        is_armed = True
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 4e-5 if collects else 2e-3))
        for _ in range(20 if collects else 1):
            collecting.undisturbed(int) if collects else fork()
    except Stop as error:
        kept.append(error)  # with all frames that it went through
    finally:
        is_armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
    for pid in pids:
        os.waitpid(pid, 0)
    assert not collecting._collecting and not collecting._forking, len(kept)
"""


@pytest.mark.parametrize(("what", "times"), [("collect", 3_000), ("fork", 30)])
def test_an_exception_of_a_signal_handler_leaves_nothing_wherever_it_is_raised(what, times):
    assert ran(INTERRUPTED, what, str(times)) == []


def scraped():
    reader = PrometheusReader(registry=CollectorRegistry())
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("shop").create_counter("orders").add(2)
    body = reader.scrape().body
    provider.shutdown()
    return body


def test_a_collection_of_another_thread_holds_up_no_scrape():
    may_end = threading.Event()
    thread = threading.Thread(target=collecting.undisturbed, args=(may_end.wait,))
    thread.start()
    assert b"orders_total 2.0" in scraped()
    may_end.set()
    thread.join()


def test_a_registry_of_prometheus_client_is_asked_undisturbed_too():
    noted = []

    class Watching:
        def collect(self):
            noted.append(bool(collecting._collecting))
            return []

    registry = CollectorRegistry()
    registry.register(Watching())
    reader = PrometheusReader(registry=registry)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    noted.clear()
    reader.scrape()
    assert noted == [True]
    provider.shutdown()


def test_a_fork_that_is_noted_and_made_by_nobody_holds_up_no_scrape_for_ever(monkeypatch):
    monkeypatch.setattr(collecting, "_PATIENCE", 0.05)
    collecting._forking.append(None)  # as in a process that was forked in C meanwhile
    assert b"orders_total 2.0" in scraped()
    assert not collecting._forking


def test_a_collection_that_is_noted_and_made_by_nobody_holds_up_no_fork_for_ever(monkeypatch):
    monkeypatch.setattr(collecting, "_PATIENCE", 0.05)
    thread = threading.Thread(target=lambda: collecting._begin("note"))
    thread.start()
    thread.join()
    collecting._wait()
    assert "note" not in collecting._collecting
    collecting._forking.clear()
