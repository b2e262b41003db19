"""The letter of an escape is no letter before a token, in what does not parse as JSON either."""

import json
import sys

import pytest

from otel_apimetrics.redaction import Redactor
from otel_apimetrics.redaction import redactor as redactor_module
from otel_apimetrics.redaction.escapes import placed, readings

TOKENS = [
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP",
    "AKIA" + "A234" * 4,
    "sk" + "_live_" + "c" * 24,
    "sk" + "-" + "a1B2" * 8,
    "S" + "G." + "d" * 22 + "." + "e" * 43,
    "xap" + "p-1-" + "a1B2" * 4,
    "GB82 WEST 1234 5698 7654 32",
    "4111111111111111",
    "123-45-6789",
    "Bearer abcdefgh1",
]
BREAKS = ["\n", "\t", "\r\n", "\v", "\f", "\x0b", "\x09", "\u2028", "\u00a0"]


@pytest.fixture(scope="module", params=["with re2", "without re2"])
def redactor(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "without re2":
            patch.setitem(sys.modules, "re2", None)
        redactor_module._sieve_of.cache_clear()
        made = Redactor()
    redactor_module._sieve_of.cache_clear()
    return made


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("space", BREAKS)
def test_a_token_behind_an_escape_is_found_wherever_it_stands(redactor, token, space):
    member = json.dumps({"note": f"a{space}{token}"})
    nested = json.dumps({"n": member, "m": 1})
    tail = token[-8:]
    for text in (member, nested):
        assert tail not in redactor.body(text, "application/json")
        assert tail not in redactor.body(f'{text[:-1]}, "b": oops', "application/json")
        assert tail not in redactor.body(f"it said {text}", "text/plain")
        assert tail not in redactor.text(text)
        cut = redactor.body(f'{text[:-1]}, "b": "', "application/json", truncated=True)
        assert tail not in cut
        assert redactor.body(cut, "application/json", truncated=True) == cut


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("space", BREAKS)
def test_the_begin_of_a_token_behind_an_escape_is_found_at_a_cut(redactor, token, space):
    for text in (json.dumps({"note": f"a{space}"}), json.dumps(json.dumps([f"a{space}"]))):
        begin = text.rstrip('"}]\\') + token[:-1]
        for media_type in ("application/json", "text/plain"):
            shown = redactor.body(begin, media_type, truncated=True)
            assert token[3:-1] not in shown
            assert redactor.body(shown, media_type, truncated=True) == shown


def test_a_reading_knows_where_its_letters_are():
    text = r"a\\u00e9\ud83d\ude00\"b"
    assert list(readings(text)) == [text, r"a\u00e9😀" + '"b', 'aé😀"b']
    reading = placed(text, 2)
    assert [text[start:end] for start, end in zip(reading.places, reading.places[1:])] == [
        "a",
        r"\\u00e9",
        r"\ud83d\ude00",
        r"\"",
        "b",
    ]
    assert placed(text, 3) is None
    assert placed("plain", 1) is None
