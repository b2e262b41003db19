"""Bounds inside of captured JSON: long strings and long arrays are cut where one sees it."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor
from otel_apimetrics.redaction.members import glance
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.sizes import (
    CUT_ARRAY,
    CUT_STRING,
    LONGEST,
    MOST_ITEMS,
    _edits,
    _exceeds,
    bounded,
    is_short,
)
from otel_apimetrics.redaction.together import Together

JSON = "application/json"
SECRET = "q7Zx9Kd2Lm4Vb8Wt"
redactor = Redactor()


def shown(document, **written):
    return json.loads(redactor.body(json.dumps(document, **written), JSON))


@pytest.mark.parametrize("letter", ["a", "é", "\U0001f511", '"', "\\", "\n"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_string_is_cut_on_a_character_and_says_so(letter, ascii_only):
    for length in (LONGEST - 1, LONGEST):
        document = {"a": letter * length, "b": [letter * length]}
        assert shown(document, ensure_ascii=ascii_only) == document
    document = shown({"a": letter * (LONGEST + 1), "b": 1}, ensure_ascii=ascii_only)
    assert document == {"a": letter * (LONGEST - len(CUT_STRING) - 1) + f" {CUT_STRING}", "b": 1}


@pytest.mark.parametrize("item", [1, "a", ":a", "a, b", None, [1], {"a": 1, "b": [2]}, {}, [], "{"])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_cut_behind_a_hundred_items_and_says_so(item, indent):
    whole = {"a": [item] * MOST_ITEMS, "b": 1}
    assert shown(whole, indent=indent) == whole
    for more in (1, 50, 900):
        long = {"a": [item] * (MOST_ITEMS + more), "b": 1}
        assert shown(long, indent=indent) == {"a": [item] * MOST_ITEMS + [CUT_ARRAY], "b": 1}


def test_arrays_in_arrays_are_cut_each():
    assert shown([[list(range(101))] * 2, 5] * 60) == [
        *[[[*range(100), CUT_ARRAY]] * 2, 5] * 50,
        CUT_ARRAY,
    ]


def test_what_is_within_bounds_is_the_identical_object():
    for document in (
        {"a": "x" * 900, "b": list(range(90))},
        {f"k{n}": [n, "a"] for n in range(300)},
    ):
        text = json.dumps(document)
        assert bounded(text, str) is text


def test_a_body_that_is_cut_and_lines_and_events_keep_the_bounds_too():
    text = json.dumps({"a": "b" * 5_000, "list": list(range(300))})
    for body, media_type, truncated in (
        (text[:-3], JSON, True),
        (text[:3_000], JSON, True),
        (f"{text}\n{text}\n", "application/x-ndjson", False),
        (f"data: {text}\n\n", "text/event-stream", False),
    ):
        after = redactor.body(body, media_type, truncated=truncated)
        assert CUT_STRING in after
        assert "b" * LONGEST not in after
        assert " 100," not in after
        assert redactor.body(after, media_type, truncated=truncated) == after


def test_a_cut_leaves_no_piece_of_a_secret_and_no_piece_of_a_mark():
    kept = LONGEST - len(CUT_STRING) - 1
    card, jwt = "4111 1111 1111 1111", "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP"
    hashing = Redactor(RedactionPolicy(mask="hash", key="k"))
    for one in (redactor, hashing):
        for secret in (card, jwt, f"password={SECRET}", f"--token {SECRET}", "987654321098765"):
            for start in range(kept - len(secret) - 45, kept + 2):
                text = json.dumps({"a": f"{'b ' * LONGEST}"[:start] + f" {secret}" + " c" * 900})
                after = json.loads(one.body(text, JSON))["a"]
                cut = after.removesuffix(CUT_STRING)
                assert cut != after or after.endswith(
                    ("=[REDACTED]", f"={MARK[:-1]}:hash {after[-17:]}")
                )
                assert secret[-9:] not in cut or secret.isdigit()
                mark = cut.rfind("[REDACTED")
                assert mark < 0 or "]" in cut[mark:]
                assert one.body(json.dumps({"a": after}, ensure_ascii=False), JSON) == json.dumps(
                    {"a": after}, ensure_ascii=False
                )


def test_json_in_a_string_that_is_cut_stays_masked():
    inner = json.dumps(
        [{"value": SECRET, "name": "password"}, {"value": "ok", "name": "a" * 3_000}]
    )
    after = redactor.body(json.dumps({"payload": inner}), JSON)
    assert SECRET not in after
    assert MARK in after
    assert CUT_STRING in after
    assert redactor.body(after, JSON) == after


@pytest.mark.parametrize("before", ["", "x", "x" * 2_047, "x" * 2_048, '", "'])
@pytest.mark.parametrize("behind", ["", '"', '"]', '", "x"]', '", "' + "x" * 2_047 + '"]'])
def test_a_string_is_too_long_from_one_length_on(before, behind):
    for length in (2_046, 2_047, 2_048, 2_049, 2_050, 4_097):
        text = f'["{before}", "{"y" * length}{behind}'
        assert (bounded(text, str) is text) == (length <= LONGEST)


def test_colons_and_quotes_in_strings_hide_no_item_of_a_long_array():
    item = {":": '":', '"': "a:b,{", ",": ":", '":': 1}
    for inside in (":", '":', '"', ",:", "a:b", '":"', "", '",":', item, [item]):
        for ascii_only in (True, False):
            document = {"a:": inside, ":b": [":", [inside] * (MOST_ITEMS + 1), item]}
            document = shown(document, ensure_ascii=ascii_only)
            assert document[":b"][1] == [inside] * MOST_ITEMS + [CUT_ARRAY]


items = st.one_of(
    st.integers(),
    st.none(),
    st.sampled_from(["a", ":", '":', "[", "{", ",", "\\", "é", "password"]),
)
documents = st.recursive(
    st.one_of(
        items,
        st.builds(lambda item, times: [item] * times, items, st.integers(95, 130)),
        st.builds(lambda item, times: str(item) * times, items, st.integers(400, 2_500)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", ",", '"', "password", "value", "name"]), inner),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(documents, st.booleans(), st.sampled_from([None, 1]))
def test_json_stays_json_within_bounds_and_twice_is_once(document, ascii_only, indent):
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    after = redactor.body(text, JSON)
    assert is_bounded(json.loads(after))
    assert redactor.body(after, JSON) == after


@settings(max_examples=300, deadline=None)
@given(documents, st.booleans(), st.sampled_from([None, 1]), st.integers(0, 2))
def test_where_few_searches_find_nothing_too_long_nothing_is(document, ascii_only, indent, cut):
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    text = text[: len(text) - cut * len(text) // 3]
    assert _exceeds(text) or not [*_edits(text, str)]


@settings(max_examples=300, deadline=None)
@given(documents, st.booleans(), st.sampled_from([None, 1]))
@example({"a": ["b", ":x"] * 60, "c": [1] * 101}, False, None)
@example({"a": ["b", *[":x"] * 120]}, False, 1)
@example({"a,": 1, "b": [1, *[{":": 1}, ":"] * 60]}, False, None)
def test_where_counted_members_tell_that_nothing_is_too_long_nothing_is(
    document, ascii_only, indent
):
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    members = glance(text, Together(Names()), lambda _sample: False).members
    assert not members or not is_short(text, members) or not [*_edits(text, str)]


def is_bounded(value):
    if isinstance(value, str):
        return len(value) <= LONGEST + 64
    if isinstance(value, dict):
        return all(map(is_bounded, value.values()))
    return not isinstance(value, list) or (
        len(value) <= MOST_ITEMS + (value[-1:] == [CUT_ARRAY]) and all(map(is_bounded, value))
    )
