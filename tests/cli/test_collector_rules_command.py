from otel_apimetrics.collector_rules import rules
from otel_apimetrics.redaction import RedactionPolicy


def test_the_rules_of_the_built_in_policy_are_printed(run):
    done = run("collector-rules")
    assert (done.code, done.err) == (0, "")
    assert done.out == rules(RedactionPolicy())


def test_the_policys_flags_hold(run):
    done = run("collector-rules", "--deny", "internal_note", "--pattern", "ACME-[0-9]{4}")
    assert done.out == rules(RedactionPolicy(deny=("internal_note",), patterns=["ACME-[0-9]{4}"]))
    assert "internal" in done.out


def test_a_policy_that_cannot_be_used_is_a_usage_error(run):
    done = run("collector-rules", "--mask", "stars")
    assert done.code == 2
    assert done.err.startswith("otel-apimetrics collector-rules: --mask is not accepted")
