import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_apimetrics.redaction import MARK, RedactionPolicy
from otel_apimetrics.redaction.documents import Documents
from otel_apimetrics.redaction.graphql import (
    TOO_MANY,
    GraphQL,
    is_graphql,
    operation,
    scrub_query,
)
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.text import FreeText
from otel_apimetrics.redaction.values import Values
from tests.redaction.growth import grows_with_its_length

CANARY = "canary-hunter2"
KEY = "AKIA" + "IOSFODNN7EXAMPLE"


def room(**policy):
    made = RedactionPolicy(**policy)
    names, values = Names(made.deny, made.allow), Values(made.compiled())
    text = FreeText(names, values)
    return GraphQL(Documents(names, values, text, remove=made.mask == "remove"), text)


graphql = room()


def scrub(text, *, cut=False, made=graphql):
    """Mask a JSON body, and show that masking again changes nothing."""
    text = text if isinstance(text, str) else json.dumps(text)
    masked = made.scrub(text, cut=cut)
    assert masked is not None
    assert made.scrub(masked, cut=cut) == masked
    return masked


@pytest.mark.parametrize(("query", "masked"), [
    ('{ user(id: "x") { name } }', '{ user(id: "…") { name } }'),
    ("{ a: user1(id: 12, b: -1.5e-3, c: [1, -2], d: {e: 0x1F}) { f2 } }", "{ a: user1(id: 0, b: 0, c: [0, 0], d: {e: 0}) { f2 } }"),
    ("query Q2($id2: Int = 3, $b: B! = RED) @d(if: true) { a(x: $id2, y: null, z: E1) }", "query Q2($id2: Int = 0, $b: B! = RED) @d(if: true) { a(x: $id2, y: null, z: E1) }"),
    ('{ a(b: "x \\" # y", c: "#", d: "z") }', '{ a(b: "…", c: "…", d: "…") }'),
    ('{ a(b: """x "y" \\""" z\n""", c: """""", d: "", e: """x""") }', '{ a(b: "…", c: "…", d: "…", e: "…") }'),
    ("{ a # pin: 1\r\n b #\n }# x", "{ a \r\n b \n }"),
    ('{ a(b: "x\ny) c(d: 1)', '{ a(b: "…"'),
    ('{ a(b: """x" c(d: 1)', '{ a(b: "…"'),
    ('{ a(b: "x\\', '{ a(b: "…"'),
    ("{ a(b: --5, c: 1--2, d: a-5, e: .5, f: - 5) ...F2 }", "{ a(b: 0, c: 0, d: a0, e: .0, f: - 0) ...F2 }"),
    ("{ a(b: [REDACTED:card …1111], c: [REDACTED], d: [REDACTED:1]) }", "{ a(b: [REDACTED:card …1111], c: [REDACTED], d: [REDACTED:0]) }"),
    ('""""', '"…"'),
    ("", ""),
])  # fmt: skip
def test_literals_are_replaced_and_names_stay(query, masked):
    assert scrub_query(query) == masked
    assert scrub_query(masked) == masked


def test_a_query_without_literals_is_the_identical_object():
    query = "query Q($a: [Int!]) { a1: b(c: $a, d: E2) { ...F3 } }"
    assert scrub_query(query) is query


@pytest.mark.parametrize("query", [
    "{me{name}}", " \ufeff,\n# comment {\n#\r\n{ ...F }", "{ # x\n a }", "query{a}", "query Q {a}", "query Q($a: Int) {a}", "query ($a: Int) {a}", "query Q @d {a}", "query # x\n Q # y\n {a}",
    "mutation M { a }", "subscription { a }", "fragment F on User { a }", "{", "query", "query Q", "mutation M(",
])  # fmt: skip
def test_a_document_is_known_by_its_first_words(query):
    assert is_graphql(query)


@pytest.mark.parametrize("query", [
    "", " ", "shoes", "query optimizer tips", "querying {a}", "queries(a)", "mutation of 5 genes", "subscription: monthly", '{"match": {"a": 1}}', "{}", "{ }", "{1}", "fragment of a vase",
    "select * from a", "# only a comment", "type:shoes {a}", "query: x", "mutation x-ray", "{$where: 1}", "fragments F on User",
])  # fmt: skip
def test_a_search_is_no_document(query):
    assert not is_graphql(query)
    assert graphql.scrub(json.dumps({"query": query}), cut=False) is None


@pytest.mark.parametrize(("query", "found"), [
    ("{ a }", ("query", "")), ("query { a }", ("query", "")), ("query Q($a: I = {b: 1}) { c }", ("query", "Q")), ("mutation M { query { a } }", ("mutation", "M")),
    ("subscription S1 @d { a }", ("subscription", "S1")), ("fragment F on U { query mutation } query Q { a }", ("query", "Q")), ("fragment query on U { a { b } } { c }", ("query", "")),
    ('# mutation X\n"mutation" query Q { a }', ("query", "Q")), ("fragment F on U { a }", None), ("", None), ("x $query myquery }) query Q", ("query", "Q")), ("(query Q", None),
    ("[{ a }] mutation, M", ("mutation", "M")),
])  # fmt: skip
def test_the_first_operation_has_a_type_and_a_name(query, found):
    assert operation(query) == found


def test_a_request_loses_its_literals_and_its_secrets():
    request = {
        "operationName": "Login",
        "query": 'mutation Login($password: String!) { login(user: "ada", password: $password, pin: 1) { token } }',
        "variables": {"password": CANARY, "user": "ada", "n": 1.50},
        "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ab" * 32}},
    }
    masked = json.loads(scrub(request))
    assert masked == {
        **request,
        "query": 'mutation Login($password: String!) { login(user: "…", password: $password, pin: 0) { token } }',
        "variables": {"password": MARK, "user": "ada", "n": 1.50},
    }


def test_what_is_around_the_query_keeps_its_spelling():
    text = '{ "query" :\n"{ a(b: \\"x\\") }" , "n": 1.10, "é": "\\u00e9" }'
    assert scrub(text) == text.replace("x", "…")
    clean = '{"query": "{ a }", "variables": {"b": 1}}'
    assert graphql.scrub(clean, cut=False) is clean
    escaped = '{"query": "{ \\u0061(b: 1) \\ud800 }"}'
    assert json.loads(scrub(escaped)) == {"query": "{ a(b: 0) \ufffd }"}
    assert json.loads(scrub('{"query": "{ a(b: 1)\n\\n }"}')) == {"query": "{ a(b: 0)\n\n }"}


@pytest.mark.parametrize("text", [
    "", "{}", '{"query": 1}', '{"query": {"query": [1]}}', '{"a": "{ b }"}', '{"query": null, "extensions": {"persistedQuery": {"sha256Hash": "x"}}}', '{"query": "shoes"}',
    '{"payload": "{\\"query\\": \\"{ a(b: 1) }\\"}"}', '{"query": "{ a \\x }"}', '{"query": "{ a \\u12 }"}', '{"query"',
])  # fmt: skip
def test_a_body_without_a_query_is_no_graphql(text):
    assert graphql.scrub(text, cut=False) is None
    assert graphql.scrub(text, cut=True) is None


def test_a_batch_shows_twenty_queries():
    batch = [{"query": f"{{ a{i}(b: {i}) }}", "variables": {"pin": i}} for i in range(30)]
    masked = json.loads(scrub(batch))
    assert [each["query"] for each in masked[:20]] == [f"{{ a{i}(b: 0) }}" for i in range(20)]
    assert [each["query"] for each in masked[20:]] == [TOO_MANY] * 10
    assert [each["variables"] for each in masked] == [{"pin": MARK}] * 30


def test_value_rules_and_a_policy_apply_to_a_query():
    assert json.loads(scrub({"query": f"{{ a(b: {KEY}) }}"})) == {"query": f"{{ a(b: {MARK}) }}"}
    for query in (f"query {KEY} {{ a }}", f"fragment {KEY} on U {{ a }}", f"{{ {KEY} }}"):
        assert json.loads(scrub({"query": query})) == {"query": query.replace(KEY, MARK)}
    card = json.loads(scrub({"query": "{ a4111111111111111 }"}))
    assert card == {"query": "{ a[REDACTED:card …1111] }"}
    own = room(patterns=["Secret[A-Z]"])
    assert json.loads(scrub({"query": "{ a(b: SecretX) }"}, made=own)) == {
        "query": f"{{ a(b: {MARK}) }}"
    }
    denied = room(deny=["query"])
    assert json.loads(denied.scrub('{"query": "{ a }", "b": 1}', cut=False)) == {
        "query": MARK,
        "b": 1,
    }
    removed = room(mask="remove", deny=["query"])
    assert json.loads(removed.scrub('{"query": "{ a }", "b": 1}', cut=False)) == {"b": 1}


@pytest.mark.parametrize("place", ["\ue0000\ue000", "\\ue0000\\ue000", "\\uE0007\\uE000"])
def test_private_use_characters_of_the_body_are_not_taken_for_ours(place):
    text = f'{{"query": "{{ a(b: 1) }}", "c": "{place}", "password": "x"}}'
    assert json.loads(scrub(text)) == {
        "query": "{ a(b: 0) }", "c": json.loads(f'"{place}"'), "password": MARK,
    }  # fmt: skip


@pytest.mark.parametrize(("text", "masked"), [
    ('{"query": "{ a(b: \\"hunter', '{"query": "{ a(b: \\"…\\"'),
    ('{"query": "{ a(b: \\"x\\") \\', '{"query": "{ a(b: \\"…\\") \\'),
    ('{"query": "{ a(b: 1) \\u00', '{"query": "{ a(b: 0) '),
    ('{"query": "{ a(b: 1) \\n b(c: AKIAIO', f'{{"query": "{{ a(b: 0) \\n b(c: {MARK}'),
    ('{"query": "{ a(b: 1) }", "variables": {"password": "hunt', f'{{"query": "{{ a(b: 0) }}", "variables": {{"password": "{MARK}"'),
    ('[{"query": "{a}"}, {"query": "{ b(c: 12', '[{"query": "{a}"}, {"query": "{ b(c: 0'),
])  # fmt: skip
def test_a_cut_body_ends_where_it_was_cut(text, masked):
    assert scrub(text, cut=True) == masked


@pytest.mark.parametrize(("text", "masked"), [
    ('query Q($password: String!) { a(b: "x", c: 1) }', 'query Q($password: String!) { a(b: "…", c: 0) }'),
    (f"{{ a(b: {KEY}) }}", f"{{ a(b: {MARK}) }}"),
    ('{"password": "x"}', f'{{"password": "{MARK}"}}'),
    ('[{"password": "x"}]', f'[{{"password": "{MARK}"}}]'),
    ("password=x", f"password={MARK}"),
    ("{ a(b: AKIAIO", "{ a(b: AKIAIO"),
])  # fmt: skip
def test_a_document_alone_is_masked(text, masked):
    assert graphql.query(text, cut=False) == masked
    assert graphql.query(masked, cut=False) == masked


def test_a_document_alone_may_be_cut():
    assert graphql.query("{ a(b: AKIAIO", cut=True) == f"{{ a(b: {MARK}"
    assert graphql.query(f"{{ {KEY}41111111111111", cut=True) == f"{{ {MARK}{MARK}"
    assert graphql.query("x eyJhb", cut=True) == f"x {MARK}"
    assert graphql.query('{"pin": "12', cut=True) == f'{{"pin": "{MARK}"'


values = st.recursive(
    st.sampled_from(["1", "-2.5e3", "$v1", "true", "null", "ENUM_2"])
    | st.text(max_size=6).map(lambda text: json.dumps(text + CANARY))
    | st.text(alphabet='ab"\\\n#1', max_size=6).map(lambda text: f'"""{CANARY}{text.replace(chr(34) * 3, "")} """')
    | st.integers(10_000_000, 99_999_999).map(lambda number: f"7{number}7"),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    | st.lists(inner, max_size=3).map(lambda items: f"{{{', '.join(f'k{i}: {v}' for i, v in enumerate(items))}}}"),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(values, min_size=1, max_size=4), st.booleans(), st.booleans())
def test_no_literal_survives_wherever_the_body_is_cut(arguments, ascii_only, batch):
    written = " # canary-comment 5\n".join(f"x{i}: {v}" for i, v in enumerate(arguments))
    query = f"query Q1 {{ a1: f({written}) {{ b2 }} }}"
    request = {"query": query, "variables": {"password": CANARY}, "z": 1}
    text = json.dumps([request, request] if batch else request, ensure_ascii=ascii_only)
    whole = scrub(text)
    assert "canary" not in whole
    first = json.loads(whole)[0] if batch else json.loads(whole)
    assert first["query"] == scrub_query(query)
    assert not any(
        token.isdigit() and token != "0"
        for token in first["query"].replace(",", " ").replace("]", " ").split()
    )
    for end in range(0, len(text), 1 + len(text) // 50):
        cut = graphql.scrub(text[:end], cut=True)
        if cut is not None:
            assert "canary" not in cut
            assert graphql.scrub(cut, cut=True) == cut


soup = st.lists(
    st.sampled_from([
        '"', '"""', '\\"', "\\", "#", "\n", "{", "}", "(", ")", "[", "]", ":", ",", " ", "query", "mutation ", "fragment F on U", "a1", "$b2", "@c3", "1", "-", "+", ".", "e5", "_", "...",
        MARK, "[REDACTED:card …1111]", '"query": ', '"query":"{', "\\u00", "\ue000", "0", "é", KEY, "4111111111111111", "eyJh", '{"query": "query Q { a(b: ', "\ud800", "…",
    ]) | st.text(max_size=2),
    max_size=16,
).map("".join)  # fmt: skip


@given(soup, st.booleans())
@example('{4111111111111111."', False)
def test_masking_twice_is_masking_once(text, cut):
    once = scrub_query(text)
    assert scrub_query(once) == once
    is_graphql(text)
    operation(text)
    document = graphql.query(text, cut=cut)
    assert graphql.query(document, cut=cut) == document
    for body in (text, f'{{"query": "{{ a(b: {text}'):
        masked = graphql.scrub(body, cut=cut)
        if masked is not None:
            assert graphql.scrub(masked, cut=cut) == masked


@given(soup, st.booleans())
def test_a_request_stays_json(query, ascii_only):
    text = json.dumps({"query": "{ a " + query, "b": [1]}, ensure_ascii=ascii_only)
    masked = json.loads(scrub(text))
    assert masked["b"] == [1]
    assert "\ue000" in query or scrub_query(masked["query"]) == masked["query"]


@pytest.mark.parametrize("unit", [
    '"', '\\"', "\\\\", "#\n", "-", "1-", "a", "{", "query ", "fragment ", "[REDACTED", ",", '"query":"{a', '"query" ', '{"query":"{a}"},', "\\u0061", '\\"""', "é",
])  # fmt: skip
@pytest.mark.parametrize("prefix", ["", "{ a(b: ", '{"query": "{ a(b: '])
def test_hostile_queries_take_linear_time(unit, prefix):
    def work(text):
        graphql.scrub(text, cut=True)
        graphql.query(text, cut=True)
        operation(text)

    assert grows_with_its_length(work, lambda size: prefix + unit * (size // len(unit)))
