"""JSON whatever the values."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.exporters.json_bytes import json_bytes


class Number(float):
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, None, True, "é"]}, {"a": [1, 2.5, None, True, "é"]}),
        ({1: float("nan"), None: float("-inf")}, {"1": "nan", "None": "-inf"}),
        ({"a": b"x", "b": Decimal("1.5")}, {"a": "[bytes]", "b": "1.5"}),
        ({"a": (1, {2})}, {"a": [1, [2]]}),
        ("\ud83d", "?"),
        ({"a": Number("nan")}, {"a": "nan"}),
    ],
)
def test_what_json_has_no_word_for_becomes_a_string(value, expected):
    assert json.loads(json_bytes(value)) == expected


def test_what_is_too_deep_or_holds_itself_ends_somewhere():
    endless: list = []
    endless.append(endless)
    assert json.loads(json_bytes(endless))
    deep = [0]
    for _ in range(100_000):
        deep = [deep]
    assert json.loads(json_bytes(deep))


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.integers() | st.text() | st.none(), inner),
)


@given(_ANY)
def test_whatever_it_is_the_bytes_are_strict_json(value):
    def refuse(word):
        raise AssertionError(word)

    json.loads(json_bytes(value).decode("utf-8"), parse_constant=refuse)
