import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor
from otel_apimetrics.redaction.explain import Explainer, withheld
from otel_apimetrics.redaction.marks import MODES
from tests.redaction.corpus import homonyms, kinds, ordinary
from tests.redaction.corpus.carriers import carry

JSON = "application/json"
CARD = "4111111111111111"


def policy(mode, **more):
    return RedactionPolicy(mask=mode, key="key", **more)


def explained(text, media_type=JSON, mode="mask", *, truncated=False, **more):
    return Explainer(policy(mode, **more)).explain(
        text,
        lambda redactor: redactor.body(text, media_type, truncated=truncated),
        truncated=truncated,
    )


def rules(explanation):
    return [finding.rule for finding in explanation.findings]


class Explaining:
    """Stands where a redactor stands, and explains what it is asked for."""

    def __init__(self, chosen):
        self.explainer = Explainer(chosen)
        self.production = Redactor(chosen)
        self.seen = []

    def ask(self, before, ask):
        self.seen.append((self.explainer.explain(before, ask), ask(self.production)))
        return self.seen[-1][1]

    def body(self, text, media_type, *, truncated=False):
        return self.ask(text, lambda one: one.body(text, media_type, truncated=truncated))

    def query(self, text):
        return self.ask(text, lambda one: one.query(text))

    def path(self, text):
        return self.ask(text, lambda one: one.path(text))

    def header(self, name, text):
        return self.ask(text, lambda one: one.header(name, text))

    def headers(self, headers):
        return tuple((name, self.header(name, text)) for name, text in headers)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_explained_is_what_production_writes_in_every_carrier_of_every_secret(mode):
    explaining = Explaining(policy(mode))
    for kind in kinds()[MODES.index(mode) :: 2 * len(MODES)]:
        for _ in carry(kind, explaining, 0):
            pass
    assert len(explaining.seen) > 500
    for explanation, after in explaining.seen:
        assert explanation.after == after
        assert bool(explanation.findings) == explanation.changed
        for finding in explanation.findings:
            assert explanation.masked[finding.start : finding.end] == finding.mark
        if explanation.exact and mode != "remove":
            assert explanation.masked == after
    inexact = [explanation for explanation, _ in explaining.seen if not explanation.exact]
    # Only the end of what was cut may depend on how a mark is spelled.
    assert len(inexact) <= 3
    assert not inexact or mode not in {"mask", "remove"}


@pytest.mark.parametrize("payload", homonyms(), ids=lambda one: f"{one.domain}: {one.title}")
def test_a_homonym_is_explained_by_a_rule(payload):
    explaining = Explaining(policy("mask"))
    assert payload.changes(explaining)
    assert all(found.exact and found.after == after for found, after in explaining.seen)
    assert any(found.findings for found, _ in explaining.seen)


def test_an_ordinary_payload_has_nothing_to_explain():
    explaining = Explaining(policy("mask"))
    for payload in ordinary():
        payload.changes(explaining)
    assert explaining.seen
    assert not any(found.findings or found.changed for found, _ in explaining.seen)


NAMES = st.sampled_from(["id", "password", "token", "note", "name", "value", "key", "a.b", "pin"])
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "password=hunter2hunter2",
            f"card {CARD}",
            "Bearer abcdefghijkl",
            '{"token": "abcdefghijkl\\""}',
            "[REDACTED]",
            "[REDACTED:#1]",
            "[REDACTED:#2] and token=[REDACTED:#3]",
            "secret",
            "a\\u0070i",
        ]
    ),
)
DOCUMENTS = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)


@given(
    document=DOCUMENTS,
    mode=st.sampled_from(MODES),
    indent=st.sampled_from([None, 2]),
    cut=st.booleans(),
)
def test_the_result_is_productions_for_any_document(document, mode, indent, cut):
    text = json.dumps(document, indent=indent)
    text = text[:-1] if cut else text
    found = explained(text, mode=mode, truncated=cut)
    assert found.after == Redactor(policy(mode)).body(text, JSON, truncated=cut)
    for finding in found.findings:
        assert found.masked[finding.start : finding.end] == finding.mark


def test_a_finding_names_the_rule_and_where_its_mark_stands():
    text = '{"user": "ada", "password": "hunter2", "note": "see Bearer abcdefgh"}'
    found = explained(text)
    assert rules(found) == ["name:password", "value:auth_scheme"]
    assert [finding.secret for finding in found.findings] == ["hunter2", "abcdefgh"]
    assert found.masked == found.after
    assert found.changed
    assert "hunter2" not in repr(found.findings)
    assert "name:password" in repr(found.findings)


def test_headers_and_cookies_are_rules_of_their_own():
    explainer = Explainer(policy("mask"))
    found = explainer.explain("Bearer x", lambda one: one.header("authorization", "Bearer x"))
    assert rules(found) == ["header:authorization"]
    found = explainer.explain("sid=1; a=2", lambda one: one.header("cookie", "sid=1; a=2"))
    assert rules(found) == ["cookie:sid", "cookie:a"]


@pytest.mark.parametrize("mode", MODES)
def test_a_card_in_a_query_is_found_though_its_mark_is_escaped_there(mode):
    query = f"q={CARD}&token=abcdefghijk%22"
    found = Explainer(policy(mode)).explain(query, lambda redactor: redactor.query(query))
    assert found.exact
    assert rules(found) == ["value:card", "name:token"]
    assert found.after == Redactor(policy(mode)).query(query)


@pytest.mark.parametrize("levels", [1, 2])
def test_last_four_characters_that_json_escapes_are_found_behind_their_escapes(levels):
    text = json.dumps({"token": 'abcdefghijkl"\\x'})
    for _ in range(levels - 1):
        text = json.dumps({"inner": text})
    found = explained(text, mode="last4")
    assert found.exact
    assert rules(found) == ["name:token"]


def test_a_number_that_the_text_has_already_is_not_taken():
    text = '{"note": "[REDACTED:#1] and [REDACTED:#2]", "token": "abc"}'
    found = explained(text)
    assert rules(found) == ["name:token"]
    assert found.after == '{"note": "[REDACTED:#1] and [REDACTED:#2]", "token": "[REDACTED]"}'


def test_a_number_that_the_text_has_already_stays_in_what_is_found():
    text = "password='see [REDACTED:#1] there'"
    found = explained(text, "text/plain", "hash")
    assert found.exact
    assert [finding.secret for finding in found.findings] == ["see [REDACTED:#1] there"]


def test_a_mark_that_was_there_before_is_no_finding():
    text = '{"token": "[REDACTED]", "a": "[REDACTED:error]", "b": "[TRUNCATED:depth]"}'
    found = explained(text)
    assert found.findings == ()
    assert not found.changed


def test_what_is_removed_is_found_where_its_mark_would_stand():
    found = explained('{"token": "abc", "a": 1}', mode="remove")
    assert found.after == '{"a": 1}'
    assert found.masked == '{"token": "[REDACTED]", "a": 1}'
    assert rules(found) == ["name:token"]


def test_a_secret_inside_of_a_secret_is_told_as_the_outer_one():
    text = f"password='see {CARD}'"
    found = explained(text, "text/plain", "hash")
    assert found.after == Redactor(policy("hash")).body(text, "text/plain")
    assert rules(found) == ["name:password"]


def test_the_end_of_a_cut_body_is_a_rule_of_its_own():
    found = explained("see ghp_ab", "text/plain", truncated=True)
    assert found.after == f"see {MARK}"
    assert rules(found) == ["cut"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<a><w:password type="x">abc</w:password></a>', ["name:password"]),
        ("<a token='abc'/>", ["name:token"]),
        ("<a><!-- <pin>x</pin> --></a>", ["structure"]),
        ("<a><password>abc</password><b>pin=1234</b></a>", ["name:password", "name:pin"]),
        (f"<a><b>{MARK}</b><password>abc</password></a>", ["name:password"]),
        (f"<a><password>abc</password><b>{MARK}</b></a>", ["name:password"]),
        (f"<a><password>a {MARK} b</password></a>", ["name:password"]),
        (f"<a><b>pin=1 and another {MARK} pin=2</b></a>", ["name:pin", "name:pin"]),
    ],
)
def test_what_markup_hides_is_told_by_the_name_before_it(text, found):
    assert rules(explained(text, "application/xml")) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"query": "{ a(b: \\"c\\") { id } }"}', ["graphql"]),
        ('{"query": "{ a(b: 7) { id } }"}', ["graphql"]),
        ('{"query": "{ a(b: $c) { id } }", "variables": {"pin": 1}}', ["name:pin"]),
        ('{"query": "{ a(b: \\"…\\") { id } }"}', []),
    ],
)
def test_the_literals_of_a_query_are_a_rule_of_their_own(text, found):
    assert rules(explained(text)) == found


def test_a_query_by_itself_is_told_too():
    assert rules(explained("{ a(b: 7) { id } }", "application/graphql")) == ["graphql"]


def test_the_parts_of_a_form_are_told_by_their_names_and_files_as_files():
    text = (
        '--b\r\nContent-Disposition: form-data; name="pin"\r\n\r\n1234\r\n'
        '--b\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n'
        "Content-Type: image/png\r\n\r\n\udcff\r\n--b--\r\n"
    )
    kind = "multipart/form-data"
    found = Explainer(policy("hash")).explain(
        text, lambda redactor: redactor.body(text, kind, content_type=f"{kind}; boundary=b")
    )
    assert found.exact
    assert rules(found) == ["name:pin", "file"]
    assert [finding.secret for finding in found.findings] == ["1234", ""]


@pytest.mark.parametrize(
    ("mark", "rule"),
    [
        ("[TRUNCATED:size]", "size"),
        ("[TRUNCATED:parts]", "parts"),
        ("[TRUNCATED:operations]", "operations"),
        ("<file image/png 34512 B>", "file"),
        ("<file application/pdf 12 B, cut>", "file"),
    ],
)
def test_marks_of_other_rooms_are_rules_of_their_own(mark, rule):
    found = Explainer(policy("mask")).explain("before", lambda _: f"a {mark}")
    assert rules(found) == [rule]


def test_a_value_that_is_nested_too_deep_is_told():
    text = "[" * 40 + '"password=abc"' + "]" * 40
    found = explained(text)
    assert rules(found) == ["depth"]


@pytest.mark.swallows_errors
def test_a_redaction_that_failed_is_told_and_shows_nothing():
    def fails(_text, _place):
        raise ValueError

    found = explained('{"a": "ordinary"}', callback=fails)
    assert found.after == "[REDACTED:error]"
    assert rules(found) == ["error"]


def test_what_the_users_callback_takes_out_is_told_as_its_doing():
    found = explained('{"a": "ordinary"}', callback=lambda text, _: text.replace("ordinary", "*"))
    assert found.after == '{"a": "*"}'
    assert rules(found) == ["callback"]


def test_a_callback_that_changes_nothing_is_not_told():
    assert explained('{"a": "b"}', callback=lambda text, _: text).findings == ()


def test_where_the_numbered_run_goes_another_way_the_result_is_productions_all_the_same():
    def upper(text, _place):
        return text.replace("#1]", "#1] seen")

    found = explained('{"token": "abc", "a": "b"}', mode="hash", callback=upper)
    assert not found.exact
    assert found.after == Redactor(policy("hash", callback=upper)).body(found.before, JSON)
    assert rules(found) == ["name:token"]
    (finding,) = found.findings
    assert found.masked[finding.start : finding.end] == finding.mark


def test_a_body_that_is_never_recorded_is_told_by_its_media_type():
    found = explained("binary", "image/png")
    assert found.after is None
    assert rules(found) == ["media type"]
    assert withheld("x", "sensitive path").findings[0].rule == "sensitive path"


def test_a_rule_does_not_tell_what_another_rule_masks_in_its_name():
    text = json.dumps({f"password {CARD}": "x", "token " + "n" * 200: "y"})
    found = explained(text)
    assert all(CARD not in rule and len(rule) <= 80 for rule in rules(found))
    assert len(found.findings) == 3
