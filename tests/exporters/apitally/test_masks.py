"""What the vendor's SDK masks by name, and the user's own masks, on top of the redaction."""

import json

import pytest

from otel_apimetrics.exchange import Body, Exchange, Request, Response
from otel_apimetrics.exporters.apitally.hub_messages import MARKS
from otel_apimetrics.exporters.apitally.masks import MAX_BODY, Masks

SECRET = "hunter2"


def exchange(content, kind="application/json", *, truncated=False):
    body = Body(content=content, size=len(content), truncated=truncated)
    headers = (("content-type", kind),) if kind else ()
    return Exchange(
        id="1" * 32,
        request=Request(method="POST", headers=headers, body=body),
        response=Response(status=200, headers=headers, body=body),
    )


def body_of(content, kind="application/json", *, truncated=False, **options):
    return Masks(MARKS, **options).body(
        exchange(content, kind, truncated=truncated), of_request=True
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=1", "q=1"),
        ("q=1&my_token=a", "q=1&my_token=%2A%2A%2A%2A%2A%2A"),
        ("a%75th=x&b=%20", "a%75th=%2A%2A%2A%2A%2A%2A&b=%20"),
        ("secret", "secret"),
        ("", ""),
        ("X-Mine=x", "X-Mine=%2A%2A%2A%2A%2A%2A"),
    ],
)
def test_a_query_is_masked_by_decoded_names_and_else_left_as_it_is(query, expected):
    assert Masks(MARKS, query=["mine"]).query(query) == expected


def test_headers_are_masked_by_name_and_links_by_their_query():
    headers = (
        ("authorization", SECRET),
        ("x_api_key", SECRET),
        ("x-mine", SECRET),
        ("location", f"/next?token={SECRET}&page=2"),
        ("accept", "*/*"),
    )
    assert list(Masks(MARKS, headers=["mine"]).headers(headers)) == [
        ("authorization", "******"),
        ("x_api_key", "******"),
        ("x-mine", "******"),
        ("location", "/next?token=%2A%2A%2A%2A%2A%2A&page=2"),
        ("accept", "*/*"),
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"mine": SECRET},
        {"a": [{"b": {"MINE_too": SECRET}}]},
        [[{"card number": 4111, "mine": SECRET}]],
        {"mine": 5, "auth_code": SECRET},
    ],
)
def test_members_are_masked_wherever_they_are(document):
    said = body_of(json.dumps(document), fields=["mine"])
    assert SECRET not in said
    assert "4111" not in said
    assert "******" in said
    json.loads(said)


def test_a_name_that_is_written_with_escapes_is_found():
    assert SECRET not in body_of('{"m\\u0069ne": "hunter2"}', fields=["mine"])


def test_each_line_of_many_documents_is_masked():
    content = f'{{"mine":"{SECRET}"}}\n{{"b":1}}\n'
    said = body_of(content, "application/x-ndjson", fields=["mine"])
    assert said == '{"mine":"******"}\n{"b":1}\n'


def test_a_body_without_anything_to_mask_stays_as_it_is():
    content = '{ "b" : 1.50 }'
    assert body_of(content) == content


@pytest.mark.parametrize("kind", ["text/html", "application/xml", "image/png"])
def test_other_types_than_the_vendors_are_left_out(kind):
    assert body_of("abc", kind) is None


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "application/problem+json", ""])
def test_the_vendors_types_are_sent_and_such_as_nobody_has_named(kind):
    assert body_of("abc", kind) == "abc"


def test_a_cut_body_is_text_with_the_vendors_mark():
    assert body_of('{"a": [1, 2', truncated=True) == '{"a": [1, 2... (truncated)'


def test_a_cut_body_that_the_users_masks_cannot_read_is_not_sent():
    assert body_of('{"mine": "hunt', truncated=True, fields=["mine"]) == "<body too large>"


def test_a_body_over_the_vendors_limit_is_told_as_too_large():
    assert body_of("é" * (MAX_BODY // 2), "text/plain") == "é" * (MAX_BODY // 2)
    assert body_of("é" * (MAX_BODY // 2 + 1), "text/plain") == "<body too large>"


def test_the_users_own_mask_comes_first_and_the_names_still_count():
    said = body_of('{"token": "a", "b": 1}', request_body=lambda _, text: text.replace("1", "2"))
    assert json.loads(said) == {"token": "******", "b": 2}
    assert body_of("abc", request_body=lambda _, text: None) == "<masked>"
    assert body_of("abc", request_body=lambda _, text: b"abc") == "<masked>"


@pytest.mark.swallows_errors
def test_a_mask_that_raises_sends_no_body(caplog):
    def mask(_, text):
        raise ValueError(text)

    assert body_of(SECRET, request_body=mask) == "<masked>"
    assert SECRET not in caplog.text


def test_a_document_that_is_too_deep_to_read_is_not_sent():
    content = '{"token":' * 3_000 + "1" + "}" * 3_000
    said = body_of(content)
    assert said == "<masked>" or "******" in said


@pytest.mark.parametrize("expression", ["^mine$", r"\bmine\b", "^m"])
def test_an_expression_may_be_about_the_whole_name(expression):
    masks = Masks(MARKS, fields=[expression], query=[expression], headers=[expression])
    assert SECRET not in masks.body(exchange(f'{{"a": {{"mine": "{SECRET}"}}}}'), of_request=True)
    assert SECRET not in masks.query(f"a=1&mine={SECRET}")
    assert SECRET not in str(list(masks.headers((("mine", SECRET),))))


@pytest.mark.parametrize(
    "content",
    [
        '{"my_password" : "x"}',
        '{"token":12}',
        '{"ssn":-1}',
        '{"auth":true}',
        '{"a\\"pwd":"x"}',
        '{"Card Number of":"x"}',
        '{"a":"token","b":{"passwords":"******","PWD":"x"}}',
        '{"token":"******","pa\u017f\u017fword":"x"}',
        '{"\u0130":"token","to\u212aen":"x"}',
    ],
)
def test_what_is_always_masked_is_found_however_it_is_written(content):
    said = body_of(content)
    assert "******" in said
    assert '"x"' not in said


def test_what_the_redaction_has_masked_alike_is_not_read_again():
    from otel_apimetrics.exporters.apitally.otlp_spans import MARKS as OTLP_MARKS

    content = '{ "token": "[REDACTED]", "n": 1.50 }'
    assert Masks(OTLP_MARKS).body(exchange(content), of_request=True) == content


def test_a_name_that_stands_in_a_value_has_no_body_read():
    for word in ("token", "to\u212aen"):
        content = f'{{ "a": "{word}", "author": [ 1.50 ] }}'
        assert body_of(content) == content
