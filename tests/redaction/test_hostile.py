"""No text costs more than its length: four times the text is not much more than four times the work."""

import re
import sys
from itertools import islice

import pytest

from otel_apimetrics.redaction import RedactionPolicy, Redactor
from otel_apimetrics.redaction import redactor as redactor_module
from otel_apimetrics.redaction.personal import PERSONAL
from otel_apimetrics.redaction.values import BUILT_IN
from tests.redaction.growth import grows_with_its_length

pytestmark = pytest.mark.e2e

GATES = sorted({gate for rule in (*BUILT_IN, *PERSONAL) for gate in rule.gates})
OF_PARTS = (
    "a=1&",
    "a[b]=1&",
    "%25",
    "%3D",
    "&&",
    "a=%7B&",
    "state=1&",
    ";=",
    "a=b; ",
    "<a>; ",
    "0;url=",
    ", ",
)
"""Units of forms, queries, URLs, cookies and lists in headers."""
UNITS = [
    *GATES,
    *(f"{gate}a" for gate in GATES),
    *(f"{gate}A0-_." for gate in GATES),
    *(
        "a",
        "A",
        "0",
        " ",
        "-",
        "_",
        ".",
        "=",
        ":",
        "&",
        "%",
        "\\",
        '"',
        "'",
        "`",
        "<",
        "@",
        "/",
        "\n",
        "\t",
    ),
    *("{", "[", "{}", "[]", '{"a":', '{"password":', '["', '\\"', "\\\\", "\\u0070", "\\/", "\\n"),
    *(
        "password=",
        "password: ",
        '"password":',
        "token='",
        "key=key=",
        "a=b;",
        "x-",
        "http_",
        "aB",
        "a1",
        "1a",
    ),
    *(
        "eyJaaaaaaaa.",
        "eyJ.",
        "-----BEGIN A-----",
        "-----END A",
        "-----BEGIN PUBLIC",
        "://a:",
        "://a@",
        "://:",
        "://",
        ":a@",
        "a://b:c",
        "=:",
    ),
    # Lines and blocks that a name owns, values that a cut left without theirs, a user's values.
    *(
        "password: a\n",
        "password:\n  a\n",
        "password: |\n",
        "password=a , ",
        "password=`",
        "password=<",
        "- a\n",
        '{"value":',
        '{"value":"a",',
        '\\"value\\":1,',
        "sess-1",
        "cust-1",
        "\\u00e9",
    ),
    *("sk-a-", "sk-ab-cd-", "Bearer ", "basic    ", "Basic a ", "Basic a.", "bearer Authenti"),
    *(
        "1 ",
        "1-",
        "4111 ",
        "4111-1111",
        "123-45-",
        "123-45-6789",
        "GB82 ",
        "AA00",
        "AA00 0000 ",
        "A1 ",
    ),
    *("a@", "a.", "a@b.", "+1", "+1 (", "1.1.", "::", "a:", "0.0.0.0"),
    *OF_PARTS,
    *("é", "日", "ſ", "\u200b", "é:", 'é"', "data: {", "data: {\n", "\r", "data:\n"),
    *(
        '"name":"password",',
        '"value":1,',
        '{"name":"a","value":',
        "name",
        '"key":',
        "AccountKey=",
        "xoxe.xoxb-",
    ),
    # Tags, flags, lists, statements, links and comments.
    *(
        "<pin>",
        "<pin>1",
        "<pin>1</pin>",
        "<key><key>",
        "<a b='",
        '<a name=\\"pin\\" ',
        "<name>pin</name><value>",
        "&lt;pin&gt;",
        "&lt;a ",
        "&lt;a&",
        "</pin>",
        "--pin ",
        "--pin x ",
        "'--pin', ",
        "('pin', ",
        "('pin', 'x'), ",
        "['pin',[",
        '[\\"pin\\", \\"',
        "sshpass -p ",
        "docker login ",
        "mysql -",
        "curl -u ",
        "redis-cli",
        ")=(",
        "Key (pin)=(",
        "Key (a)=(x) ",
        "Failing row contains (",
        "Duplicate entry '",
        ") values (",
        "(pin) values ('x', ",
        "insert into a(pin) values (",
        "insert ",
        "select ? ",
        "update pin=? args=(",
        "parameters: [",
        "params: $1 ",
        "?code=",
        "?code=abcdefgh&state=b",
        "&amp;code=1",
        "a/b?c=",
        "/*",
        "/**/",
        "//",
        "//\n",
        "{},",
        "{}\n",
        "[1,]",
        '{"a":1,}',
        ",,",
        ", /**/ ]",
    ),
    # For the first look: pieces, names, signs, runs and fractions.
    *('":', '"a":1,', '"password":1,', '"pass', "=a", "a:", "12:30:45 ", "2026-01-31T12:30:45 "),
    *("basic abc ", "Bearer a", ".1234567890123", "a" * 15 + " ", "000-00-0000", "AA00AAAA"),
]

ENTRIES = {
    "JSON": lambda redactor, text: redactor.body(text, "application/json"),
    "JSON, cut": lambda redactor, text: redactor.body(text, "application/json", truncated=True),
    "events": lambda redactor, text: redactor.body(text, "text/event-stream"),
    "form": lambda redactor, text: redactor.body(text, "application/x-www-form-urlencoded"),
    "text": lambda redactor, text: redactor.body(text, "text/plain"),
    "path": lambda redactor, text: redactor.path(text),
    "cookie": lambda redactor, text: redactor.header("cookie", text),
    "link": lambda redactor, text: redactor.header("link", text),
    "refresh": lambda redactor, text: redactor.header("refresh", text),
    "metadata": lambda redactor, text: redactor.value("note", {"a": text, text: 1}),
}


WHOLE = {"JSON", "JSON, cut", "text"}
"""Entries that lead into all rooms; the others are read with every fourth unit."""


def texts_of(unit):
    yield lambda size: (unit * (size // len(unit) + 1))[:size]
    yield lambda size: (unit + "a" * size)[:size]
    yield lambda size: "a" * (size - len(unit)) + unit
    yield lambda size: '{"a": "' + (unit * (size // len(unit) + 1))[:size] + '"}'


@pytest.fixture(scope="module", params=["with re2", "without re2"])
def redactor(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "without re2":
            patch.setitem(sys.modules, "re2", None)
        redactor_module._sieve_of.cache_clear()
        made = Redactor(
            RedactionPolicy(
                pii=True, deny=["nested.*.name", "own"], patterns=["cust-[0-9]+x", r"^sess-[0-9]+$"]
            )
        )
    redactor_module._sieve_of.cache_clear()
    return made


@pytest.mark.parametrize("entry", ENTRIES)
def test_no_text_costs_more_than_its_length(redactor, entry):
    def work(text):
        ENTRIES[entry](redactor, text)

    units = UNITS if entry in WHOLE else [*OF_PARTS, *UNITS[len(entry) % 4 :: 4]]
    slow = [
        repr(make(80))
        for unit in units
        for make in islice(texts_of(unit), 0, None, 3)
        if not grows_with_its_length(work, make, part=4)
    ]
    assert not slow


def members(*stems, value="1"):
    """Make JSON of members with many names, and no more than are remembered."""

    def make(size):
        pairs = (f'"{stems[n % len(stems)]}{n % 500}": {value}' for n in range(size // 12))
        return f"{{{', '.join(pairs)}}}"

    return make


@pytest.mark.parametrize(
    "make",
    [
        members("a"),
        members("password"),
        members("password", "token", "api_key", "pin", "pwd", "cvv", "otp"),
        members("a", "password", value='"a=b&c=d:e"'),
        members("a", value='"2026-01-31T12:30:45.123-05:00"'),
        members("a", value='"\\"é\\n"'),
        members("a", value=f'"{"b" * 20}"'),
    ],
)
def test_many_names_cost_no_more_than_their_length(redactor, make):
    assert grows_with_its_length(lambda text: redactor.body(text, "application/json"), make)


@pytest.mark.parametrize("entry", ["JSON", "JSON, cut", "text"])
@pytest.mark.parametrize("engine", ["with re2", "without re2"])
def test_patterns_that_ask_for_an_end_cost_no_more_than_the_length(entry, engine, monkeypatch):
    if engine == "without re2":
        monkeypatch.setitem(sys.modules, "re2", None)
    redactor = Redactor(RedactionPolicy(patterns=[r"^sess-[0-9]+$", r"\b\w{1,64}-[a-z]{2,}!"]))
    slow = [
        repr(make(80))
        for unit in (
            "sess-1",
            "sess-",
            "'",
            '"',
            "=a",
            "\\\\",
            "\\u00e9",
            "<a>",
            "a",
            "[REDACTED]",
            "1,",
        )
        for make in islice(texts_of(unit), 0, None, 3)
        if not grows_with_its_length(lambda text: ENTRIES[entry](redactor, text), make, part=4)
    ]
    assert not slow


@pytest.mark.parametrize("rule", [*BUILT_IN, *PERSONAL], ids=lambda rule: rule.id)
def test_no_rule_alone_costs_more_than_the_length_of_a_text(rule):
    near = re.sub(r"[^\w:/@. -]", "", rule.pattern.pattern)[:40]
    slow = [
        repr(make(80))
        for unit in [*rule.gates, near, *UNITS[-60:], "a", "0", "A"]
        for make in texts_of(unit or "a")
        if not grows_with_its_length(rule.changes, make)
    ]
    assert not slow


@pytest.mark.parametrize("depth", [1_000, 20_000])
@pytest.mark.parametrize("nest", ["[", '{"a":', '{"password":', '[{"name":"password","value":'])
def test_nesting_without_end_is_read_and_nothing_is_shown(redactor, nest, depth):
    for text in (nest * depth, nest * depth + '"sk_live_' + "a" * 24 + '"'):
        for truncated in (False, True):
            assert "a" * 24 not in redactor.body(text, "application/json", truncated=truncated)
