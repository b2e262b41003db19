"""Attempts end, whatever the backend does."""

from threading import Thread
from time import monotonic

import pytest

from otel_apimetrics.exporters.parcel import Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import Sender
from tests.exporters.trickle import HEAD, trickle

pytestmark = pytest.mark.usefixtures("quick")

PARCEL = Parcel("/v1/events", b'[{"a":1}]')


def in_thread(work):
    """Run work whose end is in question; it must have ended once the thread is joined."""
    results = []
    thread = Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()

    def result():
        thread.join(20)
        assert results, "it still goes on"
        return results[0]

    return result


def test_a_head_that_trickles_ends_its_attempt_and_the_parcel_is_sent_again():
    with trickle(b"HTTP/1.1 200 OK\r\nX-Slow: ") as backend:
        sender = Sender("vendor", backend.url, headers={}, timeout=0.3)
        patience = Patience()
        answer = in_thread(lambda: sender.send(PARCEL, patience))
        backend.wait_for(3)
        patience.end_by(0.0)
        assert answer().status is None


def test_a_body_that_trickles_holds_up_nobody_and_its_status_counts():
    with trickle(HEAD) as backend:
        sender = Sender("vendor", backend.url, headers={}, timeout=1.0)
        for number in range(2):
            answer = in_thread(lambda: sender.send(PARCEL, Patience()))()
            assert answer.taken
            assert backend.requests == number + 1


def test_half_of_a_document_is_no_document():
    with trickle(HEAD) as backend:
        sender = Sender("vendor", backend.url, headers={}, timeout=0.3)
        assert in_thread(lambda: sender.fetch("/config", Patience()))().status is None


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 ", HEAD])
def test_the_end_of_the_process_cuts_off_the_attempt_that_has_begun(begins):
    with trickle(begins) as backend:
        sender = Sender("vendor", backend.url, headers={}, timeout=600)
        patience = Patience()
        answer = in_thread(lambda: sender.send(PARCEL, patience))
        backend.wait_for(1)
        patience.end_by(monotonic() + 0.1)
        assert answer().taken == (begins == HEAD)
        assert backend.requests == 1


def test_a_backend_that_reads_nothing_is_given_up():
    body = b"x" * 32 * 1024 * 1024
    with trickle(b"", reads=False) as backend:
        sender = Sender("vendor", backend.url, headers={}, timeout=0.3)
        patience = Patience()
        answer = in_thread(lambda: sender.send(Parcel("/", body), patience))
        backend.wait_for(2)
        patience.end_by(0.0)
        assert answer().status is None


def test_what_is_over_is_not_tried(backend):
    patience = Patience()
    patience.end_by(0.0)
    answer = Sender("vendor", backend.url, headers={}).send(PARCEL, patience)
    assert (answer.status, backend.received) == (None, [])


def test_a_large_parcel_arrives_whole(backend):
    body = bytes(range(256)) * 32 * 1024
    assert Sender("vendor", backend.url, headers={}).send(Parcel("/", body), Patience()).taken
    assert backend.received[0].raw == body
