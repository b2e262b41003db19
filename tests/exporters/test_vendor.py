"""What the exporters to vendors have in common, shown on a small vendor."""

import json
import os
import signal
import time
from threading import Event, Thread

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from otel_apimetrics import Exchange, health
from otel_apimetrics.exchange import Request, Response
from otel_apimetrics.exporters import aside, courier
from otel_apimetrics.exporters import backend as backend_module
from otel_apimetrics.exporters.delivery import DeliveryQueue
from otel_apimetrics.exporters.json_bytes import json_bytes
from otel_apimetrics.exporters.parcel import Parcel
from otel_apimetrics.exporters.sender import Sender
from otel_apimetrics.exporters.spans import as_span
from otel_apimetrics.exporters.spool import Spool
from otel_apimetrics.exporters.vendor import VendorExporter
from tests.exporters.sink import Reply
from tests.exporters.trickle import trickle

pytestmark = pytest.mark.usefixtures("quick")


class Small(VendorExporter):
    name = "small"
    most_events = 4
    most_bytes = 1_000

    def event(self, exchange):
        if exchange.request.path == "/left-out":
            return None
        if exchange.request.path == "/broken":
            raise ValueError(exchange.request.query)
        return json_bytes({"id": exchange.id, "path": exchange.request.path})

    def parcel(self, events):
        return Parcel("/events", b"[" + b",".join(events) + b"]", count=len(events))


def exchange(number: int, path: str = "/") -> Exchange:
    request = Request(method="GET", path=path)
    response = Response(status=200)
    return Exchange(
        id=f"{number:032x}", request=request, response=response, trace_id=7, span_id=number + 1
    )


@pytest.fixture
def exporter(backend):
    return Small(Sender("small", backend.url, headers={}), timeout=5)


def arrived(backend) -> list[int]:
    return [
        int(event["id"], 16)
        for request in backend.received
        if request.status == 200
        for event in request.json
    ]


def test_both_doors_send_the_same_bytes(backend, exporter):
    exchanges = [exchange(number) for number in range(3)]
    spans = [as_span(each, Resource({})) for each in exchanges]

    assert exporter.export_exchanges(exchanges)
    assert exporter.export(spans) is SpanExportResult.SUCCESS

    first, second = backend.received
    assert first.raw == second.raw
    assert health.counts("sent") == {("small", ""): 6}


def test_batches_are_bounded_by_events_and_bytes(backend, exporter):
    exporter.export_exchanges([exchange(number) for number in range(9)])
    exporter.export_exchanges([exchange(9 + n, "/" + "x" * 400) for n in range(3)])

    assert [len(request.json) for request in backend.received] == [4, 4, 1, 2, 1]
    assert arrived(backend) == list(range(12))


@pytest.mark.swallows_errors
def test_an_exchange_that_cannot_be_translated_is_dropped_alone(backend, exporter, caplog):
    request = Request(method="GET", path="/broken", query="secret=x")
    broken = Exchange(id="b", request=request)
    large = exchange(1, "/" + "x" * 2_000)

    assert exporter.export_exchanges([exchange(0), broken, large, exchange(2)])

    assert arrived(backend) == [0, 2]
    assert health.counts("dropped") == {("small", "untranslatable"): 1, ("small", "too_large"): 1}
    assert "secret" not in caplog.text


def test_what_a_vendor_filters_out_is_no_loss(backend, exporter):
    assert exporter.export_exchanges([exchange(0, "/left-out")])
    assert backend.received == []
    assert health.counts("dropped") == {}


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_record_that_a_backend_cannot_read_does_not_sink_its_batch(backend, exporter, status):
    original = backend._reply

    def reply(request):
        poisonous = any(event["path"] == "/poison" for event in request.json)
        return Reply(status) if poisonous else original(request)

    backend._reply = reply
    batch = [exchange(0), exchange(1, "/poison"), exchange(2), exchange(3)]

    assert not exporter.export_exchanges(batch)

    assert sorted(arrived(backend)) == [0, 2, 3]
    assert health.counts("failed") == {("small", "refused"): 1}


def test_a_backend_that_reads_nothing_is_asked_a_bounded_number_of_times(backend, exporter):
    backend.otherwise = Reply(400)
    exporter.most_events = 64

    exporter.export_exchanges([exchange(number, "/") for number in range(12)])

    assert len(backend.received) == 2 * 12 - 1
    assert health.counts("failed") == {("small", "refused"): 12}


def poisoned(backend, status: int) -> None:
    original = backend._reply

    def reply(request):
        poisonous = any(event["path"] == "/poison" for event in request.json)
        return Reply(status) if poisonous else original(request)

    backend._reply = reply


def test_every_record_that_a_backend_cannot_read_is_found(backend):
    exporter = Small(Sender("small", backend.url, headers={}), timeout=60)
    poisoned(backend, 400)
    exporter.most_events, exporter.most_bytes = 120, 100_000
    batch = [exchange(n, "/poison" if n % 11 == 3 else "/") for n in range(115)]

    exporter.export_exchanges(batch)

    assert sorted(arrived(backend)) == [n for n in range(115) if n % 11 != 3]
    assert health.counts("failed") == {("small", "refused"): 11}


def test_a_record_that_a_backend_fails_at_lets_others_pass_and_is_dropped_alone(
    backend, exporter, caplog
):
    poisoned(backend, 500)
    exporter.export_exchanges([exchange(0), exchange(1, "/poison"), exchange(2), exchange(3)])
    assert arrived(backend) == []

    for number in range(4, 10):
        assert exporter.export_exchanges([exchange(number)])

    assert sorted(arrived(backend)) == [0, *range(2, 10)]
    assert health.counts("failed") == {("small", "refused"): 1}
    assert caplog.text.count("fails at a record") == 1
    backend.received.clear()
    exporter.export_exchanges([exchange(10)])
    assert len(backend.received) == 1


@pytest.mark.parametrize("status", [503, 0])
def test_a_record_that_a_backend_is_silent_to_lets_others_pass_and_is_dropped_alone(
    backend, exporter, caplog, status
):
    poisoned(backend, status)
    exporter.export_exchanges([exchange(0), exchange(1, "/poison"), exchange(2), exchange(3)])
    assert arrived(backend) == []

    for number in range(4, 12):
        assert exporter.export_exchanges([exchange(number)])

    assert sorted(arrived(backend)) == [0, *range(2, 12)]
    assert health.counts("failed") == {("small", "refused"): 1}
    assert caplog.text.count("fails at a record") == 1
    assert exporter.again() is None


@pytest.mark.parametrize("status", [503, 0])
def test_several_records_that_a_backend_is_silent_to_stop_nothing(
    backend, exporter, monkeypatch, status
):
    monkeypatch.setattr(courier, "_AGAIN", 0.01)
    poisoned(backend, status)
    for number in range(3):
        exporter.export_exchanges([exchange(number, "/poison")])
    for number in range(3, 12):
        assert exporter.export_exchanges([exchange(number)])

    assert arrived(backend) == list(range(3, 12))
    assert health.counts("failed") == {("small", "refused"): 3}


@pytest.mark.parametrize("status", [503, 0])
def test_a_backend_that_is_away_costs_no_record_and_is_asked_less_and_less(
    backend, exporter, monkeypatch, status
):
    monkeypatch.setattr(courier, "_AGAIN", 0.01)
    backend.otherwise = Reply(status)
    queue = queue_to(exporter)
    for number in range(30):
        queue.accept(exchange(number))
    backend.wait_for(30)
    assert health.counts("failed") == health.counts("dropped") == {}
    assert exporter._courier._errors > 5

    backend.otherwise = Reply()
    assert queue.flush(20)
    queue.close()

    assert sorted(arrived(backend)) == list(range(30))
    assert health.counts("sent") == {("small", ""): 30}
    assert health.counts("failed") == health.counts("dropped") == {}


def test_a_backend_that_only_fails_costs_no_record(backend, exporter, monkeypatch):
    monkeypatch.setattr(courier, "_AGAIN", 0.0)
    backend.otherwise = Reply(500)
    for number in range(6):
        exporter.export_exchanges([exchange(number)])
        exporter.export_exchanges([])
    assert health.counts("failed") == {}
    assert exporter.again() == 0.0

    backend.otherwise = Reply(200)
    exporter.export_exchanges([])

    assert sorted(arrived(backend)) == list(range(6))
    assert exporter.again() is None


def test_what_has_no_room_aside_takes_turns_with_what_waits(backend, exporter, monkeypatch):
    monkeypatch.setattr(aside, "MOST", 2)
    monkeypatch.setattr(courier, "_AGAIN", 0.0)
    backend.otherwise = Reply(500)
    exporter.export_exchanges([exchange(0), exchange(1)])
    failed = len(backend.received)
    backend.planned += [Reply(500)] * 3
    backend.otherwise = Reply(200)
    poisoned(backend, 500)

    exporter.export_exchanges([exchange(2, "/poison"), exchange(3)])
    for number in range(4, 9):
        exporter.export_exchanges([exchange(number)])

    assert len(backend.received) > failed
    assert sorted(arrived(backend)) == [0, 1, *range(3, 9)]
    assert health.counts("failed") == {("small", "refused"): 1}


def queue_to(exporter) -> DeliveryQueue:
    return DeliveryQueue(
        "small",
        exporter.export_exchanges,
        counts=False,
        shutdown=exporter.shutdown,
        again=exporter.again,
    )


def test_what_was_set_aside_is_tried_again_though_no_request_comes(backend, exporter, monkeypatch):
    monkeypatch.setattr(courier, "_AGAIN", 0.01)
    backend.planned += [Reply(500)] * (courier.ERRORS + 3)
    queue = queue_to(exporter)
    queue.accept(exchange(0))

    backend.wait_for(courier.ERRORS + 4)
    queue.close()

    assert arrived(backend) == [0]
    assert health.counts("sent") == {("small", ""): 1}
    assert health.counts("failed") == {}


def test_what_was_set_aside_is_tried_a_last_time_at_the_end(backend, exporter):
    backend.planned += [Reply(500)] * courier.ERRORS
    queue = queue_to(exporter)
    queue.accept(exchange(0))
    assert queue.flush(20)
    assert arrived(backend) == []

    queue.close()

    assert arrived(backend) == [0]
    assert health.counts("failed") == {}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_worker_sends_nothing_that_its_parent_has_set_aside():
    line = aside.Aside()
    line.put(Parcel("/", b"[1]"), [b"1"])
    held, ends = Event(), Event()

    def hold():
        with line._lock:
            held.set()
            ends.wait(20)

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(20)
    worker = os.fork()
    if worker == 0:
        signal.alarm(20)
        os._exit(0 if line.oldest() is None and line.has_room(aside.MOST) else 1)
    ends.set()
    holder.join()

    assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == 0
    assert line.clear() == 1


def test_what_is_still_set_aside_at_the_end_is_counted(backend, exporter):
    backend.otherwise = Reply(500)
    exporter.export_exchanges([exchange(0), exchange(1)])

    exporter.shutdown()

    assert health.counts("failed") == {("small", "unavailable"): 2}


def test_credentials_that_are_refused_lose_their_batches_and_are_counted(backend, exporter):
    backend.otherwise = Reply(401)

    assert not exporter.export_exchanges([exchange(0), exchange(1)])

    assert len(backend.received) == 1
    assert health.counts("failed") == {("small", "refused"): 2}


def test_a_span_of_another_kind_is_left_out(backend, exporter):
    assert exporter.export([]) is SpanExportResult.SUCCESS
    assert backend.received == []


def test_a_queue_waits_for_its_backend_as_long_as_it_has_room(backend, exporter, monkeypatch):
    monkeypatch.setattr(courier, "_AGAIN", 0.01)
    backend.planned += [Reply(503)] * 20
    queue = DeliveryQueue("small", exporter.export_exchanges, counts=False)
    for number in range(10):
        queue.accept(exchange(number))

    assert queue.flush(20)
    queue.close()

    assert sorted(arrived(backend)) == list(range(10))
    assert health.counts("sent") == {("small", ""): 10}
    assert health.counts("failed") == {}


def test_a_queue_that_ends_gives_up_within_its_time_and_counts(backend, exporter):
    backend.otherwise = Reply(503, {"Retry-After": "100"})
    queue = DeliveryQueue("small", exporter.export_exchanges, counts=False)
    queue.accept(exchange(0))
    queue.flush(0.0)
    backend.wait_for(1)

    began = time.monotonic()
    queue.close(5)

    assert time.monotonic() - began < 5
    assert health.counts("failed") == {("small", "unavailable"): 1}


def test_one_backend_that_hangs_takes_no_time_from_another(backend, exporter):
    from otel_apimetrics.exporters import closing

    hanging = Event()
    asked = Event()

    def hang(batch, patience):
        asked.set()
        hanging.wait(20)
        return True

    queues = [
        DeliveryQueue("hanging", hang),
        DeliveryQueue("small", exporter.export_exchanges, counts=False),
    ]
    for queue in queues:
        queue.accept(exchange(0))
    assert queues[0].flush(0.01) is False
    assert asked.wait(10)
    monkey = closing.CLOSE
    closing.CLOSE = 1.0
    try:
        closing.close_all()
    finally:
        closing.CLOSE = monkey
        hanging.set()

    assert arrived(backend) == [0]


def test_what_cannot_be_delivered_waits_on_the_disk_for_the_next_process(
    backend, tmp_path, monkeypatch
):
    monkeypatch.setattr(courier, "SPOOL_AFTER", 0.2)
    backend.otherwise = Reply(503)

    def made():
        sender = Sender("small", backend.url, headers={"Authorization": "key"})
        return Small(sender, timeout=5, spool=Spool(tmp_path, "small", backend.url))

    assert not made().export_exchanges([exchange(number) for number in range(3)])
    assert health.counts("failed") == {}
    (file,) = tmp_path.iterdir()
    assert b"key" not in file.read_bytes()

    backend.otherwise = Reply(200)
    assert made().export_exchanges([exchange(3)])

    assert sorted(arrived(backend)) == [0, 1, 2, 3]
    assert list(tmp_path.iterdir()) == []
    assert health.counts("sent") == {("small", ""): 4}
    sent = {json.dumps(request.json) for request in backend.received}
    assert len(sent) == 2


def accept_beside_one_in_flight(queue, hanging, number):
    queue.accept(exchange(0))
    queue.flush(0.0)
    hanging.wait_for(1)
    for each in range(1, number):
        queue.accept(exchange(each))


def test_what_is_in_flight_and_what_waits_at_the_end_is_kept_for_the_next_process(
    backend, tmp_path
):
    def made(url):
        sender = Sender("small", url, headers={}, timeout=600)
        small = Small(sender, timeout=5, spool=Spool(tmp_path, "small", "the same account"))
        small.most_events, small.most_bytes = 120, 10_000
        return small

    with trickle(b"") as hanging:
        queue = DeliveryQueue("small", made(hanging.url).export_exchanges, counts=False)
        accept_beside_one_in_flight(queue, hanging, 200)
        queue.close(4.0)
        assert hanging.requests == 1

    for outcome in ("sent", "dropped", "failed"):
        assert health.counts(outcome) == {}
    assert made(backend.url).export_exchanges([exchange(200)])
    assert sorted(arrived(backend)) == list(range(201))
    assert health.counts("sent") == {("small", ""): 201}


def test_without_a_disk_all_that_a_hanging_backend_leaves_over_is_counted_once():
    with trickle(b"") as hanging:
        exporter = Small(Sender("small", hanging.url, headers={}, timeout=600), timeout=5)
        queue = DeliveryQueue("small", exporter.export_exchanges, counts=False)
        accept_beside_one_in_flight(queue, hanging, 300)
        queue.close(2.0)

    assert health.counts("sent") == {}
    assert health.counts("failed") == {("small", "unavailable"): 1}
    assert health.counts("dropped") == {("small", "shutdown"): 299}


def spooling(backend, tmp_path) -> Small:
    sender = Sender("small", backend.url, headers={})
    return Small(sender, timeout=5, spool=Spool(tmp_path, "small", backend.url))


@pytest.mark.parametrize("status", [400, 500, 503, 0])
def test_a_bad_record_that_was_spooled_does_not_sink_its_batch(
    backend, tmp_path, monkeypatch, status
):
    monkeypatch.setattr(courier, "SPOOL_AFTER", 0.2)
    exporter = spooling(backend, tmp_path)
    backend.otherwise = Reply(503)
    exporter.export_exchanges([exchange(n, "/poison" if n == 2 else "/") for n in range(4)])
    exporter.export_exchanges([exchange(4)])
    assert len(list(tmp_path.iterdir())) == 2

    backend.otherwise = Reply(200)
    poisoned(backend, status)
    for number in range(5, 14):
        assert exporter.export_exchanges([exchange(number)])

    assert sorted(arrived(backend)) == [0, 1, *range(3, 14)]
    assert health.counts("failed") == {("small", "refused"): 1}
    assert list(tmp_path.iterdir()) == []


def test_an_old_parcel_that_a_backend_fails_at_lets_others_pass(backend, tmp_path, monkeypatch):
    monkeypatch.setattr(courier, "SPOOL_AFTER", 0.2)
    exporter = spooling(backend, tmp_path)
    backend.otherwise = Reply(503)
    exporter.export_exchanges([exchange(0, "/poison")])
    exporter.export_exchanges([exchange(1)])
    backend.otherwise = Reply(200)
    poisoned(backend, 500)
    backend.received.clear()

    exporter.export_exchanges([exchange(2)])

    assert arrived(backend) == [2, 1]
    assert len(backend.received) <= 4


def test_a_spool_is_sent_by_a_batch_of_which_a_part_was_taken(backend, tmp_path, monkeypatch):
    monkeypatch.setattr(courier, "SPOOL_AFTER", 0.2)
    exporter = spooling(backend, tmp_path)
    backend.otherwise = Reply(503)
    exporter.export_exchanges([exchange(0)])
    backend.otherwise = Reply(200)
    poisoned(backend, 422)

    assert not exporter.export_exchanges([exchange(1, "/poison"), exchange(2)])

    assert sorted(arrived(backend)) == [0, 2]


def test_a_spool_is_sent_though_no_further_request_comes(backend, tmp_path, monkeypatch):
    monkeypatch.setattr(courier, "SPOOL_AFTER", 0.1)
    monkeypatch.setattr(courier, "_AGAIN", 0.01)
    exporter = spooling(backend, tmp_path)
    backend.planned += [Reply(503)] * (courier.ERRORS + 3)
    queue = queue_to(exporter)
    queue.accept(exchange(0))

    backend.wait_for(courier.ERRORS + 4)
    queue.close()

    assert arrived(backend) == [0]
    assert health.counts("sent") == {("small", ""): 1}
    assert list(tmp_path.iterdir()) == []


def test_a_backend_that_asks_to_be_left_alone_is_and_the_disk_keeps_what_comes(
    backend, tmp_path, monkeypatch
):
    monkeypatch.setattr(courier, "_AGAIN", 0.0)
    exporter = spooling(backend, tmp_path)
    backend.planned.append(Reply(429, {"Retry-After": "60"}))
    for number in range(5):
        assert not exporter.export_exchanges([exchange(number)])
    exporter.export_exchanges([])

    assert len(backend.received) == 1
    assert len(list(tmp_path.iterdir())) == 5
    assert exporter.again() > 30
    assert health.counts("failed") == {}

    monkeypatch.setattr(backend_module, "monotonic", lambda: time.monotonic() + 61)
    assert exporter.export_exchanges([exchange(5)])
    assert sorted(arrived(backend)) == list(range(6))


def test_a_processor_asks_no_backend_that_asked_to_be_left_alone(backend, exporter):
    backend.planned.append(Reply(503, {"Retry-After": "60"}))
    spans = [as_span(exchange(0), Resource({}))]

    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert exporter.export(spans) is SpanExportResult.FAILURE

    assert len(backend.received) == 1
    assert health.counts("failed") == {("small", "unavailable"): 2}


def test_what_was_left_for_a_key_that_is_no_longer_used_is_counted(backend, tmp_path, caplog):
    Spool(tmp_path, "small", "old key").put(Parcel("/events", b"[]", count=5))
    for path in tmp_path.iterdir():
        os.utime(path, times=(0, 0))

    assert spooling(backend, tmp_path).export_exchanges([exchange(0)])

    assert arrived(backend) == [0]
    assert health.counts("dropped") == {("small", "expired"): 5}
    assert caplog.text.count("for other credentials") == 1
    assert list(tmp_path.iterdir()) == []
