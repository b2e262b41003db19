import json

import pytest

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor

TOKEN = "_" + "a1B2" * 9
REDACTORS = [Redactor(), Redactor(RedactionPolicy(deny=["*.nothing.*"]))]
"""The second has no sieve."""
SHAPES = [
    f"the key is gh&#112;{TOKEN} today",
    f"the key is gh&#x70;{TOKEN}",
    f"the key is gh&#112{TOKEN}",
    f"the key is gh&amp;#112;{TOKEN}",
    f"the key is gh<![CDATA[p]]>{TOKEN}",
    f"the key is ghp&lowbar;{TOKEN[1:]}",
    f"pass&#119;ord={TOKEN}",
    f"password&equals;{TOKEN}",
    f"pass<![CDATA[wor]]>d: {TOKEN}",
    f"a %26%23112; pass%26%23119;ord={TOKEN}",
]


@pytest.mark.parametrize("redactor", REDACTORS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_split_by_references_or_cdata_is_found(shape, redactor):
    document = json.dumps({"note": "fine", "log": [shape]})
    for shown in (
        redactor.text(shape),
        redactor.body(shape, "text/plain"),
        redactor.body(document, "application/json"),
        redactor.body(document.replace("/", "\\/"), "application/json"),
        redactor.body(document[:-2], "application/json", truncated=True),
        redactor.body(document[:-1], "application/json"),
        redactor.body(document.replace("&", "\\u0026"), "application/json"),
    ):
        assert TOKEN[1:] not in shown
        assert MARK in shown


@pytest.mark.parametrize("redactor", REDACTORS)
@pytest.mark.parametrize(
    "text",
    [
        "Fish &amp; chips &lt;b&gt;3&nbsp;GBP&lt;/b&gt; &#8364;4",
        "<![CDATA[plain]]> words & more; a&b",
        "https://example.com/?a=1&copy=2&lt=3",
        "&amp;amp;amp; &quot;ten&quot;",
        "an &unknown; entity, &#xffffff; and &#0;",
    ],
)
def test_references_that_hide_nothing_stay_as_they_are(text, redactor):
    document = json.dumps({"text": text})
    assert redactor.text(text) == text
    assert redactor.body(document, "application/json") == document
    beside = f"{text} password=x1y2"
    assert redactor.text(beside) == beside.replace("x1y2", MARK)


def test_what_is_escaped_too_often_is_masked():
    assert Redactor().text("a &" + "amp;" * 5 + "amp;b") == MARK
    assert Redactor().text("a &" + "amp;" * 3 + "amp;b") != MARK


def test_broken_json_keeps_its_quotes_where_a_reference_stands_for_one():
    text = f'{{"a": "x &quot;pass&#119;ord&quot;: {TOKEN}", "b": "kept", '
    assert Redactor().body(text, "application/json") == f'{{"a": "{MARK}", "b": "kept", '
