"""Our receiver writes what the real Collector's file exporter writes."""

import gzip
import json
import math
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from otel_apimetrics.gateway.json_lines import JsonLines
from otel_apimetrics.gateway.receiver import Receiver
from tests.collector_process import CollectorProcess

pytestmark = pytest.mark.e2e

RESOURCE = Resource.create({"service.name": "shop", "service.instance.id": "worker-1"})


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


class OurReceiver:
    """Our receiver on a socket, with the face of CollectorProcess."""

    def __init__(self, directory):
        self.file = directory / "ours.jsonl"
        self.http_endpoint = ""

    def records(self):
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    @contextmanager
    def running(self):
        with self.file.open("ab", buffering=0) as stream:
            app = Receiver(JsonLines(stream))
            with make_server("127.0.0.1", 0, app, handler_class=QuietHandler) as server:
                self.http_endpoint = f"http://127.0.0.1:{server.server_port}"
                thread = Thread(target=server.serve_forever, args=(0.02,))
                thread.start()
                try:
                    yield self
                finally:
                    server.shutdown()
                    thread.join()


@pytest.fixture
def ours(tmp_path):
    with OurReceiver(tmp_path).running() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    config = Path(__file__).with_name("minimal.yaml")
    with CollectorProcess(tmp_path_factory.mktemp("theirs"), configs=[config]) as collector:
        yield collector


@pytest.fixture
def both(ours, theirs):
    """Send with a function of the endpoint to both; return what each wrote."""

    def send(export):
        before = len(theirs.records())
        export(ours.http_endpoint)
        export(theirs.http_endpoint)
        lines = ours.records()
        theirs.wait(theirs.records, lambda records: len(records) >= before + len(lines))
        return lines, theirs.records()[before:]

    return send


def test_spans_give_equal_lines(both):
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("test", "1.2.3", "https://example.com/schema", {"team": "a"})
    with tracer.start_as_current_span(
        "POST /orders",
        kind=SpanKind.SERVER,
        attributes={
            "http.request.method": "POST",
            "http.response.status_code": 201,
            "http.request.header.accept": ["text/html", "*/*"],
            "http.request.body.content": '{"name":"Łukasz \u2028 <b>&", "n":"\\n"}',
            "http.response.body.content": "x" * 16384,
            "empty": "",
            "zero": 0,
            "no": False,
            "big": 2**63 - 1,
            "ratio": 0.1,
            "whole": 3.0,
            "small": 1e-9,
            "huge": 1e300,
            "nan": math.nan,
            "infinite": -math.inf,
            "numbers": [1, 2],
            "none": [],
            "bytes": b"\x00\xff",
        },
    ) as parent:
        parent.add_event("exception", {"exception.type": "ValueError", "exception.message": ""})
        parent.set_status(Status(StatusCode.ERROR, "it failed"))
        links = [Link(parent.get_span_context(), {"why": "batch"})]
        tracer.start_span("child", links=links).end()
    spans = memory.get_finished_spans()

    def export(endpoint):
        exporter = OTLPSpanExporter(endpoint + "/v1/traces", compression=Compression.Gzip)
        exporter.export(spans)
        exporter.shutdown()

    ours, theirs = both(export)
    assert ours == theirs
    assert len(ours) == 1


def test_metrics_give_equal_lines(both):
    reader = InMemoryMetricReader()
    views = [
        View(instrument_name="exponential", aggregation=ExponentialBucketHistogramAggregation())
    ]
    provider = MeterProvider([reader], resource=RESOURCE, views=views)
    meter = provider.get_meter("otel_apimetrics")
    keys = {"http.route": "/orders", "http.response.status_code": 200, "apimetrics.consumer.id": ""}
    meter.create_counter("apimetrics.requests", "{request}").add(3, keys)
    duration = meter.create_histogram(
        "apimetrics.request.duration", "s", explicit_bucket_boundaries_advisory=[0.005, 0.1, 1.0]
    )
    meter.create_up_down_counter("apimetrics.active_requests").add(0)
    meter.create_gauge("gauge").set(1.5, {"a": "b"})
    exponential = meter.create_histogram("exponential")
    with TracerProvider().get_tracer("test").start_as_current_span("with exemplars"):
        for seconds in (0.0, 0.01, 0.2, 5.0):
            duration.record(seconds, keys)
            exponential.record(seconds)
    data = reader.get_metrics_data()

    def export(endpoint):
        exporter = OTLPMetricExporter(endpoint + "/v1/metrics")
        exporter.export(data)
        exporter.shutdown()

    ours, theirs = both(export)
    assert ours == theirs
    assert len(ours) == 1


def test_log_records_give_equal_lines(both):
    provider = LoggerProvider(resource=RESOURCE)

    def export(endpoint):
        exporter = OTLPLogExporter(endpoint + "/v1/logs")
        processor = SimpleLogRecordProcessor(exporter)
        provider.add_log_record_processor(processor)
        provider.get_logger("test").emit(
            timestamp=1,
            observed_timestamp=2,
            event_name="apimetrics.app.startup",
            severity_text="INFO",
            body={"routes": ["/orders"], "nested": {"a": None, "b": b"\x01"}},
            attributes={"framework": "flask"},
        )
        provider.get_logger("test").emit(timestamp=1, observed_timestamp=2)
        provider._multi_log_record_processor._log_record_processors = ()
        processor.shutdown()

    ours, theirs = both(export)
    assert ours == theirs
    assert len(ours) == 2


def post(endpoint, path, body, **headers):
    request = urllib.request.Request(
        endpoint + path,
        body,
        {name.replace("_", "-"): value for name, value in headers.items()},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers["Content-Type"], response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


JSON = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "5B8EFFF798038103D269B633813FC60C",
                            "spanId": "eee19b7ec3c1b174",
                            "parentSpanId": "",
                            "name": "json",
                            "kind": 2,
                            "startTimeUnixNano": 1544712660000000000,
                            "endTimeUnixNano": "1544712661000000000",
                            "attributes": [
                                {"key": "traceId", "value": {"intValue": 3}},
                                {"key": "k", "value": {"doubleValue": "NaN"}},
                                {"key": "absent", "value": {}},
                            ],
                            "unknownField": {"a": [1]},
                        }
                    ]
                }
            ]
        }
    ]
}


def test_json_requests_give_equal_lines(both):
    body = json.dumps(JSON).encode()
    answers = []

    def export(endpoint):
        answers.append(post(endpoint, "/v1/traces", body, Content_Type="application/json"))

    ours, theirs = both(export)
    assert ours == theirs
    assert ours[0]["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["kind"] == 2
    assert [status for status, _, _ in answers] == [200, 200]
    assert {content_type for _, content_type, _ in answers} == {"application/json"}


PROTOBUF = {"Content_Type": "application/x-protobuf"}


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/v1/traces", b"", PROTOBUF),
        ("/v1/traces", b"\xff\xff", PROTOBUF),
        ("/v1/metrics", ExportMetricsServiceRequest().SerializeToString(), PROTOBUF),
        ("/v1/traces", b"not gzip", {**PROTOBUF, "Content_Encoding": "gzip"}),
        ("/v1/traces", gzip.compress(b"abc")[:-9], {**PROTOBUF, "Content_Encoding": "gzip"}),
        ("/v1/traces", b"{}", {"Content_Type": "text/plain"}),
        ("/v1/traces", b"{}", {"Content_Type": "application/json; charset=utf-8"}),
        ("/v1/traces", b"[]", {"Content_Type": "application/json"}),
        ("/v1/traces", b"{", {"Content_Type": "application/json"}),
        ("/v1/nothing", b"{}", {"Content_Type": "application/json"}),
    ],
)
def test_odd_requests_get_the_same_status(ours, theirs, path, body, headers):
    mine = post(ours.http_endpoint, path, body, **headers)
    reference = post(theirs.http_endpoint, path, body, **headers)
    assert mine[0] == reference[0]


def test_an_id_of_a_wrong_length_is_refused_by_both(ours, theirs):
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"short")
    for receiver in (ours, theirs):
        answer = post(receiver.http_endpoint, "/v1/traces", request.SerializeToString(), **PROTOBUF)
        assert answer[0] == 400
