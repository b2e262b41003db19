"""The protocol that a client id goes with, on a backend over loopback."""

import gzip
import json
import os
import time
from threading import Event
from uuid import UUID

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from otel_apimetrics import health
from otel_apimetrics.exporters import courier
from otel_apimetrics.exporters.apitally import ApitallySpanExporter
from otel_apimetrics.exporters.delivery import DeliveryQueue
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.spans import as_span
from tests.exporters.apitally.scenarios import (
    ALICE,
    crash,
    created,
    handled,
    invalid,
    item,
    missing,
)
from tests.exporters.sink import Reply

pytestmark = pytest.mark.usefixtures("quick")

CLIENT = "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9"
PREFIX = f"/v2/{CLIENT}/dev"


@pytest.fixture
def made(backend):
    """Make exporters that are shut down after the test, whatever became of it."""
    exporters = []

    def make(**options):
        options = {"client_id": CLIENT, "endpoint": backend.url, "request_logs": True, **options}
        exporters.append(ApitallySpanExporter(**options))
        return exporters[-1]

    yield make
    for exporter in exporters:
        exporter._patience = Patience(0.1)
        exporter._patience.end_by(0.0)
        exporter.shutdown()


def of(backend, message):
    """The messages that were taken, of one kind."""
    return [
        request
        for request in backend.received
        if request.path.startswith(f"{PREFIX}/{message}") and 200 <= request.status < 300
    ]


def counted(backend):
    """Requests by consumer, method, path and status, of all sync messages."""
    found = {}
    for request in of(backend, "sync"):
        for each in request.json["requests"]:
            key = each["consumer"], each["method"], each["path"], each["status_code"]
            found[key] = found.get(key, 0) + each["request_count"]
    return found


def lines(backend):
    found = []
    for request in of(backend, "log"):
        found += [json.loads(line) for line in gzip.decompress(request.raw).splitlines()]
    return found


def test_a_request_is_counted_and_logged_and_the_app_introduces_itself(backend, made):
    exporter = made(app_version="1.2.3")
    exporter.app_started("flask", ["GET /items/<int:item_id>", "HEAD /items", "POST /items"])

    assert exporter.export_exchanges([item(1), created()])
    assert exporter.force_flush()

    (startup,) = of(backend, "startup")
    assert startup.json["client"] == "python:flask"
    assert startup.json["paths"] == [
        {"method": "GET", "path": "/items/<int:item_id>"},
        {"method": "POST", "path": "/items"},
    ]
    assert startup.json["versions"]["app"] == "1.2.3"
    assert counted(backend) == {
        ("alice", "GET", "/items/<int:item_id>", 200): 1,
        ("alice", "POST", "/items", 201): 1,
    }
    assert [line["request"]["path"] for line in lines(backend)] == [
        "/items/<int:item_id>",
        "/items",
    ]
    assert health.counts("sent") == {("apitally", ""): 2}
    ids = {
        request.json["instance_uuid"] for request in backend.received if "log" not in request.path
    }
    assert len(ids) == 1


def test_both_doors_say_the_same(backend, made):
    exchanges = [item(1), created(), crash(), missing(), invalid()]
    first, second = made(), made()

    first.export_exchanges(exchanges)
    first.force_flush()
    before, direct = len(backend.received), lines(backend)
    sums = counted(backend)
    spans = [as_span(each, Resource({})) for each in exchanges]
    assert second.export(spans) is SpanExportResult.SUCCESS
    second.force_flush()
    backend.received[:before] = []

    assert lines(backend) == direct
    assert counted(backend) == sums


def test_messages_have_the_headers_of_the_vendors_sdk(backend, made):
    exporter = made()
    exporter.export_exchanges([item(1)])
    exporter.force_flush()

    for request in of(backend, "startup") + of(backend, "sync"):
        assert request.headers["content-type"] == "application/json"
        assert "content-encoding" not in request.headers
    (log,) = of(backend, "log")
    assert "content-type" not in log.headers
    assert "content-encoding" not in log.headers
    assert UUID(log.path.partition("?uuid=")[2])


def test_the_heartbeat_goes_out_without_any_request(backend, made):
    exporter = made()

    exporter.start()
    backend.wait_for(2)
    exporter.force_flush()

    first, *_, last = of(backend, "sync")
    assert first.json["requests"] == []
    assert first.json["resources"] is None
    assert last.json["resources"]["memory_rss"] > 1_000_000
    assert last.json["resources"]["cpu_percent"] >= 0
    assert len({request.json["message_uuid"] for request in of(backend, "sync")}) >= 2


def test_a_heartbeat_is_not_held_up_by_request_logs_that_hang(backend, made):
    released = Event()
    backend.by_path[f"{PREFIX}/log"] = Reply(until=released)
    exporter = made(timeout=20)
    exporter.export_exchanges([item(1)])
    exporter.force_flush(100)

    exporter.export_exchanges([item(2)])
    ticket = exporter._protocol()._heart.hurry()
    assert exporter._protocol()._heart.wait(ticket, Patience(20))

    released.set()
    assert sum(counted(backend).values()) == 2
    assert exporter.force_flush()
    assert len(lines(backend)) == 2


def test_one_queue_that_hangs_takes_nothing_from_the_counts(backend, made):
    released = Event()
    backend.by_path[f"{PREFIX}/log"] = Reply(until=released)
    exporter = made(timeout=20)
    queue = DeliveryQueue("apitally", exporter.export_exchanges, counts=False)
    exchange = item(1)
    for number in range(3_000):
        queue.accept(exchange)
        if number % 500 == 0:
            queue.flush(20)
    assert queue.flush(20)

    ticket = exporter._protocol()._heart.hurry()
    assert exporter._protocol()._heart.wait(ticket, Patience(20))
    released.set()
    queue.close()
    assert counted(backend) == {("alice", "GET", "/items/<int:item_id>", 200): 3_000}


def test_a_backend_that_asks_for_patience_is_left_alone_and_others_are_not(backend, made):
    backend.by_path[f"{PREFIX}/log"] = Reply(429, {"Retry-After": "600"})
    exporter = made()
    for number in range(3):
        exporter.export_exchanges([item(number)])
        assert not exporter.force_flush(1_000)

    assert backend.until(lambda: sum(counted(backend).values()) == 3)
    assert len([request for request in backend.received if "/log" in request.path]) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_message_that_is_not_taken_comes_again_with_the_same_id(backend, made, status):
    # Each of the three messages may get them all, and is not set aside for it.
    backend.planned += [Reply(status)] * 4
    exporter = made()

    exporter.export_exchanges([item(1)])
    assert exporter.force_flush()

    bodies = {}
    for request in backend.received:
        name = request.path.rpartition("/")[2]
        identity = name if "uuid=" in name else request.json["message_uuid"]
        bodies.setdefault(identity, set()).add(request.raw)
    assert all(len(each) == 1 for each in bodies.values())
    assert counted(backend) == {("alice", "GET", "/items/<int:item_id>", 200): 1}
    assert len(lines(backend)) == 1


def test_an_unknown_client_id_stops_everything_for_an_hour_with_one_line(backend, made, caplog):
    backend.otherwise = Reply(404)
    exporter = made()
    exporter.export_exchanges([item(1)])
    exporter.force_flush()
    before = len(backend.received)

    assert not exporter.export_exchanges([item(2)])
    exporter.force_flush()

    assert len(backend.received) == before
    lines_of_log = [each.getMessage() for each in caplog.records]
    assert len(lines_of_log) == 1
    assert "OTEL_EXPORTER_APITALLY_CLIENT_ID" in lines_of_log[0]
    assert CLIENT not in lines_of_log[0]
    lost = {**health.counts("dropped"), **health.counts("failed")}
    assert ("apitally", "suspended") in lost


def test_a_used_up_quota_stops_request_logs_and_no_counts(backend, made, caplog):
    backend.by_path[f"{PREFIX}/log"] = Reply(402, {"Retry-After": "3600"})
    exporter = made()
    exporter.export_exchanges([item(1)])
    exporter.force_flush()

    exporter.export_exchanges([item(2)])
    exporter.force_flush()

    logs = [request for request in backend.received if "/log" in request.path]
    assert len(logs) == 1
    assert sum(counted(backend).values()) == 2
    assert health.counts("dropped") == {("apitally", "quota"): 1}
    assert health.counts("failed") == {("apitally", "refused"): 1}
    assert any("quota" in each.getMessage() for each in caplog.records)


def test_a_message_that_was_not_understood_does_not_come_again(backend, made, caplog):
    backend.by_path[f"{PREFIX}/sync"] = Reply(422, body=b'{"detail": []}')
    exporter = made()
    exporter.export_exchanges([item(1)])
    exporter.force_flush()
    exporter.force_flush()

    ids = [r.json["message_uuid"] for r in backend.received if r.path == f"{PREFIX}/sync"]
    assert len(ids) == len(set(ids))
    assert health.counts("failed") == {("apitally", "sync_refused"): 1}


def test_a_line_that_cannot_be_read_does_not_sink_the_others(backend, made):
    original = backend._reply

    def reply(request):
        poisonous = "/log" in request.path and b'"/boom"' in gzip.decompress(request.raw)
        return Reply(400) if poisonous else original(request)

    backend._reply = reply
    exporter = made()
    exporter.export_exchanges([item(1), item(2), crash(), handled()])
    exporter.force_flush()

    assert len(lines(backend)) == 3
    assert health.counts("failed") == {("apitally", "refused"): 1}
    assert health.counts("sent") == {("apitally", ""): 3}


def poisoned(backend, status):
    """Answer so where a line is about `/boom`, or a message counts it."""
    original = backend._reply

    def reply(request):
        body = gzip.decompress(request.raw) if "/log" in request.path else request.raw
        return Reply(status) if b'"/boom"' in body else original(request)

    backend._reply = reply


def test_a_line_that_the_hub_fails_at_is_dropped_alone_and_the_heartbeat_goes_on(
    backend, made, caplog
):
    poisoned(backend, 500)
    exporter = made()
    exporter.export_exchanges([item(1), crash(), item(2)])
    for number in range(3, 10):
        exporter.force_flush()
        exporter.export_exchanges([item(number)])
    assert exporter.force_flush()

    assert [line["request"]["path"] for line in lines(backend)] == ["/items/<int:item_id>"] * 9
    # The message that counts it is lost with what it counts besides.
    assert sum(counted(backend).values()) >= 7
    assert health.counts("failed")[("apitally", "refused")] == 1
    assert health.counts("sent") == {("apitally", ""): 9}
    assert caplog.text.count("fails at a record") == 1


@pytest.mark.parametrize("status", [400, 500])
def test_a_parcel_on_the_disk_is_split_too(backend, made, tmp_path, status):
    spool = tmp_path / "spool"
    backend.otherwise = Reply(503)
    exporter = made(spool=spool)
    exporter.export_exchanges([item(1), crash(), item(2), item(3)])
    exporter._patience.end_by(0.0)
    exporter.shutdown()

    backend.otherwise = Reply(202)
    poisoned(backend, status)
    second = made(spool=spool)
    for number in range(4, 10):
        second.export_exchanges([item(number)])
        second.force_flush()

    assert len(lines(backend)) == 9
    assert health.counts("failed")[("apitally", "refused")] == 1
    assert health.counts("sent") == {("apitally", ""): 9}
    assert list(spool.iterdir()) == []


def test_the_hub_that_only_fails_loses_nothing(backend, made):
    backend.otherwise = Reply(500)
    exporter = made()
    for number in range(3):
        exporter.export_exchanges([item(number)])
        assert not exporter.force_flush()
    assert health.counts("failed") == {}
    assert health.counts("dropped") == {}

    backend.otherwise = Reply(202)
    assert exporter.force_flush()

    assert sum(counted(backend).values()) == 3
    assert len(lines(backend)) == 3


def test_a_hub_that_cannot_read_anything_is_asked_a_bounded_number_of_times(
    backend, made, monkeypatch
):
    monkeypatch.setattr(courier, "_MOST_HALVED", 20)
    backend.by_path[f"{PREFIX}/log"] = Reply(400)
    exporter = made()
    exporter.export_exchanges([item(number) for number in range(400)])
    exporter.force_flush()

    assert len([each for each in backend.received if "/log" in each.path]) == 2 * 20 + 1
    assert health.counts("failed") == {("apitally", "refused"): 400}


def test_what_is_older_than_the_hub_takes_it_is_given_up_and_counted(backend, made, monkeypatch):
    from otel_apimetrics.exporters.apitally import backlog

    backend.otherwise = Reply(500)
    exporter = made()
    exporter.export_exchanges([item(1)])
    assert not exporter.force_flush()

    later = time.time_ns() + 3_601 * 1_000_000_000
    monkeypatch.setattr(backlog, "time_ns", lambda: later)
    backend.otherwise = Reply(202)
    assert exporter.force_flush()

    assert health.counts("dropped") == {
        ("apitally", "expired"): 1,
        ("apitally", "sync_expired"): 1,
    }
    assert counted(backend) == {}


def test_past_their_bytes_the_oldest_messages_make_room(backend, made, monkeypatch):
    from otel_apimetrics.exporters.apitally import backlog

    backend.otherwise = Reply(500)
    exporter = made(request_logs=False)
    exporter.export_exchanges([item(1)])
    exporter.force_flush()
    monkeypatch.setattr(backlog, "_ROOM", 1_000)
    for number in range(2, 5):
        exporter.export_exchanges([item(number)])
        exporter.force_flush()
    dropped = health.counts("dropped")[("apitally", "queue_full")]
    assert dropped >= 2

    backend.otherwise = Reply(202)
    assert exporter.force_flush()
    assert sum(counted(backend).values()) == 4 - dropped


def test_what_is_left_goes_out_at_the_end_of_the_process(backend, made):
    exporter = made()
    queue = DeliveryQueue(
        "apitally", exporter.export_exchanges, counts=False, shutdown=exporter.shutdown
    )
    for number in range(100):
        queue.accept(item(number))

    queue.close()

    assert sum(counted(backend).values()) == 100
    assert len(lines(backend)) == 100
    assert health.counts("sent") == {("apitally", ""): 100}


def test_what_cannot_be_sent_at_the_end_is_counted(backend, made):
    backend.otherwise = Reply(503)
    exporter = made()
    exporter.export_exchanges([item(1), item(2)])
    exporter._patience.end_by(0.0)

    exporter.shutdown()

    lost = [*health.counts("dropped").items(), *health.counts("failed").items()]
    assert sum(n for (_, reason), n in lost if reason in {"shutdown", "unavailable"}) == 2
    assert sum(n for (_, reason), n in lost if reason.startswith("sync_")) == 2
    assert health.counts("sent") == {}
    assert not exporter.export_exchanges([item(3)])


def test_what_cannot_be_sent_waits_on_the_disk_for_the_next_process(backend, made, tmp_path):
    backend.otherwise = Reply(503)
    spool = tmp_path / "spool"
    exporter = made(spool=spool)
    exporter.export_exchanges([item(1), item(2)])
    exporter._patience.end_by(0.0)
    exporter.shutdown()
    assert health.counts("dropped") == {}
    assert all(CLIENT.encode() not in file.read_bytes() for file in spool.iterdir())

    backend.otherwise = Reply(202)
    second = made(spool=spool)
    second.export_exchanges([item(3)])
    assert second.force_flush()

    assert sum(counted(backend).values()) == 3
    assert len(lines(backend)) == 3
    assert list(spool.iterdir()) == []


def test_a_forked_worker_counts_its_own_requests_under_an_id_of_its_own(backend, made):
    exporter = made(request_logs=False)
    exporter.export_exchanges([item(1)])
    child = os.fork()
    if child == 0:
        try:
            exporter.export_exchanges([item(2), item(3)])
            os._exit(0 if exporter.force_flush() else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert exporter.force_flush()

    by_instance = {}
    for request in of(backend, "sync"):
        told = request.json
        number = sum(each["request_count"] for each in told["requests"])
        by_instance[told["instance_uuid"]] = by_instance.get(told["instance_uuid"], 0) + number
    assert sorted(by_instance.values()) == [1, 2]


def test_a_restart_finds_its_instance_again(backend, made):
    first, second = made(), made()
    ids = []
    for exporter in (first, second):
        ids.append(exporter._protocol()._instance.id)
    assert len(set(ids)) == 2
    first.shutdown()

    assert made()._protocol()._instance.id == ids[0]


def test_where_no_threads_run_what_is_due_goes_out_with_the_requests(backend, made, monkeypatch):
    from otel_apimetrics import forked

    monkeypatch.setattr(forked, "has_no_threads", lambda: True)
    exporter = made()

    exporter.export_exchanges([item(1)], Patience(5))

    assert sum(counted(backend).values()) == 1
    assert len(lines(backend)) == 1
    exporter.export_exchanges([item(2)], Patience(5))
    assert len(of(backend, "sync")) == 1
    exporter.shutdown()
    assert sum(counted(backend).values()) == 2


def test_request_logs_are_off_until_they_are_asked_for(backend, made):
    exporter = made(request_logs=None)
    exporter.export_exchanges([item(1)])
    exporter.force_flush()

    assert sum(counted(backend).values()) == 1
    assert lines(backend) == []
    assert not exporter.needs.bodies
    assert health.counts("sent") == {("apitally", ""): 1}


def test_names_and_groups_of_consumers_are_told_when_they_are_new(backend, made):
    from otel_apimetrics.exchange import Consumer

    exporter = made()
    renamed = Consumer(id="alice", name="Alice B.", group="gold")
    for consumer in (ALICE, ALICE, Consumer(id="carol"), renamed):
        exporter.export_exchanges([item(1, consumer=consumer)])
        exporter.force_flush()

    told = [each for request in of(backend, "sync") for each in request.json["consumers"]]
    assert told == [
        {"identifier": "alice", "name": "Alice", "group": "gold"},
        {"identifier": "alice", "name": "Alice B.", "group": "gold"},
    ]
