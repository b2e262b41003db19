"""A HAR file, whole whenever it is read."""

import itertools
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from otel_apimetrics import ConfigError, Consumer, health
from otel_apimetrics.exchange import Body, Exchange, Request, Response
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


KINDS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b")
HEADERS = (("cookie", "a=b"), ("set-cookie", "a=b; Path=/; Secure"), ("location", "/"))


def test_the_file_is_valid_after_every_entry(path):
    exporter = HarFileExporter(path=path, most_bytes=100_000)
    written = 0
    for size in (0, 1, 20_000):
        for kind, truncated in itertools.product(KINDS, (False, True)):
            body = Body(content='a="é&<' * size, size=6 * size, truncated=truncated)
            headers = (("content-type", kind), *HEADERS)
            exporter.export_exchanges(
                [
                    Exchange(
                        id=f"{written:032x}",
                        request=Request(
                            method="POST", host="h", path=f"/{written}", headers=headers, body=body
                        ),
                        response=Response(status=200, headers=headers, body=body),
                    )
                ]
            )
            check_har(json.loads(path.read_bytes()))
            written += 1
    files = sorted(path.parent.glob("*.har"), key=lambda file: file.stat().st_mtime_ns)
    assert len(files) > 1
    assert paths_in(*files) == [f"/{number}" for number in range(written)]


ENDLESS = """
import itertools, sys
from otel_apimetrics.exchange import Body, Exchange, Request
from otel_apimetrics.exporters.har import HarFileExporter
exporter = HarFileExporter(path=sys.argv[1], most_bytes=2**26)
body = Body(content="x" * 200_000, size=200_000)
for number in itertools.count(int(sys.argv[2])):
    request = Request(method="POST", host="h", path=f"/{number}", body=body)
    assert exporter.export_exchanges([Exchange(id="0" * 32, request=request)])
    print(number, flush=True)
"""


def killed_while_writing(path: Path, first: int) -> int:
    """Start a writer, kill it in the midst of an entry, and give the last number that it told."""
    command = [sys.executable, "-c", ENDLESS, str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        told = [int(writer.stdout.readline()) for _ in range(8)][-1]
        while not list(path.parent.glob("*.unfinished")):
            assert writer.poll() is None
        writer.kill()
        rest = writer.stdout.read().split()
    assert writer.returncode == -signal.SIGKILL
    return int(rest[-1]) if rest else told


def test_the_file_is_valid_after_a_kill_and_the_next_process_goes_on_with_it(path):
    first = 0
    for _ in range(4):
        told = killed_while_writing(path, first)
        paths = paths_in(path)
        assert paths == [f"/{number}" for number in range(len(paths))]
        # What the last write was to add may be there, if it had not yet been told.
        assert len(paths) in (told + 1, told + 2)
        first = len(paths)


KILLED = """
import os, signal, sys
from pathlib import Path
from otel_apimetrics.exporters.har.file import HarFile

def entries():
    os.kill(os.getpid(), signal.SIGKILL)
    yield b"{}"

HarFile(Path(sys.argv[1]), 10_000).append(entries())
"""


def test_what_a_killed_process_has_not_finished_gives_way_to_the_next_entry(path):
    exporter = HarFileExporter(path=path)
    writer = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert writer.returncode == -signal.SIGKILL
    assert [file.name for file in path.parent.glob("*.unfinished")] == [".api.har.unfinished"]
    exporter.export_exchanges([exchange(1)])
    assert paths_in(path) == ["/1"]
    assert list(path.parent.glob("*.unfinished")) == []


FORKED = """
import os, sys
from pathlib import Path
from otel_apimetrics.exporters.har.file import HarFile

file = HarFile(Path(sys.argv[1]), 10_000)
until, done = os.pipe()

def entries():
    if not os.fork():
        os.close(done)
        os.read(until, 1)  # until the parent has ended
        os._exit(0)
    yield b"{}"

file.append(entries())
file.append([b"{}"])
"""


def test_a_worker_that_is_forked_while_an_entry_is_written_keeps_nobody_from_the_file(path):
    subprocess.run([sys.executable, "-c", FORKED, str(path)], check=True, timeout=60)
    assert len(json.loads(path.read_bytes())["log"]["entries"]) == 2


def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(path, tmp_path):
    exporter = HarFileExporter(path=path)
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (path.parent / ".api.har.unfinished").symlink_to(precious)
    exporter.export_exchanges([exchange(1)])
    assert precious.read_text() == "kept"
    assert paths_in(path) == ["/1"]
    assert not path.is_symlink()


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


@pytest.mark.parametrize("kind", ["pipe", "link", "link to nothing", "link to a device"])
def test_what_is_no_file_is_refused_and_left_as_it_is(tmp_path, kind):
    path, other = tmp_path / "api.har", tmp_path / "other.har"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        if kind == "link":
            other.touch()
        path.symlink_to("/dev/null" if kind == "link to a device" else other)
    before = sorted((each.name, each.lstat().st_mode) for each in tmp_path.iterdir())

    with pytest.raises(ConfigError, match="no file"):
        HarFileExporter(path=path)

    assert sorted((each.name, each.lstat().st_mode) for each in tmp_path.iterdir()) == before


def test_a_link_that_comes_later_is_not_replaced(tmp_path):
    path = tmp_path / "api.har"
    file = HarFile(path, 10_000)
    file.begin()
    path.rename(tmp_path / "elsewhere.har")
    path.symlink_to(tmp_path / "elsewhere.har")

    with pytest.raises(ValueError, match="no file"):
        file.append([b"{}"])

    assert path.is_symlink()
