import codecs
import encodings
from encodings.aliases import aliases

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.content.charset import codec_name, decode

unhurried = settings(deadline=None)

PRINTABLE = bytes(range(0x20, 0x7F))
PERMITTED = sorted({name for label in aliases for name in [codec_name(label)] if name})
ASCII_BASED = [name for name in PERMITTED if not name.startswith(("utf_16", "utf_32"))]


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("", "utf_8"),
        ("utf-8", "utf_8"),
        ("utf8", "utf_8"),
        ("iso-8859-1", "latin_1"),
        ("latin-1", "latin_1"),
        ("us-ascii", "ascii"),
        ("windows-1252", "cp1252"),
        ("x-sjis", "shift_jis"),
        ("gb2312", "gb2312"),
        ("koi8-u", "koi8_u"),
        ("utf-16", "utf_16"),
        ("utf-16le", "utf_16_le"),
        ("windows-874", None),
        ("cp874", "cp874"),
    ],
)
def test_usual_labels_have_their_codec(label, codec):
    assert codec_name(label) == codec


@pytest.mark.parametrize(
    "label",
    [
        "rot13",
        "rot-13",
        "base64",
        "hex",
        "zip",
        "zlib",
        "bz2",
        "uu",
        "quopri",
        "idna",
        "punycode",
        "unicode_escape",
        "raw_unicode_escape",
        "unicode-escape",
        "utf-7",
        "undefined",
        "mbcs",
        "oem",
        "cp037",
        "cp500",
        "ebcdic-cp-us",
        "hz",
        "iso-2022-jp",
        "charmap",
        "aliases",
        "utf-8-sig",
        "binary",
        "none",
        "utf-9",
        "../etc",
        "iso8859_99",
        "cp1259",
    ],
)
def test_what_is_no_charset_with_ascii_is_refused(label):
    assert codec_name(label) is None


def test_an_unknown_label_is_not_remembered_by_python():
    before = set(encodings._cache)
    for number in range(50):
        assert decode(b"a", f"iso8859-{number + 100}", whole=True) is None
        assert decode(b"a", f"cp125{number}x", whole=True) is None
    assert set(encodings._cache) <= before | set(PERMITTED)


@pytest.mark.parametrize("codec", ASCII_BASED)
def test_each_permitted_codec_reads_ascii_as_ascii(codec):
    assert decode(PRINTABLE, codec, whole=True) == PRINTABLE.decode("ascii")


@pytest.mark.parametrize("codec", PERMITTED)
def test_each_permitted_codec_gives_text_that_utf8_can_carry(codec):
    rows = [bytes([high, low]) for high in range(0x80, 0x100) for low in range(0x100)]
    rows += [
        bytes([high, low, 0x81, 0x30]) for high in range(0x80, 0x100) for low in range(0x30, 0x3A)
    ]
    texts = [text for row in rows for text in [decode(row, codec, whole=True)] if text is not None]
    assert texts
    "".join(texts).encode("utf-8")


@unhurried
@given(text=st.text(st.characters(exclude_categories=["Cs"])), whole=st.booleans())
def test_utf8_comes_back_as_it_was(text, whole):
    assert decode(codecs.BOM_UTF8 + text.encode(), "", whole=whole) == text


@unhurried
@given(text=st.text(st.characters(exclude_categories=["Cs"])), cut=st.integers(0, 3))
@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "gb18030"])
def test_a_cut_character_at_the_end_is_dropped(codec, text, cut):
    text = "{" + text
    data = text.encode(codec)
    found = decode(data[: max(len(data) - cut, 4)], codec, whole=False)
    assert found is not None
    assert text.startswith(found.removesuffix("\ufffd"))
    assert len(text) - len(found) <= cut


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-32-be", "gb18030", "euc-jp"])
def test_a_cut_character_at_the_end_of_a_whole_body_is_an_error(codec):
    assert decode('"\u65e5'.encode(codec)[:-1], codec, whole=True) is None


@pytest.mark.parametrize("whole", [True, False])
def test_bytes_that_do_not_fit_give_nothing(whole):
    assert decode(b'{"a": "\xff"}', "", whole=whole) is None
    assert decode(b"\xed\xa0\x80x", "utf-8", whole=whole) is None
    assert decode("é".encode(), "us-ascii", whole=whole) is None
    assert decode(b"\x00\xd8\x00\x00", "utf-16-le", whole=whole) is None


@pytest.mark.parametrize("codec", ["utf_8", "utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be"])
def test_a_byte_order_mark_goes_before_the_declared_charset_and_is_dropped(codec):
    marks = {
        "utf_8": codecs.BOM_UTF8,
        "utf_16_le": codecs.BOM_UTF16_LE,
        "utf_16_be": codecs.BOM_UTF16_BE,
        "utf_32_le": codecs.BOM_UTF32_LE,
        "utf_32_be": codecs.BOM_UTF32_BE,
    }
    assert decode(marks[codec] + '{"é": 1}'.encode(codec), "latin-1", whole=True) == '{"é": 1}'


@pytest.mark.parametrize("codec", ["utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be"])
def test_without_a_mark_the_byte_order_is_seen(codec):
    assert decode('{"é": 1}'.encode(codec), codec[:6].replace("_", "-"), whole=True) == '{"é": 1}'


@pytest.mark.parametrize("label", ["utf-16", "utf-16le", "utf-16be", "utf-32"])
def test_ascii_declared_as_utf16_is_not_turned_into_other_letters(label):
    assert decode(b'{"password": "hunter22"}', label, whole=True) is None
    assert decode(codecs.BOM_UTF16_LE + b'{"password": "hunter22"}', label, whole=True) is None


def test_an_empty_body_is_an_empty_text():
    assert decode(b"", "utf-16", whole=True) == ""
    assert decode(codecs.BOM_UTF16_LE, "", whole=True) == ""


def test_a_nul_byte_is_a_character():
    assert decode(b"a\0b", "", whole=True) == "a\0b"


def test_a_byte_that_begins_a_mark_is_not_a_mark():
    assert decode(b"\xef\xe9", "latin-1", whole=True) == "ïé"
