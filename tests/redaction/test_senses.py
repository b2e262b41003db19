"""Words for secrets in another sense, where an object or its members show it beyond doubt."""

import json

import pytest

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor

SECRET = "q7Zx9Kd2Lm4Vb8Wt"
redactor = Redactor()


def shown(document, **policy):
    return json.loads(
        Redactor(RedactionPolicy(**policy)).body(json.dumps(document), "application/json")
    )


@pytest.mark.parametrize(
    "document",
    [
        {"session": {"id": 7, "title": "Keynote", "speakers": ["Tom Vos"], "room": "Main hall"}},
        {"token": {"symbol": "USDC", "decimals": 6, "name": "USD Coin"}},
        {"tokens": [{"token": "quick", "start_offset": 4, "end_offset": 9}]},
        {"tokens": [{"text": "Apples", "lemma": "apple"}, {"text": "fall", "pos": "VERB"}]},
        {"tokens": [50364, 440], "avg_logprob": -0.28},
        {"tokens": [" blue", "!"], "token_logprobs": [None, -0.11]},
        {"cookie": "^1.0.2", "js-tokens": "~9.0.0"},
    ],
)  # fmt: skip
def test_what_shows_the_harmless_sense_stays(document):
    assert shown(document) == document
    assert shown({"a": [document], "password": "x"}) == {"a": [document], "password": MARK}
    name = next(iter(document))
    assert shown(document, deny=[name])[name] == MARK


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"session": {"id": SECRET, "title": "Keynote"}}, "session"),
        ({"session": {"title": "Chrome", "id": "abcdef"}}, "session"),
        ({"session": {"title": "Chrome", "a": [{"b": SECRET}]}}, "session"),
        ({"session": {"user": 7}}, "session"),
        ({"session": "Keynote"}, "session"),
        ({"token": {"symbol": "USDC"}}, "token"),
        ({"token": {"value": SECRET}}, "token"),
        ({"token": "quick"}, "token"),
        ({"token": "quick", "start_offset": 4, "end_offset": 99}, "token"),
        ({"token": "a1b2c", "start_offset": 4, "end_offset": 9}, "token"),
        ({"tokens": [{"token": SECRET, "start_offset": 0, "end_offset": 16}]}, "tokens"),
        ({"tokens": [{"text": SECRET}]}, "tokens"),
        ({"tokens": [SECRET], "token_logprobs": [0, 1]}, "tokens"),
        ({"tokens": [SECRET], "token_logprobs": ["a"]}, "tokens"),
        ({"tokens": [SECRET], "avg_logprob": 0}, "tokens"),
        ({"tokens": [123456]}, "tokens"),
        ({"cookie": "^1.0"}, "cookie"),
        ({"password": {"title": "a", "room": "b"}}, "password"),
    ],
)
def test_in_doubt_it_is_a_secret(document, name):
    assert shown(document) == {**document, name: MARK}


def test_what_is_spared_is_judged_inside():
    coin = {"symbol": "A", "decimals": 6, "api_key": "x", "note": f"Bearer {SECRET}"}
    assert shown({"token": coin})["token"] == {**coin, "api_key": MARK, "note": f"Bearer {MARK}"}
