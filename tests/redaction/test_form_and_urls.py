import json
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.redaction import FAILED, MARK, RedactionPolicy, Redactor

FORM = "application/x-www-form-urlencoded"
CANARY = "hunter2"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP"

redactor = Redactor()


@pytest.mark.parametrize(
    ("query", "masked"),
    [
        ("password=x", f"password={MARK}"),
        ("a=1&pass%77ord=x%20y&b=%2F&a=2", f"a=1&pass%77ord={MARK}&b=%2F&a=2"),
        ("password=x&password=y=z", f"password={MARK}&password={MARK}"),
        ("user[password]=x", f"user[password]={MARK}"),
        ("user%5Bpassword%5D=x", f"user%5Bpassword%5D={MARK}"),
        ("api+key=x", f"api+key={MARK}"),
        ("X-Amz-Signature=x&X-Amz-Credential=y&X-Amz-Security-Token=z&x-amz-date=1", f"X-Amz-Signature={MARK}&X-Amz-Credential={MARK}&X-Amz-Security-Token={MARK}&x-amz-date=1"),
        ("AWSAccessKeyId=a&Signature=b&sig=c&X-Goog-Signature=d&Expires=1", f"AWSAccessKeyId={MARK}&Signature={MARK}&sig={MARK}&X-Goog-Signature={MARK}&Expires=1"),
        ("code=a&state=b", f"code={MARK}&state={MARK}"),
        ("state=NY&page=2", "state=NY&page=2"),
        ("id_token_hint=a&SAMLResponse=b&RelayState=c", f"id_token_hint={MARK}&SAMLResponse={MARK}&RelayState={MARK}"),
        (f"a={JWT}&b=1", f"a={MARK}&b=1"),
        (f"{JWT}", MARK),
        (f"{JWT}=1", f"{MARK}=1"),
        ("card=4111+1111+1111+1111", "card=[REDACTED:card%20%E2%80%A61111]"),
        ("next=https%3A%2F%2Fx.test%2F%3Ftoken%3Dabc%26b%3D1", "next=https://x.test/%3Ftoken%3D[REDACTED]%26b%3D1"),
        ("filter=%7B%22password%22%3A%22x%22%7D", "filter=%7B%22password%22:%22[REDACTED]%22%7D"),
        ('filter={"password":"x"}', "filter=%7B%22password%22:%22[REDACTED]%22%7D"),
    ],
)  # fmt: skip
def test_only_the_values_of_sensitive_names_are_replaced(query, masked):
    assert redactor.query(query) == masked
    assert redactor.body(query, FORM) == masked
    assert redactor.query(masked) == masked


@pytest.mark.parametrize(
    "query",
    ["", "a", "&&", "=", "a=", "password=", "password", "a=1&b=%zz&c=%ff", "page_token=abc&max_tokens=3", "q=a:b&t=10:30", "x=[1]", "x={"],
)  # fmt: skip
def test_a_query_without_secrets_is_the_identical_object(query):
    assert redactor.query(query) is query


@given(
    st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=4),
    st.sampled_from(["password", "api_key", "a[token]"]),
    st.data(),
)
def test_a_name_is_found_however_it_is_percent_encoded(pairs, name, data):
    spelled = "".join(
        data.draw(st.sampled_from([c, f"%{ord(c):02X}", f"%{ord(c):02x}"])) for c in name
    )
    others = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in pairs)
    masked = redactor.query(f"{others}&{spelled}={CANARY}")
    assert CANARY not in masked
    assert masked.endswith(f"&{spelled}={MARK}")
    assert len(parse_qsl(masked, keep_blank_values=True)) >= 1


@given(
    st.text(
        alphabet=st.sampled_from(list("ab&=%+[]{}:/;?#4 7password\"'\\")) | st.characters(),
        max_size=60,
    )
)
def test_masking_twice_is_masking_once(text):
    for method in (redactor.query, redactor.path, redactor.url, redactor.text):
        once = method(text)
        assert once != FAILED
        assert method(once) == once


@pytest.mark.parametrize(("query", "masked"), [
    ("name=password&value=x1", f"name=password&value={MARK}"),
    ("value=x1&name=password", f"value={MARK}&name=password"),
    ("field=user.pin&content=1", f"field=user.pin&content={MARK}"),
    ("key=api_key&value=x1&a=b", f"key={MARK}&value={MARK}&a=b"),
    ("n%61me=p%61ssword&v%61lue=x1", f"n%61me=p%61ssword&v%61lue={MARK}"),
    ("a[0][name]=token&a[0][value]=x1&a[1][name]=city&a[1][value]=Rome", f"a[0][name]=token&a[0][value]={MARK}&a[1][name]=city&a[1][value]=Rome"),
    ("a.name=token&a.val=x1&b.val=2&value=3", f"a.name=token&a.val={MARK}&b.val=2&value=3"),
])  # fmt: skip
def test_a_pair_is_named_by_its_sibling(query, masked):
    assert redactor.query(query) == masked
    assert redactor.body(query, FORM) == masked
    assert redactor.query(masked) == masked


def test_a_sibling_that_names_nothing_sensitive_names_nothing():
    for query in ("name=city&value=Rome", "name=Ada&content=password", "value=1&val=2"):
        assert redactor.query(query) is query


@pytest.mark.parametrize("name", ["key", "ticket", "nonce", "signature", "access", "private", "pan", "salt"])  # fmt: skip
def test_a_name_with_two_senses_has_one_in_pairs_and_headers(name):
    assert redactor.query(f"{name}=abc") == f"{name}={MARK}"
    assert redactor.header("referer", f"/x?{name}=abc") == f"/x?{name}={MARK}"
    assert redactor.header(name, "abc") == MARK
    text = f'{{"{name}": "abc", "note": "{name}=abc"}}'
    assert redactor.body(text, "application/json") is text


def test_a_form_that_was_cut_is_masked_at_its_end():
    assert redactor.body("a=1&password=hun", FORM, truncated=True) == f"a=1&password={MARK}"
    assert redactor.body("a=1&b=eyJhbGci", FORM, truncated=True) == f"a=1&b={MARK}"
    assert redactor.body("a=1&b=2", FORM, truncated=True) == "a=1&b=2"


def test_policies_apply_to_forms():
    policy = Redactor(
        RedactionPolicy(deny=["user.mail", "iban2"], allow=["cfg.token", "code", "sig"])
    )
    masked = policy.query("user[mail]=a&mail=b&cfg.token=c&token=d&code=e&sig=f&iban2=g")
    assert (
        masked
        == f"user[mail]={MARK}&mail={MARK}&cfg.token=c&token={MARK}&code=e&sig=f&iban2={MARK}"
    )
    removed = Redactor(RedactionPolicy(mask="remove"))
    assert removed.query("a=1&password=x&b=2") == "a=1&b=2"
    assert removed.query("password=x") == ""


@pytest.mark.parametrize(
    ("path", "masked"),
    [
        (f"/reset/{JWT}", f"/reset/{MARK}"),
        (f"/reset/{JWT.replace('.', '%2E')}/x%20y", f"/reset/{MARK}/x%20y"),
        ("/cards/4111111111111111/a", "/cards/[REDACTED:card%20%E2%80%A61111]/a"),
        ("/a;jsessionid=1A2B/b", f"/a;jsessionid={MARK}/b"),
    ],
)
def test_value_rules_apply_to_the_segments_of_a_path(path, masked):
    assert redactor.path(path) == masked
    assert redactor.path(masked) == masked


@pytest.mark.parametrize(
    "path", ["/", "", "/users/42/orders/7", "/a%20b/%C3%BC/%ff", "//", "/token/password"]
)
def test_an_ordinary_path_is_the_identical_object(path):
    assert redactor.path(path) is path


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://me:pw@x.test:8443/a?b=1", f"https://{MARK}@x.test:8443/a?b=1"),
        ("https://me@x.test", f"https://{MARK}@x.test"),
        ("https://a@b@x.test/", f"https://{MARK}@x.test/"),
        ("//me:pw@x.test/a", f"//{MARK}@x.test/a"),
        ("https://@x.test/", "https://@x.test/"),
        ("https://x.test/a?password=x#access_token=y", f"https://x.test/a?password={MARK}"),
        ("/a?token=x#f", f"/a?token={MARK}"),
        ("?token=x", f"?token={MARK}"),
        (f"https://x.test/{JWT}?a=b/c@d", f"https://x.test/{MARK}?a=b/c@d"),
        ("https://x.test?token=x", f"https://x.test?token={MARK}"),
        ("https://me:pw@x.test\\@y", f"https://{MARK}@x.test\\@y"),
        ("/a//b?token=x", f"/a//b?token={MARK}"),
    ],
)
def test_a_url_has_no_userinfo_no_fragment_and_a_masked_query(url, masked):
    assert redactor.url(url) == masked
    assert redactor.url(masked) == masked


@pytest.mark.parametrize(
    "url",
    [
        "https://x.test:80/a?b=c",
        "/a/b?c=d",
        "",
        "*",
        "mailto:a@b.c",
        "/a?next=https://x.test/",
        "a//b@c",
    ],
)
def test_an_ordinary_url_is_the_identical_object(url):
    assert redactor.url(url) is url


@pytest.mark.parametrize("name", ["login.pin", "user[pin]", "a.b[otp]", "patient.dob"])
def test_the_last_step_of_a_name_in_parts_is_a_name_by_itself(name):
    assert Redactor().query(f"{name}=1234&a.b=2") == f"{name}={MARK}&a.b=2"


def test_a_dotted_path_is_compared_by_words_in_forms_too():
    own = Redactor(RedactionPolicy(deny=["users.*.emailAddress"], allow=["app.access_token"]))
    assert own.query("users[0][email_address]=a&users.0.Email-Address=b&email_address=c") == (
        f"users[0][email_address]={MARK}&users.0.Email-Address={MARK}&email_address={MARK}"
    )
    assert own.query("App[accessToken]=a&accessToken=b") == f"App[accessToken]=a&accessToken={MARK}"


@pytest.mark.parametrize("name", ["users", "users[0]", "users.0"])
def test_a_dotted_path_goes_on_in_a_field_of_json(name):
    user = {"email": "canary-hunter2", "n": 1}
    value = json.dumps([user] if name == "users" else user)
    denying = Redactor(RedactionPolicy(deny=["users.*.email"]))
    form = urlencode({name: value, "b": "2"})
    boundary = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--x--\r\n'
    for shown in (
        denying.body(form, "application/x-www-form-urlencoded"),
        denying.query(form),
        denying.body(
            boundary, "multipart/form-data", content_type="multipart/form-data; boundary=x"
        ),
    ):
        assert "canary" not in shown
        assert "REDACTED" in shown
    other = urlencode({"orders": value})
    assert denying.query(other) == other


@pytest.mark.parametrize(
    "name",
    [
        *("note[a]", "note.a", "note[0][x]", "x[note][0].y", "a[b][c]", "a.b.0", "a[b][c][d]"),
        *("pin[value]", "x.otp.y", "auth[user][x]"),
    ],
)
def test_what_is_under_a_sensitive_name_goes_with_it(name):
    own = Redactor(RedactionPolicy(deny=["note", "a.b"]))
    assert own.query(f"{name}=1234&a.c=2") == f"{name}={MARK}&a.c=2"
    body = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n1234\r\n--b--\r\n'
    kind = "multipart/form-data"
    assert "1234" not in own.body(body, kind, content_type=f"{kind}; boundary=b")


def test_under_a_name_with_a_harmless_sense_the_value_decides():
    harmless = "access[level]=read&key[name]=up"
    assert redactor.query(harmless) is harmless
    assert redactor.query("key[name]=Zq8kTr5vLw2pXn7b") == f"key[name]={MARK}"
