"""ReadMe's deny and allow lists, in all places where a name stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.exchange import Body, Exchange, Request, Response
from otel_apimetrics.exporters.har.entry import entry_of
from otel_apimetrics.exporters.readme.lists import Lists
from tests.exporters.har.schema import check_entry


def applied(
    lists: Lists, *, headers=(), query="", content=None, kind="", truncated=False, answer=()
):
    body = Body(content=content, size=len(content or ""), truncated=truncated)
    entry = entry_of(
        Exchange(
            id="0" * 32,
            request=Request(
                method="POST",
                host="h",
                query=query,
                headers=(("content-type", kind), *headers),
                body=body,
            ),
            response=Response(status=302, headers=(("content-type", kind), *answer), body=body),
        )
    )
    lists.apply(entry)
    check_entry(entry)
    return entry


def values(pairs):
    return {pair["name"]: pair["value"] for pair in pairs}


def test_no_list_changes_nothing():
    entry = applied(Lists((), ()), query="a=1", content='{"a": 1}', kind="application/json")
    assert entry["request"]["url"] == "http://h/?a=1"
    assert entry["response"]["content"]["text"] == '{"a": 1}'


@pytest.mark.parametrize("name", ["X-Plan", "x-plan"])
def test_the_case_of_a_name_does_not_matter(name):
    entry = applied(Lists([name], ()), headers=(("x-plan", "gold"),), query="X-PLAN=gold&b=2")
    assert values(entry["request"]["headers"])["x-plan"] == "[REDACTED 4]"
    assert values(entry["request"]["queryString"]) == {"X-PLAN": "[REDACTED 4]", "b": "2"}
    assert entry["request"]["url"] == "http://h/?X-PLAN=%5BREDACTED+4%5D&b=2"


def test_a_denied_name_is_found_at_any_depth_and_an_allowed_one_at_the_top():
    content = json.dumps({"a": {"b": {"c": "xyz"}}, "l": [{"c": 1}], "d": None})
    denied = applied(Lists(["c"], ()), content=content, kind="application/problem+json")
    assert json.loads(denied["response"]["content"]["text"]) == {
        "a": {"b": {"c": "[REDACTED 3]"}},
        "l": [{"c": "[REDACTED]"}],
        "d": None,
    }
    allowed = applied(Lists((), ["a"]), content=content, kind="application/json")
    assert json.loads(allowed["request"]["postData"]["text"]) == {
        "a": {"b": {"c": "xyz"}},
        "l": "[REDACTED]",
        "d": "[REDACTED]",
    }


def test_a_dotted_path_is_denied_in_json_alone():
    content = '{"users": [{"plan": "gold"}], "plan": "silver"}'
    entry = applied(Lists(["users.*.plan"], ()), content=content, kind="application/json")
    text = json.loads(entry["response"]["content"]["text"])
    assert text == {"users": [{"plan": "[REDACTED]"}], "plan": "silver"}


def test_a_value_passes_both_lists_or_is_replaced():
    content = '{"a": "1", "b": "2", "c": "3"}'
    entry = applied(Lists(["a"], ["a", "b"]), content=content, kind="application/json")
    text = json.loads(entry["response"]["content"]["text"])
    assert text == {"a": "[REDACTED 1]", "b": "2", "c": "[REDACTED 1]"}


def test_what_our_redaction_has_replaced_stays_as_it_is():
    headers = (("x-key", "[REDACTED]"), ("x-card", "[REDACTED:card …4242]"))
    entry = applied(Lists(["x-key", "x-card", "k"], ()), headers=headers, query="k=[REDACTED]")
    assert values(entry["request"]["headers"]) == {"content-type": "", **dict(headers)}
    assert values(entry["request"]["queryString"]) == {"k": "[REDACTED]"}


def test_json_that_cannot_be_read_is_looked_through_or_replaced_whole():
    cut = '{"plan": "gold", "note": "si'
    denied = applied(Lists(["plan"], ()), content=cut, kind="application/json", truncated=True)
    assert "gold" not in denied["response"]["content"]["text"]
    assert '"note"' in denied["response"]["content"]["text"]
    allowed = applied(Lists((), ["note"]), content=cut, kind="application/json", truncated=True)
    assert allowed["response"]["content"]["text"] == f"[REDACTED {len(cut)}]"
    deep = "[" * 100_000
    assert (
        applied(Lists((), ["a"]), content=deep)["response"]["content"]["text"]
        == "[REDACTED 100000]"
    )


def test_a_denied_name_is_found_in_markup_too():
    content = "<order><plan>gold</plan><item>7</item></order>"
    entry = applied(Lists(["plan"], ()), content=content, kind="application/xml")
    text = entry["response"]["content"]["text"]
    assert "gold" not in text
    assert "<item>7</item>" in text


def test_a_form_field_is_replaced():
    entry = applied(
        Lists(["plan"], ()), content="plan=gold&b=2", kind="application/x-www-form-urlencoded"
    )
    params = entry["request"]["postData"]["params"]
    assert values(params) == {"plan": "[REDACTED 4]", "b": "2"}


@pytest.mark.parametrize("name", ["theme", "cookie"])
def test_cookies_go_with_their_header(name):
    headers = (("cookie", "theme=dark; lang=en"),)
    entry = applied(Lists([name], ()), headers=headers)
    assert entry["request"]["cookies"] == []
    assert values(entry["request"]["headers"])["cookie"] == "[REDACTED 19]"


def test_a_redirect_goes_with_its_header():
    answer = (("location", "/there"), ("set-cookie", "a=1"))
    entry = applied(Lists(["Location", "Set-Cookie"], ()), answer=answer)
    assert entry["response"]["redirectURL"] == ""
    assert entry["response"]["cookies"] == []
    assert "there" not in json.dumps(entry)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["plan", "Plan", "a", "b"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(document=JSON)
def test_no_denied_value_is_left_in_any_document(document):
    entry = applied(Lists(["plan"], ()), content=json.dumps(document), kind="application/json")

    def look(value):
        if isinstance(value, list):
            for item in value:
                look(item)
        if isinstance(value, dict):
            for name, inner in value.items():
                if name.lower() == "plan":
                    assert isinstance(inner, str)
                    assert inner.startswith("[REDACTED")
                look(inner)

    look(json.loads(entry["response"]["content"]["text"]))
