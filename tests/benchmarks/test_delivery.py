"""The benchmark of delivery: that it counts what arrives, not how fast anything is."""

import gzip
import socket
from threading import Thread

import pytest

from benchmarks.delivery import VENDORS, Found, measure
from benchmarks.delivery_sink import Sink
from otel_apimetrics import health


@pytest.fixture(autouse=True)
def counters():
    yield
    health.forget()


@pytest.mark.e2e
@pytest.mark.parametrize("vendor", VENDORS)
def test_all_that_a_short_run_hands_on_arrives(vendor: str):
    found = measure(vendor, seconds=0.5, rate=400)

    assert (found.handed, found.arrived, found.lost) == (200, 200, 0)
    assert found.counted == (200 if vendor.startswith("apitally") else None)
    assert found.drops == {}
    assert "200 arrived" in str(found)
    assert "0 lost" in str(found)


@pytest.mark.parametrize(("arrived", "counted", "lost"), [(9, None, 1), (10, 8, 2), (7, 10, 3)])
def test_what_is_missing_among_events_or_counts_is_lost(arrived, counted, lost):
    found = Found(
        vendor="x", handed=10, seconds=1.0, arrived=arrived, counted=counted, cpu=0.1, handing=0.0,
        waiting=1, drops={},
    )  # fmt: skip

    assert found.lost == lost


def test_the_sink_counts_events_on_connections_that_are_open_at_once():
    sink = Sink(b'"id"')
    pairs = [socket.socketpair() for _ in range(2)]
    threads = [Thread(target=sink.take, args=(theirs,)) for _, theirs in pairs]
    for thread in threads:
        thread.start()
    bodies = [b'[{"id":1},{"id":2}]', gzip.compress(b'[{"id":3}]')]
    for _ in range(2):  # each connection stays open for another request
        for (ours, _), body in zip(pairs, bodies, strict=True):
            ours.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            assert ours.recv(1_000).startswith(b"HTTP/1.1 200")
    for ours, _ in pairs:
        ours.close()
    for thread in threads:
        thread.join(10)

    assert sink.arrived == 6
    assert sink.counted is None
