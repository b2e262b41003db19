import pytest

from otel_apimetrics.cli.spellings import Reading


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("plain", "plain"),
        ("a%40b+c%2Bd", "a@b c d"),
        ("%2525252540", "@"),
        ("%C3%A9%ff", "é\ufffd"),
        ("%25C3%25A9", "é"),
        (r"\u0041\\u0042\x43", "ABC"),
        (r"\ud83c\udf89\ud83c", "🎉\ud83c"),
        (r"\"\\\/\'\n\\t", "\"/'\n\t"),
        ("&lt;&#65;&#x42;&amp;amp;&nope;", "<AB&&nope;"),
        ("%26lt%3B", "<"),
        (r"\u002b%2B&#43;", "   "),
        ("100% &\\", "100% &"),
    ],
)
def test_a_text_is_read_through_its_escapes(written, read):
    assert Reading(written).text == read


def test_encodings_inside_of_one_another_are_read_so_far_and_no_further():
    assert Reading("&" + "#38;" * 3 + "#65;").text == "A"
    assert Reading("&" + "#38;" * 4 + "#65;").text == "&#65;"


@pytest.mark.parametrize(
    ("written", "part"),
    [("x%40y", "%40"), ("x%2540y", "%2540"), ("x%26#64;y", "%26#64;"), (r"x\\u0040y", r"\\u0040")],
)
def test_a_character_leads_back_to_the_whole_of_its_escape(written, part):
    reading = Reading(written)
    assert reading.text == "x@y"
    start, end = reading.source(1, 2)
    assert written[start:end] == part
    assert reading.source(0, 3) == (0, len(written))
