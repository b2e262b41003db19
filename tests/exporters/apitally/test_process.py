"""Processes with the exporter of the environment, by its entry point's name."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exporters.apitally.otlp_reading import read, records
from tests.exporters.sink import Reply

ROOT = Path(__file__).parents[3]
CLIENT = "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9"
TOKEN = "apt_" + "a" * 24


@pytest.fixture
def run(backend, tmp_path):
    """Run the program with the entry point of `pyproject.toml`, installed or not."""
    metadata = tmp_path / "entry" / "entry-1.0.dist-info"
    metadata.mkdir(parents=True)
    project = (ROOT / "pyproject.toml").read_text()
    line = next(each for each in project.splitlines() if each.startswith("apitally = "))
    line = line.replace('"', "")
    (metadata / "entry_points.txt").write_text(f"[opentelemetry_traces_exporter]\n{line}\n")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: entry\nVersion: 1.0\n")

    def start(*arguments, **variables):
        paths = [str(ROOT / "src"), str(ROOT), str(metadata.parent)]
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
            "PYTHONPATH": os.pathsep.join(paths),
            "TMPDIR": str(tmp_path),
            "OTEL_APIMETRICS_EXPORTERS": "apitally",
            "OTEL_APIMETRICS_IDENTIFY": "header:x-user",
            "OTEL_EXPORTER_APITALLY_ENDPOINT": backend.url,
            **variables,
        }
        program = Path(__file__).parent / "program.py"
        return subprocess.run(
            [sys.executable, str(program), *arguments],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return start


def test_a_process_that_ends_at_once_has_told_of_every_request(backend, run):
    ended = run("50", OTEL_EXPORTER_APITALLY_WRITE_TOKEN=TOKEN)

    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    counted, traced = 0, 0
    for request in backend.received:
        for record in records(read(request.path, request.body)):
            if record.get("name") == "http.server.request.duration":
                points = record["exponentialHistogram"]["dataPoints"]
                counted += sum(int(point["count"]) for point in points)
            traced += request.path == "/v1/traces"
    assert (counted, traced) == (50, 50)


def test_a_forked_worker_and_its_parent_each_tell_of_their_own(backend, run):
    variables = {
        "OTEL_EXPORTER_APITALLY_CLIENT_ID": CLIENT,
        "OTEL_EXPORTER_APITALLY_REQUEST_LOGS": "true",
    }
    ended = run("20", "30", **variables)

    assert ended.returncode == 0, ended.stderr
    counted, logged = {}, 0
    for request in backend.received:
        if request.path.endswith("/sync"):
            told = request.json
            number = sum(each["request_count"] for each in told["requests"])
            instance = told["instance_uuid"]
            counted[instance] = counted.get(instance, 0) + number
        elif "/log?" in request.path:
            logged += len(gzip.decompress(request.raw).splitlines())
    assert sorted(counted.values()) == [30, 50]
    assert logged == 80


def test_a_backend_that_is_away_costs_the_end_of_a_process_no_more_than_its_time(backend, run):
    backend.otherwise = Reply(503)
    ended = run("5", OTEL_EXPORTER_APITALLY_WRITE_TOKEN=TOKEN)
    assert ended.returncode == 0, ended.stderr
    assert any(request.path == "/v1/traces" for request in backend.received)


def test_without_credentials_the_app_runs_on_with_one_line(backend, run):
    ended = run("3")
    assert ended.returncode == 0
    assert backend.received == []
    (line,) = ended.stderr.splitlines()
    assert "OTEL_EXPORTER_APITALLY_WRITE_TOKEN" in line
