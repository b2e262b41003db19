"""A span gives back the exchange that was written on it, and what other instrumentations say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind

from otel_apimetrics import _guard, semconv
from otel_apimetrics.decoding import decode
from otel_apimetrics.exchange import (
    Body,
    Company,
    Consumer,
    ExceptionInfo,
    Exchange,
    Request,
    Response,
    ValidationError,
    WebSocket,
)
from otel_apimetrics.exporters.spans import as_span
from tests.telemetry import Telemetry

text = st.text(max_size=20)
word = st.text("abcxyz-", min_size=1, max_size=8)
number = st.integers(0, 2**31)
maybe = lambda strategy: st.none() | strategy  # noqa: E731
headers = st.lists(st.tuples(word, text), max_size=12).map(
    # Lines of one name stand together on a span.
    lambda pairs: tuple(sorted(pairs, key=lambda pair: pair[0]))
)
bodies = st.builds(Body, content=maybe(text), size=maybe(number), truncated=st.booleans())
requests = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "BREW", "get"]),
    scheme=st.sampled_from(["http", "https", "ws"]),
    host=text,
    port=maybe(number),
    path=text,
    query=text,
    route=maybe(text),
    http_version=st.sampled_from(["1.0", "1.1", "2", "3"]),
    user_agent=text,
    headers=headers,
    body=bodies,
    client_address=maybe(word),
    client_port=maybe(number),
    local_address=maybe(text),
    local_port=maybe(number),
)
exchanges = st.builds(
    Exchange,
    id=st.text("0123456789abcdef", min_size=32, max_size=32),
    request=requests,
    response=maybe(st.builds(Response, status=st.integers(100, 599), headers=headers, body=bodies)),
    direction=st.sampled_from(["incoming", "outgoing"]),
    started_ns=st.integers(1, 2**60),
    duration_ns=number,
    consumer=maybe(
        st.builds(Consumer, id=text, name=maybe(text), email=maybe(text), group=maybe(text))
    ),
    company=maybe(st.builds(Company, id=text, name=maybe(text))),
    session=maybe(text),
    labels=st.dictionaries(
        word | st.sampled_from(["graphql.operation.name", "graphql.operation.type"]),
        text,
        max_size=3,
    ),
    metadata=st.dictionaries(text, st.lists(number | text | st.booleans(), max_size=3), max_size=3),
    error=maybe(word),
    exception=maybe(st.builds(ExceptionInfo, type=word, message=text, stacktrace=text)),
    validation_errors=st.lists(
        st.builds(ValidationError, source=text, field=text, message=text, type=text), max_size=2
    ).map(tuple),
    websocket=maybe(st.builds(WebSocket, close_code=maybe(number), messages_sent=number)),
    framework=text,
    weight=st.floats(1, 1000),
    blocked_by=maybe(text),
    trace_id=st.integers(1, 2**128 - 1),
    span_id=st.integers(1, 2**64 - 1),
    parent_span_id=st.integers(0, 2**64 - 1),
)


@given(exchanges)
def test_a_span_gives_back_the_exchange_that_was_written_on_it(exchange):
    span = as_span(exchange, Resource({}))
    assert decode(span) == exchange
    assert (span.kind is SpanKind.CLIENT) is (exchange.direction == "outgoing")


def test_a_span_of_the_older_conventions_tells_its_request(telemetry: Telemetry):
    span = telemetry.tracer_provider.get_tracer("t").start_span(
        "GET",
        kind=SpanKind.SERVER,
        attributes={
            "http.method": "GET",
            "http.target": "/a/b?c=1",
            "http.scheme": "https",
            "http.server_name": "api.example",
            "net.host.port": 8443,
            "http.status_code": 404,
            "http.flavor": "1.0",
            "http.user_agent": "curl",
            "net.peer.ip": "192.0.2.0",
            "net.peer.port": "51000",
        },
    )
    span.end()
    exchange = decode(span)
    assert exchange.request == Request(
        method="GET",
        path="/a/b",
        query="c=1",
        scheme="https",
        host="api.example",
        port=8443,
        http_version="1.0",
        user_agent="curl",
        client_address="192.0.2.0",
        client_port=51000,
    )
    assert exchange.response == Response(status=404)
    assert exchange.direction == "incoming"
    assert len(exchange.id) == 32
    assert decode(span).id == exchange.id


def test_a_path_that_was_said_again_keeps_the_query_of_the_older_conventions(telemetry: Telemetry):
    span = telemetry.tracer_provider.get_tracer("t").start_span(
        "GET",
        kind=SpanKind.SERVER,
        attributes={
            "http.request.method": "GET",
            "url.path": "/a/b",
            "http.target": "/a/b?c=1&token=[REDACTED]",
        },
    )
    span.end()
    request = decode(span).request
    assert (request.path, request.query) == ("/a/b", "c=1&token=[REDACTED]")


def test_a_client_span_is_an_outgoing_exchange_with_the_path_of_its_url(telemetry: Telemetry):
    span = telemetry.tracer_provider.get_tracer("t").start_span(
        "GET",
        kind=SpanKind.CLIENT,
        attributes={"http.request.method": "GET", "url.full": "https://api.example/a?b=1"},
    )
    span.end()
    exchange = decode(span)
    assert exchange.direction == "outgoing"
    assert (exchange.request.path, exchange.request.query) == ("/a", "b=1")
    assert exchange.response is None


def test_spans_that_are_not_about_a_request_are_none(telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("t")
    for kind, attributes in (
        (SpanKind.INTERNAL, {"http.request.method": "GET"}),
        (SpanKind.SERVER, {"rpc.system": "grpc"}),
        (SpanKind.CLIENT, {}),
    ):
        span = tracer.start_span("x", kind=kind, attributes=attributes)
        span.end()
        assert decode(span) is None


def test_documents_that_were_cut_are_left_out(telemetry: Telemetry):
    span = telemetry.tracer_provider.get_tracer("t").start_span(
        "x",
        attributes={
            semconv.EXCHANGE_ID: "1",
            semconv.METADATA: '{"a": [1, 2',
            semconv.VALIDATION_ERRORS: '[{"source": "body"',
            semconv.WEIGHT: 2,
        },
    )
    span.end()
    exchange = decode(span)
    assert (exchange.metadata, exchange.validation_errors, exchange.weight) == ({}, (), 2.0)


@pytest.mark.swallows_errors
@pytest.mark.parametrize("odd", ["[1]", '[{"no": "such field"}]', "[null]"])
def test_validation_errors_of_another_shape_are_left_out_and_counted(telemetry: Telemetry, odd):
    span = telemetry.tracer_provider.get_tracer("t").start_span(
        "GET",
        kind=SpanKind.SERVER,
        attributes={"http.request.method": "GET", "apimetrics.validation_errors": odd},
    )
    span.end()
    exchange = decode(span)
    assert exchange is not None
    assert exchange.validation_errors == ()
    assert _guard.counts() == {"decoding.validation_errors": 1}
