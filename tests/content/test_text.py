import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics import _guard
from otel_apimetrics.content import Text, body_text

unhurried = settings(deadline=None)

JSON = b'{"name": "Zo\xc3\xab"}'


def test_a_body_becomes_text_with_its_media_type():
    found = body_text(JSON, "Application/JSON; charset=utf-8", "", complete=True)
    assert found == Text('{"name": "Zoë"}', False, "application/json")


def test_coding_and_charset_are_undone():
    data = gzip.compress("name=Zoë".encode("latin-1"))
    found = body_text(
        data, "application/x-www-form-urlencoded;charset=iso-8859-1", "gzip", complete=True
    )
    assert found == Text("name=Zoë", False, "application/x-www-form-urlencoded")


def test_a_text_cannot_be_changed():
    with pytest.raises(AttributeError):
        Text("a", False, "text/plain").content = "b"


@pytest.mark.parametrize(
    ("data", "content_type", "encoding"),
    [
        (JSON, "application/octet-stream", ""),
        (JSON, "image/png; charset=utf-8", ""),
        (b"\x89PNG", "", ""),
        (b"name=value", "", ""),
        (b"", "", ""),
        (b"  ", "", ""),
        ('{"é": 1}'.encode("latin-1"), "", ""),
        (b"name=value", "nonsense", ""),
        (JSON, "application/json; charset=rot13", ""),
        (JSON, "application/json; charset=ascii", ""),
        (JSON, "application/json", "gzip"),
        (JSON, "application/json", "unheard-of"),
        (gzip.compress(JSON)[:-1], "application/json", "gzip"),
        (gzip.compress(bytes(10_000)), "text/plain", "gzip"),
        (gzip.compress(b"\xff\xfe\xfd"), "text/plain", "gzip"),
    ],
)
def test_what_cannot_be_read_is_not_told(data, content_type, encoding):
    assert body_text(data, content_type, encoding, complete=True) is None


@pytest.mark.parametrize("content_type", ["", "json", "; charset=utf-16"])
@pytest.mark.parametrize("data", [JSON, b" \r\n\t[1]", b"\xef\xbb\xbf{}"])
def test_json_without_a_media_type_is_seen(content_type, data):
    found = body_text(data, content_type, "", complete=True)
    assert found == Text(data.decode("utf-8-sig"), False, "application/json")


def test_an_unknown_type_with_a_charset_is_text():
    found = body_text(b"abc", "application/vnd.acme; charset=utf-8", "", complete=True)
    assert found == Text("abc", False, "application/vnd.acme")


def test_an_empty_body_of_a_textual_type_is_an_empty_text():
    assert body_text(b"", "text/plain", "gzip", complete=True) == Text("", False, "text/plain")


def test_a_limit_falls_between_characters():
    found = body_text("aéé".encode(), "text/plain", "", complete=True, limit=4)
    assert found == Text("aé", True, "text/plain")


def test_a_prefix_of_a_coded_body_gives_a_prefix_of_its_text():
    text = json.dumps([{"id": n, "name": f"é{n * 7919}"} for n in range(200)], ensure_ascii=False)
    data = gzip.compress(text.encode())
    found = body_text(data[: len(data) // 2], "application/json", "gzip", complete=False)
    assert found is not None
    assert found.truncated
    assert found.content
    assert text.startswith(found.content)


def test_a_bomb_gives_a_bounded_prefix():
    data = gzip.compress(bytes(10_000_000))
    found = body_text(data, "text/plain", "gzip", complete=True, limit=5000)
    assert found == Text("\0" * 5000, True, "text/plain")


@unhurried
@given(
    data=st.binary(max_size=200),
    content_type=st.sampled_from(
        ["", "text/plain", "application/json; charset=utf-16", "x/y; charset=gbk"]
    )
    | st.text(),
    encoding=st.sampled_from(["", "gzip", "deflate", "br", "zstd", "deflate, gzip"]) | st.text(),
    complete=st.booleans(),
    limit=st.integers(0, 100),
)
def test_any_input_gives_text_within_the_limit_or_nothing(
    data, content_type, encoding, complete, limit
):
    before = _guard.counts()
    found = body_text(data, content_type, encoding, complete=complete, limit=limit)
    assert _guard.counts() == before
    if found is not None:
        assert len(found.content) <= limit
        assert found.truncated or complete
        found.content.encode()


@pytest.mark.swallows_errors
def test_an_error_of_ours_is_counted_and_nothing_is_told():
    before = _guard.counts().get("content.body_text", 0)
    assert body_text(None, "text/plain", "gzip", complete=True) is None
    assert _guard.counts()["content.body_text"] == before + 1


def test_no_byte_of_a_form_in_parts_is_lost():
    data = b"--b\r\n\r\n\xff\xfe\xc3\xa9\x00\r\n--b--"
    text = body_text(data, "multipart/form-data; boundary=b; charset=ascii", "", complete=True)
    assert text.content.encode("utf-8", "surrogateescape") == data
    assert text.media_type == "multipart/form-data"
