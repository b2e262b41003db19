"""The configuration that we ship, in the Collector that we ship."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
    OTLPMetricExporter as GrpcMetricExporter,
)
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from tests.collector_process import CONFIG, CollectorProcess, attributes, collector_binary

pytestmark = pytest.mark.e2e

CARD = "4111 1111 1111 1111"
# In two parts, so that no scanner takes this file for a leak.
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"


def send(collector, given, name="POST /orders", status=None):
    """Export one span over HTTP; return it as the Collector wrote it."""
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(
        SimpleSpanProcessor(HttpExporter(endpoint=collector.http_endpoint + "/v1/traces"))
    )
    span = provider.get_tracer("test").start_span(name, kind=SpanKind.SERVER, attributes=given)
    if status is not None:
        span.set_status(Status(StatusCode.ERROR, status))
    trace_id = f"{span.get_span_context().trace_id:032x}"
    span.end()
    provider.shutdown()
    (arrived,) = collector.wait_for_spans(1, where=lambda span: span["traceId"] == trace_id)
    return arrived


@contextmanager
def counting(endpoint: str, instance: str) -> Iterator[tuple]:
    """One worker's meter provider, exporting over gRPC when flushed."""
    exporter = GrpcMetricExporter(endpoint=endpoint, insecure=True)
    provider = MeterProvider(
        [PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)],
        resource=Resource.create({"service.name": "shop", "service.instance.id": instance}),
    )
    yield provider.get_meter("otel_apimetrics").create_counter("apimetrics.requests", "{request}")
    provider.shutdown()


def batch_of_spans(count: int, body: str) -> list[ReadableSpan]:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("test")
    for _ in range(count):
        tracer.start_span(
            "POST /orders",
            attributes={
                "http.request.body.content": body,
                "http.response.body.content": body,
            },
        ).end()
    return list(memory.get_finished_spans())


@pytest.mark.parametrize("files", [["collector.yaml"], ["collector.yaml", "upstream.yaml"]])
def test_the_configuration_is_valid(files):
    arguments = [f"--config={CONFIG / name}" for name in files]
    environment = {**os.environ, "OTELCOL_UPSTREAM_ENDPOINT": "http://127.0.0.1:9"}
    check = subprocess.run(
        [collector_binary(), "validate", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (check.returncode, check.stderr) == (0, "")


def test_the_upstream_file_is_refused_without_an_endpoint():
    arguments = [f"--config={CONFIG / name}" for name in ("collector.yaml", "upstream.yaml")]
    environment = {
        name: text for name, text in os.environ.items() if name != "OTELCOL_UPSTREAM_ENDPOINT"
    }
    check = subprocess.run(
        [collector_binary(), "validate", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode != 0
    assert "endpoint" in check.stderr


def test_a_card_number_in_a_header_array_comes_out_masked(collector: CollectorProcess):
    span = send(collector, {"http.request.header.x-note": ["paid with", CARD]})
    assert span["attributes"]["http.request.header.x-note"] == '["paid with","****"]'
    assert span["attributes"]["redaction.masked.keys"] == "http.request.header.x-note"


@pytest.mark.parametrize(
    ("leaked", "masked"),
    [
        ('{"card":"4111111111111111","n":1}', '{"card":"****","n":1}'),
        ('{"card":4111111111111111}', '{"card":****}'),
        ('{"note":"a\\n4111-1111-1111-1111\\nb"}', '{"note":"a****\\nb"}'),
        ('{"amex":"3782 822463 10005"}', '{"amex":"****"}'),
        ('{"mastercard":"pan_5555555555554444"}', '{"mastercard":"pan****"}'),
        (f'{{"t":"{JWT}"}}', '{"t":"****"}'),
        ('{"h":"Bearer abcdefgh12345678"}', '{"h":"****"}'),
        ('{"k":"AKIA' + 'IOSFODNN7EXAMPLE"}', '{"k":"****"}'),
        ('{"u":"postgres://me:pw@db/x"}', '{"u":"postgres****db/x"}'),
        ('{"ssn":"078-05-1120"}', '{"ssn":"****"}'),
        (
            '{"p":"-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----\\n"}',
            '{"p":"****\\n"}',
        ),
        ('{"p":"-----BEGIN PRIVATE KEY-----\\nMIIEcut', '{"p":"****'),
    ],
    ids=lambda text: text[:12],
)
def test_a_secret_in_a_body_comes_out_masked(collector: CollectorProcess, leaked, masked):
    span = send(collector, {"http.request.body.content": leaked})
    assert span["attributes"]["http.request.body.content"] == masked


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "db.password",
        "http.request.header.authorization",
        "http.request.header.x-csrf-token",
        "http.request.header.x_api_key",
        "http.response.header.set-cookie",
        "apimetrics.label.api_key",
    ],
)
def test_a_sensitive_key_comes_out_masked_whole(collector: CollectorProcess, key):
    span = send(collector, {key: "first line\nsecond line"})
    assert span["attributes"][key] == "****\n****"


def test_harmless_attributes_pass_unchanged(collector: CollectorProcess):
    given = {
        "apimetrics.consumer.id": "acme",
        "apimetrics.exchange.id": "4" * 32,
        "apimetrics.exchange.weight": 2.5,
        "apimetrics.metadata": '{"plan":"pro"}',
        "apimetrics.request.body.truncated": False,
        "gen_ai.usage.input_tokens": 4111,
        "http.request.body.size": 1234567890123,
        "http.request.header.accept": ["*/*"],
        "http.request.header.authorization": ["Bearer [REDACTED]"],
        "http.request.header.x-request-id": ["41111111-1111-4111-8111-111111111111"],
        "http.response.header.access-control-allow-credentials": ["true"],
        "http.request.body.content": '{"card":"[REDACTED:card …1111]","password":"[REDACTED]"}',
        "http.response.status_code": 200,
        "session.id": "s-1",
        "url.full": "https://api.example.com:8443/orders?at=2026-11-21T20:17:00Z",
        "user.id": "u@example.com",
    }
    arrived = send(collector, given)["attributes"]
    assert {key: arrived[key] for key in given} == given
    assert "redaction.masked.keys" not in arrived


@pytest.mark.parametrize(
    ("leaked", "masked"),
    [
        (f"ValueError: bad card {CARD}", "ValueError: bad card ****"),
        ("bad card 378282246310005", "bad card ****"),
        ("no user 078-05-1120", "no user ****"),
        (f"refused: Bearer {JWT}", "refused: ****"),
        (f"refused: {JWT}", "refused: ****"),
        ("cannot connect to postgres://me:pw@db/x", "cannot connect to postgres****db/x"),
        ("timeout after 30 s at https://db:5432/x", "timeout after 30 s at https://db:5432/x"),
    ],
)
def test_a_secret_in_a_status_message_comes_out_masked(collector: CollectorProcess, leaked, masked):
    assert send(collector, {}, status=leaked)["status"] == {"code": 2, "message": masked}


def test_a_card_number_in_an_event_comes_out_masked(collector: CollectorProcess):
    exporter = HttpExporter(endpoint=collector.http_endpoint + "/v1/traces")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    span = provider.get_tracer("test").start_span("GET /event")
    span.record_exception(ValueError(CARD))
    span.end()
    provider.shutdown()
    (arrived,) = collector.wait_for_spans(1, where=lambda span: span["name"] == "GET /event")
    assert arrived["events"][0]["attributes"]["exception.message"] == "****"
    assert "4111" not in str(arrived)


def test_a_card_number_in_a_log_body_comes_out_masked(collector: CollectorProcess):
    provider = LoggerProvider(resource=Resource.create({"service.name": "log-shop"}))
    exporter = OTLPLogExporter(endpoint=collector.http_endpoint + "/v1/logs")
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("test").emit(body=f"paid with {CARD}", attributes={"a": CARD})
    provider.shutdown()

    def records():
        return [
            record
            for line in collector.records()
            for resource in line.get("resourceLogs", ())
            for scope in resource["scopeLogs"]
            for record in scope["logRecords"]
        ]

    (record,) = collector.wait(records, bool)
    assert record["body"] == {"stringValue": "paid with ****"}
    assert attributes(record["attributes"])["a"] == "****"


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_batch_of_512_spans_with_bodies_of_32_kib_passes(tmp_path, protocol):
    spans = batch_of_spans(512, "x" * 32 * 1024)
    with CollectorProcess(tmp_path) as collector:
        url = collector.http_endpoint + "/v1/traces"
        exporters: dict[str, SpanExporter] = {
            "grpc": GrpcExporter(endpoint=collector.grpc_endpoint, insecure=True, timeout=60),
            # Compressed, because the receiver's limit holds after inflating.
            "http": HttpExporter(endpoint=url, compression=Compression.Gzip, timeout=60),
        }
        assert exporters[protocol].export(spans) is SpanExportResult.SUCCESS
        arrived = collector.wait_for_spans(512)
        for exporter in exporters.values():
            exporter.shutdown()
        assert {len(span["attributes"]["http.request.body.content"]) for span in arrived} == {32768}
        assert len({span["spanId"] for span in arrived}) == 512
        written = [
            sum(
                len(scope["spans"])
                for resource in record["resourceSpans"]
                for scope in resource["scopeSpans"]
            )
            for record in collector.records()
        ]
        assert max(written) == 64


def test_counters_of_two_workers_sum_right_in_prometheus(collector: CollectorProcess):
    keys = {"http.route": "/orders", "apimetrics.consumer.id": "acme"}
    with (
        counting(collector.grpc_endpoint, "worker-1") as first,
        counting(collector.grpc_endpoint, "worker-2") as second,
    ):
        for counter in (first, second):
            counter.add(3, keys)
        second.add(4, keys)

    def series():
        pattern = re.compile(r"^apimetrics_requests_total\{([^}]*)\} (\d+)", re.MULTILINE)
        return {
            dict(re.findall(r'(\w+)="([^"]*)"', labels))["instance"]: (labels, int(count))
            for labels, count in pattern.findall(collector.metrics_text())
            if 'http_route="/orders"' in labels
        }

    found = collector.wait(series, lambda found: len(found) == 2)
    assert {instance: count for instance, (_, count) in found.items()} == {
        "worker-1": 3,
        "worker-2": 7,
    }
    for labels, _ in found.values():
        assert 'apimetrics_consumer_id="acme"' in labels
        assert 'job="shop"' in labels


def test_a_secret_in_a_metric_label_comes_out_masked_without_more_labels(
    collector: CollectorProcess,
):
    with counting(collector.grpc_endpoint, "worker-masked") as counter:
        counter.add(1, {"apimetrics.consumer.id": "4111111111111111"})
    page = collector.wait(collector.metrics_text, lambda text: 'instance="worker-masked"' in text)
    (line,) = [
        line
        for line in page.splitlines()
        if line.startswith("apimetrics_requests_total{") and "worker-masked" in line
    ]
    assert 'apimetrics_consumer_id="****"' in line
    assert "redaction" not in line


def test_the_file_is_not_readable_by_everybody(collector: CollectorProcess):
    send(collector, {})
    assert collector.file.stat().st_mode & 0o007 == 0


def test_the_upstream_receives_what_the_file_received(tmp_path_factory):
    with CollectorProcess(tmp_path_factory.mktemp("upstream")) as upstream:
        environment = {"OTELCOL_UPSTREAM_ENDPOINT": upstream.http_endpoint}
        configs = [CONFIG / "collector.yaml", CONFIG / "upstream.yaml"]
        directory = tmp_path_factory.mktemp("downstream")
        with CollectorProcess(directory, configs=configs, environment=environment) as collector:
            sent = send(collector, {"http.request.body.content": CARD})
            (received,) = upstream.wait_for_spans(1)
    assert received == sent
    assert received["attributes"]["http.request.body.content"] == "****"
