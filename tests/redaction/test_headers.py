import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor

JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP"

redactor = Redactor()


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("authorization", "Bearer abc", f"Bearer {MARK}"),
        ("authorization", "Basic dXNlcjpwdw==", f"Basic {MARK}"),
        ("authorization", 'Digest username="a", response="b"', f"Digest {MARK}"),
        ("authorization", "my secret", MARK),
        ("authorization", "abc", MARK),
        ("proxy-authorization", "bearer x", f"bearer {MARK}"),
        ("www-authenticate", 'Bearer realm="x"', f"Bearer {MARK}"),
        ("cookie", "a=b; sid=c=d; flag", f"a={MARK}; sid={MARK}; {MARK}"),
        ("cookie", "a=", "a="),
        ("cookie", "", ""),
        ("set-cookie", "sid=abc; Path=/; HttpOnly; Max-Age=3; token=x", f"sid={MARK}; Path=/; HttpOnly; Max-Age=3; token={MARK}"),
        ("set-cookie", "sid=abc;Secure", f"sid={MARK};Secure"),
        ("set-cookie2", "sid=abc", MARK),
        ("x-api-key", "abc", MARK),
        ("x-hub-signature-256", "sha256=abc", MARK),
        ("x-ssl-client-verify", "abc", MARK),
        ("x-ms-client-principal-id", "abc", MARK),
        ("x-customer-token", "abc", MARK),
        ("stripe-signature", "t=1,v1=2", MARK),
        ("referer", "https://me:pw@x.test/?token=a#b", f"https://{MARK}@x.test/?token={MARK}"),
        ("location", "/done?code=abc&state=x", f"/done?code={MARK}&state={MARK}"),
        ("content-location", "/a?api_key=x", f"/a?api_key={MARK}"),
        ("link", '<https://x.test/?token=a>; rel="next", </b?page=2>; rel="last"', f'<https://x.test/?token={MARK}>; rel="next", </b?page=2>; rel="last"'),
        ("link", "<https://x.test/?token=a", f"<https://x.test/?token={MARK}"),
        ("refresh", "5; url=https://x.test/?token=a", f"5; url=https://x.test/?token={MARK}"),
        ("refresh", "5;URL='/?token=a&b=1'", f"5;URL='/?token={MARK}&b=1'"),
        ("link", '</a>; rel="next"; title="token=abc"; anchor="https://x.test/?token=a"', f'</a>; rel="next"; title="token={MARK}"; anchor="https://x.test/?token={MARK}"'),
        ("link", f"</a>; rel={JWT}, </b?token=a>; title*=UTF-8''token%3Dabc", f"</a>; rel={MARK}, </b?token={MARK}>;%20title*=UTF-8''token=[REDACTED]"),
        ("link", "https://x.test/?token=a; rel=next", f"https://x.test/?token={MARK}; rel=next"),
        ("cookie", f"{JWT}=1; {JWT}=; a=b", f"{MARK}={MARK}; {MARK}=; a={MARK}"),
        ("set-cookie", f"{JWT}=1; Path=/reset/{JWT}; Domain={JWT}", f"{MARK}={MARK}; Path=/reset/{MARK}; Domain={MARK}"),
        ("set-cookie", f"a=b; Path=/{JWT.replace('.', '%2E')}; Expires=Thu, 12 Mar 2026 12:00:00 GMT", f"a={MARK}; Path=/{MARK}; Expires=Thu, 12 Mar 2026 12:00:00 GMT"),
        ("refresh", "canary; url=/x", MARK),
        ("refresh", "0;/x?token=a", f"0;/x?token={MARK}"),
        ("location", "\\\\me:pw@x.test/a", f"\\\\{MARK}@x.test/a"),
        ("location", "/\\me:pw@x.test/a", f"/\\{MARK}@x.test/a"),
        ("location", "https:me:pw@x.test/a", f"https:{MARK}@x.test/a"),
        ("location", "https:\\me@x.test", f"https:\\{MARK}@x.test"),
        ("location", "HTTPS:///me:pw@x.test/a", f"HTTPS:///{MARK}@x.test/a"),
        ("location", "urn:a:b@c", "urn:a:b@c"),
        ("host", "me:pw@x.test:8000", f"{MARK}@x.test:8000"),
        ("x-forwarded-host", "me:pw@x.test", f"{MARK}@x.test"),
        ("x-note", f"see {JWT}", f"see {MARK}"),
        ("x-note", "password=abc; b", f"password={MARK}"),
        ("user-agent", "curl/8", "curl/8"),
    ],
)  # fmt: skip
def test_a_header_is_masked_by_what_its_name_says(name, value, masked):
    assert redactor.header(name, value) == masked
    assert redactor.header(name, masked) == masked
    assert redactor.headers(((name, value), ("host", "x"))) == ((name, masked), ("host", "x"))


def test_the_order_and_the_repeats_of_headers_stay():
    headers = (("a", "1"), ("set-cookie", "a=b"), ("a", f"x {JWT}"), ("set-cookie", "c=d"))
    assert redactor.headers(headers) == (
        ("a", "1"),
        ("set-cookie", f"a={MARK}"),
        ("a", f"x {MARK}"),
        ("set-cookie", f"c={MARK}"),
    )


def test_ordinary_headers_are_the_identical_object():
    headers = (
        ("host", "api.example.com"), ("accept", "*/*"), ("date", "Thu, 12 Mar 2026 12:00:00 GMT"), ("refresh", "5"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("idempotency-key", "abc"),
        ("cache-control", "max-age=0"), ("content-type", "multipart/form-data; boundary=abc"), ("etag", 'W/"abc=="'),
    )  # fmt: skip
    assert redactor.headers(headers) is headers
    assert redactor.headers(()) == ()


def test_policies_apply_to_headers():
    policy = Redactor(
        RedactionPolicy(
            deny=["user-agent", "referer"], allow=["x-customer-token", "referer", "location"]
        )
    )
    headers = (
        ("user-agent", "a"),
        ("x-customer-token", "b"),
        ("referer", "c"),
        ("location", "/?token=d"),
    )
    assert policy.headers(headers) == (
        ("user-agent", MARK),
        ("x-customer-token", "b"),
        ("referer", MARK),
        ("location", f"/?token={MARK}"),
    )


def test_remove_leaves_sensitive_headers_out_of_a_list():
    policy = Redactor(RedactionPolicy(mask="remove"))
    headers = (
        ("host", "x"),
        ("authorization", "Bearer a"),
        ("cookie", "a=b"),
        ("x-api-key", "c"),
        ("location", "/?token=d"),
    )
    assert policy.headers(headers) == (("host", "x"), ("location", "/" + "?"))
    assert policy.header("authorization", "Bearer a") == f"Bearer {MARK}"


def test_what_is_remembered_of_names_is_bounded():
    own = Redactor()
    own.headers(tuple((f"x-{number}-token", "a") for number in range(3000)))
    assert len(own._headers._kinds) <= 1024
    assert own.header("x-1-token", "a") == MARK


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["a", "cookie", "set-cookie", "link", "refresh", "authorization", "referer"]
            ),
            st.text(max_size=30),
        ),
        max_size=5,
    )
)
def test_masking_twice_is_masking_once(headers):
    once = redactor.headers(tuple(headers))
    assert redactor.headers(once) == once
    assert [name for name, _ in once] == [name for name, _ in headers]


@pytest.mark.parametrize(
    "name",
    [
        "ocp-apim-subscription-key",
        "sec-websocket-protocol",
        "x-amzn-oidc-data",
        "x-functions-key",
        "x-rapidapi-key",
        "x-zone-key",
    ],
)
def test_a_gateways_own_header_for_a_key_is_masked(name):
    assert Redactor().header(name, "s3cr3t") == "[REDACTED]"


@pytest.mark.parametrize(
    "name",
    [
        *("x-line-signature", "x-razorpay-signature", "x-bapi-sign", "paypal-transmission-sig"),
        *("x-tableau-auth", "x-deploy-key", "appkey", "x-accesskey", "x-signature-ed25519"),
        *("client-cert", "x-client-cert"),
    ],
)
def test_a_header_whose_last_word_says_key_or_signature_is_masked(name):
    assert Redactor().header(name, "s3cr3t") == "[REDACTED]"


@pytest.mark.parametrize(
    "name",
    [
        *("idempotency-key", "surrogate-key", "x-cache-key", "sec-websocket-key", "sort-key"),
        *("signature-input", "x-design", "x-author"),
    ],
)
def test_a_header_whose_key_opens_nothing_stays(name):
    assert Redactor().header(name, "a1b2") == "a1b2"
