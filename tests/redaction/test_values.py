import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor
from otel_apimetrics.redaction.cuts import mask_cut_end
from otel_apimetrics.redaction.gates import SHORTEST
from otel_apimetrics.redaction.identifiers import luhn
from otel_apimetrics.redaction.marks import MARKED
from otel_apimetrics.redaction.values import (
    _BY_PREFIX,
    _PEM,
    _RULES,
    _USERINFO,
    BUILT_IN,
    Values,
)
from tests.redaction.growth import grows_with_its_length

ALNUM = "a1B2c3D4e5F6g7H8i9J0" * 5
HEX = "0123456789abcdef" * 4
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + "dBjftJeZ4CVP"

SECRETS = {
    "jwt": JWT,
    "jwt without signature": "eyJ" + "hbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    "jwe": "eyJ" + "hbGciOiJSU0EifQ.OKOawDo13gRp2ojaHV7.48V1_ALb6US04U3b.5eym8TW_c8SuK0.XFBoMYUZod",
    "aws": "AK" + "IA" + "IOSFODNN7EXAMPLE",
    "aws session": "AS" + "IA" + "IOSFODNN7EXAMPLE",
    "github": "gh" + "p_" + ALNUM[:36],
    "github server": "gh" + "s_" + ALNUM[:36],
    "github fine-grained": "github" + "_pat_" + ALNUM[:22] + "_" + ALNUM[:59],
    "gitlab": "gl" + "pat-" + ALNUM[:20],
    "gitlab trigger": "gl" + "ptt-" + HEX[:40],
    "slack": "xo" + "xb-123456789012-1234567890123-" + ALNUM[:24],
    "slack app": "xa" + "pp-1-A0123456789-" + ALNUM[:30],
    "slack hook": "hooks.slack" + ".com/services/T00000000/B00000000/" + ALNUM[:24],
    "stripe": "sk_" + "live_" + ALNUM[:24],
    "stripe restricted": "rk_" + "test_" + ALNUM[:24],
    "webhook": "wh" + "sec_" + ALNUM[:32],
    "openai": "sk" + "-proj-" + ALNUM[:48],
    "anthropic": "sk" + "-ant-api03-" + ALNUM[:90],
    "google": "AI" + "za" + ALNUM[:35],
    "google oauth": "ya" + "29." + ALNUM[:60],
    "google client": "GOC" + "SPX-" + ALNUM[:28],
    "sendgrid": "S" + "G." + ALNUM[:22] + "." + ALNUM[:43],
    "npm": "np" + "m_" + ALNUM[:36],
    "pypi": "py" + "pi-AgEIcHlwaS5vcmc" + ALNUM[:60],
    "hugging face": "h" + "f_" + ALNUM[:34],
    "digitalocean": "do" + "p_v1_" + HEX,
    "shopify": "sh" + "pat_" + HEX[:32],
    "databricks": "da" + "pi" + HEX[:32],
    "vault": "hv" + "s." + ALNUM[:90],
    "ssn": "123-45-6789",
    "iban": "DE89 3704 0044 0532 0130 00",
    "iban in one piece": "GB82WEST12345698765432",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("around", ["{}", "the {} is here", '"{}",', "({})", "x/{}/y", "ü{}"])
def test_a_secret_is_known_by_its_shape(secret, around):
    text = around.format(secret)
    masked = Values().scrub(text)
    assert secret not in masked
    assert MARK in masked
    assert masked.startswith(around.partition("{")[0])
    assert Values().scrub(masked) == masked


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_json_string_of_that_shape_is_masked(secret):
    masked = Redactor().body(f'{{"note": "{secret}"}}', "application/json")
    assert masked.startswith('{"note": "')
    assert secret not in masked
    path = Redactor().path(f"/reset/{secret.replace(' ', '%20')}")
    assert path.startswith("/reset/")
    assert path.endswith(MARK)


@pytest.mark.parametrize(
    "text",
    [
        "eyJ is how it starts", "task-scheduling-and-processing-of-things", "AKIAabc", "gh_ok", "sk_alive_and_well",
        "123-456-7890", "2026-03-12", "666-12-3456", "000-12-3456", "912-12-3456", "123-00-4567", "123-45-0000",
        "DE00 3704 0044 0532 0130 00", "EU27 and UK01", "1712345678901", "+31 6 1234 5678", "0.4111111111111111",
        "https://example.com:8080/a@b", "user@example.com", "//host:80/a", "bearer of news", "basic idea",
        "0af7651916cd43dd8448eb211c80319c", "12345678-1234-5678-9234-567812345678", "4111111111111112",
        "41111111111111111111111", "pypi-server", "dapi/v1", "hf_transfer", "x" * 100,
    ],
)  # fmt: skip
def test_what_only_looks_alike_is_left(text):
    assert Values().suspects(text) == []
    assert Values().scrub(text) == text


def test_a_scheme_of_authentication_is_kept_in_front_of_the_mark():
    for scheme in ("Bearer", "bearer", "BEARER", "Basic", "basic"):
        assert Values().scrub(f"sent {scheme}  abc.def-ghi==, ok") == f"sent {scheme} {MARK}, ok"


def test_userinfo_in_a_url_is_masked():
    assert Values().scrub("at redis://me:pa:ss@db:6379/0 and") == f"at redis://{MARK}@db:6379/0 and"
    assert Values().scrub("redis://:pass@db") == f"redis://{MARK}@db"


def test_an_account_key_keeps_its_name():
    assert Values().scrub("AccountKey=" + ALNUM[:40] + "==;x") == f"AccountKey={MARK};x"


@pytest.mark.parametrize("end", ["-----END RSA PRIVATE KEY-----", "", "-----END RSA"])
@pytest.mark.parametrize("line", ["\n", "\\n", "\r\n"])
def test_a_private_key_is_masked_with_and_without_its_end(end, line):
    pem = line.join(
        [
            "-----BEGIN RSA " + "PRIVATE KEY-----",
            "Proc-Type: 4,ENCRYPTED",
            ALNUM[:64],
            ALNUM[:60] + "==",
            end,
        ]
    )
    masked = Values().scrub(f"key <{pem}>")
    assert masked == f"key <{MARK}>"


@pytest.mark.parametrize(
    ("number", "last"),
    [
        ("4111111111111111", "1111"), ("4111 1111 1111 1111", "1111"), ("4111-1111-1111-1111", "1111"),
        ("5555555555554444", "4444"), ("2223003122003222", "3222"), ("378282246310005", "0005"),
        ("3782 822463 10005", "0005"), ("6011111111111117", "1117"), ("30569309025904", "5904"),
        ("4222222222222", "2222"), ("6200000000000000000", "0000"),
    ],
)  # fmt: skip
def test_a_card_number_keeps_its_last_four_digits(number, last):
    masked = f"[REDACTED:card …{last}]"
    assert Values().scrub(f"paid with {number}.") == f"paid with {masked}."
    assert Values().scrub(f"20 {number} 123") == f"20 {masked} 123"
    assert Values().scrub(f"{number} {number}") == f"{masked} {masked}"
    assert Values().scrub(f"paid with {masked}") == f"paid with {masked}"


@given(st.integers(min_value=10**14, max_value=10**15 - 1))
def test_one_check_digit_in_ten_is_the_right_one(number):
    assert sum(luhn(f"{number}{digit}") for digit in range(10)) == 1


def test_each_gate_survives_the_sieve_with_enough_left_to_tell():
    assert {rule for _, rule in _BY_PREFIX.sieved} == set(_RULES) - {_PEM, _USERINFO}
    assert min(len(sieved) for sieved, _ in _BY_PREFIX.sieved) >= 2


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.id)
@settings(max_examples=15)
@given(data=st.data())
def test_whatever_a_rule_finds_is_behind_its_gate(rule, data):
    secret = data.draw(st.from_regex(rule.pattern))
    # Many runs of letters around it make the gates search the whole text.
    around = data.draw(
        st.sampled_from(["", "x", ".", "-", " ", '"', "é", "a" * 40, "1.5 ", "b" * 20 + "\n"])
    )
    for text in (secret, f"{around}{secret}", f"{secret}{around}", f"{around * 40} {secret}"):
        assert (rule in Values().suspects(text)) == rule.changes(text)


@pytest.mark.parametrize("rule", sorted(set(_RULES) - {_PEM, _USERINFO}, key=lambda rule: rule.id))
@settings(max_examples=25)
@given(data=st.data())
def test_a_token_with_a_prefix_is_one_long_run(rule, data):
    found = rule.pattern.search(data.draw(st.from_regex(rule.pattern)))
    start = min(found[0].find(gate) for gate in rule.gates if gate in found[0])
    assert len(re.match(r"[\w.+/=-]*", found[0][start:], re.ASCII)[0]) >= SHORTEST


@pytest.mark.parametrize(
    "text",
    [
        "the basic information about a Basic plan. Bearer, basic auth",
        "at 51.507351234567891234 and -0.1277581234567891",
        "0000-12-3456 and 12-34-5678 and 1234567890123",
    ],
)
def test_what_only_looks_like_a_secret_is_let_pass(text):
    assert Values().suspects(text) == []


def test_each_secret_of_a_gated_rule_is_behind_its_gate():
    for secret in SECRETS.values():
        for rule in _RULES:
            if rule.pattern.search(secret):
                assert any(gate in secret for gate in rule.gates)
                assert rule in Values().suspects(secret)


@given(st.text(alphabet=st.sampled_from(list("eyJ.-_ghpskAIBC:/@ 0123456789[]RED")), max_size=200))
def test_scrubbing_twice_is_scrubbing_once(text):
    once = Values().scrub(text)
    assert Values().scrub(once) == once


@given(st.sampled_from(sorted(SECRETS.values())), st.integers(0, 100), st.text(max_size=10))
def test_a_secret_that_is_cut_leaves_nothing_of_its_second_half(secret, cut, before):
    cut = len(secret) * (50 + cut // 2) // 100
    text = f"{before} {secret[:cut]}"
    assert secret[:cut] not in mask_cut_end(Values().scrub(text))


@pytest.mark.parametrize(
    "text",
    [
        "at 4111 1111 11", "at 41111111", "at eyJhbG", "with Bearer ab", "http://me:secr", "at 123-45-6", "at 123-4",
        "at AKIAIOSF", "at sk-abc", "DE89 3704 0044", "key -----BEGIN RSA PRI",
    ],
)  # fmt: skip
def test_the_beginning_of_a_secret_at_a_cut_is_masked(text):
    assert mask_cut_end(text).endswith(MARK)
    assert mask_cut_end(mask_cut_end(text)) == mask_cut_end(text)


@pytest.mark.parametrize("text", ["", "plain words", "in 2026", "a 12345", "eyJhbG and more"])
def test_an_ordinary_end_is_left_at_a_cut(text):
    assert mask_cut_end(text) == text


HOSTILE = [
    "eyJ", "eyJ-", "eyJaaaaaaaaa.", ".eyJaaaaaaaa", "-----BEGIN ", "-----BEGIN A-----", "-", "----", "bearer ", "Basic a",
    "://", "://a:", "a://b:c", "@", "AKIA", "ghp_", "xoxb-", "sk-", "SG.", "SG.aaaaaaaaaaaaaaaaaaaa.", "1", "1 ", "4-", "4111 ",
    "4111", "123-45-", "DE89", "DE89 3704 ", "A", "A1", "password=", "password:", '"password":', '"', '\\"', "\\", "=", ":", "a=",
    "'a':", "{", "[", '{"a":', '{"password":[', "password={", " ", "\n", "[REDACTED]", "[REDACTED", '"name":"password",', "é",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_takes_linear_time(unit):
    redactor = Redactor()

    def work(text):
        redactor.text(text)
        redactor.body(text, "application/json")
        redactor.body(text, "application/json", truncated=True)

    assert grows_with_its_length(work, lambda size: (unit * size)[:size])


def test_no_rule_repeats_a_repeat():
    for rule in Values().all:
        assert not re.search(r"[+*]\)[+*]", rule.pattern.pattern)


def test_random_identifiers_are_seldom_taken_for_cards():
    chance = random.Random(7)
    uuids = [f"{chance.getrandbits(128):032x}" for _ in range(2000)]
    dashed = [f"{u[:8]}-{u[8:12]}-{u[12:16]}-{u[16:20]}-{u[20:]}" for u in uuids]
    assert sum(Values().scrub(u) != u for u in (*uuids, *dashed)) <= 4


SHOWN = "q7Zx9Kd2Lm4Vb8Wt"
ENDS = [
    "Driver=x;Server=tcp://db.example:1433;Uid=a;Pwd=q7Zx9Kd2Lm4Vb8Wt",
    "it said Bearer q7Zx9Kd2Lm4Vb8Wt",
    "AccountName=a;AccountKey=cTdaeDlLZDJMbTRWYjhXdA==;token=q7Zx9Kd2Lm4Vb8Wt",
    "postgres://u:q7Zx9Kd2Lm4Vb8Wt@h/d?password=q7Zx9Kd2Lm4Vb8Wt and 4111 1111 1111 1111",
]


@pytest.mark.parametrize("text", ENDS)
def test_the_end_of_a_cut_text_is_masked_alike_with_every_mark(text):
    plain = Redactor()
    for mask in ("hash", "tokenise"):
        keyed = Redactor(RedactionPolicy(mask=mask, key="k"))
        for end in range(len(text) + 1):
            shown = plain.text(text[:end], truncated=True)
            assert MARKED.sub(MARK, keyed.text(text[:end], truncated=True)) == MARKED.sub(
                MARK, shown
            )
            assert plain.text(shown, truncated=True) == shown
            assert not any(SHOWN[at : at + 5] in shown for at in range(12))
    assert plain.text("a Bearer q7Zx9Kd2Lm4Vb8Wt", truncated=True) == f"a Bearer {MARK}"


def test_the_first_part_of_a_token_behind_an_escape_goes_with_the_rest():
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
    assert Redactor().text(f'a "x\\n{token}"') == f'a "x\\n{MARK}"'
