"""Secrets in escapes in escapes: redirects in redirects, URLs and forms in strings."""

import json
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_apimetrics.redaction import FAILED, MARK, RedactionPolicy, Redactor
from otel_apimetrics.redaction import redactor as redactor_module
from otel_apimetrics.redaction.percent import DEEPEST

CANARY = "canary7Hunter2"
JSON = "application/json"


@pytest.fixture(params=[True, False], ids=["sieved", "unsieved"])
def redactor(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(redactor_module, "_sieve", lambda *_: None)
    return Redactor()


def nested(level, inner=f"/c?token={CANARY}"):
    for _ in range(level):
        inner = f"/b?x=1&next={quote(inner, safe='')}"
    return inner


@pytest.mark.parametrize("level", range(DEEPEST + 4))
def test_a_redirect_in_redirects_leaves_nowhere(redactor, level):
    url = nested(level)
    shown = [
        redactor.url(url),
        redactor.query(f"a=1&next={quote(url, safe='')}"),
        redactor.header("location", url),
        redactor.header("x-note", url),
        redactor.attribute("url.full", f"https://x.test{url}"),
        redactor.text(f"GET {url} failed"),
        redactor.body(json.dumps({"url": url}), JSON),
        redactor.body(json.dumps({"url": url})[:-1], JSON, truncated=True),
        redactor.body(json.dumps({"log": json.dumps({"url": url})}), JSON),
        redactor.body(f"<a>{url}</a>", "application/xml"),
        redactor.path(f"/x/{quote(url, safe='')}"),
    ]
    for text in shown:
        assert CANARY not in text


def test_what_is_encoded_too_often_is_masked_and_what_is_not_stays(redactor):
    deep = quote("a b")
    for _ in range(DEEPEST):
        deep = quote(deep)
    assert redactor.text(f"x {deep} y") == f"x {MARK} y"
    assert redactor.text(f"x {unquote(deep)} y") == f"x {unquote(deep)} y"
    endless = "%" + "25" * 20_000 + "3D"
    assert redactor.text(f"x {endless} y") == f"x {MARK} y"


@pytest.mark.parametrize(("text", "masked"), [
    (f"password%3D{CANARY}", f"password={MARK}"),
    (f"a%20b=1&p%61ssword={CANARY}&c=%26", f"a%20b=1&password={MARK}&c=&"),
    (f"https://x.test/?access%5Ftoken={CANARY}", f"https://x.test/?access_token={MARK}"),
    (f"https%3A%2F%2Fme%3A{CANARY}%40x.test%2F", f"https://{MARK}@x.test/"),
    (f"note%3DBearer%20{CANARY}", f"note=Bearer%20{MARK}"),
    (f"%7B%22password%22%3A%22{CANARY}%22%7D", f"%7B%22password%22:{MARK}"),
    ("n=4111%201111%201111%201111", "n=[REDACTED:card …1111]"),
])  # fmt: skip
def test_escapes_in_a_string_are_read(redactor, text, masked):
    assert redactor.text(text) == masked
    assert redactor.text(masked) == masked
    body = redactor.body(json.dumps({"q": text}), JSON)
    assert json.loads(body) == {"q": masked}
    cut = redactor.body(f'{{"q": "{text}", "r', JSON, truncated=True)
    assert cut == f'{{"q": "{masked}", "r'


@pytest.mark.parametrize("text", [
    "50% off, 100%25 sure", "https://x.test/?q=is%3Aopen+label%3Abug&sort=a%2Cb", "%E2%82%AC5", "/a%20b/%C3%BC/%ff", "%zz%3", "LIKE 'a%5D%'",
])  # fmt: skip
def test_escapes_that_hold_no_secret_stay(redactor, text):
    assert redactor.text(text) is text
    body = json.dumps({"q": text})
    assert redactor.body(body, JSON) is body


pieces = st.lists(
    st.sampled_from(
        ["%", "25", "3D", "%3D", "%253D", "password", "token", "=", "&", "?", "%22", '"', "%3A", ":", "/", "code%3D", "%5C"]
        + ["Bearer%20", "abcdef12", " ", "[REDACTED]", "%5BREDACTED%5D", "[REDACTED:card …1111]", "%0A", "{", "}", "'", "%7B"]
    ),
    max_size=12,
).map("".join)  # fmt: skip
redactors = st.sampled_from(
    [Redactor(RedactionPolicy(mask=mask, key="k")) for mask in ("mask", "hash", "last4")]
)


@given(pieces, redactors)
@example("token%3Dabc%26x=%22", Redactor(RedactionPolicy(mask="hash", key="k")))
@example("%3Dpassword%3D%%5C%", Redactor(RedactionPolicy(mask="last4")))
@example("code%3Dpassword%3D%", Redactor())
@example("code%3Dpassword%3D%", Redactor(RedactionPolicy(mask="hash", key="k")))
@example("Bearer%20%3D%", Redactor(RedactionPolicy(mask="hash", key="k")))
@example("password%22%3A%", Redactor(RedactionPolicy(mask="hash", key="k")))
def test_twice_is_once_in_texts_urls_and_bodies(text, redactor):
    for method in (redactor.text, redactor.query, redactor.url, redactor.path):
        once = method(text)
        assert once != FAILED
        assert method(once) == once
    body = redactor.body(json.dumps({"a": text}), JSON)
    json.loads(body)
    assert redactor.body(body, JSON) == body
