import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.redaction.expressions import compiled

ATOMS = [
    *(r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", r"[\w-]", r"[^\w]", r"[\W\d]", r"[\S]", r"[^\s]"),
    *(r"[\D]", "a", "é", "K", "k", ".", "[a-z]", r"\."),
]
REPEATS = ["", "+", "*", "?", "{,2}", "{1,2}"]
LETTERS = "abéKkſs\u212a1٣_-\n\v \u2028\x85.\u00a0[^"
repeated = st.builds("{}{}".format, st.sampled_from(ATOMS), st.sampled_from(REPEATS))
expressions = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "(?i)", "(?m)", "(?s)", "(?im)"]),
    st.sampled_from(["", r"\b", r"\B", "^"]),
    st.lists(repeated, min_size=1, max_size=4).map("".join),
    st.sampled_from(["", "$", r"\b"]),
)


def on_both(regex):
    """Compile with google-re2, and as where it is not installed."""
    with_re2 = compiled(regex)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "re2", None)
        return with_re2, compiled(regex)


def found(pattern, text):
    return [match.span() for match in pattern.finditer(text) if match[0]]


@settings(max_examples=400)
@given(expressions, st.text(alphabet=LETTERS, max_size=9))
def test_an_expression_finds_the_same_on_both_engines(regex, text):
    with_re2, without = on_both(regex)
    assert found(with_re2, text) == found(without, text)


@pytest.mark.parametrize(
    ("regex", "text", "finds"),
    [
        (r"M\w+r", "Müller", False),
        (r"\d+", "٣", False),
        (r"a\sb", "a\u00a0b", False),
        (r"\bller", "Müller", True),
        (r"^a$", "a\n", True),
        (r"^a$", "a\n\n", False),
        (r"(?m)^a$", "b\na\nb", True),
        (r"(?m:^a$)|x$", "b\na\nb", True),
        (r"(?-m:^a$)|x$", "b\na\nb", False),
        (r"(?<=a$)\n", "a\n", True),
        (r"xa{,2}y", "xaay", True),
        (r"[$\s]{2}", "$\n", True),
        (r"(?#$\d)\$", "$", True),
    ],
)
def test_an_expression_means_on_both_engines_what_the_page_says(regex, text, finds):
    for pattern in on_both(regex):
        assert (pattern.search(text) is not None) == finds
