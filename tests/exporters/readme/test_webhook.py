"""The signature of ReadMe's webhook, on the bytes as they came."""

import hmac
import json
import time

import pytest

from otel_apimetrics.exporters.readme import WebhookError, verify_webhook

SECRET = "rdme_secret"
BODY = '{"email":"ada@example.com","name":"Ada Müller"}'.encode()


def signed(body: bytes, *, secret: str = SECRET, age: float = 0.0) -> str:
    sent = int((time.time() - age) * 1000)
    digest = hmac.digest(secret.encode(), f"{sent}.".encode() + body, "sha256").hex()
    return f"t={sent},v0={digest}"


def test_what_readme_has_signed_is_given():
    said = {"email": "ada@example.com", "name": "Ada Müller"}
    assert verify_webhook(BODY, signed(BODY), SECRET) == said
    assert verify_webhook(BODY.decode(), signed(BODY), SECRET) == said


def test_signature_and_secret_may_be_bytes():
    signature, secret = signed(BODY).encode(), SECRET.encode()
    assert verify_webhook(BODY, signature, secret)["email"] == "ada@example.com"


def test_a_secret_that_is_no_text_takes_nothing():
    with pytest.raises(WebhookError, match="Invalid Signature"):
        verify_webhook(BODY, signed(BODY), "\udcff")


def test_a_body_that_was_written_anew_on_its_way_is_understood():
    anew = json.dumps(json.loads(BODY)).encode()
    assert anew != BODY
    assert verify_webhook(anew, signed(BODY), SECRET)["email"] == "ada@example.com"


def test_a_clock_that_goes_before_ours_is_no_error():
    assert verify_webhook(BODY, signed(BODY, age=-3600), SECRET)


@pytest.mark.parametrize(
    ("body", "signature", "message"),
    [
        (BODY, None, "Missing Signature"),
        (BODY, "", "Missing Signature"),
        (BODY, signed(BODY, age=31 * 60), "Expired Signature"),
        (BODY, signed(BODY, secret="other"), "Invalid Signature"),
        (BODY.replace(b"ada@", b"eve@"), signed(BODY), "Invalid Signature"),
        (BODY, "v0=aa", "Invalid Signature"),
        (BODY, "t=1,v0=\u0661" + "0" * 63, "Invalid Signature"),
        (BODY, f"t={'9' * 400},v0={'0' * 64}", "Invalid Signature"),
        (b"[1]", signed(b"[1]"), "Invalid Signature"),
        (b"{", signed(b"{"), "Invalid Signature"),
        (b"\xff", signed(b"\xff"), "Invalid Signature"),
        ('{"a":"\udcff"}', signed(BODY), "Invalid Signature"),
        (BODY, b"t=1,v0=\xff", "Invalid Signature"),
        (b"[" * 100_000, signed(b"[" * 100_000), "Invalid Signature"),
    ],
)
def test_anything_else_is_refused_with_the_message_of_the_protocol(body, signature, message):
    with pytest.raises(WebhookError) as raised:
        verify_webhook(body, signature, SECRET)
    assert str(raised.value) == message


def test_without_a_secret_nothing_is_taken():
    with pytest.raises(WebhookError, match="Invalid Signature"):
        verify_webhook(BODY, signed(BODY, secret=""), "")


def test_a_body_that_was_parsed_already_is_an_error_that_names_the_remedy():
    with pytest.raises(TypeError, match="request.get_data"):
        verify_webhook({"email": "a@example.com"}, "t=1,v0=" + "0" * 64, "secret")
