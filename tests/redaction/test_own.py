"""A user's expressions are tried on what each value says, however it is spelt."""

import json
import sys

import pytest

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor
from otel_apimetrics.redaction import redactor as redactor_module

JSON = "application/json"


@pytest.fixture(scope="module", params=["with re2", "without re2"])
def make(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "without re2":
            patch.setitem(sys.modules, "re2", None)
        redactor_module._sieve_of.cache_clear()
        yield lambda *patterns, **policy: Redactor(RedactionPolicy(patterns=patterns, **policy))
    redactor_module._sieve_of.cache_clear()


def spelt(secret, level=1):
    """Spell each letter that is not of ASCII, quotes and breaks as JSON does, so many times."""
    for _ in range(level):
        secret = json.dumps(secret)[1:-1]
    return secret


SECRETS = {"Müller-\\d": "Müller-7", "a\nb": "a\nb", 'say "x+"': 'say "xx"', "😀\\d": "😀1"}
SPELLINGS = [
    (JSON, '{{"note": "it is {1}."}}', False),
    (JSON, '{{"note": "{{\\"a\\": \\"{2}\\"}}"}}', False),
    (JSON, '{{"note": "it is {1}.", "a": [', True),
    (JSON, '{{"note": "it is {1}.", "a": oops', False),
    (JSON, '{{"note": "{{\\"a\\": \\"{2}\\"}}", "a": "b', True),
    ("application/x-ndjson", '{{"a": 1}}\n{{"note": "{1}"}}\n', False),
    ("text/event-stream", 'event: a\ndata: {{"note": "{1}"}}\n\n', False),
    ("text/plain", 'it answered {{"note": "{1}"}}', False),
    ("application/xml", '<a>{{"note": "{1}"}}</a>', False),
]


@pytest.mark.parametrize("regex", SECRETS)
@pytest.mark.parametrize(("media_type", "form", "cut"), SPELLINGS)
def test_a_pattern_sees_through_the_escapes_of_json(make, regex, media_type, form, cut):
    secret = SECRETS[regex]
    text = form.format("", spelt(secret), spelt(secret, 2))
    redactor = make(regex)
    masked = redactor.body(text, media_type, truncated=cut)
    assert masked == text.replace(spelt(secret, 2), MARK).replace(spelt(secret), MARK)
    assert redactor.body(masked, media_type, truncated=cut) == masked


def test_what_a_pattern_finds_in_a_document_of_many_values_is_masked_and_stays_json(make):
    document = {"rows": [*range(10_001)], "note": "Müller-7", "number": 123456, "id": "sess-1"}
    redactor = make(r"Müller-\d", "123456", r"^sess-\d$")
    shown = redactor._documents.scrub(json.dumps(document))
    masked = json.loads(shown)
    assert (masked["note"], masked["number"], masked["id"]) == (MARK, MARK, MARK)


def test_a_pattern_that_asks_for_both_ends_is_tried_on_each_value(make):
    redactor = make(r"^sess-\d+$", r"^\d{4}$", r"(?<!.)ab(?!.)", r"\Acd\Z")
    document = {"a": "sess-42", "b": ["sess-7", 1234, "ab", "1234"], "c": {"d": "cd", "sess-1": 1}}
    shown = {"a": MARK, "b": [MARK] * 4, "c": {"d": MARK, MARK: 1}}
    assert json.loads(redactor.body(json.dumps(document), JSON)) == shown
    assert json.loads(redactor.body(json.dumps(document, indent=1), JSON)) == shown
    nested = redactor.body(json.dumps({"x": json.dumps(document)}), JSON)
    assert json.loads(json.loads(nested)["x"]) == shown
    untouched = '{"a": "my sess-42", "b": 12345}'
    assert redactor.body(untouched, JSON) is untouched


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/x-ndjson"])
@pytest.mark.parametrize(
    "text",
    [
        '{"a": "sess-42", "b": [1, "x',
        '{"a": ["b", "sess-42"], "c": oops',
        '{"n": "{\\"a\\": \\"sess-42\\"}", "b": "x',
    ],
)
def test_a_pattern_that_asks_for_both_ends_is_tried_in_what_does_not_parse(make, text, media_type):
    redactor = make(r"^sess-\d+$")
    masked = redactor.body(text, media_type, truncated=True)
    assert masked == text.replace("sess-42", MARK)
    assert redactor.body(masked, media_type, truncated=True) == masked


def test_a_pattern_that_asks_for_both_ends_is_tried_on_the_values_of_each_place(make):
    redactor = make(r"^sess-\d+$")
    assert redactor.query("a=sess-42&b=my-sess-42") == f"a={MARK}&b=my-sess-42"
    form = redactor.body("a=1&b=sess-42", "application/x-www-form-urlencoded")
    assert form == f"a=1&b={MARK}"
    assert redactor.header("x-a", "sess-42") == MARK
    assert redactor.path("/a/sess-42/b") == f"/a/{MARK}/b"
    assert (
        redactor.body("<a b='sess-42'>sess-42</a>", "application/xml")
        == f"<a b='{MARK}'>{MARK}</a>"
    )
    assert redactor.value("note", {"a": ["sess-42"]}) == {"a": [MARK]}
    part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nsess-42\r\n--b--\r\n'
    shown = redactor.body(
        part, "multipart/form-data", content_type="multipart/form-data; boundary=b"
    )
    assert shown == part.replace("sess-42", MARK)


CUT_FORMS = [
    ("application/json", '{{"a": [1, "{1}'),
    ("application/json", '{{"a": "{{\\"b\\": \\"{2}'),
    ("application/x-ndjson", '{{"a": 1}}\n{{"a": "{1}'),
    ("text/event-stream", 'data: {{"a": "{1}'),
    ("text/plain", "it said {0}"),
    ("application/xml", "<a><b>{0}"),
    ("application/x-www-form-urlencoded", "a=1&b={0}"),
]


@pytest.mark.parametrize(
    ("regex", "secret"),
    [
        (r"cust-[0-9]{6}", "cust-734219"),
        (r"^sess-\w+$", "sess-42q"),
        (r"(?i)\bmüller(?:-|_)(?P<n>\w{2,4})(?!x)", "Müller-q7Zx"),
        (r"(?:key|id)[ab]{,3}\d+!", "keyab7342!"),
        (r"x{60}", "x" * 60),
    ],
)
@pytest.mark.parametrize(("media_type", "form"), CUT_FORMS)
def test_what_a_pattern_would_find_is_masked_where_a_body_is_cut_inside_of_it(
    make, regex, secret, media_type, form
):
    redactor = make(regex)
    for length in range(4, len(secret) + 1):
        text = form.format(secret[:length], spelt(secret[:length]), spelt(secret[:length], 2))
        shown = redactor.body(text, media_type, truncated=True)
        assert secret[:4] not in shown
        assert spelt(secret[:4]) not in shown
        assert shown.endswith((MARK, "[REDACTED]".replace("]", "%5D")))
        assert redactor.body(shown, media_type, truncated=True) == shown


def test_half_an_escape_at_a_cut_hides_nothing(make):
    redactor = make(r"cust-\d{2}ü\d")
    whole = '{"a": "cust-42\\u00fc'
    for end in range(len('{"a": "cust-42'), len(whole) + 1):
        shown = redactor.body(whole[:end], JSON, truncated=True)
        assert shown == f'{{"a": "{MARK}'


def test_a_pattern_that_refers_back_is_left_at_a_cut(make):
    redactor = make(r"(\w{3})-\1")
    assert redactor.text("it said abc-ab", truncated=True) == "it said abc-ab"
    assert redactor.text("it said abc-abc", truncated=True) == f"it said {MARK}"


@pytest.mark.parametrize(
    "lone", [pytest.param(chr(0xD83D), id="high"), pytest.param(chr(0xDCFF), id="low")]
)
def test_half_a_character_beside_a_value_spoils_no_more_than_itself(make, lone):
    own = make("cust-[0-9]{6}", "^sess-[0-9]+$", mask="hash", key="k")
    body = json.dumps({"a": f"{lone} cust-123456", "password": lone, "b": "x"})
    told = json.loads(own.body(body, JSON))
    assert told["a"].startswith(f"{lone} [REDACTED:hash ")
    assert told["password"].startswith("[REDACTED:hash ")
    assert told["b"] == "x"
    assert own.body(f'"{lone} cust-12', JSON, truncated=True) == f'"{lone} {MARK}'
    assert own.text(f"{lone} x") == f"{lone} x"
    assert own.header("x-a", lone) == lone
