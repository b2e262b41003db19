import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.identity import IP_HEADERS, mask_ip_header
from otel_apimetrics.identity.ip_headers import REDACTED

unhurried = settings(deadline=None)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("x-forwarded-for", "203.0.113.7, 10.0.0.1", "203.0.113.0, 10.0.0.0"),
        ("X-Forwarded-For", "203.0.113.7:4711,unknown", "203.0.113.0,unknown"),
        ("x-real-ip", "2001:db8:1:2::3", "2001:db8:1::"),
        ("cf-connecting-ip", "::ffff:203.0.113.7", "203.0.113.0"),
        ("forwarded", 'For="[2001:db8:1:2::3]:4711";proto=https;by=203.0.113.43', 'For="[2001:db8:1::]";proto=https;by=203.0.113.0'),
        ("forwarded", "for=192.0.2.60, for=_hidden;host=example.com", "for=192.0.2.0, for=[REDACTED];host=[REDACTED]"),
        ("via", "1.1 vegur, HTTP/1.1 203.0.113.7:80 (proxy)", "1.1 [REDACTED], HTTP/1.1 203.0.113.0 [REDACTED]"),
        ("true-client-ip", "", ""),
        ("true-client-ip", "secret", REDACTED),
        ("true-client-ip", "3405803783", REDACTED),
        ("x-real-ip", "203.0.113.7 " * 500, REDACTED),
        ("x-token", "203.0.113.7", REDACTED),
    ],
)  # fmt: skip
def test_each_address_is_truncated_and_only_the_grammar_is_kept(name, value, expected):
    assert mask_ip_header(name, value, "truncated") == expected


@pytest.mark.parametrize("mode", ["off", "unheard-of", ""])
def test_without_a_mode_that_tells_something_nothing_is_told(mode):
    assert mask_ip_header("x-real-ip", "203.0.113.7", mode) == REDACTED


def test_in_full_the_addresses_stay_and_the_rest_does_not():
    assert (
        mask_ip_header("x-forwarded-for", "203.0.113.7, secret", "full")
        == "203.0.113.7, [REDACTED]"
    )
    assert mask_ip_header("forwarded", 'for="[2001:db8::1]"', "full") == 'for="[2001:db8::1]"'


def test_a_hash_needs_no_brackets():
    told = mask_ip_header("forwarded", 'for="[2001:db8::1]:80", for=203.0.113.7', "hash")
    assert re.fullmatch('for="ip-[0-9a-f]{16}", for=ip-[0-9a-f]{16}', told)


@unhurried
@given(
    st.sampled_from(sorted(IP_HEADERS)),
    st.sampled_from(["truncated", "full", "hash", "off"]),
    st.text(max_size=80),
)
def test_no_word_of_a_sender_comes_through(name, mode, junk):
    told = mask_ip_header(name, f"203.0.113.7, s3cr3tw0rd{junk} {junk}s3cr3tw0rd", mode)
    assert "s3cr3tw0rd" not in told
    assert (mode == "full") or "203.0.113.7" not in told


@unhurried
@given(st.lists(st.ip_addresses(), min_size=1, max_size=5))
def test_a_truncated_list_stays_as_it_is_when_truncated_again(addresses):
    once = mask_ip_header("x-forwarded-for", ", ".join(map(str, addresses)), "truncated")
    assert mask_ip_header("x-forwarded-for", once, "truncated") == once
    assert REDACTED not in once
