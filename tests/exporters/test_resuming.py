"""What a former process has left is sent by the next one, though no request comes."""

import asyncio
import json
import os
import signal
import threading

import pytest
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExportResult

from otel_apimetrics.config import Config
from otel_apimetrics.exporters import closing, loading, resuming
from otel_apimetrics.exporters.apitally import ApitallySpanExporter
from otel_apimetrics.exporters.metlo import MetloSpanExporter
from otel_apimetrics.exporters.moesif import MoesifSpanExporter
from otel_apimetrics.exporters.parcel import Parcel
from otel_apimetrics.exporters.readme import ReadMeSpanExporter
from otel_apimetrics.exporters.spool import Spool
from otel_apimetrics.middleware import ApiMetricsASGIMiddleware, ApiMetricsWSGIMiddleware
from tests.exporters.apitally.scenarios import item
from tests.exporters.sink import Reply

CLIENT = "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9"


@pytest.fixture(autouse=True)
def closed():
    """The queues of a test end with it."""
    before = set(closing.queues)
    yield
    for queue in set(closing.queues) - before:
        queue.close(1)


def moesif(backend, directory) -> MoesifSpanExporter:
    """An exporter for which a former process has left something a while ago."""
    left(Spool(directory, "moesif", f"{backend.url} key"))
    return MoesifSpanExporter(
        application_id="key", base_uri=backend.url, spool=directory, dynamic_sampling=False
    )


def left(spool: Spool) -> None:
    spool.put(Parcel("/left", b"[1,2]", count=2))
    for path in spool._files(".parcel"):
        path.rename(spool._place(1, 0))


def outlet(exporter):
    (made,) = loading.outlets({"vendor": exporter}, Config())
    return made


def answer(environ, start_response):
    start_response("200 OK", [])
    return [b""]


async def serve(app, messages):
    events, sent = iter(messages), []

    async def receive():
        return next(events)

    async def send(message):
        sent.append(message["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    return sent


def test_an_asgi_server_that_begins_has_it_sent(backend, tmp_path, telemetry):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        backend.wait_for(1)
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    exporters = [moesif(backend, tmp_path)]
    served = ApiMetricsASGIMiddleware(app, exporters=exporters, **telemetry.providers)
    sent = asyncio.run(serve(served, [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]))

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert [request.path for request in backend.received] == ["/left"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_worker_has_it_sent_and_its_master_does_not(backend, tmp_path):
    queue = outlet(moesif(backend, tmp_path))
    assert queue._thread is None

    worker = os.fork()
    if worker == 0:
        signal.alarm(30)
        signal.pause()
        os._exit(1)
    backend.wait_for(1)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)

    assert [request.path for request in backend.received] == ["/left"]
    assert queue._thread is None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_of_a_process_that_exports_itself_begins_nothing(backend, tmp_path):
    backend.otherwise = Reply(503)
    queue = outlet(moesif(backend, tmp_path))
    queue.resume()
    backend.wait_for(1)

    child = os.fork()
    if child == 0:
        os._exit(threading.active_count() - 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_apitally_begins_in_a_process_for_which_something_was_left(backend, tmp_path):
    def exporter():
        return ApitallySpanExporter(client_id=CLIENT, endpoint=backend.url, spool=tmp_path)

    backend.otherwise = Reply(503)
    first = exporter()
    first.export_exchanges([item(1)])
    first._patience.end_by(0.0)
    first.shutdown()
    backend.received.clear()
    backend.otherwise = Reply(202)
    queue = outlet(exporter())
    others = outlet(ApitallySpanExporter(client_id=CLIENT, endpoint=backend.url))

    resuming.resume_all()
    backend.wait_for(3)  # the new process's own introduction and heartbeat, and what was left
    queue.close(5)

    assert others._thread is None
    sync = [request.json for request in backend.received if request.path.endswith("/sync")]
    assert [each["request_count"] for told in sync for each in told["requests"]] == [1]
    assert list(tmp_path.glob("*.parcel")) == []


@pytest.mark.parametrize(
    "exporter",
    [
        lambda spool: MoesifSpanExporter(application_id="key", spool=spool),
        lambda spool: MetloSpanExporter(host="http://a", api_key="k", spool=spool, disabled=True),
        lambda spool: ReadMeSpanExporter(api_key="k", spool=spool, background_worker_mode=False),
    ],
    ids=["nothing is left", "disabled", "no thread is wanted"],
)
def test_no_thread_begins_for_nothing(tmp_path, exporter):
    left(Spool(tmp_path, "metlo", "http://a k"))
    left(Spool(tmp_path, "readme", "https://metrics.readme.io Basic azo="))
    queue = outlet(exporter(tmp_path))

    queue.resume()

    assert queue._thread is None


@pytest.mark.swallows_errors
def test_an_exporter_that_cannot_resume_does_not_keep_the_others_from_it(backend, tmp_path):
    class Broken:
        def again(self):
            raise OSError("no disk")

    broken, whole = outlet(Broken()), outlet(moesif(backend, tmp_path))

    resuming.resume_all()

    backend.wait_for(1)
    assert broken._thread is None
    assert whole._thread is not None


def published(telemetry) -> dict[str, int]:
    """Exchanges that were sent, by exporter."""
    points = telemetry.points("apimetrics.exporter.sent")
    return {point.attributes["exporter"]: point.value for point in points}


def test_what_is_sent_before_the_first_request_is_published(backend, tmp_path, telemetry):
    made = ApiMetricsWSGIMiddleware(
        answer, exporters=[moesif(backend, tmp_path)], **telemetry.providers
    )
    assert published(telemetry) == {}

    resuming.resume_all()
    (queue,) = made._pipeline.outlets
    backend.wait_for(1)
    queue.close(20)

    assert published(telemetry) == {"moesif": 2}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_worker_publishes_what_it_has_sent_and_not_what_its_master_has(
    backend, tmp_path, telemetry
):
    class Taken(ConsoleSpanExporter):
        def export(self, spans):
            return SpanExportResult.SUCCESS

    made = ApiMetricsWSGIMiddleware(
        answer, exporters=[Taken(), moesif(backend, tmp_path)], **telemetry.providers
    )
    taken, left_over = made._pipeline.outlets
    taken.accept(item(1))
    assert taken.flush(20)
    assert published(telemetry) == {"Taken": 1}

    reading, writing = os.pipe()
    worker = os.fork()
    if worker == 0:
        signal.alarm(30)
        try:
            left_over.close(20)
            os.write(writing, json.dumps(published(telemetry)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        assert json.loads(said.read()) == {"moesif": 2}
    os.waitpid(worker, 0)
    assert published(telemetry) == {"Taken": 1}
