"""The name of the environment reaches each vendor that shows one, through each door."""

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_apimetrics import ApiMetricsWSGIMiddleware
from otel_apimetrics.exporters import deployment, loading
from otel_apimetrics.exporters.apitally import ApitallySpanExporter
from otel_apimetrics.exporters.metlo import MetloSpanExporter
from otel_apimetrics.exporters.readme import ReadMeSpanExporter
from otel_apimetrics.exporters.spans import as_span
from tests.exporters.apitally.scenarios import item
from tests.exporters.sink import Reply
from tests.in_process import make_environ, serve_wsgi

pytestmark = pytest.mark.usefixtures("quick", "slots")
CLIENT = "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9"


@pytest.fixture
def slots(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def metlo(url, **options):
    return MetloSpanExporter(host=url, api_key="key", **options)


def readme(url, **options):
    return ReadMeSpanExporter(api_key="key", url=url, **options)


def apitally(url, **options):
    return ApitallySpanExporter(client_id=CLIENT, endpoint=url, **options)


def shown(backend):
    """The environments that the vendors were told, in the words of each."""
    found = []
    for request in backend.received:
        if "/log-request/" in request.path:
            found += [each["meta"]["environment"] for each in request.json]
        elif request.path == "/v1/request":
            found += [each["development"] for each in request.json]
        elif request.path.endswith("/sync"):
            found.append(request.path.split("/")[3])
    return found


MAKERS = {"metlo": metlo, "readme": readme, "apitally": apitally}
STAGING = {"metlo": "staging", "readme": True, "apitally": "staging"}
OWN = {
    "metlo": {"environment": "own"},
    "readme": {"development_mode": False},
    "apitally": {"env": "own"},
}
OWN_SHOWN = {"metlo": "own", "readme": False, "apitally": "own"}
NOTHING = {"metlo": "production", "readme": False, "apitally": "dev"}


def answer(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"ok"]


def serve(exporter, attributes, *, behind_spans=False, **options):
    provider = TracerProvider(resource=Resource(attributes), shutdown_on_exit=False)
    if behind_spans:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    else:
        options["exporters"] = [exporter]
    app = ApiMetricsWSGIMiddleware(
        answer, tracer_provider=provider, identify="header:x-user", **options
    )
    serve_wsgi(app, make_environ(headers={"X-User": "alice"}))
    for queue in app._pipeline.outlets:
        assert queue.flush(10)
    exporter.force_flush()
    exporter.shutdown()


@pytest.mark.parametrize("behind_spans", [False, True])
@pytest.mark.parametrize("vendor", MAKERS)
@pytest.mark.parametrize(
    ("attributes", "option"),
    [
        ({}, "staging"),
        ({"deployment.environment.name": "staging"}, None),
        ({"deployment.environment.name": "staging"}, "production"),
        ({"deployment.environment": "staging"}, None),
    ],
)
def test_an_exporter_object_tells_the_environment_of_the_resource_or_the_option(
    backend, vendor, attributes, option, behind_spans
):
    serve(MAKERS[vendor](backend.url), attributes, behind_spans=behind_spans, environment=option)
    assert set(shown(backend)) == {STAGING[vendor]}


@pytest.mark.parametrize("vendor", MAKERS)
def test_an_exporters_own_option_goes_before_all(backend, vendor):
    exporter = MAKERS[vendor](backend.url, **OWN[vendor])
    serve(exporter, {"deployment.environment.name": "staging"}, environment="test")
    assert set(shown(backend)) == {OWN_SHOWN[vendor]}


@pytest.mark.parametrize("vendor", MAKERS)
def test_where_nobody_names_it_each_vendor_has_its_default(backend, vendor):
    serve(MAKERS[vendor](backend.url), {})
    assert set(shown(backend)) == {NOTHING[vendor]}


def test_without_a_provider_the_variable_of_the_resource_names_it(backend, monkeypatch):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
    loading._own_resource.cache_clear()
    app = ApiMetricsWSGIMiddleware(answer, exporters=[metlo(backend.url)])
    serve_wsgi(app, make_environ())
    assert app._pipeline.outlets[0].flush(10)
    loading._own_resource.cache_clear()

    assert shown(backend) == ["staging"]


def test_spans_of_several_environments_are_told_apart(backend):
    resources = [Resource({"deployment.environment.name": each}) for each in ("a", "b", "a")]
    spans = [as_span(item(number), each) for number, each in enumerate(resources)]

    metlo(backend.url).export(spans)

    assert shown(backend) == ["a", "b", "a"]
    assert deployment.environment() is None


def test_a_name_that_apitally_does_not_take_is_told_once(backend, caplog):
    backend.otherwise = Reply(202)
    serve(apitally(backend.url), {"deployment.environment.name": "an environment"})

    assert set(shown(backend)) == {"dev"}
    assert caplog.text.count("deployment.environment.name") == 1
