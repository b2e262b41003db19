"""The protocol that a write token goes with, on a backend over loopback."""

from threading import Event

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from otel_apimetrics import health
from otel_apimetrics.exporters.apitally import ApitallySpanExporter
from otel_apimetrics.exporters.delivery import DeliveryQueue
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.spans import as_span
from tests.exporters.apitally.otlp_reading import read, records, resource
from tests.exporters.apitally.scenarios import crash, created, invalid, item, missing
from tests.exporters.sink import Reply

pytestmark = pytest.mark.usefixtures("quick")

TOKEN = "apt_" + "a" * 24


@pytest.fixture
def made(backend):
    """Make exporters that are shut down after the test, whatever became of it."""
    exporters = []

    def make(**options):
        exporters.append(
            ApitallySpanExporter(**{"write_token": TOKEN, "endpoint": backend.url, **options})
        )
        return exporters[-1]

    yield make
    for exporter in exporters:
        exporter._patience = Patience(0.1)
        exporter._patience.end_by(0.0)
        exporter.shutdown()


def taken(backend, path):
    found = []
    for request in backend.received:
        if request.path == path and 200 <= request.status < 300:
            found += records(read(path, request.body))
    return found


def counted(backend):
    found = {}
    for metric in taken(backend, "/v1/metrics"):
        if metric["name"] == "http.server.request.duration":
            for point in metric["exponentialHistogram"]["dataPoints"]:
                key = tuple(point["attributes"].values())
                found[key] = found.get(key, 0) + int(point["count"])
    return found


def events(backend):
    return [each["eventName"] for each in taken(backend, "/v1/logs")]


def test_a_request_is_counted_and_traced_and_the_app_introduces_itself(backend, made):
    exporter = made(env="prod")
    exporter.app_started("flask", ["GET /items/<int:item_id>"])

    assert exporter.export_exchanges([item(1), created(), invalid(), crash()])
    assert exporter.force_flush()

    assert counted(backend) == {
        ("GET", "/items/<int:item_id>", 200, "alice"): 1,
        ("POST", "/items", 201, "alice"): 1,
        ("POST", "/items", 422, "bob"): 1,
        ("GET", "/boom", 500, "bob"): 1,
    }
    assert len(taken(backend, "/v1/traces")) == 4
    assert sorted(events(backend)) == [
        "apitally.app.startup",
        "apitally.consumer.update",
        "apitally.consumer.update",
        "apitally.request.server_error",
        "apitally.request.validation_error",
    ]
    assert health.counts("sent") == {("apitally", ""): 4}
    for request in backend.received:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["apitally-env"] == "prod"
        assert request.headers["content-type"] == "application/x-protobuf"
        assert request.headers["content-encoding"] == "gzip"
        told = resource(read(request.path, request.body))
        assert told["deployment.environment.name"] == "prod"


def test_both_doors_say_the_same(backend, made):
    exchanges = [item(1), created(), crash(), missing(), invalid()]
    first, second = made(), made()

    first.export_exchanges(exchanges)
    first.force_flush()
    direct, sums = taken(backend, "/v1/traces"), counted(backend)
    backend.received.clear()
    spans = [as_span(each, Resource({})) for each in exchanges]
    assert second.export(spans) is SpanExportResult.SUCCESS
    second.force_flush()

    assert taken(backend, "/v1/traces") == direct
    assert counted(backend) == sums


def test_the_heartbeat_goes_out_without_any_request(backend, made):
    exporter = made()

    exporter.start()
    assert exporter.force_flush()

    told = {each["name"]: each for each in taken(backend, "/v1/metrics")}
    assert set(told) == {"process.uptime", "process.cpu.utilization", "process.memory.usage"}
    (point,) = told["process.uptime"]["gauge"]["dataPoints"]
    assert point["asDouble"] > 0


@pytest.mark.parametrize("failing", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_one_signal_that_fails_holds_no_other_up_and_comes_later(backend, made, failing):
    backend.by_path[failing] = Reply(503)
    exporter = made()
    exporter.export_exchanges([item(1), crash()])
    assert not exporter.force_flush(500)

    others = {"/v1/traces", "/v1/logs", "/v1/metrics"} - {failing}
    assert backend.until(lambda: all(taken(backend, path) for path in others))
    assert not taken(backend, failing)

    backend.by_path.clear()
    assert exporter.force_flush()
    assert len(taken(backend, "/v1/traces")) == 2
    assert sum(counted(backend).values()) == 2
    assert "apitally.request.server_error" in events(backend)


def test_a_heartbeat_is_not_held_up_by_traces_that_hang(backend, made):
    released = Event()
    backend.by_path["/v1/traces"] = Reply(until=released)
    exporter = made(timeout=20)
    exporter.export_exchanges([item(1)])
    exporter.force_flush(100)

    exporter.export_exchanges([item(2)])
    heart = exporter._protocol()._heart
    assert heart.wait(heart.hurry(), Patience(20))

    assert sum(counted(backend).values()) == 2
    released.set()
    assert exporter.force_flush()
    assert len(taken(backend, "/v1/traces")) == 2


def test_what_is_sent_again_has_the_same_bytes(backend, made):
    backend.planned += [Reply(503), Reply(429), Reply(500)]
    exporter = made()
    exporter.export_exchanges([item(1)])
    assert exporter.force_flush()

    by_path = {}
    for request in backend.received:
        by_path.setdefault(request.path, []).append(request)
    for requests in by_path.values():
        refused = {request.raw for request in requests if request.status >= 400}
        assert refused <= {request.raw for request in requests if request.status < 400}
    assert sum(counted(backend).values()) == 1


@pytest.mark.parametrize(
    ("asked", "seconds"), [("5", 5), ("30", 30), ("1", 5), ("3600", 60), ("soon", 15), ("", 15)]
)
@pytest.mark.parametrize("status", [200, 400])
def test_the_vendor_sets_the_interval_within_bounds(backend, made, asked, seconds, status):
    backend.otherwise = Reply(status, {"Apitally-Export-Interval": asked})
    exporter = made()
    exporter.start()
    exporter.force_flush()

    intervals = [exporter._protocol()._interval() for _ in range(50)]
    assert all(seconds * 0.9 <= each <= seconds * 1.1 for each in intervals)
    assert len(set(intervals)) > 1


def test_a_wrong_token_is_one_line_with_its_remedy(backend, made, caplog):
    backend.otherwise = Reply(401)
    exporter = made()
    exporter.export_exchanges([item(1)])
    exporter.force_flush()
    exporter.force_flush()

    (line,) = [record.getMessage() for record in caplog.records]
    assert "OTEL_EXPORTER_APITALLY_WRITE_TOKEN" in line
    assert TOKEN not in line
    assert health.counts("failed") == {
        ("apitally", "refused"): 1,
        ("apitally", "metrics_refused"): 1,
    }


def test_sampling_thins_the_traces_and_no_counts(backend, made):
    exporter = made(sample_rate=0.25)
    exporter.export_exchanges([item(number << 56) for number in range(1, 256)])
    exporter.force_flush()

    assert sum(counted(backend).values()) == 255
    assert len(taken(backend, "/v1/traces")) == 63


def test_what_is_left_goes_out_at_the_end_of_the_process(backend, made):
    exporter = made()
    queue = DeliveryQueue(
        "apitally", exporter.export_exchanges, counts=False, shutdown=exporter.shutdown
    )
    for number in range(100):
        queue.accept(item(number))

    queue.close()

    assert sum(counted(backend).values()) == 100
    assert len(taken(backend, "/v1/traces")) == 100
    assert "apitally.consumer.update" in events(backend)


def test_a_span_that_cannot_be_read_does_not_sink_the_others(backend, made):
    original = backend._reply

    def reply(request):
        poisonous = request.path == "/v1/traces" and b"/boom" in request.body
        return Reply(400) if poisonous else original(request)

    backend._reply = reply
    exporter = made()
    exporter.export_exchanges([item(1), item(2), crash(), item(4)])
    exporter.force_flush()

    assert len(taken(backend, "/v1/traces")) == 3
    assert health.counts("failed") == {("apitally", "refused"): 1}


@pytest.mark.parametrize("status", [400, 500])
def test_a_span_on_the_disk_that_is_not_taken_is_found_and_others_keep_their_process(
    backend, made, tmp_path, status
):
    spool = tmp_path / "spool"
    backend.otherwise = Reply(503)
    exporter = made(spool=spool)
    exporter.export_exchanges([item(1), crash(), item(2), item(3)])
    first = exporter._protocol()._resource
    exporter._patience.end_by(0.0)
    exporter.shutdown()

    backend.otherwise = Reply()
    original = backend._reply

    def reply(request):
        poisonous = request.path == "/v1/traces" and b"/boom" in request.body
        return Reply(status) if poisonous else original(request)

    backend._reply = reply
    second = made(spool=spool)
    for number in range(4, 10):
        second.export_exchanges([item(number)])
        second.force_flush()

    assert len(taken(backend, "/v1/traces")) == 9
    assert health.counts("failed") == {("apitally", "refused"): 1}
    assert health.counts("sent") == {("apitally", ""): 9}
    assert list(spool.iterdir()) == []
    old = [
        request
        for request in backend.received
        if request.path == "/v1/traces" and request.status == 200 and first in request.body
    ]
    assert sum(len(records(read(request.path, request.body))) for request in old) == 3
