import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.content import is_textual, media_type
from otel_apimetrics.content.media import may_be_text, parse_content_type

unhurried = settings(deadline=None)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("application/json", "application/json"),
        (" Application/JSON ; charset=utf-8", "application/json"),
        ("application/json;charset=utf-8", "application/json"),
        ("application/json charset=utf-8", "application/json"),
        ("application/json, text/html", "application/json"),
        ("application/vnd.api+json", "application/vnd.api+json"),
        ("text/json\r\n", "text/json"),
        ("", ""),
        ("json", ""),
        ("text/", ""),
        ("/json", ""),
        ("text/a/b", ""),
        ("te xt/html", ""),
        ("text/html\x00", ""),
        ("text/hé", ""),
        ("text/" + "a" * 127, "text/" + "a" * 127),
        ("text/" + "a" * 128, ""),
        ("text/" + "a" * 20_000, ""),
        ("text/plain;" + "a" * 20_000, "text/plain"),
    ],
)
def test_the_media_type_is_read_leniently(header, expected):
    assert media_type(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("text/plain", ""),
        ("text/plain;charset=UTF-8", "utf-8"),
        ('text/plain; boundary=x ; CharSet = "ISO-8859-1"', "iso-8859-1"),
        ("text/plain; charset='latin-1'", "latin-1"),
        ("text/plain charset=ascii", "ascii"),
        ("text/plain; charset=", ""),
        ("text/plain; charset=;", ""),
        ("text/plain; nocharset=utf-8", ""),
        ("; charset=utf-8", "utf-8"),
        ("text/plain;" + "a" * 2_000 + ";charset=ascii", ""),
    ],
)
def test_the_charset_parameter_is_found(header, expected):
    assert parse_content_type(header)[1] == expected


@unhurried
@given(header=st.text(max_size=300))
def test_any_header_gives_a_media_type_of_two_names_or_nothing(header):
    found = media_type(header)
    assert found == "" or (
        found.count("/") == 1 and found == found.lower() and found in header.lower()
    )


TEXTUAL = [
    "text/plain",
    "text/html",
    "text/event-stream",
    "text/json",
    "application/json",
    "application/problem+json",
    "application/ld+json",
    "application/xml",
    "application/soap+xml",
    "image/svg+xml",
    "application/yaml",
    "application/x-yaml",
    "application/vnd.oai.openapi+yaml",
    "application/x-www-form-urlencoded",
    "application/x-ndjson",
    "application/ndjson",
    "application/graphql",
    "application/javascript",
    "application/csp-report",
    "model/json",
]

BINARY = [
    "application/octet-stream",
    "application/pdf",
    "application/zip",
    "application/grpc",
    "application/x-protobuf",
    "application/msgpack",
    "image/png",
    "audio/ogg",
    "video/mp4",
    "font/woff2",
    "multipart/form-data",
    "multipart/json",
    "multipart/x+json",
    "application/jsonx",
    "application/notjson",
    "image/json",
    "application",
]


@pytest.mark.parametrize("name", TEXTUAL)
def test_text_is_told_by_its_name(name):
    assert is_textual(name)


@pytest.mark.parametrize("name", [*BINARY, ""])
def test_other_types_are_not_text(name):
    assert not is_textual(name)


@pytest.mark.parametrize(
    ("name", "charset", "expected"),
    [
        ("", "", True),
        ("text/plain", "", True),
        ("application/vnd.acme", "utf-8", True),
        ("application/vnd.acme", "", False),
        ("image/png", "utf-8", False),
        ("multipart/form-data", "", True),
    ],
)
def test_a_charset_makes_an_unknown_type_text_but_no_picture(name, charset, expected):
    assert may_be_text(name, charset) is expected
