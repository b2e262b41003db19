import pytest

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor, is_guarded_key

JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP"

redactor = Redactor()


@pytest.mark.parametrize(
    ("key", "value", "masked"),
    [
        ("url.query", "token=a&b=1", f"token={MARK}&b=1"),
        ("url.full", "https://a:b@x.test/?token=a", f"https://{MARK}@x.test/?token={MARK}"),
        ("http.url", "https://x.test/#a", "https://x.test/"),
        ("url.path", f"/reset/{JWT}", f"/reset/{MARK}"),
        ("http.target", "//a/b?token=a#c", f"//a/b?token={MARK}"),
        ("http.request.header.authorization", ("Bearer a",), (f"Bearer {MARK}",)),
        ("http.request.header.x_api_key", ["a", "b"], (MARK, MARK)),
        ("http.request.header.x-api-key", "a", MARK),
        ("http.response.header.set_cookie", ("a=b; Path=/",), (f"a={MARK}; Path=/",)),
        ("http.request.header.x_note", (b"password=a",), (f"password={MARK}",)),
        ("exception.message", "password=a", f"password={MARK}"),
        ("exception.stacktrace", "x(token='a')", f"x(token='{MARK}')"),
        ("db.statement", "password = 'a'", f"password = '{MARK}'"),
        ("db.query.text", "password = 'a'", f"password = '{MARK}'"),
        ("db.statement.parameters", "{'password': 'a'}", f"{{'password': '{MARK}'}}"),
        ("elasticsearch.params", "{'api_key': 'a'}", f"{{'api_key': '{MARK}'}}"),
        ("elasticsearch.url", "/_search?token=a", f"/_search?token={MARK}"),
        ("messaging.url", "amqp://a:b@x.test/", f"amqp://{MARK}@x.test/"),
        ("log.record.original", "password=a", f"password={MARK}"),
        ("otel.status_description", "password=a", f"password={MARK}"),
        ("process.command_line", "run --password x1", f"run --password {MARK}"),
        ("app.user.password", "a", MARK),
        ("app.api_key", 42, MARK),
        ("enduser.tokens", ("a", "b"), MARK),
    ],
)
def test_an_attribute_is_masked_by_what_its_key_says(key, value, masked):
    assert redactor.attribute(key, value) == masked
    assert redactor.attribute(key, masked) == masked
    assert is_guarded_key(key)
    assert redactor.is_guarded_key(key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("http.request.method", "GET"), ("http.route", "/password/{token}"), ("url.query", "a=1"), ("url.full", "https://x.test/a?b=c"),
        ("http.request.header.accept", ("*/*", "a/b")), ("url.path", "/a/b"), ("exception.message", "no"), ("url.query", 3),
        ("messaging.kafka.message.key", "abc"), ("gen_ai.usage.output_tokens", 5), ("http.response.status_code", 200),
    ],
)  # fmt: skip
def test_an_attribute_that_does_not_change_is_the_identical_object(key, value):
    assert redactor.attribute(key, value) is value


def test_keys_that_no_rule_reads_are_not_guarded():
    for key in ("http.request.method", "http.response.status_code", "thread.id"):
        assert not is_guarded_key(key)


def test_a_policy_guards_more_keys():
    policy = Redactor(RedactionPolicy(deny=["email"]))
    assert policy.is_guarded_key("user.email")
    assert not is_guarded_key("user.email")
    assert policy.attribute("user.email", "a@b.c") == MARK
