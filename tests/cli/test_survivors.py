import html
import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.cli.survivors import Place, Secret, hide_all, place_of

VALUE = 'p4 ss/"wörd\\\n&<🎉'


@pytest.mark.parametrize(
    "spell",
    [
        str,
        quote,
        lambda text: quote(text, safe=""),
        lambda text: quote(quote(text, safe=""), safe=""),
        lambda text: quote(text, safe="").lower(),
        quote_plus,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: json.dumps(text).replace("/", "\\/"),
        lambda text: json.dumps(json.dumps(text)),
        html.escape,
        lambda text: "".join(f"&#x{ord(letter):X};" for letter in text),
        lambda text: quote_plus(json.dumps(text)),
        lambda text: json.dumps(quote_plus(text)),
        lambda text: html.escape(json.dumps(quote(text))),
        lambda text: quote(html.escape(quote(html.escape(quote(html.escape(text)))))),
        lambda text: b64encode(text.encode()).decode(),
        lambda text: b64encode(b"user:" + text.encode()).decode(),
        lambda text: b64encode(b"ab:" + text.encode() + b"more").decode(),
        lambda text: urlsafe_b64encode(b"x" + text.encode()).decode(),
        lambda text: quote_plus(b64encode(text.encode()).decode()),
        repr,
    ],
)
def test_a_secret_is_found_in_any_spelling(spell):
    secret = Secret(VALUE, 1)
    text = f"one\ntwo {spell(VALUE)} three"
    assert secret.place(text).line == 2
    assert secret.place(secret.hide(text)) is None
    assert secret.hide(text).startswith("one\ntwo ")
    assert secret.hide(text).endswith(" three")


@pytest.mark.parametrize("spell", [str, quote, lambda text: quote(quote(text))])
def test_its_place_is_that_of_its_first_character_as_it_is_written(spell):
    value = "wörd@x.de"
    text = f"one%20\ntwo\\t {spell(value)}%20three"
    assert Secret(value, 1).place(text) == Place(2, 7)
    assert Secret(value, 1).hide(text) == "one%20\ntwo\\t <secret 1>%20three"
    assert Secret("@x.de", 1).place(text).column == 7 + len(spell("wörd"))


@given(st.text(min_size=4, max_size=12), st.text(max_size=8), st.text(max_size=8))
def test_any_secret_is_found_in_json_and_in_a_query(value, before, after):
    secret = Secret(value, 1)
    for text in (json.dumps(before + value + after), quote_plus_safe(before + value + after)):
        assert secret.place(text) is not None


def quote_plus_safe(text):
    return quote_plus(text, errors="surrogatepass")


def test_a_secret_that_is_not_there_is_not_found():
    secret = Secret("hunter2hunter2", 1)
    assert secret.place("hunter2hunter3 hunter2 [REDACTED]") is None
    assert Secret("abcd", 1).place("YWJj abc") is None
    assert Secret("\\\\\\\\", 1).place("ordinary") is None


def test_many_backslashes_take_no_time_to_speak_of():
    assert Secret("\\" * 60 + "x", 1).place("\\" * 20_000 + "y") is None


def test_its_number_stands_for_a_secret():
    secrets = [Secret("hunter2", 1), Secret("ada@x.de", 2)]
    text = "hunter2 and ada%40x.de"
    assert hide_all(secrets, text) == "<secret 1> and <secret 2>"
    assert Secret("aaaa", 3).hide("aaaaaa") == "<secret 3>aa"


def test_a_secret_behind_a_bare_percent_sign_is_found_as_it_stands():
    assert Secret("41abc", 1).place("100%41abc") == Place(1, 5)


@pytest.mark.parametrize(("index", "place"), [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (4, (2, 2))])
def test_a_place_counts_lines_and_columns_from_one(index, place):
    assert place_of("ab\ncd", index) == place
