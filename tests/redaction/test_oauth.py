"""Authorization codes as members of JSON, and the codes of products, which stay."""

import json

import pytest

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor
from otel_apimetrics.redaction import redactor as redactor_module

JSON = "application/json"
CODE = "4/0AdQt8qh"


@pytest.fixture(params=[True, False], ids=["sieved", "unsieved"])
def redactor(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(redactor_module, "_sieve", lambda *_: None)
    return Redactor()


@pytest.mark.parametrize("beside", [
    {"grant_type": "authorization_code"},
    {"redirect_uri": "https://app.example.com/done"},
    {"redirectUri": "https://app.example.com/done", "clientId": "web"},
    {"codeVerifier": None, "x": 1},
    {"client_id": "web", "state": "ready"},
    {"state": "af0ifjsldkj7"},
    {"client_id": "web", "session_state": "a"},
])  # fmt: skip
def test_a_code_of_oauth_leaves_nowhere(redactor, beside):
    document = {"code": CODE, **beside}
    for text in (
        json.dumps(document),
        json.dumps([{"a": document}]),
        json.dumps(document, indent=1),
    ):
        masked = redactor.body(text, JSON)
        assert CODE not in masked
        assert redactor.body(masked, JSON) == masked
        assert list(json.loads(json.dumps(document))) == list(document)
    assert CODE not in redactor.body(json.dumps({"body": json.dumps(document)}), JSON)
    assert CODE not in redactor.body(json.dumps(document) + "\n", "application/x-ndjson")
    assert CODE not in str(redactor.value("request", document))


@pytest.mark.parametrize("beside", ["grant_type", "redirect_uri", "code_verifier"])
def test_so_where_the_json_was_cut_or_stands_in_a_message(redactor, beside):
    text = json.dumps({beside: "a b", "code": CODE, "scope": "openid"})
    for end in range(text.index(CODE) + 4, len(text)):
        assert CODE[:4] not in redactor.body(text[:end], JSON, truncated=True)
    for message in (f"cannot read {text}", f"cannot read {json.dumps(text)}"):
        masked = redactor.text(message)
        assert CODE not in masked
        assert redactor.text(masked) == masked


def test_its_state_goes_with_it(redactor):
    text = json.dumps({"code": CODE, "state": "af0ifjsldkj7", "scope": "openid"})
    shown = {"code": MARK, "state": MARK, "scope": "openid"}
    assert json.loads(redactor.body(text, JSON)) == shown


@pytest.mark.parametrize("document", [
    {"code": "SKU-1200-B", "name": "Chair", "price": 5},
    {"code": "NOT_FOUND", "state": "CA", "message": "no such page"},
    {"code": "94105-2211", "state": "California", "city": "San Francisco"},
    {"code": 404, "redirect_uri": "https://app.example.com/done"},
    {"code": "PRJ-77", "client_id": 12},
    {"error": {"code": "invalid"}, "grant_type": "refresh_token_2"},
    {"country": {"code": "DE"}, "state": "shipped"},
])  # fmt: skip
def test_the_code_of_anything_else_stays(redactor, document):
    text = json.dumps(document)
    assert redactor.body(text, JSON) is text


def test_the_policy_may_leave_it():
    text = json.dumps({"code": CODE, "grant_type": "authorization_code"})
    assert Redactor(RedactionPolicy(allow=["code"])).body(text, JSON) == text
