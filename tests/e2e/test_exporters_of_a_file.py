"""Exporters that a declarative configuration file names, through either door."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.exporters.sink import sink
from tests.servers.serving import environment

pytestmark = pytest.mark.e2e

FILE = """
file_format: "1.0"
propagator:
  composite:
    - tracecontext:
tracer_provider:
  processors:
    - batch:
        exporter:
          moesif:
            application_id: from-file
            base_uri: {url}
instrumentation/development:
  python:
    apimetrics:
      exporters: [metlo]
"""
PROGRAM = """
from flask import Flask
app = Flask("shop")
app.add_url_rule("/items", view_func=lambda: {"items": []})
print(app.test_client().get("/items").status)
"""


def test_a_file_names_exporters_for_every_request_and_for_spans(tmp_path: Path):
    with sink() as backend:
        (tmp_path / "otel.yaml").write_text(FILE.format(url=backend.url))
        done = subprocess.run(
            [
                Path(sys.executable).with_name("opentelemetry-instrument"),
                sys.executable,
                "-c",
                PROGRAM,
            ],
            env=environment(
                OTEL_CONFIG_FILE=str(tmp_path / "otel.yaml"),
                OTEL_EXPORTER_METLO_HOST=backend.url,
                OTEL_EXPORTER_METLO_API_KEY="metlo.key",
            ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.stdout == "200 OK\n", done.stderr
        by_path = {request.path: request for request in backend.received}

    (trace,) = by_path["/api/v1/log-request/batch"].json
    (event,) = by_path["/v1/events/batch"].json
    assert trace["request"]["url"]["path"] == "/items"
    assert event["request"]["uri"].endswith("/items")
    assert by_path["/v1/events/batch"].headers["x-moesif-application-id"] == "from-file"
