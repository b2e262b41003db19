"""GraphQL requests are told apart by the operation that they ask for."""

import gzip
import json
from urllib.parse import urlencode

import pytest

from otel_apimetrics import ApiMetricsASGIMiddleware, ApiMetricsWSGIMiddleware, operations
from otel_apimetrics.content import BodyBuffer
from otel_apimetrics.exchange import Request
from tests.in_process import make_environ, make_scope, request_messages, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

NAME, TYPE = "graphql.operation.name", "graphql.operation.type"
TWO = "query A { a } mutation B($x: I) @d(y: {z: 1}) { b }"


def asked(body, *, content_type="application/json", complete=True, **headers):
    """The name and the type that are told of a POST."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    kept = BodyBuffer(1_000_000)
    kept.write(data)
    given = (
        ("content-type", content_type),
        *((k.replace("_", "-"), v) for k, v in headers.items()),
    )
    request = Request(method="POST", headers=given)
    may = operations.may_ask(request, kept)
    found = operations.labels(request, kept, complete=complete) if may else {}
    kept.clear()
    return found.get(NAME), found.get(TYPE)


@pytest.mark.parametrize(("body", "told"), [
    ({"query": "query GetUser { user { id } }"}, ("GetUser", "query")),
    ({"query": "mutation Buy($n: Int) { buy(n: $n) }", "variables": {"n": 1}}, ("Buy", "mutation")),
    ({"query": "subscription S { a }"}, ("S", "subscription")),
    ({"query": "{ me { name } }"}, (None, "query")),
    ({"query": TWO, "operationName": "B"}, ("B", "mutation")),
    ({"query": TWO, "operationName": None}, ("A", "query")),
    ({"query": TWO, "operationName": "C"}, (None, None)),
    ({"query": "fragment F on U @d(a: 1) { b } query Q { ...F }"}, ("Q", "query")),
    ({"query": "fragment mutation on query { b } mutation M { ...F }"}, ("M", "mutation")),
    ([{"query": "query A { a }"}, {"query": "mutation B { b }"}, {"query": "query A { c }"}], ("A,B", "query,mutation")),
    ([{"query": "{ a }"}, {"query": "query B { b }"}], ("B", "query")),
    ([{"query": f"query Q{n} {{ a }}"} for n in range(30)], (",".join(f"Q{n}" for n in range(20)), "query")),
    ([{"query": f"query {'x' * 100}{n} {{ a }}"} for n in range(9)], (",".join("x" * 100 + str(n) for n in range(2)), "query")),
    ({"query": "query " + "Q" * 5_000 + " { a }"}, (None, "query")),
    ({"query": "query Naïve { a }"}, (None, "query")),
    ({"query": "shoes"}, (None, None)), ({"query": {"match": {"a": 1}}}, (None, None)), ({"query": 7}, (None, None)),
    ({"filter": {"query": "query Inner { a }"}}, (None, None)),
    (["query", {"a": 1}, [{"query": "{ a }"}]], (None, None)), ("query", (None, None)),
    (b'{"query": "query Broken { a }"', (None, None)), (b"[" * 50_000 + b'"query"', (None, None)),
    (b"", (None, None)), (b'{"query"', (None, None)),
])  # fmt: skip
def test_a_posted_operation_has_a_name_and_a_type(body, told):
    assert asked(body) == told


def test_the_media_type_has_to_be_one_of_graphql_over_http():
    body = {"query": "query Q { a }"}
    assert asked(body, content_type="application/graphql+json; charset=utf-8") == ("Q", "query")
    assert asked(body, content_type="application/JSON") == ("Q", "query")
    assert asked(body, content_type="text/plain") == (None, None)
    assert asked(body, content_type="") == (None, None)


def test_a_compressed_request_is_read_and_other_bytes_are_not():
    data = gzip.compress(json.dumps({"query": "query Q { a }"}).encode())
    assert asked(data, content_encoding="gzip") == ("Q", "query")
    assert asked(data) == (None, None)
    assert asked(data[:-9], content_encoding="gzip") == (None, None)


def test_a_request_that_was_cut_is_told_by_what_is_there():
    data = json.dumps({"query": "query Long { a }", "variables": {"x": "y" * 200}}).encode()
    assert asked(data[:120], complete=False) == ("Long", "query")
    assert asked(data[:20], complete=False) == (None, "query")


@pytest.mark.parametrize(("parameters", "told"), [
    ({"query": "query Q { a }"}, ("Q", "query")), ({"x": "1", "query": TWO, "operationName": "B"}, ("B", "mutation")),
    ({"query": "shoes size 43"}, (None, None)), ({"q": "query Q { a }"}, (None, None)), ({"subquery": "query Q { a }"}, (None, None)), ({}, (None, None)),
])  # fmt: skip
def test_an_operation_in_the_query_string_has_a_name_and_a_type(parameters, told):
    request, nothing = Request(method="GET", query=urlencode(parameters)), BodyBuffer(0)
    may = operations.may_ask(request, nothing)
    found = operations.labels(request, nothing, complete=True) if may else {}
    assert (found.get(NAME), found.get(TYPE)) == told


def test_nothing_is_decoded_where_no_member_is_in_sight(monkeypatch):
    monkeypatch.setattr(operations, "body_text", None)
    assert asked({"search": "query Q { a }", "n": ["query"] and 1}) == (None, None)
    assert asked(b"name=query&value=1", content_type="application/x-www-form-urlencoded") == (
        None,
        None,
    )
    assert not operations.may_ask(Request(method="PUT"), BodyBuffer(0))


def graphql(environ, start_response):
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b'{"data": {}}']


def post(telemetry: Telemetry, body, **options):
    served = ApiMetricsWSGIMiddleware(graphql, **options, **telemetry.providers)
    headers = {"Content-Type": "application/json"}
    environ = make_environ("POST", "/graphql", body=json.dumps(body).encode(), headers=headers)
    serve_wsgi(served, environ)
    return telemetry.server_span.attributes


def test_the_operation_is_on_the_span_by_its_names_in_the_conventions(telemetry: Telemetry):
    attributes = post(telemetry, {"query": "query GetUser { id }"}, capture_body="all")
    assert (attributes[NAME], attributes[TYPE]) == ("GetUser", "query")
    assert not [key for key in attributes if key.startswith("apimetrics.label.")]
    (point,) = telemetry.points("apimetrics.requests")
    assert NAME not in point.attributes


def test_a_name_that_metric_labels_has_is_on_the_metrics_and_its_body_is_not_recorded(
    telemetry: Telemetry,
):
    attributes = post(
        telemetry, {"query": 'mutation Buy { buy(card: "4111") }'}, metric_labels=[NAME, TYPE]
    )
    assert (attributes[NAME], attributes[TYPE]) == ("Buy", "mutation")
    assert "http.request.body.content" not in attributes
    assert "http.response.body.content" not in attributes
    (point,) = telemetry.points("apimetrics.requests")
    assert (point.attributes[NAME], point.attributes[TYPE]) == ("Buy", "mutation")


def test_without_capture_and_without_metric_labels_no_body_is_looked_at(telemetry: Telemetry):
    attributes = post(telemetry, {"query": "query Q { a }"})
    assert NAME not in attributes
    assert attributes["http.request.body.size"] > 0


def test_a_successful_request_is_told_although_only_errors_record_their_bodies(
    telemetry: Telemetry,
):
    attributes = post(telemetry, {"query": "query Q { a }"}, capture_body="errors")
    assert attributes[NAME] == "Q"
    assert "http.request.body.content" not in attributes


def test_what_the_app_or_its_hook_says_wins(telemetry: Telemetry):
    attributes = post(
        telemetry,
        {"query": "query Q { a }"},
        capture_body="all",
        label=lambda exchange: {NAME: exchange.labels[NAME].lower(), "more": "yes"},
    )
    assert attributes[NAME] == "q"
    assert attributes["apimetrics.label.more"] == "yes"


def test_a_secret_in_the_place_of_a_name_is_masked(telemetry: Telemetry):
    key = "AKIAIOSFODNN7EXAMPLE"
    attributes = post(telemetry, {"query": f"query {key} {{ a }}"}, capture_body="all")
    assert key not in str(dict(attributes))
    assert attributes[TYPE] == "query"


def test_an_asgi_request_is_told_too(telemetry: Telemetry):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    served = ApiMetricsASGIMiddleware(app, capture_body="all", **telemetry.providers)
    scope = make_scope("POST", "/graphql", headers=[(b"content-type", b"application/json")])
    serve_asgi(served, scope, request_messages(b'{"query":"query Q { a }"}'))
    assert telemetry.server_span.attributes[NAME] == "Q"


@pytest.mark.swallows_errors
def test_an_error_of_ours_costs_the_labels_alone(telemetry: Telemetry, monkeypatch):
    monkeypatch.setattr(operations.graphql, "is_graphql", None)
    attributes = post(
        telemetry, {"query": "query Q { a }"}, capture_body="off", metric_labels=[NAME]
    )
    assert NAME not in attributes
    assert attributes["http.response.status_code"] == 200
