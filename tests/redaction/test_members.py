"""One split tells the names of a document, or that somebody has to read it."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_apimetrics.redaction.marks import PLAIN
from otel_apimetrics.redaction.members import _all, _each, glance
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.phrases.room import Phrases
from otel_apimetrics.redaction.splices import behind, plainly_spliced, spliced_at
from otel_apimetrics.redaction.together import _MOST, _MOST_NAMES, Together

NAMES = Names()
TOGETHER = Together(NAMES)
UNSIGNED = Phrases(NAMES, PLAIN).suspects


def signs(text, names=NAMES):
    found = glance(text, Together(names), Phrases(names, PLAIN).suspects).signs
    return found if found is None else [(text[: at + 1][-9:], name) for at, name in found]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '["a", "b"]',
        '{"id": 7, "name": "Zoë", "tags": [], "größe": 1}',
        '{"value": 1, "unit": "m"}',
        '{"url": "https://a.example/b?page=2&size=10#top"}',
        '{"at": "2026-01-31T12:30:45.123+01:00", "to": "12:30", "seen": "2026-01-31 12:30:45Z"}',
        '{"at": "2026-01-31T12:30:45.123-05:00", "ratio": "16:9"}',
        '{"said": "\\"hello\\", caf\\u00e9\\n"}',
        "no JSON: at all",
        '{"tokens_used": 3, "author": "b", "page_token": "c"}',
    ],
)
def test_a_text_without_a_sensitive_name_is_told_from_its_pieces_alone(text):
    assert signs(text) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"password" : 1}',
        '{"password"\n:1}',
        '{"pass\\u0077ord": 1}',
        '{"pa\\u017f\\u017fword": 1}',
        '"pa\\u017f\\u017fword": 1',
        '{"a\\"password": 1}',
        '{"a": "{\\"password\\": 1}"}',
        '{"a": ":x"}',
        'password": 1}',
        '{"' + "a" * 127 + '": 1}',
        "{'password': 1}",
        "{`password`: 1}",
        "{password: 1}",
        "{pin:1234}",
        "a?password=b",
        "password = b",
        "password2026-01-31T12:30",
        "pinﬁ\u200bpin:12",
        '{"key": "K-1"}',
        '{"name": "password", "value": "x"}',
        '{"loc": ["body", "password"], "input": "x"}',
        '{"value=1": "", "name": "a"}',
        '{"path": "/card/pin", "content": "1"}',
        '{"password"/* of Ada */: 1}',
        '{"password"// of Ada\n: 1}',
        '{"a": "x --password y"}',
        '{"a": ["password", "y"]}',
        '{"a": "<pin>1</pin>"}',
        "code=abcdefgh&state=x",
    ],
)
def test_what_needs_more_than_that_is_left_to_those_who_read_it(text):
    assert signs(text) is None


def test_names_and_places_are_in_order():
    text = '{"pin": 1, "a": [{"password": "", "token":2}], "pin":3}'
    assert signs(text) == [
        ('{"pin":', "pin"),
        ('assword":', "password"),
        (' "token":', "token"),
        ('], "pin":', "pin"),
    ]


names = st.sampled_from(
    ["password", "password2", "pass_word", "token", "api_key", "pin", "pwd", "otp", "cvv", "id"]
    + ["ppp_pin", "ppppp_pin"]
)


@given(
    st.lists(
        st.dictionaries(names, st.sampled_from(["x", 1, "password", [], '":"']), max_size=6),
        max_size=6,
    )
)
def test_few_and_many_names_are_found_at_the_same_places(document):
    text = json.dumps(document)
    pieces = text.split('":')[:-1]
    ends = {piece: piece.rpartition('"')[2] for piece in pieces}
    found = {name for name in ends.values() if NAMES[name]}
    begins = {name[:size] for name in found for size in (2, 4)}
    told = {piece: name for piece, name in ends.items() if name in found}
    assert _each(text, begins, found) == _all(text, pieces, told)
    if "\\" not in text:
        assert glance(text, TOGETHER, UNSIGNED).signs == _each(text, begins, found)


@given(
    st.lists(
        st.dictionaries(
            names, st.sampled_from(["x", "^1.2.3", "", 'a"', "[REDACTED]", 1, None]), max_size=4
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_strings_go_in_one_pass_as_they_go_one_by_one(document, spaced):
    text = json.dumps(document, separators=(", ", ": ") if spaced else (",", ":"))
    signs = glance(text, TOGETHER, UNSIGNED).signs or []
    once = plainly_spliced(text, signs)
    places = [(behind(text, sign), name) for sign, name in signs]
    assert once is None or once == spliced_at(text, places, PLAIN)


def test_plain_strings_behind_a_blank_go_in_one_pass():
    text = json.dumps({"pin": "x", "a": [{"otp": "y", "b": "pin"}]})
    once = plainly_spliced(text, glance(text, TOGETHER, UNSIGNED).signs)
    assert once == '{"pin": "[REDACTED]", "a": [{"otp": "[REDACTED]", "b": "pin"}]}'


def test_many_names_are_found_too():
    document = dict.fromkeys(["password", "token", "api_key", "pin", "pwd", "otp", "cvv"], 1)
    found = glance(json.dumps(document), TOGETHER, UNSIGNED).signs
    assert [name for _, name in found] == list(document)
    assert TOGETHER[frozenset(document)].begins == ()


def test_what_begins_alike_is_one_search():
    begins = TOGETHER[frozenset(["password", "password2", "pass_word", "pin", "id"])].begins
    assert sorted(begins) == ["pass", "pin"]


def test_sets_of_names_are_remembered_while_they_are_few_and_small():
    together = Together(NAMES)
    for number in range(_MOST):
        together[frozenset([f"a{number}"])]
    assert len(together) == _MOST
    together[frozenset(map(str, range(_MOST_NAMES + 1)))]
    together[frozenset(["x" * 127])]
    assert len(together) == _MOST
    assert together[frozenset(["pin"])].sensitive == {"pin"}
    assert len(together) == 1


@pytest.mark.parametrize("deny", [["7"], ["12"], ["t"], ["1.2"], ["a.*"], ["a.7"]])
def test_where_the_policy_denies_what_looks_like_a_time_somebody_reads_the_text(deny):
    assert signs('{"a": 1}', Names(deny)) is None


@given(st.text(alphabet=st.sampled_from(list('"\\:={}, \npin')), max_size=40))
@example('"pin":')
@example('":"pin":1')
@example(':"pin":"pinX')
def test_each_sign_is_behind_its_name(text):
    for at, name in glance(text, TOGETHER, UNSIGNED).signs or []:
        assert text[: at + 1].endswith(f'"{name}":')
        assert NAMES.is_sensitive(name)
