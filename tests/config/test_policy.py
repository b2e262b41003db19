"""The redaction policy, merged field by field."""

import sys

import pytest

from otel_apimetrics.config import ConfigError, build
from otel_apimetrics.config.policy import merged, redaction
from otel_apimetrics.redaction import RedactionPolicy

DENY = "OTEL_APIMETRICS_REDACTION_DENY"
ALLOW = "OTEL_APIMETRICS_REDACTION_ALLOW"
PATTERNS = "OTEL_APIMETRICS_REDACTION_PATTERNS"
MASK = "OTEL_APIMETRICS_REDACTION_MASK"


def refused(options, environ=None):
    with pytest.raises(ConfigError) as caught:
        build(options, environ or {})
    return str(caught.value)


def test_a_policy_object_replaces_everything():
    policy = RedactionPolicy(deny=("iban",))
    assert build({"redaction": policy}, {ALLOW: "token"}).redaction is policy


def test_a_mapping_gives_the_fields_of_a_policy():
    options = {
        "redaction": {
            "deny": ["iban", "users.*.email"],
            "allow": "token_type, page_token",
            "patterns": ["^[A-Z]{2}[0-9]{6}$"],
            "mask": "remove",
        }
    }
    assert build(options, {}).redaction == RedactionPolicy(
        deny=("iban", "users.*.email"),
        allow=("token_type", "page_token"),
        patterns=("^[A-Z]{2}[0-9]{6}$",),
        mask="remove",
    )


def test_variables_give_the_fields_of_a_policy():
    environ = {DENY: "iban, users.*.email", ALLOW: "token_type", MASK: "remove"}
    assert build({}, environ).redaction == RedactionPolicy(
        deny=("iban", "users.*.email"), allow=("token_type",), mask="remove"
    )


def test_a_mapping_leaves_its_open_fields_to_the_variables():
    environ = {DENY: "iban", MASK: "remove"}
    options = {"redaction": {"allow": ["token_type"], "deny": ["cvc"], "mask": None}}
    assert build(options, environ).redaction == RedactionPolicy(
        deny=("cvc",), allow=("token_type",), mask="remove"
    )


@pytest.mark.parametrize("keyword", [None, "", {}])
def test_without_a_keyword_the_variables_stand(keyword):
    assert build({"redaction": keyword}, {DENY: "iban"}).redaction == RedactionPolicy(
        deny=("iban",)
    )


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("^a{1,3}$\n\n  [0-9]+,b  \n", ("^a{1,3}$", "[0-9]+,b")),
        (r'["^a{1,3}$", "\\d\\d"]', ("^a{1,3}$", r"\d\d")),
        (r'{"staff": "^S[0-9]{4}$"}', {"staff": "^S[0-9]{4}$"}),
        ("[0-9]{3}", ("[0-9]{3}",)),
    ],
)
def test_value_patterns_are_lines_or_json(text, patterns):
    expected = RedactionPolicy(patterns=patterns)
    assert build({}, {PATTERNS: text}).redaction == expected
    assert build({"redaction": {"patterns": text}}, {}).redaction == expected


def test_broken_json_of_value_patterns_is_not_read_as_an_expression():
    assert refused({}, {PATTERNS: r'["\d+"]'}).startswith(PATTERNS)


def test_an_unknown_field_is_named_with_its_neighbour():
    message = refused({"redaction": {"denny": ["iban"]}})
    assert "Unknown field of redaction denny" in message
    assert "did you mean deny?" in message


@pytest.mark.parametrize("value", [7, True, ["iban"], "iban"])
def test_what_is_neither_a_policy_nor_a_mapping_is_refused(value):
    assert "use a RedactionPolicy, or a mapping with deny" in refused({"redaction": value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mask", "blur"),
        ("patterns", ["("]),
        ("patterns", [7]),
        ("patterns", ["[[a]]"]),
        ("deny", 7),
        ("allow", [1]),
    ],
)
def test_a_bad_field_is_named(field, value):
    assert refused({"redaction": {field: value}}).startswith(f"redaction.{field}")


@pytest.mark.parametrize(("variable", "value"), [(MASK, "blur"), (PATTERNS, "(")])
def test_a_bad_variable_of_the_policy_is_named(variable, value):
    assert refused({"redaction": {"deny": ["iban"]}}, {variable: value}).startswith(variable)


def shouted(text, _place):
    return text


PREFIX = "OTEL_APIMETRICS_REDACTION_"


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("mask", " Hash ", "hash"),
        ("key", "s3cr3t", "s3cr3t"),
        ("pii", "true", True),
        ("pii", "off", False),
        ("sensitive_paths", "off", ()),
        ("sensitive_paths", "^/a, ^/b", ("^/a", "^/b")),
        ("sensitive_paths", '["^/a{1,2}$"]', ("^/a{1,2}$",)),
        ("callback", f"{__name__}:shouted", shouted),
    ],
)
def test_each_field_can_be_a_variable_a_keyword_and_a_word_of_the_file(
    field, text, value, monkeypatch
):
    monkeypatch.setitem(sys.modules, __name__, sys.modules[shouted.__module__])
    assert getattr(build({}, {PREFIX + field.upper(): text}).redaction, field) == value
    assert getattr(build({"redaction": {field: text}}, {}).redaction, field) == value
    assert getattr(build({"redaction": {field: value}}, {}).redaction, field) == value
    other = {PREFIX + field.upper(): "(" if field == "sensitive_paths" else "nonsense"}
    assert getattr(build({"redaction": {field: value}}, other).redaction, field) == value


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("mask", "hide"),
        ("pii", "perhaps"),
        ("sensitive_paths", "("),
        ("sensitive_paths", "(a+)+"),
        ("callback", "nowhere.at_all:x"),
        ("callback", "json:JSONDecoder"),
    ],
)
def test_a_wrong_field_is_refused_with_its_variable_named(field, text):
    with pytest.raises(ConfigError, match=PREFIX + field.upper()):
        build({}, {PREFIX + field.upper(): text})


@pytest.mark.parametrize("field", ["deny", "allow"])
def test_an_empty_name_in_a_list_is_refused_and_a_comma_too_many_is_not(field):
    with pytest.raises(ConfigError, match=rf"redaction\.{field}='' is not accepted: name what"):
        redaction(merged({field: ["iban", ""]}, {}))
    variable = f"OTEL_APIMETRICS_REDACTION_{field.upper()}"
    assert getattr(redaction(merged(None, {variable: "iban,"})), field) == ("iban",)
