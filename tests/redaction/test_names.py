import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.redaction.names import (
    HARMLESS,
    LABEL,
    LABEL_OR_SENSITIVE,
    SENSITIVE,
    VALUE,
    Names,
    tokens,
)

SENSITIVE_NAMES = [
    "password",
    "Password",
    "PASSWORD",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "pass",
    "pass2",
    "DB_PASS",
    "dbPass",
    "user_password",
    "userPassword",
    "new-password",
    "password_confirmation",
    "password1",
    "X-Password",
    "http_password",
    "mysql_pwd",
    "MYSQLPWD",
    "passWord",
    "pAsSwOrD",
    "secret",
    "secrets",
    "client_secret",
    "clientSecret",
    "CLIENT-SECRET",
    "clientsecret",
    "secret_key",
    "secretKey",
    "secretkey",
    "aws_secret_access_key",
    "token",
    "tokens",
    "access_token",
    "accessToken",
    "accesstoken",
    "refresh_token",
    "refreshToken",
    "id_token",
    "idToken",
    "auth_token",
    "authtoken",
    "session_token",
    "device.token",
    "csrf_token",
    "csrftoken",
    "CSRFToken",
    "XSRF-TOKEN",
    "xsrf_token",
    "_csrf",
    "credential",
    "credentials",
    "authorization",
    "Authorization",
    "HTTP_AUTHORIZATION",
    "Proxy-Authorization",
    "authentication",
    "auth",
    "bearer",
    "jwt",
    "saml",
    "SAMLAssertion",
    "cookie",
    "cookies",
    "Set-Cookie",
    "session",
    "sessionid",
    "session_id",
    "PHPSESSID",
    "JSESSIONID",
    "connect.sid",
    "sid",
    "apikey",
    "apiKey",
    "api_key",
    "api-key",
    "X-Api-Key",
    "x_api_key",
    "API_KEYS",
    "app_key",
    "access_key",
    "accessKey",
    "private_key",
    "privateKey",
    "privatekey",
    "public_key",
    "signing_key",
    "encryption_key",
    "hmac_key",
    "service_key",
    "account_key",
    "consumer_key",
    "master_key",
    "ssh_key",
    "pgp_key",
    "auth_key",
    "ssn",
    "SSN",
    "nin",
    "cvv",
    "cvc",
    "ccv",
    "csc",
    "cvv2",
    "iban",
    "IBAN",
    "card_number",
    "cardNumber",
    "cardnumber",
    "cc_number",
    "cc_num",
    "card_no",
    "credit_card",
    "creditCard",
    "creditcard",
    "debit_card",
    "account_number",
    "accountNumber",
    "routing_number",
    "social_security",
    "social_security_number",
    "tax_id",
    "passport_number",
    "passportNumber",
    "birth_date",
    "birthDate",
    "security_answer",
    "security_code",
    "connection_string",
    "connectionString",
    "auth_code",
    "auth_header",
    "pin",
    "otp",
    "totp",
    "mfa",
    "sig",
    "signature",
    "nonce",
    "salt",
    "key",
    "access",
    "private",
    "assertion",
    "ticket",
    "dob",
    "pan",
    "user[password]",
    "user[0][apiKey]",
    "ｐａｓｓｗｏｒｄ",
    "pass\u200bword",
]

HARMLESS_NAMES = [
    "author",
    "authors",
    "authority",
    "monkey",
    "keyboard",
    "key_id",
    "kid",
    "token_type",
    "expires_in",
    "idempotency_key",
    "Idempotency-Key",
    "sort_key",
    "partition_key",
    "primary_key",
    "primaryKey",
    "max_tokens",
    "maxTokens",
    "tokens_used",
    "token_count",
    "prompt_tokens",
    "completion_tokens",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "page_token",
    "pageToken",
    "next_token",
    "next_page_token",
    "continuation_token",
    "pagination_token",
    "session_count",
    "session_duration",
    "cookie_consent",
    "authenticated",
    "inside",
    "consider",
    "discard",
    "card",
    "cardinality",
    "passenger",
    "passage",
    "compass",
    "bypass",
    "encompass_total",
    "secretary",
    "tokenize",
    "tokenizer",
    "keynote",
    "hockey",
    "turkey",
    "account",
    "number",
    "account_name",
    "email",
    "username",
    "user_id",
    "design",
    "resignation",
    "pinned",
    "shipping",
    "spinner",
    "company",
    "panel",
    "expand",
    "saltine",
    "assault",
    "privately",
    "accessible",
    "accessory",
    "ticketing",
    "signal",
    "designer",
    "birthday",
    "birth",
    "date",
    "credit",
    "debit",
    "string",
    "connection",
    "security",
    "social",
    "tax",
    "status",
    "created_at",
    "x",
    "http",
    "id",
    "12345",
]


@pytest.mark.parametrize("name", SENSITIVE_NAMES)
def test_a_sensitive_name_is_masked(name):
    assert Names().is_sensitive(name)


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_a_harmless_name_is_left(name):
    assert not Names().is_sensitive(name)


def test_the_lists_are_as_long_as_the_policy_asks():
    assert len(set(SENSITIVE_NAMES)) >= 90
    assert len(set(HARMLESS_NAMES)) >= 50


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("X-Api-Key", ("api", "key")),
        ("HTTP_X_FORWARDED", ("forwarded",)),
        ("accessToken2", ("access", "token")),
        ("APIKey", ("api", "key")),
        ("a[b][c]", ("a", "b", "c")),
        ("x", ("x",)),
        ("", ()),
        ("123", ()),
    ],
)
def test_a_name_is_split_into_its_words(name, words):
    assert tokens(name) == words


def test_labels_of_key_and_value_lists_have_a_verdict_of_their_own():
    names = Names()
    assert [names[n] for n in ("name", "Field", "key", "value", "other", "token")] == [
        LABEL, LABEL, LABEL_OR_SENSITIVE, VALUE, HARMLESS, SENSITIVE,
    ]  # fmt: skip


def test_deny_matches_other_spellings_of_the_same_name_and_wins_over_allow():
    names = Names(deny=("home address",), allow=("home_address", "token"))
    assert names.is_sensitive("homeAddress")
    assert names.is_denied("Home-Address")
    assert not names.is_allowed("homeAddress")
    assert not names.is_sensitive("token")
    assert names.is_allowed("Token")


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("users.*.email", ["users", "0", "email"], True),
        ("users.*.email", ["USERS", "0", "Email"], True),
        ("users.*.emailAddress", ["Users", "0", "email_address"], True),
        ("users.*.email_address", ["users", "0", "emailAddress"], True),
        ("users.*.email-address", ["users", "0", "Email Address2"], True),
        ("userList.*.emailaddress", ["user-list", "0", "emailAddress"], True),
        ("users.*.email", ["users", "0", "email_address"], False),
        ("users.*.email", ["users", "0", "femail"], False),
        ("users.0.email", ["users", "0", "email"], True),
        ("users.0.email", ["users", "1", "email"], False),
        ("users.*.\U0001f511", ["users", "1", "\U0001f511"], True),
        ("users.*.email", ["users", "0\x01\x00", "email"], True),
        ("users.*.email", ["users", "email"], False),
        ("users.**.email", ["users", "email"], True),
        ("users.**.email", ["users", "a", "b", "email"], True),
        ("**.email", ["email"], True),
        ("users.*", ["users", "x"], True),
        ("users.*", ["users", "x", "y"], False),
        ("users.**", ["users", "x", "y"], True),
        ("a.b", ["xa", "b"], False),
    ],
)
def test_a_dotted_path_fits_from_the_root(pattern, path, fits):
    assert Names(deny=(pattern,)).denied_at(path) is fits
    assert Names(allow=(pattern,)).allowed_at(path) is fits


def test_a_name_on_a_denied_path_that_is_sensitive_anyway_stays_so_everywhere():
    assert Names(deny=("login.password",))["password"] == SENSITIVE
    assert Names(deny=("login.key",))["key"] == SENSITIVE


def test_a_denied_name_without_a_word_is_that_name_alone():
    names = Names(deny=("123", "№"))
    assert names.is_sensitive("123")
    assert not names.is_sensitive("456")
    assert not names.is_sensitive("--")


def test_what_is_remembered_is_bounded():
    names = Names()
    for number in range(10_000):
        assert names[f"field_{number}_password"] == SENSITIVE
    assert len(names) <= 4096
    long = "a" * 10_000 + "_password"
    assert names[long] == SENSITIVE
    assert long not in names


@given(st.text(max_size=400))
def test_any_text_has_a_verdict_and_keeps_it(name):
    names = Names()
    assert names[name] == names[name] == Names()[name]


@given(st.sampled_from(["password", "secret", "token", "cookie"]), st.data())
def test_the_case_of_letters_does_not_matter(word, data):
    ups = data.draw(st.lists(st.booleans(), min_size=len(word), max_size=len(word)))
    spelled = "".join(c.upper() if up else c for c, up in zip(word, ups, strict=True))
    assert Names().is_sensitive(spelled)


@pytest.mark.parametrize("letter", "aeos")
def test_each_compatible_spelling_of_a_letter_is_the_letter(letter):
    twins = [
        chr(code)
        for code in range(0x80, sys.maxunicode + 1)
        if unicodedata.normalize("NFKC", chr(code)).lower() == letter
    ]
    assert len(twins) > 10
    word = {"a": "p{}ssword", "e": "s{}cret", "o": "passw{}rd", "s": "pas{}word"}[letter]
    assert all(Names().is_sensitive(word.format(twin)) for twin in twins)
