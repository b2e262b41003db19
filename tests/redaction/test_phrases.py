"""What names a secret without a sign behind the name: tags, flags, lists, statements, URLs."""

import json
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor
from otel_apimetrics.redaction import redactor as redactor_module
from otel_apimetrics.redaction.marks import PLAIN
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.phrases import statements
from otel_apimetrics.redaction.phrases.room import Phrases

JSON = "application/json"
SECRET = "q7Zx9Kd2Lm4Vb8Wt"
redactor = Redactor()
NAMES = Names()


@pytest.fixture(scope="module")
def without_re2():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "re2", None)
        redactor_module._sieve_of.cache_clear()
        made = Redactor()
    redactor_module._sieve_of.cache_clear()
    return made


TEXTS = {
    "headers of ASGI": "got [(b'host', b'h'), (b'x-api-key', b'{}')] from it",
    "an aligned assignment": "  password                      = '{}'",
    "a new password in SQL": "ALTER USER ada WITH PASSWORD '{}'",
    "a new user in SQL": "create user 'ada'@'%' identified with 'x' by '{}' expire",
    "a field of a quoted body": '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{}\r\n--b--',
    "a field with a type": "form-data; name=user.pin\nContent-Type: text/plain\n\n{}\n--b--",
    "a field in a repr": "b'--b\\r\\nContent-Disposition: form-data; name=\"pin\"\\r\\n\\r\\n{}\\r\\n--b--'",
    "an element": "<password>{}</password>",
    "an element with attributes": "got <ns:password a='1'>{}</ns:password> from it",
    "an element with a child": "<token><a>{}</a></token> and <b>c</b>",
    "an element in itself": "<token><token>a</token>{}</token>",
    "an element that is cut": "<a><password>{}",
    "an element without an end": "it sent <password>{} to us",
    "CDATA": "<pin><![CDATA[{}]]></pin>",
    "escaped markup": "&lt;password&gt;{}&lt;/password&gt;",
    "an attribute": '<user password="{}"/>',
    "a pair of attributes": '<add key="password" value="{}"/>',
    "a pair of attributes, turned": "<add value='{}' key='api.token' />",
    "a field": '<input type="password" name="a" value="{}">',
    "a named element": '<param name="password">{}</param>',
    "a pair of elements": "<name>password</name><value>{}</value>",
    "a signature": "<ds:SignatureValue>{}</ds:SignatureValue>",
    "a flag": "run --password {} now",
    "a flag with a quoted value": 'run --password "{}" now',
    "a flag in a list": "['mysql', '--password', '{}', 'db']",
    "a flag with one hyphen in a list": '("-token", "{}")',
    "a quoted flag": "'--password' '{}'",
    "a pair": "('password', '{}')",
    "a pair of words": "[('user', 'ada'), ('password', '{}')]",
    "sshpass": "sshpass -p {} ssh a@b",
    "docker": "docker login -u ada -p {} r.example",
    "MySQL's client": "mysqldump -u root -p{} shop",
    "curl": "curl -s -u ada:{} https://a.example",
    "PostgreSQL's detail": "DETAIL:  Key (token)=({}) already exists.",
    "PostgreSQL's detail of two": "Key (email, api_key)=(a@b, {}) already exists.",
    "PostgreSQL's detail of a function": 'Key (lower(token::text))=({}) conflicts with "x"',
    "PostgreSQL's row": "Failing row contains (1, ada, {}, null).",
    "MySQL's detail": "Duplicate entry '{}' for key 'users.token_unique'",
    "an insert": "INSERT INTO u (name, password) VALUES ('ada', '{}')",
    "an insert of two": "insert into u(password, n) values ('a1b2c3d4e5', 1), ('{}', 2)",
    "an insert that does not fit": "INSERT INTO u (name, pin) VALUES ('ada', 'b', '{}')",
    "an insert that is cut": "INSERT INTO u (name, pin) VALUES ('ada', '{}",
    "SQLAlchemy": "[SQL: INSERT INTO u (a, password) VALUES (?, ?)]\n[parameters: ('ada', '{}')]",
    "Django": "UPDATE u SET password = %s WHERE id = %s; args=('{}', 4); alias=default",
    "PostgreSQL's log": "UPDATE u SET password = $1\nDETAIL:  parameters: $1 = '{}'",
    "a code of OAuth": "302 https://a.example/cb?code={}&state=b",
    "a state of OAuth": "https://a.example/cb?state={}&code=abcdef",
    "a code alone": "see https://a.example/cb?lang=en&code={}.",
    "a code in HTML": '<a href="https://a.example/cb?state=b&amp;code={}">x</a>',
    "a relay state": "https://a.example/?RelayState={}",
    "a SAML response": "https://a.example/?SAMLResponse={}",
    "a hint": "https://a.example/logout?id_token_hint={}",
}


@pytest.mark.parametrize("shape", TEXTS)
def test_a_secret_leaves_in_none_of_these_shapes(shape, without_re2):
    text = TEXTS[shape].format(SECRET)
    nested = json.dumps({"a": text})
    carriers = [
        (text, lambda one, text: one.text(text)),
        (text, lambda one, text: one.body(text, "text/plain")),
        (text, lambda one, text: one.header("x-note", text) if "\n" not in text else ""),
        (nested, lambda one, text: one.body(text, JSON)),
        (json.dumps([1, text], indent=1), lambda one, text: one.body(text, JSON)),
        (json.dumps({"b": nested}), lambda one, text: one.body(text, JSON)),
        (nested[:-1], lambda one, text: one.body(text, JSON)),
        (nested[:-2], lambda one, text: one.body(text, JSON, truncated=True)),
        (f"data: {nested}\n\n", lambda one, text: one.body(text, "text/event-stream")),
    ]
    for one in (redactor, without_re2, Redactor(RedactionPolicy(mask="hash", key="k"))):
        for before, ask in carriers:
            after = ask(one, before)
            assert SECRET not in after
            assert ask(one, after) == after
            if before is nested:
                assert json.loads(after)["a"].startswith(text.partition(SECRET)[0][:3])


@pytest.mark.parametrize(
    "text",
    [
        "the option --password is required",
        "--token, or the variable TOKEN",
        "  --password TEXT  The password.",
        "use --password <password>, --token $TOKEN",
        "curl -H 'X-Note: <token>' https://a.example",
        "a List<Token> of <session>s",
        "fields ['password', 'email'] are required",
        "f(token, x)",
        "Key (email)=(a@b.example) already exists.",
        "INSERT INTO u (name, city) VALUES ('Ada', 'Oslo')",
        "INSERT INTO u (name, pin) VALUES (%s, ?)",
        "Duplicate entry 'ada' for key 'users.email'",
        "exit code=1, https://a.example/?code=DE&lang=de",
        "https://a.example/?code=US&state=CA",
        "<b>token</b> <i>password</i>",
        '<a href="/reset-password">Forgot your password?</a>',
        "docker run -p 8080:80 nginx",
        "ssh -p 2222 a@b.example",
        "<name>Ada</name><value>5</value>",
        "<key>PROJ-17</key>",
    ],
)
def test_ordinary_text_stays(text, without_re2):
    for one in (redactor, without_re2):
        assert one.text(text) == text
        assert one.body(json.dumps({"a": text}), JSON) == json.dumps({"a": text})


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (["--password", "x"], ["--password", MARK]),
        (["a", "-token", 5, "b"], ["a", "-token", MARK, "b"]),
        (["a", "--password", "--verbose"], ["a", "--password", "--verbose"]),
        (["mysql", "-px", "db"], ["mysql", f"{MARK}", "db"]),
        (["/usr/bin/sshpass", "-p", "x"], ["/usr/bin/sshpass", "-p", MARK]),
        (["password", "x1"], ["password", MARK]),
        (["password", 17], ["password", MARK]),
        (["password", "email"], ["password", "email"]),
        (["password", None], ["password", None]),
        (["Invalid token", "Try again in 5"], ["Invalid token", "Try again in 5"]),
        (["the user's password", "x1"], ["the user's password", "x1"]),
        (["- the token", "x1"], ["- the token", "x1"]),
        ([["a", 1], ["Client Secret", "x"]], [["a", 1], ["Client Secret", MARK]]),
        (["key", "PROJ-17"], ["key", "PROJ-17"]),
        ([["user", "ada"], ["password", "email"]], [["user", "ada"], ["password", MARK]]),
        ([["a", 1], ["cookie", ["x", "y"]]], [["a", 1], ["cookie", MARK]]),
        ({"param": "password", "value": "x"}, {"param": "password", "value": MARK}),
        ({"path": "/user/pin", "op": "add", "value": 1}, {"path": "/user/pin", "op": "add", "value": MARK}),
        ({"header": "X-Api-Key", "val": "x"}, {"header": "X-Api-Key", "val": MARK}),
        ({"name": "Cookie", "values": ["x"]}, {"name": "Cookie", "values": MARK}),
        ({"name": "colour", "values": ["x"]}, {"name": "colour", "values": ["x"]}),
        ({"attribute": "ssn", "content": "x"}, {"attribute": "ssn", "content": MARK}),
        ({"name": "a", "content": "the password"}, {"name": "a", "content": "the password"}),
        ({"sql": "insert into u (a, pin) values (?, ?)", "params": ["b", 1]}, {"sql": "insert into u (a, pin) values (?, ?)", "params": MARK}),
        ({"sql": "select a from u where b = ?", "params": [1]}, {"sql": "select a from u where b = ?", "params": [1]}),
    ],
)  # fmt: skip
def test_items_and_members_of_json_name_one_another(document, shown, without_re2):
    for one in (redactor, without_re2):
        for wrapped, after in ((document, shown), ({"a": document}, {"a": shown})):
            text = json.dumps(wrapped)
            assert json.loads(one.body(text, JSON)) == after
            assert json.loads(one.body(json.dumps(wrapped, indent=1), JSON)) == after
        nested = json.loads(one.body(json.dumps({"n": json.dumps(document)}), JSON))["n"]
        assert json.loads(nested) == shown
    assert redactor.value("note", document) == shown


def test_a_keyed_mark_tells_equal_values_in_all_shapes():
    hashing = Redactor(RedactionPolicy(mask="hash", key="k"))
    mark = hashing.value("password", SECRET)
    for shape in ("an element", "a flag", "a pair", "an insert", "MySQL's detail", "a code alone"):
        assert hashing.text(TEXTS[shape].format(SECRET) + " ").count(mark.rstrip(".")) == 1 or (
            shape == "a code alone"
        )


fragments = st.one_of(
    st.sampled_from(["password", "token", "pin", "key", "code", "state", "name", "value", "a", "x1"]),
    st.sampled_from(["<", ">", "</", "/>", "&lt;", "&gt;", "--", " -p ", "=", '"', "'", " ", ", ", "\n"]),
    st.sampled_from(["(", ")", "[", "]", ")=(", ") VALUES (", "?", "&", "Key (", "parameters: ", "\\"]),
    st.sampled_from(["sshpass", "curl", "-u a:", "insert into ", "Duplicate entry '", "' for key '"]),
    st.sampled_from([MARK, SECRET, "é", "日", "ｔoken", "\u200b", "4111 1111 1111 1111"]),
)  # fmt: skip
texts = st.lists(fragments, max_size=16).map("".join)


@settings(max_examples=400, deadline=None)
@given(texts)
def test_the_first_look_passes_no_shape_by_and_twice_is_once(without_re2, text):
    once = redactor.text(text)
    assert once == without_re2.text(text)
    assert redactor.text(once) == once
    for document in ({"a": text}, ["a", text], {"a": [text, "x1"]}, {"b": json.dumps([text])}):
        written = json.dumps(document, ensure_ascii=False)
        masked = redactor.body(written, JSON)
        assert masked == without_re2.body(written, JSON)
        assert redactor.body(masked, JSON) == masked


@settings(max_examples=400, deadline=None)
@given(texts)
@example("x\\n'password \\t'x1'")
@example("by\u00a0'x1' identified by\u00a0'x1'")
@example("mysqldump\\t-px1y2z3")
@example('["curl","--user","a:x1y2"]')
@example("'-token', 'x1'")
@example("to t (key) VALUES ('x1y2')")
def test_where_nothing_is_suspected_nothing_is_found(text):
    phrases = Phrases(NAMES, PLAIN)
    assert phrases.suspects(text) or phrases.scrub(text) == text


@pytest.mark.parametrize(
    "clause",
    ["alter user a with PASSWORD 'x1'", "Identified By 'x1'", "IDENTIFIED AS\\n'x1'", "identified WITH `sha2`  AS 'x1'"],
)  # fmt: skip
def test_a_clause_of_a_statement_is_found_in_any_case(clause):
    assert [clause[place.start : place.end] for place in statements.find(clause, NAMES)] == ["'x1'"]
    assert statements.suspects(clause, NAMES)
