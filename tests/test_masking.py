"""A whole exchange, redacted: nothing of it is forgotten."""

import dataclasses

import pytest

from otel_apimetrics import exceptions
from otel_apimetrics.config import build
from otel_apimetrics.exchange import (
    Body,
    Consumer,
    ExceptionInfo,
    Exchange,
    Request,
    Response,
    ValidationError,
    evolve,
)
from otel_apimetrics.header_choice import HeaderChoice
from otel_apimetrics.identity import clean_id
from otel_apimetrics.masking import Masking, blank
from otel_apimetrics.redaction import FAILED, RedactionPolicy, Redactor

SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
JSON = ("content-type", "application/json")
BODY = Body(content=f'{{"a": 1, "password": "{SECRET}"}}', size=50)
FULL = Exchange(
    id="0",
    request=Request(
        method="GET",
        path=f"/orders/{SECRET}",
        query=f"token={SECRET}",
        headers=(("authorization", f"Bearer {SECRET}"), JSON),
        body=BODY,
        client_address="192.0.2.77",
    ),
    response=Response(status=200, headers=(("set-cookie", f"sid={SECRET}"), JSON), body=BODY),
    labels={"plan": SECRET},
    metadata={"note": SECRET},
    exception=ExceptionInfo(type="ValueError", message=f"token={SECRET}", stacktrace=SECRET),
    validation_errors=(ValidationError(source="", field="f", message=SECRET, type="t"),),
)


def masking(**options) -> Masking:
    config = build(options, {})
    return Masking(config, Redactor(config.redaction))


def test_a_secret_in_any_part_of_an_exchange_is_gone():
    made = masking(capture_headers="all", capture_body="all")
    safe = made.redact(made.redact_keys(FULL))
    assert SECRET not in repr(safe)
    assert '"a": 1' in safe.request.body.content
    assert '"a": 1' in safe.response.body.content
    assert safe.exception.type == "ValueError"
    assert safe.validation_errors[0].field == "f"


@pytest.mark.parametrize("before", range(0, 60, 7))
def test_an_exception_is_redacted_before_it_is_cut(before):
    for length in (exceptions.MAX_MESSAGE, exceptions.READ_MESSAGE):
        message = f"{'m' * (length - 60 + before)} {SECRET}{'m' * 200_000}"
        described = exceptions.describe(ValueError(message))
        safe = masking().redact(evolve(FULL, exception=described)).exception
        assert len(safe.message) <= exceptions.MAX_MESSAGE
        assert len(safe.stacktrace) <= exceptions.MAX_STACK
        assert SECRET[:9] not in safe.message


@pytest.mark.parametrize("before", range(0, 40, 5))
def test_an_id_that_was_cut_inside_of_a_secret_is_hashed(before):
    consumer = Consumer(id=clean_id(f"{'a' * (240 - before)} {SECRET}{'b' * 99}"))
    safe = masking().redact_keys(evolve(FULL, consumer=consumer)).consumer
    assert safe.id.startswith("key-")


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/login", None),
        ("/OAuth2/authorize", None),
        ("/v1/%70assword/reset", None),
        ("/x/17", "/cards/<id>/"),
    ],
)
def test_the_bodies_of_a_route_that_takes_secrets_are_not_recorded(path, route):
    request = evolve(FULL.request, path=path, route=route)
    exchange = evolve(FULL, request=request)
    safe = masking(capture_body="all").redact(exchange)
    assert safe.request.body == safe.response.body == Body(size=50)
    policy = {"sensitive_paths": "off"}
    assert masking(capture_body="all", redaction=policy).redact(exchange).request.body.content
    policy = {"sensitive_paths": ["^/orders"]}
    assert masking(capture_body="all", redaction=policy).redact(exchange).request.body.content


@pytest.mark.parametrize(
    "path",
    [
        *("/users/sign_in", "/log_in/", "/login.json", "/login;v=1", "/api/tokens", "/cards:add"),
        *("/reset-password", "/users/forgot_password", "/password-reset/7", "/passwords", "/2FA"),
    ],
)
def test_a_route_that_takes_a_password_is_known_in_any_spelling(path):
    exchange = evolve(FULL, request=evolve(FULL.request, path=path))
    assert masking(capture_body="all").redact(exchange).request.body.content is None


@pytest.mark.parametrize("path", ["/logins", "/registers/7", "/scorecards/1", "/a", "/authors"])
def test_the_bodies_of_other_routes_are_recorded(path):
    exchange = evolve(FULL, request=evolve(FULL.request, path=path))
    assert masking(capture_body="all").redact(exchange).request.body.content


def test_a_line_that_was_redacted_already_is_taken_as_it_is():
    made = masking()
    line = evolve(made.redact_line(FULL.request), path="/p", query="q=1")
    safe = made.redact(FULL, line)
    assert (safe.request.path, safe.request.query) == ("/p", "q=1")


def test_a_request_line_without_a_query_stays_without():
    assert masking().redact_line(Request(method="GET")).query == ""


def test_an_exchange_with_little_in_it_stays_equal():
    bare = Exchange(id="0", request=Request(method="GET"))
    assert masking().redact(bare) == bare


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ("safe", ["content-type"]),
        ("all", ["authorization", "content-type"]),
        ("off", []),
        (["Authorization"], ["authorization"]),
    ],
)
def test_headers_are_recorded_as_the_option_says(chosen, names):
    safe = masking(capture_headers=chosen).redact(FULL)
    assert [name for name, _ in safe.request.headers] == names


def test_contribs_variables_choose_further_headers():
    environ = {"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "X-Trace-.*,x-b"}
    config = build({"capture_headers": "off"}, environ)
    safe = Masking(config, Redactor(config.redaction)).redact(
        dataclasses.replace(
            FULL,
            request=Request(
                method="GET", headers=(("x-trace-id", "1"), ("x-b", "2"), ("x-c", "3"))
            ),
        )
    )
    assert [name for name, _ in safe.request.headers] == ["x-trace-id", "x-b"]
    assert safe.response.headers == ()


def test_the_choice_of_many_names_does_not_grow_memory_without_bound():
    choice = HeaderChoice("off", ("x-.*",))
    assert all(choice.takes(f"x-{n}") for n in range(3000))
    assert not choice.takes("y")
    assert len(choice.kinds) <= 1024


def test_addresses_in_headers_follow_the_option_for_addresses():
    request = Request(method="GET", headers=(("x-forwarded-for", "198.51.100.7"),))
    exchange = Exchange(id="0", request=request)
    safe = masking(capture_headers="all").redact(exchange)
    assert "198.51.100.7" not in repr(safe)
    full = masking(capture_headers="all", client_ip="full").redact(exchange)
    assert full.request.headers == request.headers


def with_body(content_type: str | None, body: Body) -> Exchange:
    headers = () if content_type is None else (("content-type", content_type),)
    return Exchange(id="0", request=Request(method="POST", headers=headers, body=body))


@pytest.mark.parametrize("content_type", ["image/png", "multipart/form-data; boundary=x"])
def test_a_body_of_another_media_type_is_its_size_alone(content_type):
    safe = masking(capture_body="all").redact(with_body(content_type, BODY))
    assert safe.request.body == Body(size=50)


def test_a_body_without_a_type_is_taken_for_the_json_it_looks_like():
    safe = masking(capture_body="all").redact(with_body(None, BODY))
    assert '"a": 1' in safe.request.body.content
    assert SECRET not in safe.request.body.content


def test_a_schema_has_no_value_in_it():
    safe = masking(capture_body="schema").redact(with_body("application/json", BODY))
    assert SECRET not in safe.request.body.content
    assert "1" not in safe.request.body.content
    assert (
        masking(capture_body="schema")
        .redact(with_body("text/plain", Body(content="x")))
        .request.body.content
        is None
    )


@pytest.mark.swallows_errors
def test_an_error_leaves_nothing_raw(monkeypatch, no_swallowed_errors):
    def fail(*_):
        raise RuntimeError("ours")

    one = masking(capture_headers="all", capture_body="all")
    monkeypatch.setattr(one, "_redact_rest", fail)
    safe = one.redact(FULL)
    assert [place for place, _ in no_swallowed_errors] == ["masking.redact"]
    assert safe == blank(FULL)
    assert SECRET not in repr(safe)


def test_a_blank_exchange_says_nothing_that_was_said():
    safe = blank(FULL)
    assert SECRET not in repr(safe)
    assert "192.0.2" not in repr(safe)
    assert safe.request.path == FAILED
    assert safe.request.body == Body(size=50)
    assert safe.response.status == 200
    assert safe.exception.type == "ValueError"
    bare = blank(Exchange(id="0", request=Request(method="GET")))
    assert bare.response is None
    assert bare.exception is None


def test_headers_that_are_recorded_as_they_are_are_so_each_time_and_secrets_are_not_kept():
    config = build({"capture_headers": "all"}, {})
    masking = Masking(config, Redactor(config.redaction))
    plain = (("content-type", "text/plain"), ("etag", "1"))
    secret = (*plain, ("authorization", "Basic c2VjcmV0OnNlY3JldA=="))
    for _ in range(2):
        for headers in (plain, secret):
            request = Request(method="GET", headers=headers)
            response = Response(status=200, headers=headers)
            safe = masking.redact(Exchange(id="1", request=request, response=response))
            assert safe.response.headers[:2] == safe.request.headers[:2] == plain
            assert "c2VjcmV0" not in repr(safe)


def test_the_headers_that_are_remembered_are_bounded():
    config = build({"capture_headers": "all"}, {})
    masking = Masking(config, Redactor(config.redaction))
    for number in range(3_000):
        headers = (("x-request", str(number)), ("x-long", str(number) * 300))
        safe = masking.redact(Exchange(id="1", request=Request(method="GET", headers=headers)))
        assert safe.request.headers == headers
    assert len(masking._request_choice.clean) <= 1_024


@pytest.mark.parametrize("mask", ["mask", "remove"])
def test_headers_in_any_mixture_are_masked_as_if_nothing_were_remembered(mask):
    policy = {"capture_headers": "all", "redaction": RedactionPolicy(mask=mask)}
    config = build(policy, {})
    old = Masking(config, Redactor(config.redaction))
    many = [
        ("etag", "1"),
        ("authorization", "Basic c2VjcmV0OnNlY3JldA=="),
        ("x-forwarded-for", "192.0.2.77"),
        ("x-note", "password=hunter22"),
        ("cookie", "sid=9f86d081884c7d65"),
        ("etag", "1"),
        ("referer", "https://example.com/?token=abcdefgh"),
    ]
    for start in range(len(many)):
        headers = (*many[start:], *many[:start])
        exchange = Exchange(id="1", request=Request(method="GET", headers=headers))
        new = Masking(config, Redactor(config.redaction))
        shown = old.redact(exchange).request.headers
        assert shown == new.redact(exchange).request.headers
        assert "c2VjcmV0" not in repr(shown)
        assert [value for name, value in shown if name == "etag"] == ["1", "1"]


def test_a_callback_is_asked_about_a_header_each_time():
    asked = []

    def callback(text, place):
        if place == "header:etag":
            asked.append(place)
        return text if len(asked) < 2 else "gone"

    config = build({"redaction": RedactionPolicy(callback=callback)}, {})
    masking = Masking(config, Redactor(config.redaction))
    response = Response(status=200, headers=(("etag", "1"),))
    exchange = Exchange(id="1", request=Request(method="GET"), response=response)
    shown = [masking.redact(exchange).response.headers for _ in "ab"]
    assert shown == [(("etag", "1"),), (("etag", "gone"),)]
    assert asked.count("header:etag") == 2


def test_of_many_headers_the_first_are_recorded():
    config = build({"capture_headers": "all"}, {})
    masking = Masking(config, Redactor(config.redaction))
    headers = tuple((f"x-{number}", "1") for number in range(200))
    exchange = Exchange(id="1", request=Request(method="GET", headers=headers))
    for _ in range(2):
        assert masking.redact(exchange).request.headers == headers[:128]
