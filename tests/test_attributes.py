"""An exchange as span attributes."""

import json

from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.attributes import encode, request_attributes
from otel_apimetrics.exchange import (
    Body,
    Company,
    Consumer,
    Exchange,
    Request,
    Response,
    ValidationError,
    WebSocket,
)

FULL = Exchange(
    id="f" * 32,
    request=Request(
        method="POST",
        host="api.example",
        port=8443,
        path="/a",
        query="b=1",
        route="/{x}",
        scheme="https",
        http_version="2",
        headers=(("accept", "a"), ("x-a", "1"), ("x-a", "2")),
        body=Body(content="in", size=2),
        client_address="192.0.2.0",
        client_port=1,
        local_address="192.0.2.9",
        local_port=2,
    ),
    response=Response(
        status=201, headers=(("vary", "*"),), body=Body(content="out", size=9, truncated=True)
    ),
    direction="outgoing",
    consumer=Consumer(id="c", name="n", email="e", group="g"),
    company=Company(id="co", name="con"),
    session="s",
    labels={"l": "v"},
    metadata={"m": [1]},
    error="500",
    validation_errors=(ValidationError(source="body", field="f", message="m", type="t"),),
    websocket=WebSocket(close_code=1000, messages_sent=2),
    framework="flask",
    weight=2.0,
    blocked_by="rule-1",
)


def test_every_part_of_the_record_has_its_attribute():
    assert encode(FULL) == {
        "http.request.method": "POST",
        "url.scheme": "https",
        "url.path": "/a",
        "url.query": "b=1",
        "network.protocol.version": "2",
        "server.address": "api.example",
        "server.port": 8443,
        "http.route": "/{x}",
        "client.address": "192.0.2.0",
        "client.port": 1,
        "network.local.address": "192.0.2.9",
        "network.local.port": 2,
        "http.request.body.size": 2,
        "http.response.status_code": 201,
        "http.response.body.size": 9,
        "apimetrics.consumer.id": "c",
        "apimetrics.consumer.name": "n",
        "apimetrics.consumer.email": "e",
        "apimetrics.consumer.group": "g",
        "apimetrics.company.id": "co",
        "apimetrics.company.name": "con",
        "session.id": "s",
        "apimetrics.exchange.id": "f" * 32,
        "apimetrics.exchange.framework": "flask",
        "apimetrics.exchange.direction": "outgoing",
        "apimetrics.exchange.weight": 2.0,
        "apimetrics.exchange.blocked_by": "rule-1",
        "error.type": "500",
        "apimetrics.websocket.close_code": 1000,
        "apimetrics.websocket.messages_received": 0,
        "apimetrics.websocket.messages_sent": 2,
        "apimetrics.websocket.bytes_received": 0,
        "apimetrics.websocket.bytes_sent": 0,
        "apimetrics.label.l": "v",
        "apimetrics.metadata": '{"m": [1]}',
        "apimetrics.validation_errors": json.dumps(
            [{"source": "body", "field": "f", "message": "m", "type": "t"}]
        ),
        "http.request.body.content": "in",
        "http.response.body.content": "out",
        "apimetrics.response.body.truncated": True,
        "http.request.header.accept": ("a",),
        "http.request.header.x-a": ("1", "2"),
        "http.response.header.vary": ("*",),
    }


def test_what_is_absent_has_no_attribute():
    assert encode(Exchange(id="0", request=Request(method="GET"))) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/",
        "network.protocol.version": "1.1",
        "apimetrics.exchange.id": "0",
    }


def test_the_user_agent_is_an_attribute_of_its_own():
    request = Request(method="GET", user_agent="curl/8")
    assert encode(Exchange(id="0", request=request))["user_agent.original"] == "curl/8"


def test_an_unknown_method_keeps_its_original():
    assert request_attributes(Request(method="BREW"))["http.request.method"] == "_OTHER"
    assert request_attributes(Request(method="BREW"))["http.request.method_original"] == "BREW"


def test_a_response_without_a_size_has_none():
    bare = Exchange(id="0", request=Request(method="GET"), response=Response(status=200))
    assert "http.response.body.size" not in encode(bare)


def test_a_body_past_the_longest_value_is_cut_and_marked():
    attributes = encode(FULL, longest=1)
    assert attributes["http.request.body.content"] == "i"
    assert attributes["apimetrics.request.body.truncated"] is True


@given(st.integers(0, 130), st.integers(0, 60), st.integers(0, 60))
def test_headers_never_take_more_than_the_room_and_forty_a_side(room, requests, responses):
    exchange = Exchange(
        id="0",
        request=Request(method="GET", headers=tuple((f"a{n}", "") for n in range(requests))),
        response=Response(status=200, headers=tuple((f"b{n}", "") for n in range(responses))),
    )
    attributes = encode(exchange, room=room)
    bare = encode(exchange, room=0)
    incoming = sum(".request.header." in key for key in attributes)
    outgoing = sum(".response.header." in key for key in attributes)
    assert incoming == max(min(requests, 40, room - len(bare)), 0)
    assert outgoing == max(min(responses, 40, room - len(bare) - incoming), 0)
    assert bare.items() <= attributes.items()
