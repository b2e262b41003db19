import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.redaction import FAILED, MARK, RedactionPolicy, Redactor

JSON = "application/json"
CANARY = "canary-hunter2"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP"

redactor = Redactor()


def body(document, **policy):
    text = document if isinstance(document, str) else json.dumps(document)
    return Redactor(RedactionPolicy(**policy)).body(text, JSON)


@pytest.mark.parametrize("value", ["x", "", 1, 1.5, [1, {"a": 2}], {"a": {"b": "]}"}}, 'a"b\\'])
@pytest.mark.parametrize("spaces", [(",", ":"), (", ", ": "), (" , ", " : ")])
def test_a_sensitive_name_masks_its_whole_value_whatever_its_type(value, spaces):
    masked = redactor.body(json.dumps({"a": 1, "password": value, "b": 2}, separators=spaces), JSON)
    assert json.loads(masked) == {"a": 1, "password": MARK, "b": 2}


@pytest.mark.parametrize("value", [None, True, False])
@pytest.mark.parametrize("escape", ["", "\\n"])
def test_null_true_and_false_are_no_secrets_unless_the_policy_denies_their_name(value, escape):
    document = {"private": value, "password": value, "note": f"a{escape}", "pin": 1}
    shown = json.loads(body(document))
    assert shown == {**document, "pin": MARK}
    assert json.loads(body(document, deny=["private"])) == {**shown, "private": MARK}
    assert json.loads(body(document, deny=["*.x", "password"])) == {**shown, "password": MARK}


@pytest.mark.parametrize(
    "value",
    [
        "PROJ-17",
        5,
        "to taste, 1 tsp",
        "https://a.example/b/1234567890",
        "all-lower-case-words",
        ["a"],
    ],
)
@pytest.mark.parametrize("name", ["key", "salt", "signature", "ticket", "Nonce"])
def test_a_name_with_a_harmless_sense_is_left_where_the_value_is_in_it(name, value):
    document = {name: value, "b": [{name: value}]}
    assert json.loads(body(document)) == document
    assert json.loads(body({**document, "pin": 1})) == {**document, "pin": MARK}
    assert json.loads(body(document, deny=[name])) == {name: MARK, "b": [{name: MARK}]}
    assert redactor.text(f"{name}: PROJ-17") == f"{name}: PROJ-17"


@pytest.mark.parametrize(
    "value", ["9f86d081884c7d65", "AbCdEfGhIjKlMnOp", {"a": "9f86d081884c7d65"}]
)
def test_a_name_with_a_harmless_sense_is_masked_where_the_value_may_be_a_credential(value):
    document = [{"key": "PROJ-17"}, {"key": value}]
    assert json.loads(body(document)) == [{"key": "PROJ-17"}, {"key": MARK}]


def test_what_is_not_masked_keeps_its_spelling():
    text = '{"total": 1.10, "big": 1E400, "n": 12345678901234567890123, "é": "\u20ac", "password": "x"}'
    assert redactor.body(text, JSON) == text.replace('"x"', f'"{MARK}"')
    escaped = text.replace("é", "\\u0041\\n")
    assert redactor.body(escaped, JSON) == text.replace('"x"', f'"{MARK}"').replace("é", "A\\n")


def test_indentation_survives_where_only_values_of_names_are_masked():
    text = json.dumps({"user": {"password": "x", "name": "Ada"}}, indent=2)
    assert redactor.body(text, JSON) == text.replace('"x"', f'"{MARK}"')


def test_several_names_are_masked_also_inside_of_one_another():
    text = '{"token": {"password": 1}, "a": ["password", "token"], "password": [{"token": 2}]}'
    assert (
        redactor.body(text, JSON)
        == f'{{"token": "{MARK}", "a": ["password", "token"], "password": "{MARK}"}}'
    )


def test_numbers_of_any_length_do_not_raise():
    text = '{"n": ' + "1" * 5000 + ', "password": "x"}'
    assert redactor.body(text, JSON) == text.replace('"x"', f'"{MARK}"')
    assert (
        redactor.body('{"n": NaN, "password": "x"}', JSON) == f'{{"n": NaN, "password": "{MARK}"}}'
    )


def test_each_of_two_members_of_one_name_is_masked():
    assert (
        redactor.body('{"password":"x","password":{"a":"y"}}', JSON)
        == f'{{"password":"{MARK}","password":"{MARK}"}}'
    )
    text = '{"a":1,"a":"' + JWT + '"}'
    assert redactor.body(text, JSON) == f'{{"a":1,"a":"{MARK}"}}'


@pytest.mark.parametrize(
    "key", ["pass\\u0077ord", "\\u0070assword", "client\\/secret", "\uff50assword"]
)
def test_a_name_in_another_spelling_is_the_name(key):
    text = f'{{"{key}": "{CANARY}", "a": "b"}}'
    masked = redactor.body(text, JSON)
    assert CANARY not in masked
    assert MARK in json.loads(masked).values()


def test_the_value_of_a_key_and_value_list_is_named_by_its_sibling():
    pairs = [{"name": "password", "value": "x"}, {"value": 5, "key": "apiKey"}, {"field": "ssn", "value": None},
             {"name": "color", "value": "red"}, {"key": "color", "value": "red"}]  # fmt: skip
    assert json.loads(body(pairs)) == [
        {"name": "password", "value": MARK}, {"value": MARK, "key": "apiKey"}, {"field": "ssn", "value": MARK},
        {"name": "color", "value": "red"}, {"key": "color", "value": "red"},
    ]  # fmt: skip


def test_a_key_without_a_value_is_a_secret():
    key = "9f86d081884c7d65"
    assert json.loads(body({"key": key, "name": "x"})) == {"key": MARK, "name": "x"}
    text = '[{"key":"color","value":"red"},{"value":3}]'
    assert body(text) is text
    assert json.loads(body([{"key": key}, {"value": 3}])) == [{"key": MARK}, {"value": 3}]
    mixed = [{"key": key}, {"key": "color", "value": "red"}, {"password": "password"}]
    assert json.loads(body(mixed)) == [{"key": MARK}, mixed[1], {"password": MARK}]
    assert json.loads(body(mixed, deny=["a.b"])) == [{"key": MARK}, mixed[1], {"password": MARK}]


@pytest.mark.parametrize(
    ("inner", "left"),
    [
        (json.dumps({"password": CANARY}), {"password": MARK}),
        (json.dumps({"a": json.dumps({"password": CANARY})}), None),
        (json.dumps([{"a": JWT}]), [{"a": MARK}]),
        (json.dumps({"password": CANARY})[:-4], None),
        (" " + json.dumps({"pass\u00e9": 1, "token": CANARY}), {"pass\u00e9": 1, "token": MARK}),
    ],
)
def test_json_in_a_string_of_json_is_masked(inner, left):
    masked = json.loads(body({"payload": inner, "b": 1}))
    assert CANARY not in masked["payload"]
    assert JWT not in masked["payload"]
    assert MARK in masked["payload"]
    if left is not None:
        assert json.loads(masked["payload"]) == left


def test_json_in_strings_is_followed_to_the_eighth_level_only():
    text = json.dumps({"password": CANARY})
    for _ in range(12):
        text = json.dumps([text])
    assert CANARY not in redactor.body(text, JSON)


@pytest.mark.parametrize(
    ("string", "masked"),
    [
        ("https://x.test/?access_token=abc&b=1", f"https://x.test/?access_token={MARK}&b=1"),
        ("login failed: password=abc", f"login failed: password={MARK}"),
        ('mutation { login(password: "abc") }', f'mutation {{ login(password: "{MARK}") }}'),
        (f"see {JWT}", f"see {MARK}"),
        ("https:\\/\\/me:pw@x.test\\/", f"https://{MARK}@x.test/"),
        ("\\u0065yJ" + JWT[3:], MARK),
    ],
)
def test_a_string_is_masked_by_what_is_in_it(string, masked):
    raw = string if "\\" in string else json.dumps(string)[1:-1]
    assert json.loads(redactor.body(f'{{"a": "{raw}", "b": 1}}', JSON)) == {"a": masked, "b": 1}
    assert json.loads(redactor.body(f'["{raw}"]', JSON)) == [masked]
    assert json.loads(redactor.body(f'"{raw}"', JSON)) == masked


def test_a_name_that_is_a_secret_itself_is_masked():
    assert json.loads(body({JWT: 1})) == {MARK: 1}


def test_a_card_number_is_masked_as_string_and_as_number():
    card = "[REDACTED:card …1111]"
    assert json.loads(body('{"a": 4111111111111111, "b": "4111 1111 1111 1111", "c": 4.1}')) == {
        "a": card,
        "b": card,
        "c": 4.1,
    }


def test_a_walk_ends_at_the_thirty_second_level():
    deep = {"j": JWT, "deep": 1}
    for _ in range(40):
        deep = {"a": deep}
    masked = json.loads(body({"j": JWT, "deep": deep}))
    assert masked["j"] == MARK
    assert "[TRUNCATED:depth]" in json.dumps(masked)
    assert JWT not in json.dumps(masked)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_a_hundred_thousand_levels_neither_raise_nor_leak(opening):
    text = opening * 100_000 + f'{{"password":"{CANARY}"'
    assert CANARY not in redactor.body(text, JSON)
    closed = "[" * 100_000 + f'{{"password":"{CANARY}","n":1}}' + "]" * 100_000
    masked = redactor.body(closed, JSON)
    assert masked == closed.replace(CANARY, MARK)


def test_more_than_ten_thousand_nodes_are_masked_as_text_and_stay_json():
    numbers = {f"n{number}": list(range(100)) for number in range(200)}
    secrets = {"password": CANARY, "j": JWT, "card": 4111111111111111, "text": "4111111111111111"}
    masked = json.loads(body({**numbers, "last": secrets}))
    card = "[REDACTED:card …1111]"
    assert masked.pop("last") == {"password": MARK, "j": MARK, "card": card, "text": card}
    assert masked == numbers


def test_half_of_a_surrogate_pair_can_be_encoded_afterwards():
    masked = redactor.body('{"a": "\\ud800", "password": "x"}', JSON)
    assert masked.encode()
    assert json.loads(masked) == {"a": "\ud800", "password": MARK}


def test_a_byte_order_mark_stays_in_front():
    assert redactor.body('\ufeff{"password":"x"}', JSON) == f'\ufeff{{"password":"{MARK}"}}'
    assert redactor.body(f'\ufeff{{"a":"{JWT}"}}', JSON) == f'\ufeff{{"a":"{MARK}"}}'


def test_denied_names_and_paths_are_masked_and_allowed_ones_are_left():
    document = {
        "users": [{"email": "a", "note": "b"}],
        "email": "c",
        "token": "d",
        "cfg": {"token": "e", "secret": "f"},
    }
    assert json.loads(body(document, deny=["note"]))["users"] == [{"email": "a", "note": MARK}]
    by_path = json.loads(body(document, deny=["users.*.email"], allow=["cfg.token"]))
    assert by_path["users"] == [{"email": MARK, "note": "b"}]
    assert by_path["email"] == "c"
    assert by_path["token"] == MARK
    assert by_path["cfg"] == {"token": "e", "secret": MARK}
    allowed = json.loads(body(document, allow=["token"]))
    assert allowed["token"] == "d"
    both = json.loads(body(document, allow=["token", "cfg.secret"], deny=["token", "cfg.secret"]))
    assert both["token"] == both["cfg"]["token"] == both["cfg"]["secret"] == MARK
    wild = json.loads(body(document, deny=["users.**"]))
    assert wild["users"] == MARK
    assert json.loads(body(document, deny=["users.*"]))["users"] == [MARK]
    assert json.loads(body(document, deny=["users.0"]))["users"] == [MARK]
    assert json.loads(body({"users": [MARK]}, deny=["users.0"])) == {"users": [MARK]}
    assert json.loads(body({"a": {"name": "x", "key": "k", "value": "v"}}, deny=["b.c"])) == {
        "a": {"name": "x", "key": "k", "value": "v"}
    }


def test_an_allowed_name_is_still_subject_to_value_rules():
    assert json.loads(body({"token": JWT}, allow=["token"])) == {"token": MARK}


def test_remove_takes_the_member_out():
    document = {"a": 1, "password": "x", "c": [{"token": 1}, {"b": 2}]}
    assert json.loads(body(document, mask="remove")) == {"a": 1, "c": [{}, {"b": 2}]}
    assert json.loads(body({"name": "password", "value": "x"}, mask="remove")) == {
        "name": "password"
    }
    assert body('{"a": []}', mask="remove") == '{"a": []}'
    assert body('{"password": 1, "a": []}', mask="remove") == '{"a": []}'


@pytest.mark.parametrize(
    "text",
    ['{"name": "Ada", "value": 3, "max_tokens": 5}', "[]", "{}", "3", '"text"', "null", '{"at": "2026-03-12T12:00:00Z"}',
     '{"url": "https://x.test/a?b=c", "note": "so: fine", "q": "a\\"b"}', '{"a": "\\u003cb\\u003e"}', "", " "],
)  # fmt: skip
def test_what_holds_nothing_to_mask_comes_back_as_the_identical_object(text):
    assert redactor.body(text, JSON) is text


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "text/json", "application/problem+json", "application/vnd.api+json"],
)
def test_each_media_type_of_json_is_json(media_type):
    assert redactor.body('{"password":"x"}', media_type) == f'{{"password":"{MARK}"}}'


def test_lines_of_json_are_masked_line_by_line():
    text = '{"password":"x"}\n\n{"a":1}\r\n{"token":"y"}'
    for media_type in ("application/x-ndjson", "application/ndjson", "application/jsonl"):
        assert redactor.body(text, media_type) == text.replace('"x"', f'"{MARK}"').replace(
            '"y"', f'"{MARK}"'
        )
    cut = redactor.body(
        '{"password":"x"}\n{"token":"abcdef', "application/x-ndjson", truncated=True
    )
    assert cut == f'{{"password":"{MARK}"}}\n{{"token":"{MARK}"'
    clean = '{"a":1}\n{"b":2}\n'
    assert redactor.body(clean, "application/x-ndjson") is clean


def test_lines_in_an_ordinary_json_body_are_masked_too():
    assert CANARY not in redactor.body(f'{{"a":1}}\n{{"password":"{CANARY}"}}', JSON)


def test_events_are_masked_event_by_event():
    events = "text/event-stream"
    text = f'event: a\ndata: {{"password":"{CANARY}"}}\nid: 1\n\ndata:{{"a":1}}\n\n: password={CANARY}\n\ndata: [DONE]\n\n'
    masked = redactor.body(text, events)
    assert masked == text.replace(f"={CANARY}", f"={MARK}").replace(CANARY, MARK)
    split = f'data: {{"password":\ndata: "{CANARY}",\ndata: "a": 1}}\n\n'
    assert CANARY not in redactor.body(split, events)
    assert redactor.body(split, events).count("data: ") == 3
    rewritten = f'data: {{"a":\ndata: "{JWT}",\ndata: "b": 1}}\n\n'
    assert (
        redactor.body(rewritten, events) == f'data: {{"a": "{MARK}", "b": 1}}\ndata: \ndata: \n\n'
    )
    clean = 'data: {"a":1}\n\n'
    assert redactor.body(clean, events) is clean
    assert CANARY[:4] not in redactor.body(
        f'data: {{"password":"{CANARY[:6]}', events, truncated=True
    )
    assert redactor.body('data: {"a":1}\n\nid: 41111111', events, truncated=True).endswith(MARK)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
names = st.text(max_size=8) | st.sampled_from(["name", "key", "value", "field", "id", "items"])
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
secret_names = st.sampled_from(
    [
        "password",
        "apiKey",
        "X-Auth-Token",
        "card_number",
        "pin",
        "ssn",
        "user[secret]",
        "\uff50\uff57\uff44",
    ]
)
canaries = st.sampled_from(
    [CANARY, f'{CANARY}"\\', [CANARY], {"a": CANARY, "b": [CANARY]}, [[{"a": CANARY}]]]
)


def bury(data, node, wrap):
    """Put `node` at a random depth of a random document."""
    for _ in range(data.draw(st.integers(0, 5))):
        others = data.draw(st.dictionaries(names, documents, max_size=2))
        node = data.draw(st.sampled_from([{**others, "x": node}, [node, others], [others, node]]))
    return wrap(node)


@given(
    data=st.data(),
    name=secret_names,
    canary=canaries,
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
def test_a_secret_at_any_depth_is_gone_and_the_rest_is_still_json(
    data, name, canary, ascii_only, indent
):
    node = {**data.draw(st.dictionaries(names, leaves, max_size=2)), name: canary, "z": 1}
    text = json.dumps(bury(data, node, lambda n: n), ensure_ascii=ascii_only, indent=indent)
    masked = redactor.body(text, JSON)
    assert CANARY not in masked
    json.loads(masked)
    assert redactor.body(masked, JSON) == masked


@given(data=st.data(), name=secret_names, canary=canaries, ascii_only=st.booleans())
def test_a_secret_is_gone_wherever_the_document_is_cut(data, name, canary, ascii_only):
    text = json.dumps(bury(data, {name: canary, "z": 1}, lambda n: n), ensure_ascii=ascii_only)
    for end in range(0, len(text) + 1, 1 + len(text) // 80):
        cut = redactor.body(text[:end], JSON, truncated=True)
        assert CANARY[:5] not in cut
        assert redactor.body(cut, JSON, truncated=True) == cut


@given(data=st.data(), name=secret_names)
def test_a_name_spelled_with_escapes_is_the_name_whole_and_cut(data, name):
    escaped = "".join(data.draw(st.sampled_from([c, f"\\u{ord(c):04x}"])) for c in name)
    text = f'{{"a":1,"{escaped}":"{CANARY}","b":2}}'
    assert CANARY not in redactor.body(text, JSON)
    for end in range(len(text)):
        assert CANARY[:5] not in redactor.body(text[:end], JSON, truncated=True)


@given(document=documents)
def test_any_document_stays_json_and_is_masked_once(document):
    text = json.dumps(document)
    masked = redactor.body(text, JSON)
    assert masked != FAILED
    json.loads(masked)
    assert redactor.body(masked, JSON) == masked


@given(
    st.dictionaries(
        st.sampled_from(["id", "title", "count", "tags", "author"]),
        st.integers(0, 9999) | st.lists(st.booleans()) | st.text(alphabet="abc xyz", max_size=20),
    )
)
def test_a_document_of_harmless_names_and_words_is_the_identical_object(document):
    text = json.dumps([document, document])
    assert redactor.body(text, JSON) is text
    assert redactor.body(text, JSON, truncated=True) == text


@given(st.text(max_size=60))
def test_any_text_that_claims_to_be_json_is_masked_once(text):
    once = redactor.body(text, JSON)
    assert redactor.body(once, JSON) == once
    cut = redactor.body(text, JSON, truncated=True)
    assert redactor.body(cut, JSON, truncated=True) == cut


@pytest.mark.parametrize(
    "text",
    [
        "{'password': '%s'}", "{password: '%s'}", '{"password": %s}', '{"a": 1, "password" = "%s"}', "password=%s&a=b", '{"a": 1 password: %s',
        '{"name": "password", "value": "%s"', '{"value": "%s", "name": "password"', '{"key":"token","value":{"a":["%s"', '{"password": ["a", "%s', '{"password": {"a": "}", "b": "%s"}',
        r'{"d": "{\"password\":\"%s\"}', r'{"d": "{\"password\":{\"a\":\"%s\"}}', r'{"d": "{\"password\" : \n\"a%s', r'{"d": "{\"d\": \"{\\\"password\\\":\\\"%s', r'{"d": "{\"\u0070assword\":\"%s',
        "{\"password\": u'%s'}"[:-1].replace("u'", "'"), '{"password": b"%s"}'.replace('b"', '"'), '{"%s'.replace("%s", 'a" "password":"%s'), '{"x":["],":password":"%s"]}',
    ],
)  # fmt: skip
def test_json_that_does_not_parse_is_masked_as_text(text):
    raw = text % CANARY
    masked = redactor.body(raw, JSON)
    assert CANARY not in masked
    assert MARK in masked
    for end in range(len(raw)):
        if '"value": "' in text and text.index("value") < text.index("name"):
            break
        assert CANARY[:6] not in redactor.body(raw[:end], JSON, truncated=True)


def test_broken_json_keeps_what_is_around_the_secret():
    assert (
        redactor.body('{"a": 1, "password": "x", "b": [2', JSON)
        == f'{{"a": 1, "password": "{MARK}", "b": [2'
    )
    assert (
        redactor.body('{"password": {"a": [1, "]"]}, "b": [2', JSON)
        == f'{{"password": "{MARK}", "b": [2'
    )


def test_names_on_a_denied_path_are_masked_anywhere_in_a_cut_document():
    policy = Redactor(RedactionPolicy(deny=["users.*.email"]))
    cut = policy.body('{"users": [{"email": "a@b.c"}, {"email": "d@e', JSON, truncated=True)
    assert cut == f'{{"users": [{{"email": "{MARK}"}}, {{"email": "{MARK}"'


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ('{"a": "x", "b": 1, "c": 1.5, "d": true, "e": null}', {"a": "string", "b": "number", "c": "number", "d": "boolean", "e": "null"}),
        ('[1, "a", 2, {"x": 1}, {"x": 2}, {"x": "s"}]', ["number", "string", {"x": "number"}, {"x": "string"}]),
        ("[]", []),
        ('{"password": {"a": 1}, "u": {"token": [1]}}', {"password": MARK, "u": {"token": MARK}}),
        ('{"key": "k"}', {"key": MARK}),
        ('{"key": "k", "value": 1}', {"key": "string", "value": "number"}),
        ('\ufeff"x"', "string"),
    ],
)  # fmt: skip
def test_a_schema_has_the_types_and_none_of_the_values(text, shape):
    assert json.loads(redactor.schema(text, JSON)) == shape
    assert json.loads(redactor.schema(redactor.schema(text, JSON), JSON)) is not None


def test_a_schema_of_what_is_no_json_is_nothing():
    for text in ("{", "", "a=b", "[" * 100_000):
        assert redactor.schema(text, JSON) is None
    assert redactor.schema("{}", "text/plain") is None
    assert redactor.schema("{}", "application/hal+json") == "{}"


def test_a_schema_looks_at_a_hundred_items_and_thirty_two_levels():
    assert json.loads(redactor.schema(json.dumps([1] * 100 + ["a"]), JSON)) == ["number"]
    deep = redactor.schema("[" * 50 + "]" * 50, JSON)
    assert "[TRUNCATED:depth]" in deep


def test_a_schema_follows_denied_and_allowed_paths():
    policy = Redactor(RedactionPolicy(deny=["users.*.email"], allow=["cfg.token"]))
    text = json.dumps({"users": [{"email": 1, "a": 2}], "cfg": {"token": 3}, "token": 4, JWT: 5})
    assert json.loads(policy.schema(text, JSON)) == {
        "users": [{"email": MARK, "a": "number"}], "cfg": {"token": "number"}, "token": MARK, MARK: "number",
    }  # fmt: skip


def test_a_cut_list_of_validation_errors_shows_no_input_of_a_secret():
    error = '{"type":"string_type","loc":["body","password"],"msg":"x","input":"hunter2xQ9","ctx":{"a":1}}'
    text = '{"detail":[' + ",".join([error] * 40)
    for end in range(len(text) - 2 * len(error), len(text)):
        masked = Redactor().body(text[:end], "application/json", truncated=True)
        assert "hunter2" not in masked
    plain = text.replace("password", "colour")
    assert "hunter2xQ9" in Redactor().body(plain, "application/json", truncated=True)


@pytest.mark.parametrize("letter", ["é", "日", "🔑", "\n", "\x7f", "\u2028"])
@pytest.mark.parametrize("cut", [False, True])
def test_the_escape_of_a_letter_before_a_token_hides_no_token(letter, cut):
    token = "eyJ" + "hbGciOiJub25lIn0.eyJzdWIiOiIxIn0."
    text = json.dumps({"a": f"{letter}{token}", "b": 1})
    masked = Redactor().body(text[:-1] if cut else text, "application/json", truncated=cut)
    assert token not in masked
    assert MARK in masked


@pytest.mark.parametrize("written", ["a\\nb", "caf\\u00e9", 'a \\"b\\"', "C:\\\\dir"])
def test_beside_a_secret_each_escape_stays_as_it_was_written(written):
    text = f'[{{"note": "{written}", "password": "{written}", "last": "{written}"}}]'
    assert redactor.body(text, JSON) == text.replace(
        f'"password": "{written}"', f'"password": "{MARK}"'
    )


@pytest.mark.parametrize(
    "secret",
    [
        '"to": "https:\\/\\/me:canary-hunter2@example.com"',
        '"note": "a\\npass\\u0077ord=canary-hunter2"',
        '"note": "say \\"password\\": \\"canary-hunter2\\""',
        '"note": "{\\"pa\\\\u0073sword\\": \\"canary-hunter2\\"}"',
        '"pass\\u0077ord": "canary-hunter2"',
        '"pa\\u017fsword": "canary-hunter2"',
    ],
)
def test_what_an_escape_hides_is_found_beside_a_plain_secret(secret):
    text = f'{{"a": "b\\n", "api_key": "x1y2", {secret}, "items": [1]}}'
    masked = body(text)
    assert CANARY not in masked
    assert "x1y2" not in masked


def test_a_name_with_a_sign_in_it_is_masked():
    assert CANARY not in body({"credentials&:": CANARY})
    assert CANARY not in body({"a": 1, "allow_credentials: x&:": CANARY})


@pytest.mark.parametrize(
    "document",
    [
        {"users": json.dumps([{"email": CANARY, "n": 1}])},
        {"users": [json.dumps({"email": CANARY, "n": 1})]},
        {"users": [json.dumps(json.dumps({"email": CANARY, "n": 1}))]},
        {"users": json.dumps([json.dumps({"email": CANARY, "n": 1})])},
        {"data": json.dumps({"users": [{"email": CANARY, "n": 1}]})},
    ],
)
def test_a_dotted_path_goes_on_in_a_string_of_json(document):
    shown = body(document, deny=["users.*.email"])
    assert CANARY not in shown
    assert MARK in shown
    assert "n" in shown
    elsewhere = {"orders": document.get("users", "")}
    assert json.loads(body(elsewhere, deny=["users.*.email"])) == elsewhere


def test_a_dotted_path_to_allow_goes_on_in_a_string_of_json():
    document = {"users": json.dumps([{"token": CANARY}]), "token": CANARY}
    shown = json.loads(body(document, allow=["users.*.token"]))
    assert shown == {**document, "token": MARK}
