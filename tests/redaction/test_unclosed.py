"""A cut may take the name that tells what a `value` is."""

import json

import pytest

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor

JSON = "application/json"
redactor = Redactor()


def cut(text, **policy):
    shown = Redactor(RedactionPolicy(**policy)).body(text, JSON, truncated=True)
    assert Redactor(RedactionPolicy(**policy)).body(shown, JSON, truncated=True) == shown
    return shown


@pytest.mark.parametrize("value", ["val", "value", "Value"])
@pytest.mark.parametrize("secret", ['"hunter2"', "73421", '"hunt'])
def test_a_value_without_its_name_is_masked_where_its_object_was_cut(value, secret):
    closing = "" if secret.endswith("t") else '"'
    assert cut(f'[{{"{value}": {secret}') == f'[{{"{value}": "{MARK}{closing}'
    if closing:
        assert cut(f'[{{"{value}": {secret}, "na') == f'[{{"{value}": "{MARK}", "na'


@pytest.mark.parametrize("levels", [1, 2])
def test_a_value_without_its_name_is_masked_in_a_string_that_was_cut(levels):
    text = '{"value": "hunter2", "o": "x'
    for _ in range(levels):
        text = f'{{"a": {json.dumps(text)[:-1]}'
    shown = cut(text)
    assert "hunter" not in shown
    assert shown == text.replace("hunter2", MARK)


@pytest.mark.parametrize(
    "text",
    [
        '[{"value": "a", "name": "color"}, {"name": "size", "value": "b", "c',
        '{"name": "color", "value": "a',
        '[{"value": "a}"}, {"a": "b',
        '{"value": [{"id": 1}, {"id": 2',
        '{"value": true, "a',
        '{"role": "assistant", "content": "It is',
    ],
)
def test_a_value_that_is_named_or_closed_or_no_secret_is_left(text):
    assert cut(text) == text


def test_a_keyed_mark_tells_equal_values():
    one = cut('{"value": "hunter2", "a', mask="hash", key="k")
    assert one == cut('{"value": "hunter2", "a', mask="hash", key="k")
    assert one.startswith('{"value": "[REDACTED:hash ')
