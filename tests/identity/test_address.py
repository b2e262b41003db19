import ipaddress
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.identity import mask_ip
from otel_apimetrics.identity.address import masked, parse_address

unhurried = settings(deadline=None)
ADDRESSES = st.ip_addresses()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("203.0.113.7:_port", "203.0.113.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
        ("::1", "::1"),
    ],
)
def test_an_address_is_read_as_proxies_write_it(text, expected):
    assert str(parse_address(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "unknown",
        "_hidden",
        "unix:",
        "testclient",
        "203.0.113",
        "203.0.113.256",
        "203.0.113.07",
        "203.0.113.7:port",
        "203.0.113.7:123456",
        "203.0.113.7/24",
        "[203.0.113.7",
        "2001:db8::1]:80",
        "[2001:db8::1",
        "1::2::3",
        "2001:db8::g",
        "3405803783",
        "0x7f.1",
        "٢٠٣.0.113.7",
        "%eth0",
        "fe80::1%",
        "[]",
        "''",
    ],
)
def test_what_is_no_address_is_not_read(text):
    assert parse_address(text) is None
    assert mask_ip(text, "full") is None


@pytest.mark.parametrize("text", ["", " ", "\n", "1" * 100_000, "203.0.113.7" + " " * 100])
def test_nothing_and_too_much_are_no_address(text):
    assert parse_address(text) is None


@unhurried
@given(ADDRESSES, st.sampled_from(["{}", "[{}]", "[{}]:80", "{}:80", "{}%eth0"]))
def test_any_address_is_read_in_each_form_that_can_hold_it(address, form):
    if address.version == 4 and "[" in form:
        return
    if address.version == 6 and form == "{}:80":
        return
    expected = getattr(address, "ipv4_mapped", None) or address
    assert parse_address(form.format(address)) == expected


@unhurried
@given(st.text("0123456789abcdef.:[]%_ ", max_size=120) | st.text(max_size=50))
def test_any_text_is_an_address_or_not(text):
    found = parse_address(text)
    assert found is None or ipaddress.ip_address(str(found)) == found


@pytest.mark.parametrize(
    ("address", "mode", "expected"),
    [
        ("203.0.113.7", "full", "203.0.113.7"),
        ("203.0.113.7", "truncated", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "truncated", "2001:db8:1::"),
        ("::1", "truncated", "::"),
        ("203.0.113.7", "off", None),
        ("203.0.113.7", "unheard-of", None),
    ],
)
def test_a_mode_says_how_much_is_told(address, mode, expected):
    assert mask_ip(address, mode) == expected


@unhurried
@given(ADDRESSES)
def test_a_truncated_address_is_its_network(address):
    length = 24 if address.version == 4 else 48
    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    assert masked(address, "truncated") == str(network.network_address)


@unhurried
@given(ADDRESSES, ADDRESSES)
def test_a_hash_is_the_same_for_the_same_address_only(one, other):
    assert re.fullmatch("ip-[0-9a-f]{16}", masked(one, "hash"))
    assert (masked(one, "hash") == masked(other, "hash")) is (one == other)


def test_a_hash_cannot_be_made_without_the_key_of_the_process():
    import hashlib
    import hmac

    packed = ipaddress.ip_address("203.0.113.7").packed
    told = mask_ip("203.0.113.7", "hash")
    for digest in (
        hashlib.sha256(packed),
        hmac.new(b"", packed, "sha256"),
        hashlib.sha256(b"203.0.113.7"),
    ):
        assert digest.hexdigest()[:16] not in told
