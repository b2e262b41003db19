import io
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from otel_apimetrics.gateway.json_lines import JsonLines
from otel_apimetrics.gateway.receiver import Receiver

DEMO = Path(__file__).resolve().parents[2] / "demo"
BUCKETS = [0.1, 0.2, 0.4]


@pytest.fixture
def view(monkeypatch):
    """The script's names, loaded as `python demo/view.py` would load them."""
    monkeypatch.syspath_prepend(DEMO)
    monkeypatch.delitem(sys.modules, "otlp_lines", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    yield SimpleNamespace(**runpy.run_path(str(DEMO / "view.py")))
    sys.modules.pop("otlp_lines", None)


class Recorder:
    """Real SDK objects whose exports go through our receiver into a file."""

    def __init__(self, file):
        self.file = file

    def post(self, path, message):
        body = message.SerializeToString()
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "CONTENT_TYPE": "application/x-protobuf",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        statuses = []
        with self.file.open("ab", buffering=0) as stream:
            Receiver(JsonLines(stream))(environ, lambda status, _: statuses.append(status))
        assert statuses == ["200 OK"]

    def worker(self, instance, temporality=None):
        reader = InMemoryMetricReader(preferred_temporality=temporality)
        resource = Resource({"service.instance.id": instance})
        meter = MeterProvider([reader], resource=resource).get_meter("otel_apimetrics")
        requests = meter.create_counter("apimetrics.requests", "{request}")
        duration = meter.create_histogram(
            "apimetrics.request.duration", "s", explicit_bucket_boundaries_advisory=BUCKETS
        )

        def serve(seconds, consumer="acme", route="/orders", status=200):
            keys = {
                "http.request.method": "POST",
                "http.route": route,
                "http.response.status_code": status,
                "apimetrics.consumer.id": consumer,
                "apimetrics.consumer.group": "",
            }
            requests.add(1, keys)
            duration.record(seconds, keys)

        def export():
            self.post("/v1/metrics", encode_metrics(reader.get_metrics_data()))

        return serve, export

    def spans(self, *spans):
        memory = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(memory))
        for name, kind, attributes in spans:
            provider.get_tracer("test").start_span(name, kind=kind, attributes=attributes).end()
        self.post("/v1/traces", encode_spans(memory.get_finished_spans()))


@pytest.fixture
def recorder(tmp_path):
    return Recorder(tmp_path / "otlp.jsonl")


def shown(view, capsys, file, *arguments):
    status = view.main([str(file), *arguments])
    output = capsys.readouterr()
    return status, output.out, output.err


def rows(output):
    """The table's rows as lists of cells."""
    lines = output.split("Requests by consumer and route\n")[1].split("\n\n")[0].splitlines()
    return [re.split(r" {2,}", line.strip()) for line in lines[1:]]


def test_the_last_point_of_each_worker_is_summed(view, capsys, recorder):
    first, export_first = recorder.worker("worker-1")
    second, export_second = recorder.worker("worker-2")
    first(0.05)
    export_first()
    first(0.05)
    export_first()
    second(0.05)
    second(0.05, consumer="", route="", status=404)
    export_second()
    status, output, _ = shown(view, capsys, recorder.file)
    assert status == 0
    assert [row[:5] for row in rows(output)] == [
        ["acme", "POST", "/orders", "200", "3"],
        ["-", "POST", "-", "404", "1"],
    ]
    assert "0 spans and 4 requests, read from" in output


def test_the_order_of_the_lines_does_not_matter(view, capsys, recorder):
    serve, export = recorder.worker("worker-1")
    for _ in range(3):
        serve(0.05)
        export()
    lines = recorder.file.read_text().splitlines()
    recorder.file.write_text("\n".join(reversed(lines)))
    _, output, _ = shown(view, capsys, recorder.file)
    assert rows(output)[0][4] == "3"


def test_delta_points_are_added_up(view, capsys, recorder):
    delta = {
        Counter: AggregationTemporality.DELTA,
        Histogram: AggregationTemporality.DELTA,
    }
    serve, export = recorder.worker("worker-1", delta)
    for _ in range(3):
        serve(0.05)
        export()
    _, output, _ = shown(view, capsys, recorder.file)
    assert rows(output)[0][4] == "3"


def test_a_process_that_starts_again_keeps_its_old_count(view, capsys, recorder):
    for _ in range(2):
        serve, export = recorder.worker("worker-1")
        serve(0.05)
        export()
    _, output, _ = shown(view, capsys, recorder.file)
    assert rows(output)[0][4] == "2"


def test_percentiles_are_interpolated_in_their_bucket(view, capsys, recorder):
    serve, export = recorder.worker("worker-1")
    for seconds in [0.15] * 50 + [0.4] * 50:
        serve(seconds)
    export()
    _, output, _ = shown(view, capsys, recorder.file)
    # The lower half lies between 150 (the lowest) and 200 ms, where its bucket ends; p95 is
    # 45/50 of the way from 200 to 400.
    assert rows(output)[0][5:] == ["200.0", "380.0", "396.0"]


def test_the_bucket_without_an_upper_bound_ends_at_the_highest_value(view, capsys, recorder):
    serve, export = recorder.worker("worker-1")
    serve(7.0)
    export()
    _, output, _ = shown(view, capsys, recorder.file)
    assert rows(output)[0][5:] == ["7000.0", "7000.0", "7000.0"]


def test_values_above_the_last_bound_are_spread_up_to_the_highest(view, capsys, recorder):
    serve, export = recorder.worker("worker-1")
    serve(0.3)
    serve(8.4)
    export()
    _, output, _ = shown(view, capsys, recorder.file)
    assert rows(output)[0][5:] == ["400.0", "7600.0", "8240.0"]


def test_a_low_value_is_not_shown_above_the_highest(view, capsys, recorder):
    serve, export = recorder.worker("worker-1")
    serve(0.001)
    export()
    _, output, _ = shown(view, capsys, recorder.file)
    assert rows(output)[0][5:] == ["1.0", "1.0", "1.0"]


def test_many_rows_are_cut_and_counted(view, capsys, recorder):
    serve, export = recorder.worker("worker-1")
    for number in range(43):
        serve(0.05, consumer=f"consumer-{number}")
    export()
    _, output, _ = shown(view, capsys, recorder.file)
    assert "... and 3 rows more" in output


@pytest.mark.parametrize("width", [70, 100, 300])
def test_the_table_is_aligned_and_fits_the_terminal(view, capsys, recorder, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    serve, export = recorder.worker("worker-1")
    serve(0.05, consumer="株式会社" * 20, route="/a" * 40)
    serve(0.05, consumer="acme", route="/orders/{id}")
    export()
    _, output, _ = shown(view, capsys, recorder.file)
    table = output.split("Requests by consumer and route\n")[1].split("\n\n")[0].splitlines()
    assert len({view.columns(line) for line in table}) == 1
    assert view.columns(table[0]) <= width
    assert ("…" in output) == (width < 300)


def test_a_redacted_server_span_is_preferred(view, capsys, recorder):
    recorder.spans(
        ("GET /plain", SpanKind.SERVER, {"a": 1, "b": 2, "c": 3, "d": 4}),
        (
            "POST /orders",
            SpanKind.SERVER,
            {
                "apimetrics.consumer.id": "acme",
                "http.request.body.content": '{"password":"[REDACTED]"}',
                "http.request.header.accept": ["*/*"],
                "http.response.status_code": 201,
                "nested": {"k": [1, None]},
            },
        ),
        ("SELECT", SpanKind.CLIENT, {"http.request.body.content": "[REDACTED]" * 3}),
    )
    status, output, _ = shown(view, capsys, recorder.file, "--color", "always")
    assert status == 0
    assert "POST /orders" in output
    assert "GET /plain" not in output
    assert '"password":"\x1b[1;30;43m[REDACTED]\x1b[0m"' in output
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    assert "  apimetrics.consumer.id  acme  <- who called\n" in plain
    assert '  http.request.header.accept  ["*/*"]\n' in plain
    assert "  http.response.status_code  201\n" in plain
    assert '  nested  {"k": [1, null]}\n' in plain
    assert "3 spans and 0 requests" in plain
    assert "No request metrics in the file." in plain


def test_a_long_body_is_wrapped_and_no_redaction_is_cut(view, capsys, recorder):
    body = ("x" * 90 + "[REDACTED]") * 50
    recorder.spans(("POST /", SpanKind.SERVER, {"http.request.body.content": body}))
    _, output, _ = shown(view, capsys, recorder.file)
    lines = [line.strip() for line in output.splitlines() if line.startswith("      ")]
    assert len(lines) == view.BODY_LINES + 1
    assert all(line.count("[") == line.count("]") for line in lines)
    left = int(re.search(r"and (\d+) characters more", lines[-1])[1])
    assert sum(map(len, lines[:-1])) + left == len(body)


def test_control_characters_of_a_caller_never_reach_the_terminal(view, capsys, recorder):
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\n"
    recorder.spans((evil, SpanKind.SERVER, {"url.path": evil, evil: "x", "n": [evil]}))
    serve, export = recorder.worker("worker-1")
    serve(0.05, consumer=evil, route=evil)
    export()
    _, output, _ = shown(view, capsys, recorder.file, "--color", "never")
    assert not set(output) & {"\x1b", "\x07", "\u202e"}
    assert "\\x1b]0;owned" in output


def test_no_color_is_written_to_a_pipe_or_when_it_is_unwanted(view, monkeypatch, recorder):
    recorder.spans(("GET /", SpanKind.SERVER, {"a": "[REDACTED]"}))

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def output(stream, *arguments):
        monkeypatch.setattr(sys, "stdout", stream)
        assert view.main([str(recorder.file), *arguments]) == 0
        return stream.getvalue()

    assert "\x1b" not in output(io.StringIO())
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b" in output(Terminal())
    assert "\x1b" not in output(Terminal(), "--color", "never")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in output(Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in output(Terminal())
    assert "\x1b" in output(Terminal(), "--color", "always")


@pytest.mark.parametrize("content", [None, b"", b"\n", b"junk\n", b"{}\n"])
def test_nothing_to_show_is_told_with_what_to_do(view, capsys, tmp_path, content):
    file = tmp_path / "otlp.jsonl"
    if content is not None:
        file.write_bytes(content)
    status, output, errors = shown(view, capsys, file)
    assert (status, output) == (1, "")
    assert str(file) in errors
    assert "python -m otel_apimetrics.gateway" in errors


def test_lines_that_cannot_be_read_are_counted(view, capsys, recorder):
    recorder.spans(("GET /", SpanKind.INTERNAL, {}))
    with recorder.file.open("ab") as file:
        file.write(b'{"resourceSp\n[]\n{"resourceSpans": 3}\n')
    _, output, _ = shown(view, capsys, recorder.file)
    assert "1 spans and 0 requests" in output
    assert "3 lines could not be read." in output
    assert "No SERVER span in the file." in output


def test_histograms_with_other_bounds_are_not_mixed(view, capsys, tmp_path):
    def request(instance, bounds, counts):
        point = {"count": sum(map(int, counts)), "bucketCounts": counts, "explicitBounds": bounds}
        metric = {"name": "apimetrics.request.duration", "histogram": {"dataPoints": [point]}}
        resource = {"attributes": [{"key": "i", "value": {"stringValue": instance}}]}
        scope = {"metrics": [metric, {"name": "other", "gauge": {}}]}
        return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}

    file = tmp_path / "otlp.jsonl"
    lines = [request("a", [1, 2], ["2", 0, 0]), request("b", [1], [0, 2]), request("c", [], [])]
    lines.append(request("d", [1, 2], []))
    # Counts come as strings or numbers; both are OTLP/JSON.
    lines[0]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["histogram"]["dataPoints"][0][
        "count"
    ] = "2"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    _, output, _ = shown(view, capsys, file)
    assert rows(output) == [["-", "-", "-", "-", "4", "500.0", "950.0", "990.0"]]


def test_a_counter_without_a_histogram_has_no_percentiles(view, capsys, recorder):
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader]).get_meter("otel_apimetrics")
    meter.create_counter("apimetrics.requests").add(2, {"http.request.method": "GET"})
    recorder.post("/v1/metrics", encode_metrics(reader.get_metrics_data()))
    _, output, _ = shown(view, capsys, recorder.file)
    assert rows(output) == [["-", "GET", "-", "-", "2", "-", "-", "-"]]


def test_it_runs_as_a_script(recorder):
    recorder.spans(("GET /", SpanKind.SERVER, {"nested": {"k": [1, None]}}))
    run = subprocess.run(
        [sys.executable, DEMO / "view.py", recorder.file],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "API metrics" in run.stdout
