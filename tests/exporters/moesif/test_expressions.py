"""Expressions that Moesif sends: which are followed, and that none may take long.

Time is told in steps of the matching, never in seconds: what passes has few by a proof over all
texts, and a small matcher that counts its own steps is held against that proof.
"""

import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.exporters.moesif.effort import EFFORT, MOST_TEXT, effort
from otel_apimetrics.exporters.moesif.expressions import expression
from otel_apimetrics.exporters.moesif.rules import read_rules
from otel_apimetrics.exporters.moesif.sampling import read_rates


@pytest.fixture(params=["google-re2", "re"])
def engine(request, monkeypatch):
    if request.param == "re":
        monkeypatch.setitem(sys.modules, "re2", None)
    return request.param


LONG = [
    "^/hi/(a|a)*$", "(a|aa)+$", "(a+)+$", "(x+x+)+y", "(a|b|ab)*c", ".*.*.*.*;", "(.*)(.*)(.*)x",
    r"\s*\s*\s*;", "(?:a?){25}a{25}$", "^(?:[ab][ab]?)*c", "^.*a.*a.*a.*b",
    "a{0,900}a{0,900}a{0,900}b", "(?i)(a|A)*b", "(a*)*b", "(?P<n>.*)*;", r"[^\x2f]+/+/*[^/]*/*;",
    r"\x2f+/+/+;", r"(?:\w+/?)+;",
]  # fmt: skip


@pytest.mark.parametrize("regex", LONG)
def test_what_takes_polynomial_or_exponential_time_is_refused_by_re_alone(engine, regex):
    if engine == "google-re2":
        assert not expression(regex).finds("\n")
        return
    with pytest.raises(ValueError, match=r"install otel-apimetrics\[fast\]"):
        expression(regex)


@pytest.mark.parametrize(
    ("regex", "why"),
    [
        (r"(a)\1", "refers back"), ("(?P<n>a)(?P=n)", "refers back"), (r"(a)?(?(1)b|c)", "refers back"),
        ("(?=a)b", "looks around"), ("(?!a)b", "looks around"), ("(?<=a)b", "looks around"),
        (r"^(?=(a+))*b", "looks around"),
    ],
)  # fmt: skip
def test_what_refers_back_or_looks_around_is_refused_by_both(engine, regex, why):
    with pytest.raises(ValueError, match=why):
        expression(regex)


@pytest.mark.parametrize("regex", ["(?m)^a", "(?im)^a", "(?i:a)", "(?x)a b # (c+)+"])
def test_flags_that_change_what_is_read_are_refused_by_re_alone(monkeypatch, regex):
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(ValueError, match=r"otel-apimetrics\[fast\]"):
        expression(regex)


@pytest.mark.parametrize("regex", ["(", "a{99999999999}", "a" * 501, 5, None, ["a"], "[z-a]"])
def test_what_is_no_expression_is_refused_in_plain_words(engine, regex):
    with pytest.raises(ValueError, match="does not compile|is no text of up to 500"):
        expression(regex)


@pytest.mark.parametrize(
    ("regex", "text"),
    [
        ("", "x"), ("^GET$", "GET"), ("GET|POST", "POST"), ("^(GET|POST)$", "POST"),
        (r"^192\.0\.2\.", "192.0.2.7"), ("/v1/.*/orders", "/v1/7/orders"), ("^5", "503"),
        ("^/users/[^/]+/orders/[^/]+/lines/[^/]+$", "/users/1/orders/2/lines/3"),
        (r"^https://[^/]+/api/v\d+/(users|orders)/.*$", "https://a.b/api/v1/orders/7"),
        ("(?i)mozilla.*bot", "Mozilla/5.0 Bot"), ("(?:ab)+c", "ababc"), ("^a{2,3}$", "aaa"),
    ],
)  # fmt: skip
def test_what_people_write_is_followed_by_both(engine, regex, text):
    assert expression(regex).finds(text)
    assert bool(regex) != expression(regex).finds("\n")


def test_the_first_2048_characters_are_looked_at(engine):
    assert expression("b").finds("a" * 2047 + "b")
    assert not expression("b").finds("a" * 2048 + "b")


def test_half_a_character_hides_nothing_from_a_rule(engine):
    assert expression("^a.b$").finds("a\ud800b")


def test_a_governance_rule_that_could_take_long_is_named_with_its_remedy(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "re2", None)
    condition = {"path": "request.route", "value": ".*.*.*.*;"}
    rule = {"_id": "r1", "type": "regex", "regex_config": [{"conditions": [condition]}]}
    assert read_rules(json.dumps([rule]).encode()) == ()
    (line,) = [record.getMessage() for record in caplog.records]
    assert "governance rule 'r1'" in line
    assert "otel-apimetrics[fast]" in line


def test_a_sampling_rule_that_could_take_long_is_named_with_its_remedy(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "re2", None)
    conditions = [
        [{"path": "request.route", "value": value}] for value in ("^/hi", "^/hi/(a|a)*$", "^/ho")
    ]
    rules = [{"conditions": each, "sample_rate": 50} for each in conditions]
    assert len(read_rates(json.dumps({"regex_config": rules}).encode()).rules) == 2
    (line,) = [record.getMessage() for record in caplog.records]
    assert "sampling rule 2" in line
    assert "otel-apimetrics[fast]" in line


def steps(parts, text, at):
    """Match parts `(class, low, high)` as `re` does, from the most to the least, and count."""
    if not parts:
        return 0, True
    (wanted, low, high), *others = parts
    end, count = at, 0
    while end - at < high and end < len(text):
        count += 1
        if not re.fullmatch(wanted, text[end]):
            break
        end += 1
    for stop in range(end, at + low - 1, -1):
        more, found = steps(others, text, stop)
        count += more
        if found:
            return count, True
    return count, False


parts = st.tuples(
    st.sampled_from(["a", "[ab]", "[^/]", "/", "b", "."]),
    st.sampled_from([("", 1, 1), ("*", 0, 99), ("+", 1, 99), ("?", 0, 1), ("{0,2}", 0, 2)]),
)


@given(st.lists(parts, min_size=1, max_size=5), st.text("ab/", max_size=8))
def test_no_search_takes_more_steps_than_were_told(given_parts, text):
    regex = "".join(wanted + quantifier for wanted, (quantifier, _, _) in given_parts)
    told = effort(regex)
    if told <= EFFORT:
        read = [(wanted, low, high) for wanted, (_, low, high) in given_parts]
        taken = sum(steps(read, text, at)[0] for at in range(len(text) + 1))
        assert taken <= told


def test_a_repeat_that_what_follows_ends_is_tried_once():
    assert effort("^[^/]*/a*$") < 16 * MOST_TEXT
    assert effort("^[^/]*[/]a*$") > MOST_TEXT**2
    assert effort("^.*/a*$") > MOST_TEXT**2
