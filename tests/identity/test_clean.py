import hashlib
import hmac
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.identity import clean_id, hash_id

unhurried = settings(deadline=None)


@pytest.mark.parametrize(
    ("given_id", "expected"),
    [
        ("acme", "acme"),
        ("  acme corp ", "acme corp"),
        ("Zoë", "Zoë"),
        ("a\r\nb\tc\x00\x1b[31md\x7f\x85", "abc[31md"),
        ("a\u2028b\u2029c", "abc"),
        ("abc\u202edef\u2066", "abcdef"),
        ("a\ud800b", "ab"),
        ("\ud800", None),
        ("", None),
        (" \n\x00 ", None),
        ("\x00 a", "a"),
        ("a\u00a0b", "a\u00a0b"),
        ("x" * 256, "x" * 256),
        ("x" * 257, "x" * 256),
        ("x" * 255 + " y", "x" * 255),
        ("x" * 100_000, "x" * 256),
        (" " * 5_000 + "x", None),
    ],
)
def test_an_identity_is_made_safe(given_id, expected):
    assert clean_id(given_id) == expected


@unhurried
@given(st.text(st.characters(), max_size=600) | st.text(" \x00ab\u2028", max_size=600))
def test_a_clean_identity_is_short_encodable_and_stays_as_it_is(value):
    cleaned = clean_id(value)
    if cleaned is None:
        return
    assert 0 < len(cleaned) <= 256
    assert cleaned == cleaned.strip()
    assert not {unicodedata.category(c) for c in cleaned} & {"Cc", "Cs", "Zl", "Zp"}
    cleaned.encode()
    assert clean_id(cleaned) == cleaned


@pytest.mark.parametrize("salt", ["", "pepper", "p\u00e9pper"])
def test_a_secret_is_named_by_a_keyed_hash(salt):
    expected = hmac.new(salt.encode(), b"abc123", hashlib.sha256).hexdigest()[:16]
    assert hash_id("abc123", salt) == "key-" + expected


def test_no_character_keeps_a_secret_from_its_name():
    assert hash_id("\ud800") != hash_id("\ud801")
    assert clean_id(hash_id("\ud800", "\udfff")) is not None
