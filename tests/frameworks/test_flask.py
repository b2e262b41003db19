"""Flask apps, in-process."""

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import flask
import pytest
from flask import Blueprint, Flask, abort, g, got_request_exception, request, stream_with_context
from flask_restful import Api, Resource
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from otel_apimetrics import ApiMetricsInstrumentor, ConfigError, set_consumer, skip_request
from otel_apimetrics.frameworks import flask as adapter
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry


class Pet(Resource):
    def get(self, name):
        return {"name": name}


class Broken(Resource):
    def get(self):
        raise ValueError("password=hunter2")


def make_app() -> Flask:
    app = Flask(__name__)
    blueprint = Blueprint("v1", __name__, url_prefix="/v1")
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    api = Api(app)
    api.add_resource(Pet, "/pets/<name>")
    api.add_resource(Broken, "/broken")

    @app.post("/users/<int:user>")
    def update(user: int):
        return {"id": user, "echo": request.json}

    @app.get("/items/<int:number>")
    def item(number: int):
        g.consumer_identifier = request.args.get("who")
        return str(number)

    @app.get("/called")
    def called():
        set_consumer("called")
        g.consumer_identifier = "not-this-one"
        return ""

    @app.get("/boom")
    def boom():
        raise ValueError("password=hunter2")

    @app.get("/teapot")
    def teapot():
        abort(418)

    @app.get("/handled")
    def handled():
        raise KeyError("x")

    @app.errorhandler(KeyError)
    def on_key_error(error):
        return "handled", 400

    @app.get("/stream")
    def stream():
        @stream_with_context
        def chunks():
            yield "one"
            set_consumer(request.args["who"])
            yield "two"

        return chunks()

    @app.get("/skipped")
    def skipped():
        skip_request()
        return "x"

    @inner.get("/things/<thing>")
    def thing(thing: str):
        return thing

    blueprint.register_blueprint(inner)
    app.register_blueprint(blueprint)
    return app


@pytest.fixture
def app(telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor) -> Flask:
    return instrumentor.instrument_app(make_app(), capture_body="all", **telemetry.providers)


def test_a_request_becomes_one_server_span_with_route_consumer_and_redacted_bodies(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = make_app()
    instrumentor.instrument_app(
        app, capture_body="all", identify="header:x-client", **telemetry.providers
    )

    response = app.test_client().post(
        "/users/7?token=abc", json={"password": "hunter2"}, headers={"x-client": "acme"}
    )

    assert response.json == {"id": 7, "echo": {"password": "hunter2"}}
    span = telemetry.server_span
    assert span.name == "POST /users/<int:user>"
    assert span.attributes["http.route"] == "/users/<int:user>"
    assert span.attributes["apimetrics.consumer.id"] == "acme"
    assert span.attributes["url.query"] == "token=[REDACTED]"
    assert "hunter2" not in span.to_json()
    assert '"password": "[REDACTED]"' in span.attributes["http.request.body.content"]
    assert telemetry.total() == 1


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/items/7", "/items/<int:number>"),
        ("/v1/inner/things/x", "/v1/inner/things/<thing>"),
        ("/pets/rex", "/pets/<name>"),
        ("/nowhere", None),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/mnt"])
def test_the_route_is_the_rule_with_blueprints_and_mounts(app, telemetry, path, route, prefix):
    serve_wsgi(app, make_environ(path=path, SCRIPT_NAME=prefix))
    span = telemetry.server_span
    assert span.attributes.get("http.route") == (None if route is None else prefix + route)
    assert span.attributes["apimetrics.exchange.framework"] == "flask"


def test_a_consumer_in_flask_g_is_found(app, telemetry: Telemetry):
    serve_wsgi(app, make_environ(path="/items/1", query="who=acme"))
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "acme"


def test_what_set_consumer_says_wins_over_flask_g(app, telemetry: Telemetry):
    serve_wsgi(app, make_environ(path="/called"))
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "called"


def test_a_consumer_set_while_streaming_is_found(app, telemetry: Telemetry):
    seen = serve_wsgi(app, make_environ(path="/stream", query="who=late"))
    assert [e[1] for e in seen.events if e[0] == "chunk"] == [b"one", b"two"]
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "late"
    assert telemetry.server_span.attributes["http.route"] == "/stream"


@pytest.mark.parametrize("path", ["/boom", "/broken"])
@pytest.mark.parametrize("testing", [False, True])
def test_an_unhandled_exception_is_noted_once_with_its_route(
    app, telemetry: Telemetry, path, testing, caplog
):
    caplog.set_level(logging.CRITICAL)
    app.testing = testing
    seen = serve_wsgi(app, make_environ(path=path))
    assert isinstance(seen.error, ValueError) == testing
    span = telemetry.server_span
    assert span.attributes["http.route"] == path
    assert span.attributes["error.type"] == "ValueError"
    assert span.attributes["http.response.status_code"] == 500
    assert [event.name for event in span.events] == ["exception"]
    assert "hunter2" not in span.to_json()
    assert telemetry.total("apimetrics.exceptions") == 1


@pytest.mark.parametrize(("path", "status"), [("/teapot", 418), ("/handled", 400)])
def test_an_exception_that_the_app_answers_is_no_error(app, telemetry, path, status):
    assert serve_wsgi(app, make_environ(path=path)).status == status
    assert "error.type" not in telemetry.server_span.attributes
    assert telemetry.total("apimetrics.exceptions") == 0


def test_a_skipped_request_leaves_a_bare_span_and_no_metric(app, telemetry: Telemetry):
    serve_wsgi(app, make_environ(path="/skipped", query="token=s3cr3t"))
    span = telemetry.server_span
    assert "http.response.status_code" not in span.attributes
    assert "s3cr3t" not in span.to_json()
    assert telemetry.total() == 0


@pytest.mark.parametrize("entry", ["app", "wsgi_app"])
def test_both_ways_into_an_app_make_one_record(app, telemetry: Telemetry, entry):
    served = app if entry == "app" else app.wsgi_app
    serve_wsgi(served, make_environ(path="/items/1"))
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["http.route"] == "/items/<int:number>"


def test_a_redirect_that_the_client_follows_is_a_record_of_its_own(app, telemetry: Telemetry):
    app.add_url_rule("/go", view_func=lambda: flask.redirect("/items/1"))
    assert app.test_client().get("/go", follow_redirects=True).text == "1"
    assert [s.attributes["http.route"] for s in telemetry.server_spans] == [
        "/go",
        "/items/<int:number>",
    ]


def test_two_apps_in_a_dispatcher_make_one_record_each(telemetry, instrumentor):
    first, second = make_app(), make_app()
    instrumentor.instrument(**telemetry.providers)
    dispatcher = DispatcherMiddleware(first.wsgi_app, {"/two": second.wsgi_app})
    serve_wsgi(dispatcher, make_environ(path="/two/items/1"))
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["http.route"] == "/two/items/<int:number>"


def test_an_app_that_calls_another_with_its_environ_is_one_record(telemetry, instrumentor):
    inner, outer = make_app(), make_app()
    instrumentor.instrument(**telemetry.providers)
    original = outer.wsgi_app
    outer.wsgi_app = DispatcherMiddleware(original, {"/in": inner})
    serve_wsgi(outer, make_environ(path="/in/items/1"))
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["http.route"] == "/in/items/<int:number>"


def test_an_app_factory_before_or_after_instrument_is_recorded(telemetry, instrumentor):
    before = make_app()
    instrumentor.instrument(**telemetry.providers)
    for app in (before, make_app()):
        serve_wsgi(app, make_environ(path="/items/1"))
    assert telemetry.total() == 2
    assert len(telemetry.server_spans) == 2


def test_an_app_of_a_subclass_is_recorded(telemetry, instrumentor):
    class Own(Flask):
        def __call__(self, environ, start_response):
            return super().__call__(environ, start_response)

    instrumentor.instrument(**telemetry.providers)
    app = Own("own")
    serve_wsgi(app, make_environ(path="/nowhere"))
    assert telemetry.total() == 1


def test_instrument_and_instrument_app_together_make_one_record(telemetry, instrumentor):
    instrumentor.instrument(**telemetry.providers)
    app = make_app()
    instrumentor.instrument_app(app, identify="header:x-client")
    instrumentor.instrument_app(app, identify="header:x-client")
    serve_wsgi(app, make_environ(path="/items/1", headers={"x-client": "acme"}))
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "acme"


def test_uninstrument_puts_the_original_methods_back(telemetry, instrumentor):
    def receivers():
        return {*got_request_exception.receivers}

    originals = vars(Flask)["__call__"], vars(Flask)["wsgi_app"]
    before = receivers()
    instrumentor.instrument(**telemetry.providers)
    assert vars(Flask)["__call__"] is not originals[0]
    assert receivers() != before
    instrumentor.uninstrument()
    assert receivers() == before
    assert (vars(Flask)["__call__"], vars(Flask)["wsgi_app"]) == originals
    serve_wsgi(make_app(), make_environ(path="/items/1"))
    assert telemetry.total() == 0


def test_one_app_can_be_left_out(telemetry, instrumentor):
    instrumentor.instrument(**telemetry.providers)
    app, other = make_app(), make_app()
    assert instrumentor.uninstrument_app(app) is app
    assert serve_wsgi(app, make_environ(path="/items/1")).body == b"1"
    assert telemetry.total() == 0
    serve_wsgi(other, make_environ(path="/items/1"))
    assert telemetry.total() == 1


def test_an_async_hook_is_refused(instrumentor):
    async def identify(exchange):
        return "x"

    with pytest.raises(ConfigError, match="identify cannot be async under Flask"):
        instrumentor.instrument_app(make_app(), identify=identify)


def test_two_hundred_requests_at_once_keep_their_consumers_apart(telemetry, instrumentor):
    app = Flask("busy")
    barrier = Barrier(200)

    @app.get("/<name>")
    def name(name):
        barrier.wait(30)
        g.consumer_identifier = name
        barrier.wait(30)
        return name

    instrumentor.instrument_app(app, **telemetry.providers)
    with ThreadPoolExecutor(200) as pool:
        list(pool.map(lambda n: serve_wsgi(app, make_environ(path=f"/c{n}")), range(200)))
    assert len(telemetry.server_spans) == 200
    for span in telemetry.server_spans:
        assert f"/{span.attributes['apimetrics.consumer.id']}" == span.attributes["url.path"]


def test_the_route_table_is_the_url_map():
    assert set(adapter.routes(make_app())) >= {
        "POST /users/<int:user>",
        "GET /v1/inner/things/<thing>",
        "GET /pets/<name>",
    }


def test_contribs_middleware_in_the_chain_is_seen():
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

    app = make_app()
    assert not adapter.instrumented_inside(app)
    app.wsgi_app = OpenTelemetryMiddleware(app.wsgi_app)
    assert adapter.instrumented_inside(app)
    flagged = make_app()
    flagged._is_instrumented_by_opentelemetry = True
    assert adapter.instrumented_inside(flagged)


@pytest.mark.parametrize("place", ["inside", "outside"])
@pytest.mark.parametrize("path", ["/items/1", "/stream?who=x"])
def test_contribs_middleware_makes_the_one_span_and_nobody_ends_it_twice(
    telemetry, instrumentor, place, path, caplog
):
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

    app = make_app()
    served = app
    options = {"tracer_provider": telemetry.tracer_provider}
    if place == "inside":
        app.wsgi_app = OpenTelemetryMiddleware(app.wsgi_app, **options)
    else:
        served = OpenTelemetryMiddleware(app, **options)
    instrumentor.instrument_app(app, **telemetry.providers)
    with caplog.at_level(logging.WARNING):
        path, _, query = path.partition("?")
        serve_wsgi(served, make_environ(path=path, query=query))
    assert telemetry.server_span.attributes["apimetrics.exchange.framework"] == "flask"
    assert telemetry.server_span.instrumentation_scope.name != "otel_apimetrics"
    assert caplog.records == []


def test_an_exception_outside_a_request_is_nobodys(app):
    with app.test_request_context("/items/1"):
        assert adapter._on_exception(app, ValueError("x")) is None


@pytest.mark.swallows_errors
def test_an_error_of_ours_in_the_exception_signal_leaves_the_answer(
    app, telemetry, monkeypatch, no_swallowed_errors, caplog
):
    caplog.set_level(logging.CRITICAL)

    def fail(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr(adapter, "note_request", fail)
    assert serve_wsgi(app, make_environ(path="/boom")).status == 500
    assert "flask.exception" in [place for place, _ in no_swallowed_errors]
    assert telemetry.total() == 1
