import argparse

import pytest

from otel_apimetrics.cli.policy_flags import add_policy_flags, policy_of
from otel_apimetrics.config import ConfigError
from otel_apimetrics.redaction import RedactionPolicy

ENVIRON = {
    "OTEL_APIMETRICS_REDACTION_DENY": "iban,note",
    "OTEL_APIMETRICS_REDACTION_MASK": "last4",
    "PATH": "/bin",
}


def policy(*flags, **environ):
    parser = argparse.ArgumentParser()
    add_policy_flags(parser)
    return policy_of(parser.parse_args(flags), environ)


def test_without_anything_it_is_the_built_in_policy():
    assert policy() == RedactionPolicy()


def test_the_environment_says_what_it_says_in_production():
    assert policy(**ENVIRON) == RedactionPolicy(deny=("iban", "note"), mask="last4")


def test_a_flag_takes_the_place_of_its_variable_alone():
    chosen = policy("--deny", "a", "--deny", "b.*", **ENVIRON)
    assert chosen == RedactionPolicy(deny=("a", "b.*"), mask="last4")


def test_each_flag_sets_its_field():
    chosen = policy("--allow", "pin", "--pattern", "ACME-[0-9]{4}", "--mask", "HASH", "--pii")
    assert chosen == RedactionPolicy(
        allow=("pin",), patterns=["ACME-[0-9]{4}"], mask="hash", pii=True
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--mask", "stars"), r"--mask is not accepted: .*'stars': use one of mask, remove"),
        (("--pattern", "("), r"--pattern is not accepted: .*does not compile"),
    ],
)
def test_a_flag_that_cannot_be_used_is_named_with_its_remedy(flags, message):
    with pytest.raises(ConfigError, match=message):
        policy(*flags)


def test_a_variable_that_cannot_be_used_is_named_itself():
    with pytest.raises(ConfigError, match="OTEL_APIMETRICS_REDACTION_PII='2'"):
        policy(OTEL_APIMETRICS_REDACTION_PII="2")


def test_a_misspelled_variable_is_refused_as_in_production():
    with pytest.raises(ConfigError, match="did you mean OTEL_APIMETRICS_REDACTION_DENY"):
        policy(OTEL_APIMETRICS_REDACTION_DENI="x")
