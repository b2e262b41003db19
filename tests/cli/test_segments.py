import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.cli.segments import MARKS, Block, blocks, segments, shortened


def left(found):
    return [piece.text for piece in found if not piece.taken and piece.text]


def taken(found):
    return [piece.text for piece in found if piece.taken]


@pytest.mark.parametrize(
    ("before", "noted", "secrets", "gone"),
    [
        ('{"a":"secret"}', '{"a":"[REDACTED:#1]"}', {}, ["secret"]),
        ('{"a":12,"b":3}', '{"a":"[REDACTED:#1]","b":3}', {}, ["12"]),
        ('{"a":"x","b":"y"}', '{"a":"[REDACTED:#1]","b":"[REDACTED:#2]"}', {}, ["x", "y"]),
        ("a=x,y;b=z", "a=[REDACTED:#1];b=[REDACTED:#2]", {}, ["x,y", "z"]),
        # Without what was found, the first comma would end it.
        ("a=x,y,b=z", "a=[REDACTED:#1],b=[REDACTED:#2]", {1: "x,y"}, ["x,y", "z"]),
        ("a=x%20y,,z", "a=[REDACTED:%231],[REDACTED:%232]", {1: "x y"}, ["x%20y", ",z"]),
        ("a=x+y&b=z", "a=[REDACTED:%231]&b=[REDACTED:%232]", {1: "x y"}, ["x+y", "z"]),
        ("abcd", "[REDACTED:#1][REDACTED:#2]", {1: "ab", 2: "cd"}, ["ab", "cd"]),
        ("a [REDACTED] token=x", "a [REDACTED] token=[REDACTED:#1]", {}, ["x"]),
        ("same", "same", {}, []),
        ('{"a": "' + '"', '{"a": "[REDACTED:#1]"', {}, []),
    ],
)
def test_what_a_mark_stands_for_is_taken_out_and_nothing_else(before, noted, secrets, gone):
    found = segments(before, noted, secrets)
    assert "".join(piece.text for piece in found) == before
    assert [text for text in taken(found) if text] == gone


@pytest.mark.parametrize(
    ("before", "noted"),
    [
        # Nobody knows where the first ends.
        ("abcd", "[REDACTED:#1][REDACTED:#2]"),
        ("user=a+b&token=secret&z=1", "user=a%20b&token=[REDACTED:%231]&z=1"),
        ("a secret b secret c", "a [REDACTED:#1] X [REDACTED:#2] c"),
        ("a secret, b", "a [REDACTED:#1] b"),
        ("https://x/#secret", "https://x/"),
        ("ab", "[REDACTED:#1]abab"),
    ],
)
def test_where_the_text_was_written_anew_all_between_the_differences_is_taken_out(before, noted):
    found = segments(before, noted, {})
    assert "".join(piece.text for piece in found) == before
    assert len(taken(found)) == 1
    assert "secret" not in "".join(left(found))


TEXTS = st.text(alphabet='ab,"&=', max_size=8)


@given(
    st.lists(st.tuples(TEXTS, TEXTS), max_size=4),
    TEXTS,
    st.text(alphabet="ab ", max_size=2),
    st.booleans(),
)
def test_nothing_is_ever_shown_as_left_that_is_not_in_the_result(pairs, end, noise, knows):
    before = "".join(literal + secret for literal, secret in pairs) + noise + end
    noted = "".join(f"{literal}[REDACTED:#{at}]" for at, (literal, _) in enumerate(pairs, 1)) + end
    secrets = {at: secret for at, (_, secret) in enumerate(pairs, 1)} if knows else {}
    found = segments(before, noted, secrets)
    assert "".join(piece.text for piece in found) == before
    at = 0
    result = MARKS.sub("\0", noted).replace('"', "")
    for text in left(found):
        text = text.replace('"', "")
        place = result.find(text, at)
        assert place >= 0
        at = place + len(text)


def test_lines_pair_one_by_one_where_there_are_as_many():
    assert list(blocks(["a", "b"], ["a", "c"])) == [
        Block(True, 0, 1, 0, 1),
        Block(False, 1, 2, 1, 2),
    ]


def test_a_block_is_narrowed_to_the_lines_that_nobody_can_pair():
    lines = ["k", 'a: "x"', "b: {", "1", "}", 'c: "y"']
    others = ["k", 'a: "[REDACTED:#1]"', 'b: "[REDACTED:#2]"', 'c: "[REDACTED:#3]"']
    assert list(blocks(lines, others)) == [
        Block(True, 0, 1, 0, 1),
        Block(False, 1, 2, 1, 2),
        Block(False, 2, 5, 2, 3),
        Block(False, 5, 6, 3, 4),
    ]


def test_lines_are_paired_by_what_was_found_where_that_is_known():
    lines = ["see -----BEGIN", "abc", "-----END and 12", "same", "b: 1", "c: 2", "end"]
    others = [
        "see [REDACTED:#1] and [REDACTED:#2]",
        "same",
        "b: [REDACTED:#3]",
        "c: [REDACTED:#4]",
        "end",
    ]
    secrets = {1: "-----BEGIN\nabc\n-----END", 2: "12", 3: "1", 4: "2"}
    assert list(blocks(lines, others, secrets)) == [
        Block(False, 0, 3, 0, 1),
        Block(True, 3, 4, 1, 2),
        Block(False, 4, 5, 2, 3),
        Block(False, 5, 6, 3, 4),
        Block(True, 6, 7, 4, 5),
    ]
    assert list(blocks(lines[:3], others[:1], secrets)) == [Block(False, 0, 3, 0, 1)]


def test_lines_are_paired_by_their_likeness_where_what_was_found_does_not_fit():
    assert list(blocks(["a", "b", "c=1"], ["a", "d=[REDACTED:#1]"], {1: "x"})) == [
        Block(True, 0, 1, 0, 1),
        Block(False, 1, 3, 1, 2),
    ]


def test_lines_that_fit_leave_no_block_between_them():
    lines, others = ["a=1", "b=2", "k"], ["a=[REDACTED:#1]", "b=[REDACTED:#2]", "k", "new"]
    assert [block.same for block in blocks(lines, others)] == [False, False, True, False]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("", ""), ("1234", "…"), ("1234567", "…"), ("12345678", "12…"), ("{\n  'a': 1}", "{…")],
)
def test_a_secret_is_shown_by_two_characters_and_a_short_one_by_none(text, shown):
    assert shortened(text) == shown
