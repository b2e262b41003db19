import dataclasses

import pytest

from otel_apimetrics.redaction import MARK, PolicyError, RedactionPolicy, Redactor


def test_lists_become_tuples_and_equal_policies_are_equal():
    policy = RedactionPolicy(deny=["a"], allow=["b"], patterns=["c+"])
    assert policy.deny == ("a",)
    assert policy == RedactionPolicy(deny=("a",), allow=("b",), patterns=("c+",))
    assert hash(policy) == hash(RedactionPolicy(deny=("a",), allow=("b",), patterns=["c+"]))
    assert policy != RedactionPolicy()
    assert dataclasses.replace(policy, mask="remove").patterns == policy.patterns


def test_a_policy_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RedactionPolicy().mask = "remove"


@pytest.mark.parametrize("patterns", [["cust-[0-9]+"], {"customer": "cust-[0-9]+"}])
def test_a_pattern_of_the_user_is_a_value_rule(patterns):
    redactor = Redactor(RedactionPolicy(patterns=patterns))
    assert redactor.text("of cust-42, cust-43") == f"of {MARK}, {MARK}"
    assert redactor.body('{"id": "cust-42"}', "application/json") == f'{{"id": "{MARK}"}}'
    assert redactor.path("/customers/cust-42/x") == f"/customers/{MARK}/x"
    assert redactor.query("id=cust-42&b=1") == f"id={MARK}&b=1"


def test_a_pattern_of_the_user_leaves_marks_alone():
    redactor = Redactor(RedactionPolicy(patterns=["RED|ACT"]))
    once = redactor.text("INFRARED password=x")
    assert once == f"INFRA{MARK} password={MARK}"
    assert redactor.text(once) == once


def test_a_pattern_that_finds_nothing_somewhere_writes_nothing_there():
    redactor = Redactor(RedactionPolicy(patterns=[r"(?<=b)x*"]))
    assert redactor.text("abxxc ab") == f"ab{MARK}c ab"


@pytest.mark.parametrize(
    "regex",
    [
        "(a+)+",
        "(a*)*b",
        r"(\w+\s?)+$",
        "(?:a|ab)*c",
        "((a+)b)+",
        "(a{2,})+",
        "(?P<n>a+)*x",
        "((a|b))+",
    ],
)
def test_a_repeated_group_that_repeats_or_chooses_is_refused(regex):
    with pytest.raises(PolicyError, match="patterns.*character class"):
        RedactionPolicy(patterns=[regex])


@pytest.mark.parametrize(
    "regex",
    [
        r"\(a+\)+",
        "[(a+)]+",
        "(?:ab)+",
        "(a+)b",
        "a{1,3}b+",
        "(a+)?b",
        "(?i)ab+",
        "x{}",
        r"[\]+]+",
        "(?<=a)b|c",
        "a)"[:-1],
    ],
)
def test_a_pattern_without_nested_repeats_is_taken(regex):
    assert RedactionPolicy(patterns=[regex]).compiled()[0].pattern == regex


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"deny": "iban"}, "deny is a str.*deny="),
        ({"allow": b"iban"}, "allow is a bytes"),
        ({"deny": 3}, "deny is a int"),
        ({"deny": ["a", 3]}, "deny holds 3"),
        ({"allow": [" "]}, "allow holds ' '"),
        ({"patterns": "a+"}, "patterns is a str"),
        ({"patterns": 3}, "patterns is a int"),
        ({"patterns": [3]}, "patterns: 'pattern 1' is a int"),
        ({"patterns": {3: "a"}}, "patterns: 3"),
        ({"patterns": ["("]}, "does not compile"),
        ({"patterns": ["a" * 1001]}, "1001 characters"),
        ({"patterns": ["a*"]}, "matches the empty text"),
        ({"mask": "hash"}, "mask is 'hash': use one of mask, remove"),
        ({"mask": ["mask"]}, "mask is"),
    ],
)
def test_an_option_that_cannot_be_used_is_named_with_the_remedy(options, said):
    with pytest.raises(PolicyError, match=said):
        RedactionPolicy(**options)
