"""Queries of GraphQL lose their literals wherever they stand."""

import json
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_apimetrics.redaction import Redactor
from otel_apimetrics.redaction import redactor as redactor_module
from otel_apimetrics.redaction.phrases import queries

CANARY = "canary-hunter9"
FORM = "application/x-www-form-urlencoded"
LINES = "application/x-ndjson"
EVENTS = "text/event-stream"
PARTS = "multipart/form-data"

DOCUMENTS = (
    f'{{login(name:"{CANARY}"){{id}}}}',
    f'{{ a {{ b: c(id: $d) {{ e }} }} login(name: "{CANARY}") }}',
    f'mutation {{ rename(to: "{CANARY}") {{ id }} }}',
    f'query Q($a: Int = 3, $name: String = "{CANARY}") @d(if: true) {{ user(name: $name) {{ id }} }}',
    f'subscription S {{\n  # the "old" (one)\n  on(a: [1, {{b: "{CANARY}"}}])\n}}',
    f'fragment F on User {{ posts(by: """\n{CANARY} "x"\n""") {{ id }} }}',
    f'{{ a(b: "x \\" y", c: "{CANARY}") {{ ...F @include(if: $d) }} }}',
    f"{{ # {CANARY}\n a(b: 1) }}",
)


@pytest.fixture(params=[True, False], ids=["sieved", "unsieved"])
def redactor(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(redactor_module, "_sieve", lambda *_: None)
    return Redactor()


def parts(**fields):
    written = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return f"{written}--B--\r\n"


def member(document):
    return json.dumps({"operationName": None, "query": document})


def places(document):
    """Give each text that carries a document, and its media type; "" is a query."""
    body = member(document)
    escaped = body.replace('"query"', '"\\u0071uery"')
    yield f"query={quote(document)}&operationName=x", ""
    yield f"x=1&query={quote_plus(document)}", FORM
    yield f"operations={quote(body)}", FORM
    yield parts(operations=body, map='{"0":["variables.file"]}'), PARTS
    yield parts(query=document), PARTS
    yield f"{body}\n{body}\n", LINES
    yield f"event: next\ndata: {body}\n\n", EVENTS
    yield json.dumps({"body": body}), "application/json"
    yield json.dumps({"body": json.dumps({"body": body})}), "application/json"
    yield json.dumps([{"document": document}]), "application/json"
    yield escaped, "application/json"
    yield escaped[:-4], "application/json"
    yield document, "text/plain"
    yield f"cannot run {body} now", "text/plain"
    yield f"cannot run {document} now", "text/plain"


def asked(redactor, text, media_type, **options):
    if not media_type:
        return redactor.query(text)
    return redactor.body(text, media_type, content_type=f"{media_type}; boundary=B", **options)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_literal_leaves_in_no_place(redactor, document):
    for text, media_type in places(document):
        masked = asked(redactor, text, media_type)
        assert CANARY not in unquote_plus(masked)
        assert asked(redactor, masked, media_type) == masked


@pytest.mark.parametrize("document", DOCUMENTS[:3])
def test_a_literal_leaves_in_no_url_header_or_attribute(redactor, document):
    url = f"https://x.test/graphql?query={quote(document)}"
    for masked in (
        redactor.url(url),
        redactor.header("referer", url),
        redactor.attribute("url.full", url),
        redactor.attribute("http.url", unquote_plus(url)),
        redactor.text(f"GET {unquote_plus(url)} failed"),
    ):
        assert CANARY not in unquote_plus(masked)


@pytest.mark.parametrize("document", DOCUMENTS[:-1])
def test_wherever_a_document_is_cut_no_literal_is_left(redactor, document):
    text = member(document)
    for end in range(text.index(CANARY) + 4, len(text)):
        masked = asked(redactor, f"{text}\n{text[:end]}", LINES, truncated=True)
        assert CANARY[:4] not in masked


@pytest.mark.parametrize(("text", "masked"), [
    ('{a(b:"x",c:-1.5e3,d:E,e:null,f:$g,h:true){i1}}', '{a(b:"…",c:0,d:E,e:null,f:$g,h:true){i1}}'),
    ('say {a(b:"x")} and {b(c:5)}.', 'say {a(b:"…")} and {b(c:0)}.'),
    ('{\\"q\\":\\"{a(b:\\\\\\"x\\\\\\\\\\\\\\"y\\\\\\")}\\"}', '{\\"q\\":\\"{a(b:\\\\\\"…\\\\\\")}\\"}'),
    ('{x: mutation {a(b:"y") {c}} ; }', '{x: mutation {a(b:"…") {c}} ; }'),
    ('query Q { a(b: "x") ; }', 'query Q { a(b: "…") ; }'),
    ('{a(b:[REDACTED:card …1111],c:"[REDACTED]")}', '{a(b:[REDACTED:card …1111],c:"[REDACTED]")}'),
])  # fmt: skip
def test_the_shape_of_a_document_stays(text, masked):
    assert queries.scrub(text) == masked
    assert queries.scrub(masked) is masked


@pytest.mark.parametrize("text", [
    "{name} (note: 5 items)", "see {a} and call f(x: 5)", '{"a": "b (c: 5)"}', "mutation (p.V600E) of 5 genes",
    "query(id: 5)", 'class A { f(x: string = "y") { return 5; } }', "{ me { name } }", "f(x) { a(b: c); }", "(a: 5) {b}", "{1: f(a: 2)}",
])  # fmt: skip
def test_text_that_is_no_document_is_the_identical_object(text):
    assert queries.scrub(text) is text


pieces = st.lists(
    st.sampled_from(
        ["{", "}", "(", ")", "a", "query ", "mutation M ", "fragment F on T ", ":", "$", '"', "\\", "\\n"]
        + ['"""', "#", "\n", "5", "-", "=", "[", "]", "@d", "[REDACTED]", '\\"', " ", ";", "a(b:", '"x"']
    ),
    max_size=24,
).map("".join)  # fmt: skip


@given(pieces)
@example('{a(b:"x\\')
@example("{a(b:5){(c:6)}}")
@example("{#(a(b:")
@example("a(b:{#")
@example('{a(\\"a(b:')
@example('fragment F on T @d#\n"x"a(b:-$')
@example('{#"\r(a(b:')
def test_twice_is_once_and_the_first_look_passes_none_by(text):
    masked = queries.scrub(text)
    assert queries.scrub(masked) == masked
    redactor = Redactor()
    once = redactor.text(text)
    assert redactor.text(once) == once
    assert masked == text or once != text
