import json
import threading

import pytest

from otel_apimetrics import _guard
from otel_apimetrics.redaction import FAILED, MARK, RedactionPolicy, Redactor

JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP"

redactor = Redactor()


@pytest.mark.parametrize(
    "media_type",
    ["multipart/form-data", "text/csv", "text/tab-separated-values", "application/octet-stream", "image/png", ""],
)  # fmt: skip
def test_a_body_of_another_media_type_or_without_its_boundary_must_not_be_captured(media_type):
    assert redactor.body("password=x", media_type) is None


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("body", (b'{"password": "canary"}', "application/json")),
        ("schema", (b"[", "application/json")),
        ("header", ("x", b"canary")),
        ("query", (3,)),
        ("path", (3,)),
        ("url", (3,)),
        ("text", (3,)),
        ("value", (3, "canary")),
        ("attribute", (3, "canary")),
    ],
)
def test_an_error_of_ours_is_counted_and_the_part_replaced(method, arguments):
    before = _guard.counts().get(f"redaction.{method}", 0)
    assert getattr(redactor, method)(*arguments) == FAILED
    assert _guard.counts()[f"redaction.{method}"] == before + 1


@pytest.mark.swallows_errors
def test_an_error_of_ours_replaces_each_header():
    before = _guard.counts().get("redaction.headers", 0)
    assert redactor.headers((("a", "canary"), ("cookie", 3))) == (("a", FAILED), ("cookie", FAILED))
    assert _guard.counts()["redaction.headers"] == before + 1


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("password", {"a": 1}, MARK),
        ("token", None, MARK),
        ("plan", f"x {JWT}", f"x {MARK}"),
        ("plan", 4111111111111111, "[REDACTED:card …1111]"),
        ("plan", {"token": 1, "b": [1, (JWT,)]}, {"token": MARK, "b": [1, [MARK]]}),
        ("plan", {1: {"password": "x"}}, {"1": {"password": MARK}}),
        ("plan", [{"name": "password", "value": 1}], [{"name": "password", "value": MARK}]),
        ("plan", '{"password": "x"}', f'{{"password": "{MARK}"}}'),
        ("plan", {JWT: 1}, {MARK: 1}),
        ("plan", ValueError("password=x"), f"password={MARK}"),
    ],
)
def test_a_value_is_masked_by_its_name_then_by_what_is_in_it(name, value, masked):
    assert redactor.value(name, value) == masked
    assert redactor.value(name, masked) == masked


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "free", {"a": [1, "b", None]}, (1, 2), {}])
def test_a_value_without_secrets_is_the_identical_object(value):
    assert redactor.value("plan", value) is value


def test_a_value_that_holds_itself_ends():
    ring = {"token": "canary"}
    ring["again"] = ring
    masked = redactor.value("plan", ring)
    assert "canary" not in str(masked)
    assert "[TRUNCATED:depth]" in str(masked)


def test_a_value_of_too_many_nodes_is_replaced():
    assert redactor.value("plan", ["canary"] * 20_000) == FAILED


def test_remove_applies_to_values_below_the_name():
    policy = Redactor(RedactionPolicy(mask="remove"))
    assert policy.value("plan", {"token": 1, "b": 2}) == {"b": 2}
    assert policy.value("token", 1) == MARK


def test_one_redactor_serves_many_threads():
    wrong = []

    def work(number):
        for round_ in range(200):
            text = f'{{"name_{number}_{round_}": 1, "secret_{number}_{round_}": "canary"}}'
            if redactor.body(text, "application/json") != text.replace("canary", MARK):
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("media_type", "text", "shown"),
    [
        (
            "application/xml",
            "<a><password>x1</password></a>",
            f"<a><password>{MARK}</password></a>",
        ),
        ("application/soap+xml", '<a pin="1234"/>', f'<a pin="{MARK}"/>'),
        (
            "text/html",
            '<input name="password" value="x1">',
            f'<input name="password" value="{MARK}">',
        ),
        ("application/graphql", '{ user(token: "x1") { id } }', '{ user(token: "…") { id } }'),
        (
            "application/json",
            '{"query": "query Q($password: String!) { a(b: 5) }", "variables": {"password": "x1"}}',
            '{"query": "query Q($password: String!) { a(b: 0) }", "variables": {"password": "[REDACTED]"}}',
        ),
    ],
)
def test_each_media_type_has_its_room(media_type, text, shown):
    assert redactor.body(text, media_type) == shown
    assert redactor.body(shown, media_type) == shown


def test_a_form_in_parts_is_read_with_its_boundary():
    lines = ["--b", 'Content-Disposition: form-data; name="password"', "", "x1", "--b"]
    lines += [
        'Content-Disposition: form-data; name="f"; filename="a.png"',
        "Content-Type: image/png",
    ]
    text = "\r\n".join([*lines, "", "\udcff\udcfe", "--b--", ""])
    shown = redactor.body(
        text, "multipart/form-data", content_type="multipart/form-data; boundary=b"
    )
    assert "x1" not in shown
    assert "<file image/png 2 B>" in shown
    hashing = Redactor(RedactionPolicy(mask="hash", key="k"))
    shown = hashing.body(
        text, "multipart/form-data", content_type="multipart/form-data; boundary=b"
    )
    assert "[REDACTED:hash " in shown


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "text/event-stream"],
)
def test_a_key_that_only_the_cut_end_had_hidden_is_masked(media_type):
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    assert key not in redactor.body(f"{key}41111111", media_type, truncated=True)


def test_what_touches_the_end_of_a_masked_list_is_masked_with_it():
    once = redactor.text("a token=[1]x y")
    assert once == redactor.text(once) == f"a token={MARK} y"


def test_the_input_of_a_validation_error_is_masked_where_its_place_is_a_secrets():
    errors = [
        {"type": "int_parsing", "loc": ["body", "pin"], "msg": "no", "input": "12a4"},
        {"type": "missing", "loc": ["query", "page", 0], "msg": "no", "input": "x"},
    ]
    shown = json.loads(redactor.body(json.dumps({"detail": errors}), "application/json"))
    assert [error["input"] for error in shown["detail"]] == [MARK, "x"]
    clean = json.dumps({"loc": ["Paris"], "input": "x"})
    assert redactor.body(clean, "application/json") == clean


def test_the_colon_of_a_mark_is_no_sign():
    assert redactor.text("secret-4111111111111111") == "secret-[REDACTED:card …1111]"


@pytest.mark.parametrize("value", ['{"a": 1, "b": [1.50]}', "1.50", "[1, 2]"])
def test_a_value_has_one_hash_however_the_rest_of_the_body_is_read(value):
    hashing = Redactor(RedactionPolicy(mask="hash", key="k"))
    bodies = [f'{{"token": {value}}}', f'{{"token": {value}, "note": "4111 1111 1111 1111"}}']
    marks = {json.loads(hashing.body(body, "application/json"))["token"] for body in bodies}
    assert len(marks) == 1


def test_a_userinfo_with_an_at_sign_is_masked():
    assert redactor.text("smtps://me@x.com:pw@host/") == f"smtps://{MARK}@host/"


def test_a_percent_encoded_header_value_is_read_decoded():
    assert "whsec" not in redactor.header("baggage", "note=whsec%5F" + "a" * 24)


ESCAPED = [
    r'{"dsn":"postgres:\/\/ada:hunter2xyz@db\/x","b":"cut',
    r'{"u":"https://a/?x=1\u0026api_key=hunter2xyz","b":"cut',
    r'{"u":"{\u0022password\u0022:\u0022hunter2xyz\u0022}","b":"cut',
]


@pytest.mark.parametrize("text", ESCAPED)
def test_escapes_hide_nothing_in_json_that_was_cut(text):
    shown = redactor.body(text, "application/json", truncated=True)
    assert "hunter2" not in shown
    assert redactor.body(shown, "application/json", truncated=True) == shown


@pytest.mark.parametrize(
    "text",
    [
        "password\n  too short [type=string_too_short, input_value='hunter2xyz', input_type=str]",
        "{b'password': b'hunter2xyz'}",
        "UPDATE u SET password = N'hunter2xyz'",
        "token=SecretStr('hunter2xyz')",
        "password='it''s hunter2xyz'",
        'secret="""hunter2xyz"""',
    ],
)
def test_what_python_and_sql_write_around_a_value_does_not_hide_it(text):
    shown = redactor.text(text)
    assert "hunter2" not in shown
    assert redactor.text(shown) == shown


def test_the_start_of_a_secret_before_a_cut_escape_is_masked():
    form = "application/x-www-form-urlencoded"
    assert "sk_live" not in redactor.body("note=sk_live_abcdefgh%", form, truncated=True)
    text = '{"a":"ghp_abcdefghijklm\\u0'
    assert "ghp" not in redactor.body(text, "application/json", truncated=True)


def test_a_literal_ends_where_its_letters_end():
    assert "hunter" not in redactor.body('{"password":truehunter2xyz}', "application/json")


@pytest.mark.parametrize("mask", ["hash", "tokenise", "last4"])
def test_a_mark_is_no_name_and_an_attribute_without_quotes_has_the_constant_one(mask):
    keyed = Redactor(RedactionPolicy(mask=mask, key="k"))
    once = keyed.body('{"name":4111111111111111,"value":1}', "application/json")
    assert keyed.body(once, "application/json") == once
    page = keyed.body("<img src=/x?token=hunter2xyz><a>Bearer hunter2xyz</a>", "text/html")
    mark = keyed.text("Bearer hunter2xyz")
    assert page == f"<img src=/x?token={MARK}><a>{mark}</a>"
    assert keyed.body(page, "text/html") == page


def test_names_about_a_secret_and_keys_of_files_are_harmless():
    document = {
        "cvc_check": "pass", "secret_type": "x", "MaxPasswordAge": 90, "credit_card_company": "Visa",
        "session_timeout_minutes": 5, "key": "uploads/2026/11/IMG_20261122_0121.jpg",
    }  # fmt: skip
    text = json.dumps(document)
    assert redactor.body(text, "application/json") is text
