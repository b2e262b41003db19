"""What is read of a declared length, whatever it is."""

import pytest

from otel_apimetrics import ApiMetricsWSGIMiddleware
from otel_apimetrics.frameworks.headers import declared_length
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry


@pytest.mark.parametrize(("value", "length"), [
    ("0", 0), ("17", 17), (17, 17), ("9" * 18, 10**18 - 1), ("9" * 5_000, None), ("-1", None),
    ("1, 1", None), ("\u0661", None), ("", None), ("1e3", None), (None, None),
])  # fmt: skip
def test_a_length_is_a_number_of_a_sensible_size_or_unknown(value, length):
    assert declared_length((("content-length", value),)) == length
    assert declared_length((("x", "1"),)) is None


# A value that is no text cannot be redacted: its header is replaced, and the error counted.
@pytest.mark.parametrize(
    "length", [5_000 * "9", pytest.param(3, marks=pytest.mark.swallows_errors)]
)
def test_an_odd_length_of_a_response_that_is_left_early_raises_nothing(
    telemetry: Telemetry, length
):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", length)])
        yield b"one"
        yield b"two"

    environ = make_environ("POST", headers={"Content-Length": str(length)})
    seen = serve_wsgi(ApiMetricsWSGIMiddleware(app, **telemetry.providers), environ, items=1)
    assert seen.error is None
    assert telemetry.server_span.attributes["http.response.body.size"] == 3
