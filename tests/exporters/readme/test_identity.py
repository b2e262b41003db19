"""From who called to ReadMe's group, through an app and all of the redaction."""

import pytest

from otel_apimetrics import ApiMetricsWSGIMiddleware, Consumer, set_consumer
from otel_apimetrics.exchange import first
from otel_apimetrics.exporters.readme import ReadMeSpanExporter, mask_key
from otel_apimetrics.redaction import Redactor
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry

KEY = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
LIKE_A_SECRET = "key-of-tenant-00151"
"""Redaction by name takes the end of its digest for a value."""


def hello(environ, start_response):
    if environ["PATH_INFO"] == "/named":
        set_consumer("acme", name="Acme Inc.", group="gold")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


@pytest.fixture
def group(backend):
    def of(identify=None, path="/"):
        exporter = ReadMeSpanExporter(api_key="k", url=backend.url, background_worker_mode=False)
        app = ApiMetricsWSGIMiddleware(
            hello, exporters=[exporter], identify=identify, **Telemetry().providers
        )
        serve_wsgi(app, make_environ(path=path, headers={"x-api-key": KEY}))
        (log,) = backend.received[-1].json
        assert KEY.encode() not in backend.received[-1].raw
        return log["group"]

    return of


def test_the_digest_of_a_key_reaches_readme_as_it_was_made(group):
    def identify(exchange):
        return Consumer(id=mask_key(first(exchange.request.headers, "x-api-key")))

    assert group(identify) == {"id": mask_key(KEY)}


def test_a_word_names_a_key_as_readme_compares_it(group):
    assert group("readme_key:x-api-key") == {"id": mask_key(KEY)}


def test_a_digest_that_looks_like_a_secret_stays_what_readme_compares(group):
    masked = mask_key(LIKE_A_SECRET)
    assert Redactor().text(masked) != masked
    assert group(lambda exchange: masked) == {"id": masked}


def test_a_key_that_was_hashed_or_is_redacted_is_one_name_and_never_the_key(group):
    hashed, raw = group("key:x-api-key"), group(lambda exchange: KEY)
    assert hashed == raw
    assert hashed["id"] != mask_key(KEY)
    assert not hashed["id"].endswith(KEY[-4:])


def test_what_a_handler_says_of_its_consumer_is_the_group(group):
    assert group(path="/named") == {"id": mask_key("acme"), "label": "Acme Inc."}
