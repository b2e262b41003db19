"""Regular expressions that users give, and those that could hang their app."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.config import ConfigError, build
from otel_apimetrics.config.patterns import repeats_a_repeat


def refused(option, value):
    with pytest.raises(ConfigError) as caught:
        build({option: value}, {})
    return str(caught.value)


def test_expressions_are_searched_in_the_path_and_in_the_url():
    config = build({"excluded_paths": ["^/health", "internal[.]example"]}, {})
    assert config.excludes("/health/live")
    assert config.excludes("/x", "http://internal.example/x")
    assert not config.excludes("/users", "http://example.com/users")
    assert not config.excludes("/v1/health")


def test_nothing_is_excluded_by_default():
    config = build({}, {})
    assert not config.excludes("/health", "http://localhost/health")
    assert not config.excludes_user_agent("curl/8")


def test_user_agents_are_searched_whatever_their_letter_case():
    config = build({"excluded_user_agents": "kube-probe, uptime"}, {})
    assert config.excludes_user_agent("Kube-Probe/1.30")
    assert config.excludes_user_agent("Mozilla (UptimeRobot)")
    assert not config.excludes_user_agent("Mozilla")


def test_paths_keep_their_letter_case():
    assert not build({"excluded_paths": "^/health"}, {}).excludes("/HEALTH")


def test_expressions_with_flags_of_their_own_stay_apart():
    config = build({"excluded_paths": ["(?i)^/health", "^/Ping"]}, {})
    assert config.excludes("/HEALTH")
    assert not config.excludes("/ping")


def test_an_expression_with_commas_is_written_in_a_json_array():
    config = build({}, {"OTEL_APIMETRICS_EXCLUDED_PATHS": r'["^/v[0-9]{1,2}/", "\\d$"]'})
    assert config.excluded_paths == ("^/v[0-9]{1,2}/", r"\d$")


def test_an_expression_cut_at_its_comma_is_refused_with_the_remedy():
    assert "JSON array" in refused("excluded_paths", "^/v[0-9]{1,2}/")


def test_a_list_in_code_may_have_commas_and_lone_braces():
    config = build({"excluded_paths": [r"a{1,2}", r"\{x"]}, {})
    assert config.excluded_paths == ("a{1,2}", r"\{x")


def test_a_character_class_at_the_start_is_not_taken_for_json():
    assert build({"excluded_paths": "[0-9]$,[a-f]$"}, {}).excluded_paths == ("[0-9]$", "[a-f]$")


@pytest.mark.parametrize("text", [r'["\d"]', '["a"', '[ "a" "b" ]', "{a}"])
def test_broken_json_is_refused_and_not_read_as_an_expression(text):
    assert "correct the JSON; a backslash is doubled in it" in refused("excluded_paths", text)


def test_a_json_object_is_no_list_of_expressions():
    assert "use a list" in refused("excluded_paths", '{"a": "b"}')


@pytest.mark.parametrize(
    "pattern", ["(", "*a", "[z-a]", "a{99999999999999999999}", "(?P<a>x)(?P<a>y)"]
)
def test_an_expression_that_does_not_compile_is_refused(pattern):
    message = refused("excluded_paths", [pattern])
    assert message.startswith("excluded_paths=")
    assert "use a regular expression" in message


def test_a_very_long_expression_is_refused():
    assert "at most 1000 characters" in refused("excluded_paths", ["a" * 1001])
    assert build({"excluded_paths": ["a" * 1000]}, {}).excludes("a" * 1000)


def test_a_warning_that_the_app_made_an_error_is_a_config_error():
    assert "nested set" in refused("excluded_paths", ["[[a]]"])


EXPONENTIAL = [
    "(a+)+",
    "(a*)*",
    "(?:a+)*$",
    "(?P<x>a+)+",
    "((a+))+",
    "(a+){2,}",
    "(a{1,10})+",
    "(a{,3})+",
    "(a?b?)+",
    "(a|b+)*",
    "([()]+)+",
    r"(\(+)+",
    "(a+?)+?",
    "x(?:y(?:z*)w)*",
    "(?i:a+)+",
    "(?=a+)+",
    "(a{,})+",
]

HARMLESS = [
    "a+b+",
    "(a+)?",
    "(a+){1}",
    "(abc)+",
    "(?:/v1|/v2)*",
    r"(\++)",
    "[(a+)+]",
    "[]+)+(]+",
    "(?#(a+)x+",
    "(?i)(a)+",
    "(?P<x>a)+(?P=x)",
    "(a{3})+",
    "(a{})+",
    "(a{x})+",
    "(a)(b+)c",
    "(a+)b+",
    r"\(a+\)+",
    "(?x)a # :-)\n b+",
]


@pytest.mark.parametrize("pattern", EXPONENTIAL)
def test_a_repeated_group_with_a_quantifier_inside_is_refused(pattern):
    re.compile(pattern)
    assert "its time is exponential" in refused("excluded_paths", [pattern])
    assert "its time is exponential" in refused("excluded_user_agents", [pattern])


@pytest.mark.parametrize("pattern", HARMLESS)
def test_other_expressions_are_accepted(pattern):
    assert build({"excluded_paths": [pattern]}, {}).excluded_paths == (pattern,)


SYMBOLS = st.sampled_from(
    [
        "a",
        "(",
        ")",
        "(?:",
        "(?=",
        "[",
        "]",
        "^",
        "\\",
        "*",
        "+",
        "?",
        "{2}",
        "{1,}",
        "|",
        "#",
        "(?x)",
    ]
)


@given(st.lists(SYMBOLS, max_size=12).map("".join))
def test_the_check_answers_for_whatever_text_it_is_given(pattern):
    assert repeats_a_repeat(pattern) in (True, False)


@given(st.lists(SYMBOLS, max_size=8).map("".join))
def test_an_expression_around_which_a_repeat_is_put_is_found_if_it_has_a_quantifier(pattern):
    try:
        re.compile(pattern)
    except (re.error, Warning):
        return
    if "(?x)" in pattern or "#" in pattern:
        return
    assert repeats_a_repeat(f"(?:{pattern}b+)+")
