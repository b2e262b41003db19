import dataclasses
import json
import re
import sys
from urllib.parse import unquote

import pytest

from otel_apimetrics.redaction import FAILED, MARK, PolicyError, RedactionPolicy, Redactor
from otel_apimetrics.redaction import redactor as redactor_module


def test_lists_become_tuples_and_equal_policies_are_equal():
    policy = RedactionPolicy(deny=["a"], allow=["b"], patterns=["c+"])
    assert policy.deny == ("a",)
    assert policy == RedactionPolicy(deny=("a",), allow=("b",), patterns=("c+",))
    assert hash(policy) == hash(RedactionPolicy(deny=("a",), allow=("b",), patterns=["c+"]))
    assert policy != RedactionPolicy()
    assert dataclasses.replace(policy, mask="remove").patterns == policy.patterns


def test_a_policy_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RedactionPolicy().mask = "remove"


@pytest.mark.parametrize("patterns", [["cust-[0-9]+"], {"customer": "cust-[0-9]+"}])
def test_a_pattern_of_the_user_is_a_value_rule(patterns):
    redactor = Redactor(RedactionPolicy(patterns=patterns))
    assert redactor.text("of cust-42, cust-43") == f"of {MARK}, {MARK}"
    assert redactor.body('{"id": "cust-42"}', "application/json") == f'{{"id": "{MARK}"}}'
    assert redactor.path("/customers/cust-42/x") == f"/customers/{MARK}/x"
    assert redactor.query("id=cust-42&b=1") == f"id={MARK}&b=1"


def test_a_pattern_of_the_user_leaves_marks_alone():
    redactor = Redactor(RedactionPolicy(patterns=["RED|ACT"]))
    once = redactor.text("INFRARED password=x")
    assert once == f"INFRA{MARK} password={MARK}"
    assert redactor.text(once) == once


def test_a_pattern_that_finds_nothing_somewhere_writes_nothing_there():
    redactor = Redactor(RedactionPolicy(patterns=[r"(?<=b)x*"]))
    assert redactor.text("abxxc ab") == f"ab{MARK}c ab"


@pytest.mark.parametrize(
    "regex",
    [
        "(a+)+",
        "(a*)*b",
        r"(\w+\s?)+$",
        "(?:a|ab)*c",
        "((a+)b)+",
        "(a{2,})+",
        "(?P<n>a+)*x",
        "((a|b))+",
    ],
)
def test_without_re2_a_repeated_group_that_repeats_or_chooses_is_refused(regex, monkeypatch):
    assert RedactionPolicy(patterns=[regex]).compiled()
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(PolicyError, match="patterns.*character class"):
        RedactionPolicy(patterns=[regex])


@pytest.mark.parametrize(
    "regex",
    [
        r"\(a+\)+",
        "[(a+)]+",
        "(?:ab)+",
        "(a+)b",
        "a{1,3}b+",
        "(a+)?b",
        "(?i)ab+",
        "x{}",
        r"[\]+]+",
        "(?<=a)b|c",
        "a)"[:-1],
    ],
)
@pytest.mark.parametrize("with_re2", [True, False])
def test_a_pattern_without_nested_repeats_is_taken(regex, with_re2, monkeypatch):
    if not with_re2:
        monkeypatch.setitem(sys.modules, "re2", None)
    assert RedactionPolicy(patterns={"own": regex}).compiled()[0][0] == "own"
    assert RedactionPolicy(patterns={"own": regex}).compiled()[0][1].pattern == regex


def test_a_look_around_is_left_to_pythons_own_engine():
    redactor = Redactor(RedactionPolicy(patterns=[r"(?<=id-)\d+"]))
    assert redactor.text("id-42, no-42") == f"id-{MARK}, no-42"


@pytest.mark.parametrize(
    ("mask", "shown"),
    [
        ("hash", r"\[REDACTED:hash [0-9a-f]{16}\]"),
        ("tokenise", r"\[REDACTED:token [a-z2-7]{26}\]"),
        ("last4", r"\[REDACTED:…cret\]"),
    ],
)
def test_each_mask_is_written_in_every_place_and_stays(mask, shown):
    secret = "a-long-secret"
    redactor = Redactor(RedactionPolicy(mask=mask, key="k", patterns=["a-long-secret"]))
    body = json.dumps({"password": secret, "list": [{"name": "token", "value": secret}]})
    for make in (
        lambda text: redactor.body(text, "application/json"),
        lambda text: redactor.text(text),
    ):
        masked = make(body)
        assert secret not in masked
        assert len(re.findall(shown, masked)) == 2
        assert make(masked) == masked
    query = redactor.query(f"password={secret}&b=1")
    assert re.fullmatch(f"password={shown}&b=1", unquote(query))
    assert redactor.query(query) == query
    for name, value in (
        ("authorization", f"Bearer {secret}"),
        ("cookie", f"a={secret}"),
        ("x-api-key", secret),
        ("set-cookie", f"a={secret}; Path=/"),
        ("x-note", f"it is {secret}"),
    ):
        masked = redactor.header(name, value)
        assert re.search(shown, masked)
        assert secret not in masked
        assert redactor.header(name, masked) == masked
    assert re.fullmatch(shown, redactor.value("password", secret))
    assert re.search(shown, redactor.url(f"https://{secret}@host/"))


def test_equal_secrets_have_equal_marks_under_one_key_and_others_under_another():
    def mark(key, secret="hunter22"):
        return Redactor(RedactionPolicy(mask="hash", key=key)).value("password", secret)

    assert mark("a") == mark("a") != mark("b")
    assert mark("a") != mark("a", "hunter23")
    assert mark("") == mark("")
    assert "hunter" not in repr(RedactionPolicy(key="hunter"))


def test_what_is_no_text_is_marked_too():
    redactor = Redactor(RedactionPolicy(mask="hash", key="k"))
    for member in (1234, 1.5, ["a"], {"a": 1}):
        shown = json.loads(redactor.body(json.dumps({"pin": member}), "application/json"))["pin"]
        assert re.fullmatch(r"\[REDACTED:hash [0-9a-f]{16}\]", shown)
        assert redactor.value("pin", member).startswith("[REDACTED:hash ")


def test_the_last_four_of_a_short_secret_are_not_told():
    redactor = Redactor(RedactionPolicy(mask="last4"))
    assert redactor.value("pin", "12345678901") == MARK
    assert redactor.value("pin", "123456789012") == "[REDACTED:…9012]"
    assert redactor.text("4111 1111 1111 1111") == "[REDACTED:card …1111]"


def test_a_card_is_hashed_where_the_policy_says_so():
    shown = Redactor(RedactionPolicy(mask="hash", key="k")).text("card 4111 1111 1111 1111.")
    assert re.fullmatch(r"card \[REDACTED:hash [0-9a-f]{16}\]\.", shown)


PERSONS = ["ada@example.com", "+44 20 7946 0958", "+1 (415) 555-2671", "192.0.2.17", "2001:db8::7"]


@pytest.mark.parametrize("person", PERSONS)
def test_what_tells_a_person_is_masked_only_where_the_policy_asks(person):
    text = f"write to {person}, at 12:30:45"
    assert Redactor().text(text) == text
    asked = Redactor(RedactionPolicy(pii=True))
    assert asked.text(text) == f"write to {MARK}, at 12:30:45"
    assert asked.body(json.dumps({"a": text}), "application/json") == json.dumps(
        {"a": f"write to {MARK}, at 12:30:45"}
    )
    cut = asked.body(f'{{"a": "{person[:-1]}', "application/json", truncated=True)
    assert person[:6] not in cut


@pytest.mark.parametrize("person", PERSONS)
def test_what_tells_a_person_is_found_without_re2(person, monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", None)
    redactor_module._sieve_of.cache_clear()
    asked = Redactor(RedactionPolicy(pii=True))
    assert asked.text(f"write to {person}.") == f"write to {MARK}."
    assert asked.text("a, b") == "a, b"


def test_version_numbers_and_times_are_no_addresses():
    asked = Redactor(RedactionPolicy(pii=True))
    for text in ("at 12:30:45", "v1.2.3", "1.2.3.400", "std::vec c++", "@handle", "+1"):
        assert asked.text(text) == text


def test_the_callback_takes_out_more_in_every_place():
    seen = []

    def callback(text, place):
        seen.append(place)
        return text.replace("Project X", "[...]")

    redactor = Redactor(RedactionPolicy(callback=callback))
    assert redactor.body('{"a": "Project X"}', "application/json") == '{"a": "[...]"}'
    assert redactor.query("a=Project X") == "a=[...]"
    assert redactor.path("/Project X") == "/[...]"
    assert redactor.text("Project X") == "[...]"
    assert redactor.header("x-a", "Project X") == "[...]"
    assert redactor.headers((("x-a", "Project X"), ("x-b", "b"))) == (
        ("x-a", "[...]"),
        ("x-b", "b"),
    )
    assert redactor.value("note", {"a": ["Project X"]}) == {"a": ["[...]"]}
    assert redactor.attribute("exception.message", "Project X") == "[...]"
    assert redactor.attribute("http.status_code", 200) == 200
    header = ("Project X", "b", 7)
    assert redactor.attribute("http.request.header.x-a", header) == ("[...]", "b", 7)
    assert redactor.url("https://a/Project X") == "https://a/[...]"
    assert set(seen) == {
        "body",
        "query",
        "path",
        "url",
        "text",
        "header:x-a",
        "header:x-b",
        "attribute",
    }


def test_the_callback_sees_no_secret_and_brings_none_back():
    seen = []

    def callback(text, _place):
        seen.append(text)
        return f"{text} password=hunter2"

    redactor = Redactor(RedactionPolicy(callback=callback))
    assert "hunter" not in redactor.text("password=hunter1")
    assert "hunter" not in str(seen)


@pytest.mark.swallows_errors
@pytest.mark.parametrize("wrong", [lambda text, place: 1 / 0, lambda text, place: None])
def test_where_the_callback_fails_nothing_is_left(wrong):
    redactor = Redactor(RedactionPolicy(callback=wrong))
    assert redactor.text("abc") == FAILED
    assert redactor.body('{"a": 1}', "application/json") == FAILED
    assert redactor.headers((("x-a", "b"),)) == (("x-a", FAILED),)


async def _async_callback(text, place):
    return text


class _AsyncCallback:
    async def __call__(self, text, place):
        return text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"deny": "iban"}, "deny is a str.*deny="),
        ({"allow": b"iban"}, "allow is a bytes"),
        ({"deny": 3}, "deny is a int"),
        ({"deny": ["a", 3]}, "deny holds 3"),
        ({"allow": [" "]}, "allow holds ' '"),
        ({"patterns": "a+"}, "patterns is a str"),
        ({"patterns": 3}, "patterns is a int"),
        ({"patterns": [3]}, "patterns: 'pattern 1' is a int"),
        ({"patterns": {3: "a"}}, "patterns: 3"),
        ({"patterns": ["("]}, "does not compile"),
        ({"patterns": ["a" * 1001]}, "1001 characters"),
        ({"patterns": ["a*"]}, "matches the empty text"),
        ({"mask": "hide"}, "mask is 'hide': use one of mask, remove"),
        *(
            ({"deny": [name]}, "which no name can be: write")
            for name in (
                "users[*].email",
                "users[0].email",
                "users.*.em*",
                "em*",
                "*",
                "**",
                "a..b",
                "a.",
                ".a",
                "$.a",
            )
        ),
        ({"deny": ["/users/email"]}, "holds '/users/email', .*: write 'users.email', with dots"),
        ({"allow": ["#/users/*/email"]}, r"write 'users\.\*\.email', with dots"),
        ({"deny": ["/"]}, "write 'users.email', with dots"),
        ({"deny": ["!!!"]}, "deny holds '!!!', which has no letter and no digit: write a name"),
        ({"allow": ["-_-"]}, "allow holds '-_-', which has no letter"),
        ({"key": 7}, "key is no string"),
        ({"pii": "yes"}, "pii is 'yes'"),
        ({"sensitive_paths": "/a"}, "sensitive_paths is a str"),
        ({"sensitive_paths": ["("]}, r"sensitive_paths: '\(' cannot"),
        ({"callback": _async_callback}, "callback is no function"),
        ({"callback": _AsyncCallback()}, "callback is no function"),
        ({"callback": 7}, "callback is no function"),
        ({"mask": ["mask"]}, "mask is"),
    ],
)
def test_an_option_that_cannot_be_used_is_named_with_the_remedy(options, said):
    with pytest.raises(PolicyError, match=said):
        RedactionPolicy(**options)


def test_a_path_finds_a_member_that_has_its_dots_in_its_name():
    redactor = Redactor(RedactionPolicy(deny=["user.mail", "a.*.b"], allow=["cfg.token"]))
    document = {
        "user.mail": "x",
        "a": {"1.b": "x"},
        "a.2": {"b": "x"},
        "cfg.token": "y",
        "mail": "y",
    }
    shown = {
        "user.mail": MARK,
        "a": {"1.b": MARK},
        "a.2": {"b": MARK},
        "cfg.token": "y",
        "mail": "y",
    }
    for text in (json.dumps(document), json.dumps({**document, "note": 'a "b"'})):
        masked = json.loads(redactor.body(text, "application/json"))
        assert {name: masked[name] for name in shown} == shown
    assert redactor.query("user.mail=x&a[2.b]=x") == f"user.mail={MARK}&a[2.b]={MARK}"
    assert '"x"' not in redactor.body('{"user.mail": "x", "c', "application/json", truncated=True)


@pytest.mark.parametrize("name", ["cards.*", "**.email", "a.**.b", "user[pin]", "7", "two words"])
def test_a_name_or_a_path_that_can_be_is_taken(name):
    assert RedactionPolicy(deny=[f" {name} "]).deny == (name,)


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)(?#c)+(?!z)b", r"(?x)(a+) +(?!z)b", r"(?x:(a+) +)(?!z)b", r"(?:(a+)(?#x))(?#y)*(?!z)b"],
)
def test_comments_and_blanks_hide_no_repeated_repeat(pattern):
    with pytest.raises(PolicyError):
        RedactionPolicy(patterns=[pattern])


@pytest.mark.parametrize(
    "secret",
    [
        'abcdefghijkl"xyz',
        "abcdefghijklm\\",
        'abcdefghijklmn"o"',
        "a-long-secret'",
        "abcdefghijk\n\n",
    ],
)
@pytest.mark.parametrize("rows", [0, 10_001])
def test_the_last_four_end_no_string_that_they_stand_in(secret, rows):
    redactor = Redactor(RedactionPolicy(mask="last4"))
    inside = json.dumps({"password": secret, "b": [{"name": "token", "value": secret}]})
    document = {"password": secret, "nested": inside, "rows": [0] * rows}
    for text, cut in ((json.dumps(document), False), (json.dumps(document)[:-1], True)):
        masked = redactor._documents.scrub(text, cut=cut)
        shown = json.loads(masked + "}" * cut)
        marks = (shown["password"], json.loads(shown["nested"])["password"])
        assert all(re.fullmatch(r"\[REDACTED(?::…[\w-]{4})?\]", mark) for mark in marks)
        assert len(shown["rows"]) == rows
        assert redactor._documents.scrub(masked, cut=cut) == masked


@pytest.mark.parametrize("name", ["user.note", "note.text", "note[0]", "/users/note/0", "a[note]"])
def test_a_denied_name_is_found_in_a_name_of_many_steps(name):
    own = Redactor(RedactionPolicy(deny=["note"], allow=["a.note"]))
    assert json.loads(own.body(json.dumps({name: "x1"}), "application/json")) == {name: MARK}
    assert own.body('{"a.notes": "x1"}', "application/json") == '{"a.notes": "x1"}'


def test_a_name_of_more_steps_than_are_read_is_masked_where_paths_are_denied():
    own = Redactor(RedactionPolicy(deny=["**.a.**.b"], allow=["**.d"]))
    deep = "a[" * 100
    assert own.query(f"{deep}=x1&a.c=2") == f"{deep}={MARK}&a.c=2"
    assert own.body(f'{{"{"x." * 100}b":"x1"}}', "application/json") == (
        f'{{"{"x." * 100}b":"{MARK}"}}'
    )
    allowed = Redactor(RedactionPolicy(allow=["**.a.**.pin"]))
    assert allowed.query(f"{'a.' * 100}pin=x1") == f"{'a.' * 100}pin={MARK}"
