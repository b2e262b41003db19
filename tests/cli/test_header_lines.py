import pytest

from otel_apimetrics.cli.header_lines import mask_headers
from otel_apimetrics.redaction import RedactionPolicy, Redactor

MESSAGE = (
    "POST /x?token=abc123 HTTP/1.1\r\n"
    "Host: x.de\r\n"
    "Authorization: Bearer abc\r\n"
    " def\r\n"
    "Cookie: a=b; c=d\r\n"
    "not a header, password=abc\r\n"
    "Content-Type: application/json\r\n"
    "\r\n"
    '{"password": "abc"}\r\n'
)


def test_each_line_of_a_message_is_masked_as_production_masks_its_part():
    assert mask_headers(Redactor(), MESSAGE) == (
        "POST /x?token=[REDACTED] HTTP/1.1\r\n"
        "Host: x.de\r\n"
        "Authorization: Bearer [REDACTED]\r\n"
        " [REDACTED]\r\n"
        "Cookie: a=[REDACTED]; c=[REDACTED]\r\n"
        "not a header, password=[REDACTED]\r\n"
        "Content-Type: application/json\r\n"
        "\r\n"
        '{"password": "[REDACTED]"}\r\n'
    )


def test_what_a_policy_removes_leaves_no_line():
    assert mask_headers(Redactor(RedactionPolicy(mask="remove")), MESSAGE) == (
        "POST /x? HTTP/1.1\r\n"
        "Host: x.de\r\n"
        "not a header, password=[REDACTED]\r\n"
        "Content-Type: application/json\r\n"
        "\r\n"
        "{}"
    )


def test_pseudo_headers_of_http_2_hold_urls():
    text = ":method: GET\n:path: /x?token=abc\naccept: */*"
    assert mask_headers(Redactor(), text) == (
        ":method: GET\n:path: /x?token=[REDACTED]\naccept: */*"
    )


@pytest.mark.parametrize(
    ("head", "body", "masked"),
    [
        ("Host: a", '{"pin": 1}', '{"pin": "[REDACTED]"}'),
        ("Host: a", "some bytes, password=abc", ""),
        ("Content-Type: text/plain; charset=utf-8", "password=abc", "password=[REDACTED]"),
        ("Content-Type: image/png", "bytes", ""),
        ("Host: a", "", ""),
    ],
)
def test_a_body_is_recorded_as_its_type_allows(head, body, masked):
    assert mask_headers(Redactor(), f"{head}\n\n{body}") == f"{head}\n\n{masked}"


def test_a_line_that_opens_with_a_blank_belongs_to_no_header_before_the_first():
    assert mask_headers(Redactor(), " Basic\nHost: a") == " Basic\nHost: a"
