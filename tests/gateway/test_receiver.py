import gzip
import io
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zlib
from pathlib import Path
from threading import Barrier, Thread
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from otel_apimetrics import _guard
from otel_apimetrics.gateway import otlp_json
from otel_apimetrics.gateway.__main__ import main
from otel_apimetrics.gateway.json_lines import JsonLines
from otel_apimetrics.gateway.otlp_json import MalformedRequestError, read_json, read_protobuf
from otel_apimetrics.gateway.receiver import Receiver
from tests.ports import free_port

SOURCE = Path(__file__).resolve().parents[2] / "src"
PROTOBUF = "application/x-protobuf"
JSON = "application/json"


def span_request(name="GET /"):
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.name, span.trace_id, span.span_id = name, b"\x01" * 16, b"\x02" * 8
    return request


SPAN = span_request().SerializeToString()


class Sent(list):
    """A sink that remembers."""

    def __call__(self, signal, request):
        self.append((signal, request))


def call(receiver, body=SPAN, path="/v1/traces", method="POST", content_type=PROTOBUF, **extra):
    """One request through the WSGI validator; returns status, headers and body."""
    environ = {}
    setup_testing_defaults(environ)
    environ.update(
        {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "QUERY_STRING": "",
            "wsgi.input": io.BytesIO(body),
        }
    )
    environ.update(extra)
    answer = []
    result = validator(receiver)(
        environ, lambda status, headers, *_: answer.extend((status, headers))
    )
    content = b"".join(result)
    result.close()
    status, headers = answer
    return int(status.split()[0]), dict(headers), content


@pytest.mark.parametrize(
    ("path", "signal", "key"),
    [
        ("/v1/traces", "traces", "resourceSpans"),
        ("/v1/metrics", "metrics", "resourceMetrics"),
        ("/v1/logs", "logs", "resourceLogs"),
    ],
)
def test_each_path_takes_its_signal(path, signal, key):
    sink = Sent()
    body = json.dumps({key: [{"resource": {}}]}).encode()
    status, headers, content = call(Receiver(sink), body, path, content_type=JSON)
    assert (status, headers["Content-Type"], content) == (200, JSON, b"{}")
    assert sink == [(signal, {key: [{"resource": {}}]})]


def test_a_protobuf_success_has_an_empty_export_response():
    status, headers, content = call(Receiver(Sent()))
    assert (status, headers["Content-Type"], headers["Content-Length"]) == (200, PROTOBUF, "0")
    assert ExportTraceServiceResponse.FromString(content) == ExportTraceServiceResponse()


def test_the_content_type_may_carry_parameters_and_capitals():
    assert call(Receiver(Sent()), content_type="Application/X-Protobuf; a=b")[0] == 200


def test_a_gzip_body_is_inflated():
    sink = Sent()
    assert call(Receiver(sink), gzip.compress(SPAN), HTTP_CONTENT_ENCODING="GZIP")[0] == 200
    assert sink[0][1]["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "GET /"


def test_gzip_members_are_joined_up_to_a_bound():
    halves = gzip.compress(SPAN[:5]) + gzip.compress(SPAN[5:])
    sink = Sent()
    assert call(Receiver(sink), halves, HTTP_CONTENT_ENCODING="gzip")[0] == 200
    assert len(sink) == 1
    many = gzip.compress(b"") * 9
    assert call(Receiver(sink), many, HTTP_CONTENT_ENCODING="gzip")[0] == 400


@pytest.mark.parametrize(
    "body", [b"junk", gzip.compress(SPAN)[:-1], gzip.compress(SPAN) + b"junk", zlib.compress(SPAN)]
)
def test_broken_gzip_is_refused(body):
    sink = Sent()
    assert call(Receiver(sink), body, HTTP_CONTENT_ENCODING="gzip")[0] == 400
    assert sink == []


def test_a_body_may_inflate_to_the_limit_and_no_further():
    limit = len(SPAN)
    packed = gzip.compress(SPAN)
    assert len(packed) > limit
    at_limit = span_request("x" * 1000).SerializeToString()
    receiver = Receiver(Sent(), limit=len(at_limit))
    assert call(receiver, gzip.compress(at_limit), HTTP_CONTENT_ENCODING="gzip")[0] == 200
    receiver = Receiver(Sent(), limit=len(at_limit) - 1)
    assert call(receiver, gzip.compress(at_limit), HTTP_CONTENT_ENCODING="gzip")[0] == 413


def test_a_body_over_the_limit_is_refused_before_it_is_kept():
    sink = Sent()
    assert call(Receiver(sink, limit=len(SPAN)))[0] == 200
    assert call(Receiver(sink, limit=len(SPAN) - 1))[0] == 413
    assert len(sink) == 1


@pytest.mark.parametrize(
    ("change", "status", "headers"),
    [
        ({"path": "/v1/trace"}, 404, {}),
        ({"path": "/"}, 404, {}),
        ({"method": "GET"}, 405, {"Allow": "POST"}),
        ({"content_type": "text/plain"}, 415, {}),
        ({"content_type": ""}, 415, {}),
        ({"HTTP_CONTENT_ENCODING": "br"}, 415, {"Accept-Encoding": "gzip"}),
        ({"CONTENT_LENGTH": "+1"}, 400, {}),
        ({"CONTENT_LENGTH": "99999"}, 400, {}),
        ({"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}, 411, {}),
    ],
)
def test_what_is_no_otlp_request_is_refused(change, status, headers):
    sink = Sent()
    # The validator itself asserts on a Content-Length that is no number.
    receiver = Receiver(sink)
    if change.get("CONTENT_LENGTH") == "+1":
        answer = []
        environ = {"CONTENT_LENGTH": "+1", "CONTENT_TYPE": PROTOBUF}
        receiver(environ, lambda line, given: answer.extend((line, given)))
        got, given_headers = int(answer[0].split()[0]), dict(answer[1])
    else:
        got, given_headers, _ = call(receiver, **change)
    assert got == status
    assert headers.items() <= given_headers.items()
    assert sink == []


def test_a_rejected_body_is_read_so_that_the_answer_arrives():
    stream = io.BytesIO(SPAN * 10_000)
    length = str(len(stream.getvalue()))
    call(Receiver(Sent()), path="/nowhere", CONTENT_LENGTH=length, **{"wsgi.input": stream})
    assert stream.read() == b""


def test_draining_stops_at_the_limit():
    stream = io.BytesIO(SPAN * 10_000)
    length = str(len(stream.getvalue()))
    receiver = Receiver(Sent(), limit=100)
    assert call(receiver, CONTENT_LENGTH=length, **{"wsgi.input": stream})[0] == 413
    assert stream.tell() == 100


def test_an_answer_to_head_has_no_body():
    status, headers, content = call(Receiver(Sent()), method="HEAD")
    assert (status, content) == (405, b"")
    assert int(headers["Content-Length"]) > 0


class Failing(io.BytesIO):
    def read(self, *_size):
        raise TimeoutError


@pytest.mark.parametrize(("path", "status"), [("/v1/traces", 408), ("/nowhere", 404)])
def test_a_client_that_stops_sending_is_answered(path, status):
    assert call(Receiver(Sent()), path=path, **{"wsgi.input": Failing()})[0] == status


def test_an_error_is_a_status_message_in_the_encoding_of_the_request():
    _, headers, content = call(Receiver(Sent()), b"\xff")
    assert headers["Content-Type"] == PROTOBUF
    # google.rpc.Status: field 2 is the message; read through a message with a string there.
    assert content[0] == 0x12
    assert content[1] == len(content) - 2
    assert content[2:].startswith(b"The body is not a protobuf")
    _, headers, content = call(Receiver(Sent()), b"[]", content_type=JSON)
    assert headers["Content-Type"] == JSON
    assert json.loads(content) == {"message": "The body is not a JSON object."}
    _, headers, content = call(Receiver(Sent()), content_type="text/html")
    assert headers["Content-Type"].startswith("text/plain")
    assert PROTOBUF in content.decode()


def test_a_long_message_has_its_length_in_two_bytes():
    receiver = Receiver(Sent())
    _, _, content = call(receiver, path="/x", CONTENT_LENGTH="0")
    assert len(content) < 130
    from otel_apimetrics.gateway.receiver import _error_body

    _, content = _error_body(PROTOBUF, "m" * 300)
    assert content[:3] == b"\x12\xac\x02"
    assert len(content) == 303


def test_an_empty_request_succeeds_and_reaches_no_sink():
    sink = Sent()
    assert call(Receiver(sink), b"")[0] == 200
    assert call(Receiver(sink), b"{}", content_type=JSON)[0] == 200
    assert sink == []


@pytest.mark.swallows_errors
def test_a_failing_sink_asks_the_client_to_come_again():
    def sink(signal, request):
        raise OSError("disk full")

    before = _guard.counts().get("gateway.sink", 0)
    status, headers, _ = call(Receiver(sink))
    assert (status, headers["Retry-After"]) == (503, "10")
    assert _guard.counts()["gateway.sink"] == before + 1


@pytest.mark.swallows_errors
def test_an_error_of_ours_is_counted_and_answered():
    before = _guard.counts().get("gateway.receive", 0)
    status, _, content = call(
        Receiver(Sent()), **{"HTTP_CONTENT_ENCODING": "gzip", "wsgi.input": Silent()}
    )
    assert status == 500
    assert content[2:] == b"The receiver failed."
    assert _guard.counts()["gateway.receive"] == before + 1


class Silent(io.BytesIO):
    def read(self, *_size):
        raise RuntimeError("a stream that keeps no promise")


@given(st.binary(max_size=200), st.sampled_from([PROTOBUF, JSON]), st.booleans())
def test_no_body_makes_the_receiver_fail(body, content_type, gzipped):
    data = gzip.compress(body) if gzipped else body
    extra = {"HTTP_CONTENT_ENCODING": "gzip"} if gzipped else {}
    assert call(Receiver(Sent()), data, content_type=content_type, **extra)[0] in (200, 400)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceSpans", "scopeSpans", "spans", "resource", "attributes", "key", "value"]
                + ["traceId", "spanId", "kind", "status", "intValue", "bytesValue", "doubleValue"]
                + ["startTimeUnixNano", "trace_id", "arrayValue", "values"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_json_of_any_shape_is_read_or_refused(value):
    try:
        result = read_json("traces", json.dumps({"resourceSpans": value}).encode())
    except MalformedRequestError:
        return
    json.dumps(result, allow_nan=False)


any_values = st.recursive(
    st.builds(AnyValue, string_value=st.text(max_size=10))
    | st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1))
    | st.builds(AnyValue, double_value=st.floats())
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, bytes_value=st.binary(max_size=10))
    | st.builds(AnyValue),
    lambda inner: st.lists(inner, max_size=3).map(
        lambda items: AnyValue(array_value={"values": items})
    ),
    max_leaves=6,
)


@given(any_values, st.binary(min_size=16, max_size=16), st.integers(0, 2**64 - 1))
def test_reading_what_was_written_as_json_gives_the_same_again(value, trace_id, time_unix_nano):
    request = ExportLogsServiceRequest()
    record = (
        request.resource_logs.add()
        .scope_logs.add()
        .log_records.add(trace_id=trace_id, time_unix_nano=time_unix_nano, body=value)
    )
    record.attributes.add(key="k", value=value)
    written = read_protobuf("logs", request.SerializeToString())
    assert read_json("logs", json.dumps(written).encode()) == written


def test_keys_in_snake_case_are_unknown_in_json():
    body = json.dumps({"resourceSpans": [{"schema_url": "s"}], "resource_spans": 3}).encode()
    assert read_json("traces", body) == {"resourceSpans": [{"resource": {}}]}


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b'{"resourceSpans": 3}',
        b'{"resourceSpans": [{"schemaUrl": NaN}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "abcd"}]}]}]}',
        b'{"resourceSpans": [{"schemaUrl": "\\ud800"}]}',
        b'{"a":' * 100_000,
    ],
    ids=range(7),
)
def test_json_of_a_wrong_shape_is_refused_without_quoting_it(body):
    with pytest.raises(MalformedRequestError) as refusal:
        read_json("traces", body)
    assert "xyz" not in str(refusal.value)


def test_ids_of_zeros_are_absent():
    request = span_request()
    request.resource_spans[0].scope_spans[0].spans[0].parent_span_id = bytes(8)
    span = read_protobuf("traces", request.SerializeToString())["resourceSpans"][0]["scopeSpans"][
        0
    ]["spans"][0]
    assert span == {"traceId": "01" * 16, "spanId": "02" * 8, "name": "GET /", "status": {}}


def test_all_signals_have_a_request_type():
    assert set(otlp_json._REQUESTS) == {"traces", "metrics", "logs"}


class Short:
    """A raw stream that takes a few bytes at a time, and at times none."""

    def __init__(self):
        self.data = b""
        self.room = 10**9

    def write(self, data):
        taken = bytes(data[: min(7, self.room)])
        self.data += taken
        self.room -= len(taken)
        return len(taken)

    def flush(self):
        pass


def test_short_writes_still_make_a_whole_line():
    stream = Short()
    JsonLines(stream)("traces", {"name": "Łukasz\u2028\x85\u2029"})
    assert stream.data == '{"name":"Łukasz\\u2028\\u0085\\u2029"}\n'.encode()
    assert json.loads(stream.data)["name"] == "Łukasz\u2028\x85\u2029"


def test_a_torn_line_does_not_spoil_the_next():
    stream = Short()
    lines = JsonLines(stream)
    lines("traces", {"n": 1})
    stream.room = 4
    with pytest.raises(OSError):
        lines("traces", {"n": 2})
    stream.room = 10**9
    lines("traces", {"n": 3})
    assert stream.data.split(b"\n") == [b'{"n":1}', b'{"n"', b'{"n":3}', b""]


def test_lines_of_many_threads_do_not_mix():
    stream = Short()
    lines = JsonLines(stream)
    barrier = Barrier(8)

    def write(number):
        barrier.wait()
        for _ in range(50):
            lines("logs", {"n": number, "text": "x" * 50})

    threads = [Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = [json.loads(line)["n"] for line in stream.data.splitlines()]
    assert sorted(written) == sorted(list(range(8)) * 50)


def test_the_port_of_another_is_a_clear_error(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--file", str(tmp_path / "otlp.jsonl")]) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_a_clear_error(tmp_path, capsys):
    assert main(["--port", "0", "--file", str(tmp_path)]) == 1
    assert f"cannot write to {tmp_path}" in capsys.readouterr().err


def test_a_missing_extra_is_told_with_its_remedy(tmp_path):
    blocker = "import sys; sys.modules['google.protobuf'] = None; import runpy; "
    code = blocker + "runpy.run_module('otel_apimetrics.gateway', run_name='__main__')"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "pip install 'otel-apimetrics[gateway]'" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_has_a_status_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "otel_apimetrics.gateway.json_lines", None)
    assert main(["--port", "0", "--file", str(tmp_path / "otlp.jsonl")]) == 2


@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM"])
def test_the_command_serves_until_a_signal(tmp_path, signal_name):
    file = tmp_path / "otlp.jsonl"
    command = [sys.executable, "-m", "otel_apimetrics.gateway", "--port", "0", "--file", str(file)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            where = process.stderr.readline()
            url = next(word for word in where.split() if word.startswith("http")).rstrip(",")
            request = urllib.request.Request(url + "/v1/traces", SPAN, {"Content-Type": PROTOBUF})
            with urllib.request.urlopen(request) as response:
                assert response.status == 200
            # A connection that says nothing must not hold up the end.
            host, port = url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))):
                time.sleep(0.05)
            process.send_signal(getattr(signal, signal_name))
            assert process.wait(20) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
    assert json.loads(file.read_text())["resourceSpans"]
    assert file.stat().st_mode & 0o077 == 0


def connected(port):
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.swallows_errors
def test_a_connection_that_breaks_is_counted_and_the_next_is_served(tmp_path, capsys):
    file, port = tmp_path / "otlp.jsonl", free_port()
    counted, answers = [], []

    def client():
        try:
            before = _guard.counts().get("gateway.connection", 0)
            with connected(port) as broken:
                broken.sendall(b"POST /v1/tr")
                # Closing with this option resets the connection.
                broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with connected(port) as whole:
                head = f"POST /v1/traces HTTP/1.0\r\nContent-Type: {PROTOBUF}\r\n"
                whole.sendall(f"{head}Content-Length: {len(SPAN)}\r\n\r\n".encode() + SPAN)
                answers.append(whole.makefile("rb").readline())
            deadline = time.monotonic() + 10
            while _guard.counts().get("gateway.connection", 0) == before:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            counted.append(_guard.counts()["gateway.connection"] - before)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    handler = signal.getsignal(signal.SIGTERM)
    thread = Thread(target=client)
    thread.start()
    assert main(["--port", str(port), "--file", str(file)]) == 0
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is handler
    assert counted == [1]
    assert answers == [b"HTTP/1.0 200 OK\r\n"]
    assert len(file.read_text().splitlines()) == 1
    assert f"http://127.0.0.1:{port}" in capsys.readouterr().err


def test_help_is_printed(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert "--port" in capsys.readouterr().out
