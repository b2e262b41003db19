"""Each exporter in OpenTelemetry's declarative file, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.configuration.file")

ROOT = Path(__file__).parents[2]
APP = """
from opentelemetry.instrumentation.auto_instrumentation import initialize
initialize()
from flask import Flask
from opentelemetry import trace

app = Flask("app")

@app.get("/items/<int:id>")
def item(id):
    return {"id": id, "password": "hunter2"}

for number in range(3):
    assert app.test_client().get(f"/items/{number}", headers={"x-client": "acme"}).json["id"] == number
trace.get_tracer_provider().force_flush()
"""
FILE = """
file_format: "1.0"
resource:
  attributes:
    - name: deployment.environment.name
      value: staging
tracer_provider:
  processors:
    - batch: {{exporter: {{moesif: {{application_id: app, base_uri: {url}, governance: true}}}}}}
    - batch: {{exporter: {{readme: {{api_key: key, url: {url}, denylist: [id], buffer_length: 2}}}}}}
    - batch: {{exporter: {{metlo: {{host: {url}, api_key: key, disabled: false}}}}}}
    - batch: {{exporter: {{apitally: {{client_id: {client}, endpoint: {url}, timeout: 5}}}}}}
    - simple: {{exporter: {{har: {{path: {har}}}}}}}
instrumentation/development:
  python:
    apimetrics: {{identify: "header:x-client", capture_body: all, exporters: [moesif]}}
"""
CLIENT = "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9"


def run(directory: Path, text: str, **variables: str) -> str:
    path = directory / "otel.yaml"
    path.write_text(text)
    environ = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", APP],
        env={
            **environ,
            **variables,
            "OTEL_CONFIG_FILE": str(path),
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "asgi,django,fastapi,flask,starlette",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
            "TMPDIR": str(directory),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_each_exporter_takes_its_options_from_the_file_and_is_attached_once(backend, tmp_path):
    har = tmp_path / "traffic.har"
    told = run(
        tmp_path,
        FILE.format(url=backend.url, client=CLIENT, har=har),
        OTEL_EXPORTER_MOESIF_APPLICATION_ID="app",
        OTEL_EXPORTER_MOESIF_BASE_URI=backend.url,
    )

    by_path = {}
    for request in backend.received:
        by_path.setdefault(request.path, []).append(request)
    moesif = [event for each in by_path["/v1/events/batch"] for event in each.json]
    assert [event["user_id"] for event in moesif] == ["acme"] * 3
    assert moesif[0]["response"]["body"] == {"id": 0, "password": "[REDACTED]"}
    readme = [each.json for each in by_path["/v1/request"]]
    assert [len(each) for each in readme] == [2, 1]
    assert all(log["development"] for logs in readme for log in logs)
    metlo = [trace for each in by_path["/api/v1/log-request/batch"] for trace in each.json]
    assert [trace["meta"]["environment"] for trace in metlo] == ["staging"] * 3
    syncs = [each.json["requests"] for each in by_path[f"/v2/{CLIENT}/staging/sync"]]
    assert sum(each["request_count"] for requests in syncs for each in requests) == 3
    assert len(json.loads(har.read_text())["log"]["entries"]) == 3
    assert told.count("moesif is in OTEL_TRACES_EXPORTER, or behind a span processor") == 1
    assert told.count("OTEL_EXPORTER_MOESIF_GOVERNANCE") == 1


def test_what_is_wrong_in_the_file_is_one_line_an_exporter_and_the_app_runs_on(backend, tmp_path):
    text = FILE.format(url=backend.url, client="no-uuid", har="").replace(
        ", exporters: [moesif]", ""
    )
    told = run(tmp_path, text.replace("application_id", "aplication_id").replace("host:", "hos:"))

    assert [
        name
        for name in ("moesif", "metlo", "apitally", "har", "readme")
        if told.count(f"The exporter {name} is off.") == 1
    ] == ["moesif", "metlo", "apitally", "har"]
    assert "did you mean application_id?" in told
    assert {request.path for request in backend.received} == {"/v1/request"}
