"""Names that are about a secret, such as `token_type`: what they may hold, and what goes."""

import json
import re
from pathlib import Path

import pytest

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor
from otel_apimetrics.redaction import redactor as redactor_module
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.vocabulary import ABOUT, KEPT, SETTINGS

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
CANARY = "canary7Hunter2"

NAMES = [
    "password_check", "passwordLabel", "secretPolicy", "token_at", "api_key_age", "token_type", "session-timeout",
    "cookie_consent", "cached_tokens", "tokensUsed", "x_token_endpoint", "SESSION_COUNT",
]  # fmt: skip
PLAIN = [
    0, 3600, 0.25, 1e-7, True, False, None, "", "3600", "30m", "1h30m", "6m0s", "59.5ms", "12 hours", "50%", "P30D", "PT1H", "12:30", "2026-01-31",
    "2026-01-31T12:30:45.123+01:00", "2026-01-31 12:30:45Z", "Thu, 12 Mar 2026 12:00:00 GMT", "bearer", "Bearer", "N_A", "web_login",
    "clientCredentials", "at+jwt", "DPoP", "urn:ietf:params:oauth:token-type:access_token", "https://id.example.com/oauth/token", "/oauth2/v1/token",
    {"minimum": 8, "symbols": True}, [{"modality": "TEXT", "tokenCount": 8}], ["RS256", "EdDSA", "ECDH-ES+A256KW"], ["client_secret_basic", "none"], [1, 2.5, None], [],
]  # fmt: skip
SECRETS = [CANARY, "hunter2", "12-34-ab", "Enter your password", "correct horse battery staple", "x9", [CANARY], ["ok", CANARY], "abc.def", "e3b0c44298fc1c149afb"]  # fmt: skip


@pytest.fixture(params=[True, False], ids=["sieved", "unsieved"])
def redactor(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(redactor_module, "_sieve", lambda *_: None)
    return Redactor()


@pytest.mark.parametrize("name", NAMES)
def test_a_number_a_time_and_a_word_stay(redactor, name):
    for value in PLAIN:
        for document in ({name: value}, {name: value, "note": 'a "b"\n'}, [{"a": {name: value}}]):
            text = json.dumps(document)
            assert redactor.body(text, JSON) is text
            assert redactor.body(text[:-1], JSON, truncated=True) == text[:-1]
        assert redactor.value(name, value) == value


@pytest.mark.parametrize("name", NAMES)
def test_other_text_goes(redactor, name):
    for value in SECRETS:
        for document in ({name: value}, {name: value, "note": 'a "b"\n'}):
            text = json.dumps(document)
            assert json.loads(redactor.body(text, JSON))[name] == MARK
            assert json.dumps(value)[1:-1] not in redactor.body(text[:-1], JSON, truncated=True)
            assert json.dumps(value)[1:-1] not in redactor.text(f"sent {text}.")
        assert redactor.value(name, value) == MARK


@pytest.mark.parametrize("name", ["password_check", "token_type", "sessionTimeout"])
def test_so_in_forms_fields_headers_and_text(redactor, name):
    parts = '--B\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n--B--\r\n'
    kind = {"content_type": "multipart/form-data; boundary=B"}
    for value, shown in (("bearer", "bearer"), ("3600", "3600"), (CANARY, MARK)):
        assert redactor.query(f"{name}={value}&a=1") == f"{name}={shown}&a=1"
        assert redactor.body(f"user[{name}]={value}", FORM) == f"user[{name}]={shown}"
        masked = redactor.body(parts.format(name, value), "multipart/form-data", **kind)
        assert masked == parts.format(name, shown)
        header = re.sub("[A-Z_]", lambda letter: f"-{letter[0].strip('_')}", name).lower()
        assert redactor.header(header, value) == shown
        assert redactor.text(f"{name}={value}, a=1") == f"{name}={shown}, a=1"
        assert redactor.text(f"{name}: {value}") == f"{name}: {shown}"


def test_a_credential_with_the_shape_of_one_goes_from_there_too():
    text = json.dumps({"token_endpoint": f"https://id.example.com/?token={CANARY}"})
    assert CANARY not in Redactor().body(text, JSON)


@pytest.mark.parametrize("value", ["12hunter", "{hunter2}", "[hunter2]", "5@hunter"])
def test_what_only_begins_like_one_goes(redactor, value):
    assert "hunter" not in redactor.text(f"password_check={value}")
    assert "hunter" not in redactor.body(f'{{"password_check":{value}', JSON, truncated=True)


def test_the_policy_wins():
    text = json.dumps({"token_type": "bearer", "password_label": "Your password"})
    denying = Redactor(RedactionPolicy(deny=["token_type"], allow=["password_label"]))
    shown = {"token_type": MARK, "password_label": "Your password"}
    assert json.loads(denying.body(text, JSON)) == shown


def test_the_page_lists_each_such_word_and_each_name_that_is_left():
    page = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()
    # The rest have no sensitive word to begin with: `author`, `keyboard`.
    left = {name for name in KEPT - SETTINGS if "_" in name or name in {"kid", "authenticated"}}
    assert {word for word in ABOUT | left if f"`{word}`" not in page} == set()
    assert not any(map(Names().is_sensitive, left))
