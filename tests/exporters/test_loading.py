"""From `exporters=` to what they are handed, through a real app."""

import json

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from otel_apimetrics import ApiMetricsWSGIMiddleware, Consumer, Exchange
from otel_apimetrics.config import build
from otel_apimetrics.exchange import Request, Response
from otel_apimetrics.exporters import loading
from otel_apimetrics.exporters.loading import load, outlets
from otel_apimetrics.exporters.metlo import MetloSpanExporter
from otel_apimetrics.exporters.moesif import MoesifSpanExporter
from otel_apimetrics.exporters.needs import Needs, widened
from otel_apimetrics.exporters.readme import ReadMeSpanExporter
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Direct(InMemorySpanExporter):
    """An exporter with a door for exchanges."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges = []

    def export_exchanges(self, exchanges, patience) -> bool:
        self.exchanges += exchanges
        return True


def answer(environ, start_response):
    if environ["PATH_INFO"] == "/boom":
        raise ValueError("sk_live_4eC39HqLyjWDarjtT1zdp7dc")
    start_response("200 OK", [("content-type", "application/json")])
    return [b'{"password": "hunter2"}']


def middleware(exporter, telemetry: Telemetry, **options):
    app = ApiMetricsWSGIMiddleware(
        answer, exporters=[exporter], capture_body="all", **{**telemetry.providers, **options}
    )
    return app, app._pipeline.outlets[0]


def test_a_span_exporter_gets_every_exchange_although_nothing_is_sampled():
    telemetry, exporter = Telemetry(sampler=ALWAYS_OFF), InMemorySpanExporter()
    app, queue = middleware(exporter, telemetry)
    serve_wsgi(app, make_environ(path="/a", headers={"traceparent": PARENT}))
    assert queue.flush(10)
    assert telemetry.spans == []
    (span,) = exporter.get_finished_spans()
    assert span.kind is SpanKind.SERVER
    assert span.context.trace_flags.sampled
    assert f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
    assert span.attributes["http.response.body.content"] == '{"password": "[REDACTED]"}'
    assert span.end_time > span.start_time


def test_the_span_has_the_ids_of_the_live_one_and_its_parent():
    telemetry, exporter = Telemetry(), InMemorySpanExporter()
    app, queue = middleware(exporter, telemetry)
    serve_wsgi(app, make_environ(headers={"traceparent": PARENT}))
    assert queue.flush(10)
    (span,) = exporter.get_finished_spans()
    live = telemetry.server_span
    assert (span.context.trace_id, span.context.span_id) == (
        live.context.trace_id,
        live.context.span_id,
    )
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]
    assert dict(span.attributes) == dict(live.attributes)
    assert span.name == live.name


def test_an_exception_is_an_event_and_redacted():
    telemetry, exporter = Telemetry(), InMemorySpanExporter()
    app, queue = middleware(exporter, telemetry)
    serve_wsgi(app, make_environ(path="/boom"))
    assert queue.flush(10)
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]
    assert "sk_live" not in span.to_json()


def test_the_resource_is_the_providers_with_the_environment_where_it_has_none():
    provider = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    telemetry, exporter = Telemetry(), InMemorySpanExporter()
    app, queue = middleware(exporter, telemetry, tracer_provider=provider, environment="staging")
    serve_wsgi(app, make_environ())
    assert queue.flush(10)
    resource = exporter.get_finished_spans()[0].resource.attributes
    assert resource["service.name"] == "shop"
    assert resource["deployment.environment.name"] == "staging"


def test_an_exporter_with_a_door_for_exchanges_gets_those():
    exporter = Direct()
    app, queue = middleware(exporter, Telemetry())
    serve_wsgi(app, make_environ(path="/a"))
    assert queue.flush(10)
    (exchange,) = exporter.exchanges
    assert exchange.request.path == "/a"
    assert "hunter2" not in repr(exchange)
    assert exporter.get_finished_spans() == ()


def test_what_an_exporter_refuses_is_a_failure_of_its_own():
    class Refusing(SpanExporter):
        def export(self, spans):
            return SpanExportResult.FAILURE

    telemetry = Telemetry()
    app, queue = middleware(Refusing(), telemetry)
    assert serve_wsgi(app, make_environ()).status == 200
    assert queue.flush(10)
    (point,) = telemetry.points("apimetrics.exporter.failed")
    assert (point.value, dict(point.attributes)) == (
        1,
        {"exporter": "Refusing", "reason": "refused"},
    )


def test_a_named_exporter_is_loaded_from_its_entry_point():
    config = build({"exporters": ["console"]}, {})
    (queue,) = outlets(load(config), config)
    assert queue.name == "console"


def test_one_that_the_sdk_has_attached_is_left_there_with_a_warning(monkeypatch, caplog):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console,otlp")
    assert load(build({"exporters": ["console"]}, {})) == {}
    assert "OTEL_TRACES_EXPORTER" in caplog.text


@pytest.mark.swallows_errors
def test_an_exporter_that_cannot_be_made_is_one_line_and_the_app_runs_on(monkeypatch, caplog):
    def fail(*_):
        raise ValueError("no API key: set OTEL_EXPORTER_VENDOR_API_KEY")

    monkeypatch.setattr("opentelemetry.sdk.trace.export.ConsoleSpanExporter.__init__", fail)
    assert load(build({"exporters": ["console"]}, {})) == {}
    assert "set OTEL_EXPORTER_VENDOR_API_KEY" in caplog.text


class Wishing:
    needs = Needs(bodies=True, headers=True)

    def export(self, spans):
        return SpanExportResult.SUCCESS


def test_what_exporters_need_is_captured_for_them():
    config = build({}, {})
    wide = widened(config, [object(), Wishing()])
    assert (wide.capture_body, wide.capture_headers) == ("all", "all")
    assert widened(config, [object()]) is config


@pytest.mark.parametrize(
    ("options", "environ"),
    [({"capture_body": "off", "capture_headers": "safe"}, {}),
     ({}, {"OTEL_APIMETRICS_CAPTURE_BODY": "off", "OTEL_APIMETRICS_CAPTURE_HEADERS": "safe"})],
)  # fmt: skip
def test_what_the_user_has_decided_is_not_widened(options, environ):
    config = build(options, environ)
    assert widened(config, [Wishing()]) is config


def test_an_app_with_such_an_exporter_has_its_bodies_recorded_and_redacted():
    exported = []
    wishing = Wishing()
    wishing.export = lambda spans: exported.extend(spans) or SpanExportResult.SUCCESS
    served = ApiMetricsWSGIMiddleware(answer, exporters=[wishing])
    serve_wsgi(served, make_environ("/"))
    assert served._pipeline.outlets[0].flush(10)

    (span,) = exported
    assert span.attributes["http.response.body.content"] == '{"password": "[REDACTED]"}'


@pytest.mark.parametrize(
    ("variables", "module"),
    [
        ({}, "grpc"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": " http/protobuf"}, "http"),
        (
            {
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            },
            "http",
        ),
    ],
)
def test_otlp_speaks_the_protocol_that_opentelemetrys_variables_name(
    monkeypatch, variables, module
):
    loaded = []

    class Point:
        def __init__(self, name):
            self.name = name

        def load(self):
            loaded.append(self.name)
            return InMemorySpanExporter

    monkeypatch.setattr(loading, "entry_points", lambda group, name: (Point(name),))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert list(load(build({"exporters": ["otlp"]}, {}))) == ["otlp"]
    assert loaded == ["otlp" if not variables else f"otlp_proto_{module}"]


@pytest.mark.swallows_errors
def test_a_protocol_that_there_is_not_is_named_and_nothing_is_exported(monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    assert load(build({"exporters": ["otlp"]}, {})) == {}
    assert "use grpc or http/protobuf" in caplog.text


def test_the_environment_of_the_plugin_is_that_of_exporters_by_name(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_METLO_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_METLO_API_KEY", "key")
    monkeypatch.setenv("OTEL_EXPORTER_README_API_KEY", "key")
    exchange = Exchange(
        id="0" * 32,
        request=Request(method="GET", path="/", host="api.example", client_address="192.0.2.1"),
        response=Response(status=200),
        consumer=Consumer(id="acme"),
    )

    def events(**options):
        exporters = load(build({"exporters": ["metlo", "readme"], **options}, {}))
        return [json.loads(exporters[name].event(exchange)) for name in ("metlo", "readme")]

    metlo, readme = events(environment="staging")
    assert metlo["meta"]["environment"] == "staging"
    assert readme["development"] is True
    metlo, readme = events()
    assert metlo["meta"]["environment"] == "production"
    assert readme["development"] is False


BEHIND_A_PROCESSOR = {
    "moesif": (
        lambda url: MoesifSpanExporter(
            application_id="key",
            base_uri=url,
            dynamic_sampling=False,
            governance=True,
            transaction_id_header=True,
        ),
        ["OTEL_EXPORTER_MOESIF_GOVERNANCE", "OTEL_EXPORTER_MOESIF_TRANSACTION_ID_HEADER"],
    ),
    "readme": (
        lambda url: ReadMeSpanExporter(
            api_key="key",
            url=url,
            documentation_header=True,
            base_log_url="http://docs.example",
            background_worker_mode=False,
        ),
        [
            "OTEL_EXPORTER_README_DOCUMENTATION_HEADER",
            "OTEL_EXPORTER_README_BACKGROUND_WORKER_MODE",
        ],
    ),
    "metlo": (lambda url: MetloSpanExporter(host=url, api_key="key"), []),
}


@pytest.mark.parametrize("vendor", BEHIND_A_PROCESSOR)
def test_one_line_names_the_options_that_do_nothing_behind_a_span_processor(
    backend, caplog, vendor
):
    make, variables = BEHIND_A_PROCESSOR[vendor]
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(make(backend.url)))
    app = ApiMetricsWSGIMiddleware(
        answer, tracer_provider=provider, identify="header:x-user", capture_body="all"
    )
    for _ in range(2):
        serve_wsgi(app, make_environ(headers={"X-User": "alice"}))
        assert provider.force_flush()
    provider.shutdown()

    assert len(backend.received) >= 2
    lines = [r.getMessage() for r in caplog.records if "behind a span processor" in r.getMessage()]
    assert len(lines) == bool(variables)
    for line in lines:
        assert [each for each in variables if each in line] == variables
        assert "OTEL_APIMETRICS_EXPORTERS" in line


@pytest.mark.parametrize("vendor", BEHIND_A_PROCESSOR)
def test_no_line_names_them_where_a_pipeline_follows_them(backend, caplog, vendor):
    make, _ = BEHIND_A_PROCESSOR[vendor]
    app, queue = middleware(make(backend.url), Telemetry())
    serve_wsgi(app, make_environ())
    assert queue.flush(10)

    assert "behind a span processor" not in caplog.text
