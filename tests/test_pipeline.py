"""From an exchange to its span: hooks, and what is written."""

import json

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsWSGIMiddleware,
    Company,
    Consumer,
    add_metadata,
    set_consumer,
)
from otel_apimetrics.config import build
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.wiring import Registry, make_pipeline
from tests.in_process import make_environ, make_scope, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"


def serve(telemetry: Telemetry, say=lambda: None, *, status="200 OK", environ=None, **options):
    def app(environ, start_response):
        say()
        start_response(status, [("Content-Type", "text/plain")])
        return [b"body"]

    served = ApiMetricsWSGIMiddleware(app, **options, **telemetry.providers)
    serve_wsgi(served, environ or make_environ())
    return dict(telemetry.server_span.attributes)


@pytest.mark.parametrize(
    ("found", "consumer"),
    [
        ("acme", "acme"),
        (Consumer(id="acme", group="g"), "acme"),
        ("  acme\n", "acme"),
        (Consumer(id=" "), None),
        ("", None),
        (None, None),
    ],
)
def test_identify_may_answer_with_a_consumer_an_id_or_nothing(telemetry, found, consumer):
    attributes = serve(telemetry, identify=lambda exchange: found)
    assert attributes.get("apimetrics.consumer.id") == consumer


@pytest.mark.swallows_errors
@pytest.mark.parametrize("option", [{"identify": lambda e: 7}, {"label": lambda e: 7}])
def test_an_answer_of_a_wrong_type_is_an_error_of_the_hook(telemetry, no_swallowed_errors, option):
    serve(telemetry, **option)
    (name,) = option
    assert [place for place, _ in no_swallowed_errors] == [f"hooks.{name}"]
    assert telemetry.total() == 1


def test_identify_is_not_asked_where_the_app_has_said_it(telemetry):
    asked = []
    attributes = serve(
        telemetry, lambda: set_consumer("said"), identify=lambda e: asked.append(e) or "asked"
    )
    assert attributes["apimetrics.consumer.id"] == "said"
    assert asked == []


def test_labels_of_the_hook_join_those_of_the_app_and_become_text(telemetry):
    from otel_apimetrics import add_label

    attributes = serve(telemetry, lambda: add_label("a", "1"), label=lambda e: {"b": 2})
    assert attributes["apimetrics.label.a"] == "1"
    assert attributes["apimetrics.label.b"] == "2"


def test_a_label_hook_may_answer_nothing(telemetry):
    assert not [k for k in serve(telemetry, label=lambda e: None) if "label" in k]


def test_a_skipped_exchange_leaves_a_bare_span_and_no_metric(telemetry):
    attributes = serve(telemetry, skip=lambda e: e.response.status == 200)
    assert "apimetrics.exchange.id" not in attributes
    assert telemetry.total() == 0


@pytest.mark.swallows_errors
def test_a_hook_that_turns_out_to_be_async_under_wsgi_is_an_error_and_no_warning(
    telemetry, no_swallowed_errors
):
    async def late():
        return "x"

    class Awaitable:
        def __await__(self):
            yield

    serve(telemetry, identify=lambda e: late(), label=lambda e: Awaitable())
    assert [place for place, _ in no_swallowed_errors] == ["hooks.identify", "hooks.label"]


def test_an_id_that_is_itself_a_secret_is_hashed(telemetry):
    attributes = serve(telemetry, lambda: set_consumer(SECRET))
    assert attributes["apimetrics.consumer.id"].startswith("key-")
    assert SECRET not in telemetry.server_span.to_json()


@pytest.mark.parametrize(
    "say",
    [
        lambda: set_consumer("a", session=SECRET),
        lambda: set_consumer("a", name=f"token={SECRET}"),
        lambda: set_consumer("a", group=SECRET),
        lambda: set_consumer("a", company=Company(id=SECRET, name=SECRET)),
        lambda: set_consumer("a", metadata={"note": SECRET, "password": "hunter2"}),
        lambda: add_metadata("deep", [{"api_key": SECRET}]),
    ],
)
def test_nothing_that_the_app_says_of_a_consumer_leaves_as_a_secret(telemetry, say):
    serve(telemetry, say)
    assert SECRET not in telemetry.server_span.to_json()
    assert "hunter2" not in telemetry.server_span.to_json()


class Unprintable:
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


CIRCLE: list = []
CIRCLE.append(CIRCLE)


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    "value", [object(), {(1, 2): 3}, Unprintable(), CIRCLE, float("nan"), "\ud800", b"\xff"]
)
def test_metadata_of_any_kind_costs_at_most_the_metadata(telemetry, value):
    attributes = serve(telemetry, lambda: add_metadata("v", value))
    assert telemetry.total() == 1
    assert attributes["http.response.status_code"] == 200
    telemetry.server_span.attributes.get("apimetrics.metadata", "").encode()


@pytest.mark.parametrize(
    ("status", "error", "name"),
    [("200 OK", None, "UNSET"), ("404 X", None, "UNSET"), ("500 X", "500", "ERROR")],
)
def test_only_a_server_error_makes_the_span_an_error(telemetry, status, error, name):
    attributes = serve(telemetry, status=status)
    assert attributes.get("error.type") == error
    assert telemetry.server_span.status.status_code.name == name


@pytest.mark.parametrize(
    ("mode", "status", "captured"),
    [
        ("off", "500 X", False),
        ("errors", "200 OK", False),
        ("errors", "404 X", True),
        ("all", "200 OK", True),
        ("schema", "200 OK", False),
    ],
)
def test_bodies_are_captured_as_the_option_says(telemetry, mode, status, captured):
    attributes = serve(telemetry, status=status, capture_body=mode)
    assert ("http.response.body.content" in attributes) == captured
    assert attributes["http.response.body.size"] == 4


def test_a_body_is_captured_where_the_app_raises(telemetry):
    def app(environ, start_response):
        environ["wsgi.input"].read()
        raise ValueError

    served = ApiMetricsWSGIMiddleware(app, capture_body="errors", **telemetry.providers)
    headers = {"content-type": "text/plain"}
    serve_wsgi(served, make_environ("POST", body=b"why", headers=headers))
    assert telemetry.server_span.attributes["http.request.body.content"] == "why"


def test_headers_give_way_before_the_span_drops_the_method(telemetry):
    headers = {f"x-{n}": "v" for n in range(200)}
    attributes = serve(telemetry, environ=make_environ(headers=headers), capture_headers="all")
    assert attributes["http.request.method"] == "GET"
    assert attributes["http.response.status_code"] == 200
    assert sum(key.startswith("http.request.header.") for key in attributes) == 40
    assert telemetry.server_span.dropped_attributes == 0


def test_attributes_of_others_are_counted_before_ours_are_written():
    from opentelemetry.sdk.trace import SpanLimits
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    telemetry = Telemetry()
    telemetry.tracer_provider = TracerProvider(
        span_limits=SpanLimits(max_span_attributes=64), shutdown_on_exit=False
    )
    telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(telemetry.exporter))

    def say():
        trace.get_current_span().set_attributes({f"app.{n}": n for n in range(25)})

    headers = {f"x-{n}": "v" for n in range(60)}
    attributes = serve(telemetry, say, environ=make_environ(headers=headers), capture_headers="all")
    assert attributes["http.request.method"] == "GET"
    assert attributes["app.0"] == 0
    assert telemetry.server_span.dropped_attributes == 0


def test_a_body_longer_than_the_spans_limit_is_cut_and_marked():
    from opentelemetry.sdk.trace import SpanLimits
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    telemetry = Telemetry()
    telemetry.tracer_provider = TracerProvider(
        span_limits=SpanLimits(max_span_attribute_length=2), shutdown_on_exit=False
    )
    telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(telemetry.exporter))
    attributes = serve(telemetry, capture_body="all")
    assert attributes["http.response.body.content"] == "bo"
    assert attributes["apimetrics.response.body.truncated"] is True


def test_the_users_own_exception_event_is_not_doubled(telemetry):
    def app(environ, start_response):
        error = ValueError("x")
        trace.get_current_span().record_exception(error)
        raise error

    serve_wsgi(ApiMetricsWSGIMiddleware(app, **telemetry.providers), make_environ())
    assert [event.name for event in telemetry.server_span.events] == ["exception"]


def test_peer_addresses_of_contrib_follow_the_option(telemetry):
    def say():
        trace.get_current_span().set_attributes({"net.peer.ip": "192.0.2.77", "x": "192.0.2.77"})

    attributes = serve(telemetry, say)
    assert attributes["net.peer.ip"] == "192.0.2.0"
    assert attributes["client.address"] == "192.0.2.0"


@pytest.mark.parametrize(
    ("option", "address"), [("off", None), ("full", "192.0.2.77"), ("truncated", "192.0.2.0")]
)
def test_the_clients_address_is_as_the_option_says(telemetry, option, address):
    assert serve(telemetry, client_ip=option).get("client.address") == address


def test_forwarding_headers_of_untrusted_peers_are_masked_too(telemetry):
    headers = {"x-forwarded-for": "198.51.100.7"}
    attributes = serve(telemetry, environ=make_environ(headers=headers), capture_headers="all")
    assert "198.51.100.7" not in str(attributes)


def test_the_environment_is_on_the_span_where_the_resource_has_none(telemetry):
    attributes = serve(telemetry, environment="staging")
    assert attributes["deployment.environment.name"] == "staging"


def test_the_tracer_is_that_of_the_provider_of_the_moment(monkeypatch):
    pipeline = make_pipeline(build({}, {}))
    first, second = TracerProvider(shutdown_on_exit=False), TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(pipeline, "tracer_provider", lambda: first)
    tracer = pipeline.tracer()
    assert pipeline.tracer() is tracer
    monkeypatch.setattr(pipeline, "tracer_provider", lambda: second)
    assert pipeline.tracer() is not tracer
    assert Pipeline.tracer_provider(pipeline) is trace.get_tracer_provider()


def test_pipelines_of_one_provider_and_the_same_keys_share_their_metrics(telemetry):
    one = make_pipeline(build(telemetry.providers, {}))
    two = make_pipeline(build({**telemetry.providers, "capture_body": "all"}, {}))
    other = make_pipeline(build({**telemetry.providers, "metric_labels": ["x"]}, {}))
    assert one.metrics is two.metrics
    assert one.metrics is not other.metrics


def test_two_apps_with_one_provider_stay_below_one_bound(telemetry):
    def app(environ, start_response):
        set_consumer(environ["QUERY_STRING"])
        start_response("200 OK", [])
        return []

    apps = [ApiMetricsWSGIMiddleware(app, max_consumers=3, **telemetry.providers) for _ in range(2)]
    for n in range(10):
        serve_wsgi(apps[n % 2], make_environ(query=f"c{n}"))
    consumers = {
        p.attributes["apimetrics.consumer.id"] for p in telemetry.points("apimetrics.requests")
    }
    assert consumers == {"c0", "c1", "c2", "_OTHER"}


def test_a_registry_knows_an_app_by_identity_and_forgets():
    class Equal:
        def __eq__(self, other):
            return True

        __hash__ = object.__hash__

    registry = Registry()
    one, two = make_pipeline(build({}, {})), make_pipeline(build({}, {}))
    registry.default = one
    app, left_out, other = Equal(), Equal(), Equal()
    registry.set(app, two)
    registry.set(left_out, None)
    assert registry.of(app) is two
    assert registry.of(left_out) is None
    assert registry.of(other) is one
    registry.forget()
    assert registry.of(app) is None


def test_an_exporter_gets_every_exchange_whatever_the_sampler_says():
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    telemetry = Telemetry(sampler=ALWAYS_OFF)
    exporter = InMemorySpanExporter()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": SECRET.encode()})

    served = ApiMetricsASGIMiddleware(
        app, exporters=[exporter], capture_body="all", **telemetry.providers
    )
    for _ in range(5):
        serve_asgi(served, make_scope(query=f"token={SECRET}".encode()))
    for outlet in served._pipeline.outlets:
        assert outlet.flush(10)
    spans = exporter.get_finished_spans()
    assert len(spans) == 5
    assert SECRET not in "".join(span.to_json() for span in spans)
    assert telemetry.spans == []
    assert telemetry.total() == 5


def test_exporters_still_get_exchanges_after_the_end_of_a_lifespan(telemetry):
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    served = ApiMetricsASGIMiddleware(app, exporters=[exporter], **telemetry.providers)
    for _ in range(2):
        serve_asgi(served, make_scope())
        serve_asgi(served, {"type": "lifespan"}, [{"type": "lifespan.shutdown"}])
    assert len(exporter.get_finished_spans()) == 2


def test_metadata_is_json(telemetry):
    attributes = serve(telemetry, lambda: add_metadata("cart", {"items": [1, 2]}))
    assert json.loads(attributes["apimetrics.metadata"]) == {"cart": {"items": [1, 2]}}
