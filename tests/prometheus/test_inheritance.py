"""What a forked process counts before it serves anything, or without serving anything, is counted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from otel_apimetrics.prometheus.families import Family, Series
from otel_apimetrics.prometheus.inheritance import Inheritance

ROOT = Path(__file__).parents[2]

SHOP = """
import multiprocessing, os, sys, threading
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, Counter, Histogram
from otel_apimetrics.prometheus import PrometheusReader

registry = CollectorRegistry()
reader = PrometheusReader(
    registry=registry, directory=sys.argv[1], target_info=False, created=False
)
meter = MeterProvider([reader]).get_meter("shop")
orders, carts = meter.create_counter("orders"), meter.create_up_down_counter("carts")
meter.create_observable_up_down_counter("pool", [lambda _: [Observation(10)]])
clients = Counter("clients", "", ["shop"], registry=registry)
wait = Histogram("wait", "", buckets=[1], registry=registry)

FORK = multiprocessing.get_context("fork")

def count(number):
    orders.add(number)
    orders.add(number, {"of": str(number)})
    carts.add(number)
    clients.labels("a").inc(number)
    wait.observe(number)

def show():
    lines = reader.scrape().body.decode().splitlines()
    print(*[line for line in lines if line[0] != "#" and "_bucket" not in line], sep=", ", flush=True)

def fork(then):
    pid = os.fork()
    if pid == 0:
        try:
            then()
        except SystemExit:
            raise
        except BaseException as error:
            print(repr(error), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
"""


def ran(script, directory, **environ):
    """What a process of its own says, whose forks are nobody else's."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SHOP + script, directory],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environ},
    )
    assert done.returncode == 0, done.stderr
    assert "otel-apimetrics" not in done.stderr, done.stderr
    return done.stdout.splitlines()


def shown(orders, each, carts, pool, clients, waits, wait):
    parts = "".join(f'orders_total{{of="{number}"}} {total}.0, ' for number, total in each)
    return (
        f"orders_total {orders}.0, {parts}carts {carts}.0, pool {pool}.0, "
        f'clients_total{{shop="a"}} {clients}.0, wait_count {waits}.0, wait_sum {wait}.0'
    )


def sorted_parts(line):
    return sorted(line.replace("_count 2,", "_count 2.0,").split(", "))


BEFORE_ITS_FIRST_SCRAPE = """
count(5)
show()

def child():
    count(20)
    count(5)
    show()

fork(child)
show()
"""


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "workers"


def test_what_a_child_counts_before_its_first_scrape_is_its_own(directory):
    first, in_child, after = ran(BEFORE_ITS_FIRST_SCRAPE, directory)
    assert sorted_parts(first) == sorted_parts(shown(5, [(5, 5)], 5, 10, 5, 1, 5))
    assert sorted_parts(in_child) == sorted_parts(shown(30, [(5, 10), (20, 20)], 30, 20, 30, 3, 30))
    # What goes up and down ends with the child.
    assert sorted_parts(after) == sorted_parts(shown(30, [(5, 10), (20, 20)], 5, 10, 30, 3, 30))


WITHOUT_A_SCRAPE = """
count(5)

def job():
    count(20)
    {ends}

{start}
show()
"""


@pytest.mark.parametrize(
    ("ends", "start"),
    [
        ("pass", "one = FORK.Process(target=job); one.start(); one.join()"),
        ("sys.exit()", "fork(job)"),
        ("fork(lambda: (count(1), reader.scrape())); sys.exit()", "fork(job)"),
    ],
    ids=["multiprocessing", "exit", "a grandchild"],
)  # fmt: skip
def test_what_a_child_counts_that_serves_nothing_is_told_at_its_end(directory, ends, start):
    (line,) = ran(WITHOUT_A_SCRAPE.format(ends=ends, start=start), directory)
    if "count(1)" in ends:
        each, total, waits = [(1, 1), (5, 5), (20, 20)], 26, 3
    else:
        each, total, waits = [(5, 5), (20, 20)], 25, 2
    assert sorted_parts(line) == sorted_parts(shown(total, each, 5, 10, total, waits, total))


NOTHING = """
count(5)
show()
before = sorted(os.listdir(sys.argv[1]))
fork(sys.exit)
one = FORK.Process(target=int)
one.start()
one.join()
print(before == sorted(os.listdir(sys.argv[1])))
"""


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_child_that_counts_nothing_leaves_no_file(directory, tmp_path, is_shared):
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)} if is_shared else {}
    assert ran(NOTHING, directory, **environ)[-1] == "True"
    owners = {path.stem.rpartition("_")[2] for path in tmp_path.glob("*.db")}
    assert len(owners) == is_shared, "prometheus_client's, of the parent alone"


IN_FILES = """
count(5)
show()

def child():
    count(20)
    show()

fork(child)
"""


def test_prometheus_clients_own_files_begin_with_nothing_in_a_child(directory, tmp_path):
    first, in_child = ran(IN_FILES, directory, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert sorted_parts(first) == sorted_parts(shown(5, [(5, 5)], 5, 10, 5, 1, 5))
    assert sorted_parts(in_child) == sorted_parts(shown(25, [(5, 5), (20, 20)], 25, 20, 25, 2, 25))


LOCKED = """
held, go = threading.Event(), threading.Event()

def hold():
    with reader._collect.__self__._lock:
        held.set()
        go.wait()

thread = threading.Thread(target=hold)
thread.start()
held.wait()
fork(lambda: print("goes on", flush=True))
go.set()
thread.join()
count(5)
show()
"""


def test_a_fork_waits_for_no_lock_that_another_thread_held(directory):
    goes_on, line = ran(LOCKED, directory)
    assert goes_on == "goes on"
    assert sorted_parts(line) == sorted_parts(shown(5, [(5, 5)], 5, 10, 5, 1, 5))


@pytest.mark.swallows_errors
def test_what_cannot_be_read_at_the_fork_is_taken_for_inherited_later(no_swallowed_errors):
    def held():
        raise ValueError("nothing to read")

    inheritance = Inheritance(held)
    inheritance.note()
    assert {place for place, _ in no_swallowed_errors} == {"prometheus.inherit"}
    told = [Family("orders", "counter", series=[Series((), 2)])]
    assert inheritance.of(told) == told
    assert not inheritance.has_grown()
