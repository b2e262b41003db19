import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.exchange import Exchange, Request
from otel_apimetrics.identity import (
    SpecError,
    by_basic_user,
    by_bearer_claim,
    by_client_address,
    by_header,
    by_key,
    by_readme_key,
)

unhurried = settings(deadline=None)


def exchange(*headers, client_address=None):
    request = Request(method="GET", headers=headers, client_address=client_address)
    return Exchange(id="0" * 32, request=request)


def authorized(value):
    return exchange(("authorization", value))


def basic(data, *, scheme="Basic"):
    return authorized(f"{scheme} {base64.b64encode(data).decode()}")


def jwt(payload, *, scheme="Bearer"):
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return authorized(f"{scheme} eyJh.{base64.urlsafe_b64encode(data).decode().rstrip('=')}.c2ln")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("x-consumer", " acme ")], "acme"),
        ([("x-other", "other"), ("x-consumer", "acme"), ("x-consumer", "second")], "acme"),
        ([("x-consumer", "")], None),
        ([("x-consumer", " \x00")], None),
        ([("x-consumer", "x" * 300)], "x" * 256),
        ([], None),
    ],
)
def test_a_header_names_the_consumer(headers, expected):
    assert by_header(" X-Consumer ")(exchange(*headers)) == expected


@pytest.mark.parametrize("name", ["Authorization", "cookie", "Proxy-Authorization"])
def test_a_header_that_carries_a_secret_is_refused_with_the_remedy(name):
    with pytest.raises(SpecError, match=f"'{name}' carries a secret.*key:{name.lower()}"):
        by_header(name)


@pytest.mark.parametrize("make", [by_header, by_key])
@pytest.mark.parametrize("name", ["", " ", "x consumer", "x:y", "é", "x" * 257])
def test_a_name_that_no_header_can_have_is_refused(make, name):
    with pytest.raises(SpecError) as caught:
        make(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(
    ("request_of", "expected"),
    [
        (basic(b"aladdin:opensesame"), "aladdin"),
        (basic(b"aladdin:open:sesame", scheme="bAsIc"), "aladdin"),
        (basic(b"aladdin:"), "aladdin"),
        (basic("Zoë:secret".encode()), "Zoë"),
        (basic("Zoë:secret".encode("latin-1")), "Zoë"),
        (basic(b" a\r\nb :c"), "ab"),
        (basic(b":secret"), None),
        (basic(b"tokenwithoutcolon"), None),
        (basic(b"aladdin:opensesame", scheme="Bearer"), None),
        (authorized("Basic YWxhZGRpbjpvcGVuc2VzYW1l="), "aladdin"),
        (authorized("Basic   YWxhZGRpbjo"), "aladdin"),
        (authorized("Basic fn5-Pz8_On4"), "~~~???"),
        (authorized("Basic !!!!"), None),
        (authorized("Basic YWxhZ"), None),
        (authorized("Basic YWxh ZGRpbjo="), None),
        (authorized("Basic"), None),
        (authorized(""), None),
        (basic(b"aladdin:" + b"x" * 20_000), None),
        (exchange(), None),
    ],
)
def test_the_user_of_basic_credentials_is_the_consumer(request_of, expected):
    assert by_basic_user()(request_of) == expected


@unhurried
@given(st.text(max_size=40), st.text(max_size=40))
def test_the_password_is_never_told(user, password):
    told = by_basic_user()(basic(f"{user}:s3cr3t{password}".encode("utf-8", "replace")))
    assert told is None or "s3cr3t" not in told or "s3cr3t" in user


@pytest.mark.parametrize(
    ("payload", "claim", "expected"),
    [
        ({"sub": "acme"}, "sub", "acme"),
        ({"sub": 42}, "sub", "42"),
        ({"sub": True}, "sub", None),
        ({"sub": 1.5}, "sub", None),
        ({"sub": None}, "sub", None),
        ({"sub": ["a"]}, "sub", None),
        ({"sub": {"id": "a"}}, "sub", None),
        ({"sub": ""}, "sub", None),
        ({"other": "acme"}, "sub", None),
        ({"realm": {"id": "acme"}}, "realm.id", "acme"),
        ({"realm": "acme"}, "realm.id", None),
        ({"realm.id": "whole", "realm": {"id": "path"}}, "realm.id", "whole"),
        ({"https://example.com/tenant": "acme"}, "https://example.com/tenant", "acme"),
        ({"sub": "x" * 300}, "sub", "x" * 256),
        ({"sub": "a", "more": "x" * 8_192}, "sub", None),
        ({"sub": "a", "more": "x" * 100_000}, "sub", None),
        (["sub"], "sub", None),
        (b"not json", "sub", None),
        (b"\xff\xfe", "sub", None),
        (b'{"sub": ' + b"1" * 5_000 + b"}", "sub", None),
        (b"[" * 8_000, "sub", None),
        (b'{"sub": "\\ud800"}', "sub", None),
        (b"", "sub", None),
    ],
)
def test_a_claim_of_a_bearer_token_names_the_consumer(payload, claim, expected):
    assert by_bearer_claim(claim)(jwt(payload)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "Bearer",
        "Bearer opaque",
        "Bearer a.b",
        "Bearer a.b.c.d.e",
        "Bearer a.!.c",
        "Bearer a.e30x=.c",
        "Basic a.e30.c",
        "",
    ],
)
def test_a_token_that_is_no_signed_jwt_names_nobody(value):
    assert by_bearer_claim("sub")(authorized(value)) is None


def test_the_scheme_of_a_bearer_token_may_be_in_any_case():
    assert by_bearer_claim("sub")(jwt({"sub": "acme"}, scheme="bearer")) == "acme"


@pytest.mark.parametrize("claim", ["", " "])
def test_an_empty_claim_is_refused(claim):
    with pytest.raises(SpecError, match="bearer:sub"):
        by_bearer_claim(claim)


def test_a_key_is_told_by_a_keyed_hash_that_is_the_same_everywhere():
    told = by_key("X-Api-Key", "pepper")(exchange(("x-api-key", " abc123 ")))
    assert told == "key-" + hmac.new(b"pepper", b"abc123", hashlib.sha256).hexdigest()[:16]
    assert told != by_key("x-api-key")(exchange(("x-api-key", "abc123")))


@pytest.mark.parametrize("header", ["authorization", "Proxy-Authorization"])
def test_the_scheme_is_no_part_of_a_key(header):
    name, key = header.lower(), by_key("x-api-key")(exchange(("x-api-key", "abc123")))
    for value in ("Bearer abc123", "bearer   abc123 ", "abc123", "Token abc123"):
        assert by_key(header)(exchange((name, value))) == key


def test_a_space_inside_a_key_of_another_header_is_part_of_it():
    of = by_key("x-api-key")
    assert of(exchange(("x-api-key", "a abc123"))) != of(exchange(("x-api-key", "b abc123")))


@pytest.mark.parametrize("by", [by_key, by_readme_key])
@pytest.mark.parametrize("headers", [[], [("x-api-key", "")], [("x-api-key", "  ")]])
def test_without_a_key_there_is_no_name(headers, by):
    assert by("x-api-key")(exchange(*headers)) is None


@pytest.mark.parametrize("value", ["Bearer owlbert-api-key", "owlbert-api-key "])
def test_readmes_digest_of_a_key_is_of_the_key_alone(value):
    told = by_readme_key("Authorization")(exchange(("authorization", value)))
    assert told == (
        "sha512-u2GbQ83jIqNa+a8v110+8IDztQQr4joL1xSE+wFH51zSOA1qQKPwOC8t2n2LWJQA1mX4ZLZ45SEokITzLed/ow=="
        "?-key"
    )


@pytest.mark.parametrize("key", ["a", "pin7", "1234567"])
def test_the_end_of_a_short_key_is_not_told(key):
    sent = exchange(("x-api-key", key))
    assert by_readme_key("x-api-key", "pepper")(sent) == by_key("x-api-key", "pepper")(sent)


@pytest.mark.parametrize(
    ("address", "expected"), [("203.0.113.0", "203.0.113.0"), (None, None), ("", None)]
)
def test_the_clients_address_can_be_the_consumer(address, expected):
    assert by_client_address()(exchange(client_address=address)) == expected


HOOKS = [
    by_header("x-api-key"),
    by_basic_user(),
    by_bearer_claim("a.b"),
    by_key("authorization", "\ud800"),
    by_key("x-api-key"),
    by_readme_key("x-api-key"),
    by_client_address(),
]
VALUES = st.text(max_size=60) | st.binary(max_size=60).map(
    lambda data: base64.b64encode(data).decode()
)


@unhurried
@given(
    st.sampled_from(["", "Basic ", "Bearer ", "Bearer e30."]).flatmap(
        lambda scheme: VALUES.map(lambda v: scheme + v)
    ),
    st.text(st.characters()),
)
def test_whatever_is_sent_a_hook_answers_with_a_short_text_or_nothing(authorization, key):
    sent = exchange(("authorization", authorization), ("x-api-key", key), client_address=key)
    for hook in HOOKS:
        answer = hook(sent)
        assert answer is None or 0 < len(answer.encode().decode()) <= 256
