"""JSON with comments, with trailing commas, over several lines, and several in a row."""

import json

import pytest

from otel_apimetrics.redaction import MARK, Redactor

JSON, LINES = "application/json", "application/x-ndjson"
SECRET = "q7Zx9Kd2Lm4Vb8Wt"
redactor = Redactor()

COMMENTED = [
    '{{"password" /* of ada */ : "{}", "b": 1}}',
    '{{"password": // of ada\n "{}"\n}}',
    '{{"password": /* "a" */ /* b */ "{}", // c\n "b": [1, 2,],}}',
    '{{"name": "password", // c\n "value": "{}",}}',
    '{{"b": 1, // the password: "{}"\n "c": 2}}',
    '{{"b": 1 /* token={} */}}',
    '{{"url": "https://a.example/b", /* x */ "pin": "{}"}}',
    '// <password>{}</password>\n{{"b": 1}}',
    '{{"b": "/* no comment", "password": "{}", "c": "*/"}}',
]


@pytest.mark.parametrize("text", COMMENTED)
def test_comments_and_trailing_commas_hide_nothing(text):
    text = text.format(SECRET)
    for media_type in (JSON, LINES):
        masked = redactor.body(text, media_type)
        assert SECRET not in masked
        assert redactor.body(masked, media_type) == masked
    json.loads(redactor.body(text, JSON))
    for end in range(len(text)):
        shown = redactor.body(text[:end], JSON, truncated=True)
        assert not any(SECRET[at : at + 6] in shown for at in range(10)), text[:end]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, // the first\n "b": [1, 2,], /* the\n last */ }',
        '{"url": "https://a.example//b", "c": "/* d */",}',
        '{"a": 1}\n{"b": 2}{"c": [3]}',
        '{"a":\n 1}\n\n{"b": 2\n}\n',
        '\x1e{"a": 1}\n\x1e{"b":\n2}\n',
    ],
)
def test_what_holds_no_secret_keeps_its_comments_and_lines(text):
    assert redactor.body(text, JSON) == text
    assert redactor.body(text, LINES) == text


@pytest.mark.parametrize("between", ["", "\n", ", ", "\r\n\r\n", "\n\x1e", " // next\n"])
@pytest.mark.parametrize("media_type", [JSON, LINES])
def test_documents_in_a_row_are_each_masked_as_a_whole(between, media_type):
    pair = json.dumps({"name": "password", "value": SECRET}, indent=1)
    other = json.dumps({"name": "color", "value": "red"}, indent=1)
    masked = redactor.body(pair + between + other + between + pair, media_type)
    assert masked.count(MARK) == 2
    assert SECRET not in masked
    assert '"red"' in masked
    assert redactor.body(masked, media_type) == masked
    cut = redactor.body(other + between + pair[:-6], media_type, truncated=True)
    assert SECRET[:6] not in cut
    assert '"red"' in cut


def test_a_line_that_is_no_json_is_masked_as_text():
    text = '{"a": 1}\noops password=x1\n{"name": "password", "value": "x2"}\n'
    masked = redactor.body(text, LINES)
    assert "x1" not in masked
    assert "x2" not in masked
    assert masked.startswith('{"a": 1}\noops')


@pytest.mark.parametrize("media_type", [JSON, LINES, "text/event-stream"])
@pytest.mark.parametrize("cut", [False, True])
def test_the_slashes_of_a_url_in_prose_begin_no_comment(media_type, cut):
    said = "data: It failed with postgresql://app:{}@db.example.com/shop again"

    masked = redactor.body(said.format(SECRET), media_type, truncated=cut)

    assert masked == said.replace("app:{}", MARK)
