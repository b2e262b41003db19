import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.identity import ClientAddress, SpecError

unhurried = settings(deadline=None)
PROXIES = ("10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.1")


def lines(**headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda name: given.get(name, [])


def never(name):
    raise AssertionError(f"{name} was read")


def raw(peer, *, trusted=PROXIES, **headers):
    return ClientAddress(trusted).raw(peer, lines(**headers))


@pytest.mark.parametrize(
    "resolver", [ClientAddress(mode="full"), ClientAddress(PROXIES, mode="full")]
)
@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        (None, None),
        ("testclient", None),
        ("unix:/run/app.sock", None),
        ("9" * 5_000, None),
    ],
)
def test_the_peer_is_the_client_and_an_untrusted_one_is_not_believed(resolver, peer, expected):
    assert resolver.resolve(peer, never) == expected
    assert resolver.raw(peer, never) == expected


@pytest.mark.parametrize(
    ("mode", "expected"), [("truncated", "203.0.113.0"), ("full", "203.0.113.7"), ("off", None)]
)
def test_the_mode_is_applied_to_what_is_recorded_and_not_to_the_raw_address(mode, expected):
    resolver = ClientAddress(("10.0.0.1",), mode)
    headers = lines(x_forwarded_for=["203.0.113.7"])
    assert resolver.resolve("10.0.0.1", headers) == expected
    assert resolver.raw("10.0.0.1", headers) == "203.0.113.7"
    assert resolver.resolve("203.0.113.7", never) == expected


def test_a_hash_is_the_same_again_and_says_nothing():
    resolver = ClientAddress(mode="hash")
    told = resolver.resolve("203.0.113.7", never)
    assert told.startswith("ip-")
    assert told == ClientAddress(mode="hash").resolve("::ffff:203.0.113.7", never)
    assert told != resolver.resolve("203.0.113.8", never)


def test_truncated_is_the_default():
    assert ClientAddress().resolve("2001:db8:1:2::3", never) == "2001:db8:1::"


@pytest.mark.parametrize(
    ("forwarded_for", "expected"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7, 10.1.1.1"], "203.0.113.7"),
        (["198.51.100.1", "203.0.113.7", "10.1.1.1, 192.0.2.1"], "203.0.113.7"),
        (["2001:db8::7, 2001:db8:ffff::1"], "2001:db8::7"),
        (["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
        (["203.0.113.7, garbage, 10.1.1.1"], "10.1.1.1"),
        (["203.0.113.7, unknown"], "10.0.0.1"),
        (["garbage"], "10.0.0.1"),
        (["<script>, 10.1.1.1"], "10.1.1.1"),
        (["203.0.113.7, , 10.1.1.1,"], "203.0.113.7"),
        ([""], "10.0.0.1"),
        ([], "10.0.0.1"),
    ],
)
def test_the_walk_goes_from_the_right_over_all_lines_to_the_first_that_is_not_trusted(
    forwarded_for, expected
):
    assert raw("10.0.0.1", x_forwarded_for=forwarded_for) == expected


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (["for=203.0.113.7"], "203.0.113.7"),
        (['For="[2001:db8::1]:4711"'], "2001:db8::1"),
        (["for=203.0.113.7;proto=https;by=10.0.0.1"], "203.0.113.7"),
        (["proto=https; by=10.0.0.1; for=203.0.113.7"], "203.0.113.7"),
        (["for=198.51.100.1, for=203.0.113.7;host=a, for=10.1.1.1"], "203.0.113.7"),
        (["for=198.51.100.1", 'for="203.0.113.7:80"', "for=10.1.1.1"], "203.0.113.7"),
        (["for=203.0.113.7, for=_hidden, for=10.1.1.1"], "10.1.1.1"),
        (["for=203.0.113.7, for=unknown"], "10.0.0.1"),
        (["for=203.0.113.7, proto=https"], "10.0.0.1"),
        (["for"], "10.0.0.1"),
        (['for="203.0.113.7, 10.1.1.1"'], "10.0.0.1"),
        (['for="203\\.0.113.7"'], "10.0.0.1"),
        (['host="a, for=198.51.100.1;";for=203.0.113.7'], "203.0.113.7"),
        (['for=" , for="203.0.113.7"'], "203.0.113.7"),
        (['for=", for=203.0.113.7;host="x", for=10.1.1.1'], "203.0.113.7"),
        (['"'], "10.0.0.1"),
        ([], "10.0.0.1"),
    ],
)
def test_forwarded_is_read_as_its_rfc_has_it(forwarded, expected):
    assert raw("10.0.0.1", forwarded=forwarded) == expected


def test_forwarded_is_not_read_where_there_is_x_forwarded_for():
    assert raw("10.0.0.1", x_forwarded_for=["junk"], forwarded=["for=203.0.113.7"]) == "10.0.0.1"


@pytest.mark.parametrize(
    ("word", "trusted", "untrusted"),
    [
        ("loopback", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"], ["10.0.0.1", "2001:db8::1"]),
        ("private", ["10.0.0.1", "172.31.0.1", "192.168.1.1", "169.254.0.1", "fd00::1", "fe80::1%eth0"], ["127.0.0.1", "172.32.0.1", "192.0.2.1", "::1"]),
        ("*", ["8.8.8.8", "2001:db8::1"], []),
        ("192.0.2.1", ["192.0.2.1"], ["192.0.2.2"]),
        ("10.1.2.3/8", ["10.255.0.1"], ["11.0.0.1"]),
    ],
)  # fmt: skip
def test_each_word_trusts_its_networks(word, trusted, untrusted):
    for peer in trusted:
        assert raw(peer, trusted=(word,), x_forwarded_for=["203.0.113.7"]) == "203.0.113.7"
    for peer in untrusted:
        assert ClientAddress((word,)).raw(peer, never) == peer


@pytest.mark.parametrize("peer", [None, ""])
@pytest.mark.parametrize(
    ("word", "expected"), [("*", "203.0.113.7"), ("loopback", "203.0.113.7"), ("10.0.0.0/8", None)]
)
def test_a_unix_socket_is_a_local_proxy(peer, word, expected):
    assert raw(peer, trusted=(word,), x_forwarded_for=["203.0.113.7"]) == expected


def test_a_peer_that_is_no_address_is_not_a_unix_socket():
    assert ClientAddress(("loopback",)).raw("garbage", never) is None


def test_trusting_all_gives_the_leftmost():
    assert (
        raw("8.8.8.8", trusted=("*",), x_forwarded_for=["203.0.113.7, 198.51.100.1"])
        == "203.0.113.7"
    )


def test_a_list_without_end_is_read_from_the_right_only():
    assert (
        raw("10.0.0.1", x_forwarded_for=["203.0.113.7," + "10.1.1.1," * 5_000 + "10.2.2.2"])
        == "10.1.1.1"
    )
    assert raw("10.0.0.1", forwarded=["for=203.0.113.7," + 'for="10.1.1.1",' * 5_000]) == "10.1.1.1"


def test_no_entry_on_the_left_of_the_bound_is_read():
    near = ["10.1.1.1"] * 32
    assert raw("10.0.0.1", x_forwarded_for=["203.0.113.7", *near]) == "10.1.1.1"
    far = ["for=203.0.113.7;host=a, for=198.51.100.1"]
    assert raw("10.0.0.1", forwarded=[*far, *(f"for={hop}" for hop in near)]) == "10.1.1.1"


def test_what_is_too_long_for_an_address_is_not_kept():
    resolver = ClientAddress()
    assert resolver.resolve("203.0.113.7" + "9" * 100, never) is None
    assert resolver._told.cache_info().currsize == 0
    assert resolver.resolve("203.0.113.7", never) == "203.0.113.0"
    assert resolver._told.cache_info().currsize == 1


def test_a_very_long_forwarded_is_read_from_the_right():
    value = 'for="198.51.100.1";host="' + "," * 100_000 + '", for=203.0.113.7, for=10.1.1.1'
    assert raw("10.0.0.1", forwarded=[value]) == "203.0.113.7"


@pytest.mark.parametrize(
    "spec", ["", "localhost", "10.0.0.0/33", "Private", "10.0.0.1:80", "10.0.0.0/8,::1"]
)
def test_a_proxy_that_is_no_network_is_refused(spec):
    with pytest.raises(SpecError) as caught:
        ClientAddress(("10.0.0.1", spec))
    assert repr(spec) in str(caught.value)
    assert "loopback" in str(caught.value)


def test_a_mode_that_is_none_is_refused():
    with pytest.raises(SpecError, match="'half' is no mode; use one of truncated, full, hash, off"):
        ClientAddress(mode="half")


VALUES = st.text('0123456789.:,;="[]\\ for_unkow', max_size=80) | st.text(max_size=30)


@unhurried
@given(
    VALUES,
    st.lists(VALUES, max_size=3),
    st.lists(VALUES, max_size=3),
    st.sampled_from(["*", "loopback", "10.0.0.0/8"]),
)
def test_whatever_is_sent_the_answer_is_an_address_or_nothing(peer, forwarded_for, forwarded, word):
    found = raw(peer, trusted=(word,), x_forwarded_for=forwarded_for, forwarded=forwarded)
    assert found is None or str(ipaddress.ip_address(found)) == found


@unhurried
@given(st.lists(VALUES, max_size=3), st.booleans())
def test_nothing_written_on_the_left_changes_what_a_proxy_added(junk, quoted):
    client = 'for="203.0.113.7:80"' if quoted else "for=203.0.113.7"
    assert raw("10.0.0.1", forwarded=[*junk, client + ", for=10.1.1.1"]) == "203.0.113.7"
    assert raw("10.0.0.1", x_forwarded_for=[*junk, "203.0.113.7, 10.1.1.1"]) == "203.0.113.7"
