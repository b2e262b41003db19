"""A HAR file, whole whenever it is read."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from otel_apimetrics import ConfigError, Consumer, health
from otel_apimetrics.exchange import Exchange, Request, Response
from otel_apimetrics.exporters.har import HarFileExporter
from otel_apimetrics.exporters.har.by_name import HarByName
from otel_apimetrics.exporters.har.file import HarFile
from otel_apimetrics.exporters.spans import as_span
from tests.exporters.har.schema import check_har


def exchange(number: int) -> Exchange:
    request = Request(method="GET", host="h", path=f"/{number}", route="/{number}")
    return Exchange(
        id=f"{number:032x}",
        request=request,
        response=Response(status=200),
        consumer=Consumer(id="acme"),
        trace_id=7,
        span_id=8,
    )


def paths_in(*files: Path) -> list[str]:
    found = []
    for file in files:
        document = json.loads(file.read_bytes())
        check_har(document)
        found += [
            entry["request"]["url"].partition("//h")[2] for entry in document["log"]["entries"]
        ]
    return found


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "api.har"


def test_the_file_is_a_har_from_its_beginning_and_for_its_owner_alone(path):
    HarFileExporter(path=path)
    assert paths_in(path) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_both_doors_append_the_same_entry(path):
    exporter = HarFileExporter(path=str(path))
    assert exporter.export_exchanges([exchange(1)])
    assert exporter.export([as_span(exchange(1), Resource({}))]) is SpanExportResult.SUCCESS
    assert exporter.export([]) is SpanExportResult.SUCCESS
    first, second = json.loads(path.read_bytes())["log"]["entries"]
    assert first == second
    ours = {name: value for name, value in first.items() if name.startswith("_")}
    assert ours == {
        "_id": f"{1:032x}",
        "_route": "/{number}",
        "_consumer": "acme",
        "_traceId": f"{7:032x}",
    }
    assert health.counts("sent") == {("har", ""): 2}
    assert exporter.force_flush()
    exporter.shutdown()


def test_the_next_process_goes_on_with_the_file(path):
    for number in range(3):
        HarFileExporter(path=path).export_exchanges([exchange(number)])
    assert paths_in(path) == ["/0", "/1", "/2"]


def test_a_file_that_is_large_enough_is_put_aside(path):
    exporter = HarFileExporter(path=path, most_bytes=2_000)
    for number in range(12):
        exporter.export_exchanges([exchange(number)])
    files = sorted(path.parent.glob("*.har"), key=lambda file: file.stat().st_mtime_ns)
    assert [file.name for file in files[:2]] == ["api.1.har", "api.2.har"]
    assert files[-1] == path
    assert paths_in(*files) == [f"/{number}" for number in range(12)]


def test_a_reader_never_meets_half_a_file(path):
    exporter = HarFileExporter(path=path)
    done = Event()

    def write() -> None:
        for number in range(200):
            exporter.export_exchanges([exchange(number)])
        done.set()

    writer = Thread(target=write)
    writer.start()
    reads = 0
    while not done.is_set() or reads == 0:
        check_har(json.loads(path.read_bytes()))
        reads += 1
    writer.join()
    assert paths_in(path) == [f"/{number}" for number in range(200)]


WRITER = """
import sys
from otel_apimetrics.exchange import Exchange, Request
from otel_apimetrics.exporters.har import HarFileExporter
exporter = HarFileExporter(path=sys.argv[1])
for number in range(20):
    exporter.export_exchanges([Exchange(id="0" * 32, request=Request(method="GET", host="h"))])
"""


def test_processes_share_a_file_and_lose_nothing(path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert paths_in(path) == ["/"] * 60
    assert [file.name for file in path.parent.glob("*.unfinished")] == []


def test_a_file_of_somebody_else_is_left_alone(path):
    path.parent.mkdir()
    path.write_text('{"log":{"mine": 1}}')
    with pytest.raises(ConfigError, match=r"api\.har' is not accepted: use a new file"):
        HarFileExporter(path=path)
    assert path.read_text() == '{"log":{"mine": 1}}'


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "The exporter har needs path: set OTEL_EXPORTER_HAR_PATH."),
        ({"path": 7}, "path=7 is not accepted: use the path of a file"),
        ({"path": "/proc/none/a.har"}, "'/proc/none/a.har' is not accepted: use a new file"),
        ({"path": "a.har", "most_bytes": "many"}, "most_bytes='many' is not accepted: use a whole"),
        ({"paht": "a.har"}, "Unknown option paht: did you mean path?"),
    ],
)
def test_a_wrong_option_is_an_error_that_names_the_remedy(options, message):
    with pytest.raises(ConfigError) as raised:
        HarFileExporter(**options)
    assert message in str(raised.value)


def test_made_by_name_it_takes_the_environment_or_is_off(path, monkeypatch, caplog):
    off = HarByName()
    assert off.disabled
    assert "The exporter har is off. The exporter har needs path" in caplog.text
    assert off.export_exchanges([exchange(0)])
    monkeypatch.setenv("OTEL_EXPORTER_HAR_PATH", str(path))
    exporter = HarByName()
    assert exporter.export_exchanges([exchange(0)])
    assert paths_in(path) == ["/0"]


def test_a_write_that_fails_leaves_the_file_as_it_was_and_nothing_beside_it(path):
    HarFileExporter(path=path).export_exchanges([exchange(1)])
    with pytest.raises(TypeError):
        HarFile(path, 10_000).append(["no bytes"])
    assert paths_in(path) == ["/1"]
    assert sorted(file.name for file in path.parent.iterdir()) == [".api.har.lock", "api.har"]


def test_a_file_that_somebody_has_made_empty_is_begun_anew(path):
    path.parent.mkdir()
    path.touch()
    HarFileExporter(path=path).export_exchanges([exchange(1)])
    assert paths_in(path) == ["/1"]


def test_a_system_without_locks_is_an_error_that_says_so(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(ConfigError, match="needs locks on files"):
        HarFileExporter(path=path)


def test_a_request_that_failed_says_how(path):
    failed = Exchange(id="7", request=Request(method="GET", host="h"), error="client_disconnect")
    HarFileExporter(path=path).export_exchanges([failed])
    (entry,) = json.loads(path.read_bytes())["log"]["entries"]
    assert {name: value for name, value in entry.items() if name.startswith("_")} == {
        "_id": "7",
        "_error": "client_disconnect",
    }


@pytest.mark.swallows_errors
def test_what_cannot_be_written_is_counted_and_nothing_is_raised(path):
    exporter = HarFileExporter(path=path)
    broken = Exchange(id="b", request=Request(method="GET"), started_ns=10**30)
    assert exporter.export_exchanges([broken, exchange(1)])
    path.write_text("somebody else's")
    assert not exporter.export_exchanges([exchange(2)])
    assert exporter.export([as_span(exchange(3), Resource({}))]) is SpanExportResult.FAILURE
    assert path.read_text() == "somebody else's"
    assert health.counts("dropped") == {("har", "untranslatable"): 1}
    assert health.counts("failed") == {("har", "unavailable"): 2}
