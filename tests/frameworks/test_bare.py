"""Apps of no known framework: told apart by how they are called."""

import copy
import functools
import inspect
import pickle
import sys
import warnings
import weakref
from wsgiref.validate import validator

import pytest
from flask import Flask, g
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsInstrumentor,
    ApiMetricsWSGIMiddleware,
    ConfigError,
)
from otel_apimetrics.frameworks import adapter, authority, bare
from otel_apimetrics.frameworks.classes import MethodWraps
from tests.in_process import make_environ, make_scope, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry


def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"wsgi"]


async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi"})


def answer_with_type(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"text"]


class WSGIObject:
    def __call__(self, environ, start_response):
        return wsgi(environ, start_response)

    def method(self, environ, start_response):
        return wsgi(environ, start_response)


class ASGIObject:
    async def __call__(self, scope, receive, send):
        await asgi(scope, receive, send)


class PlainASGIObject:
    """Returns the coroutine of another app without being `async` itself."""

    def __call__(self, scope, receive, send):
        return asgi(scope, receive, send)


async def async_of_anything(*args):
    await asgi(*args)


class AsyncOfAnything:
    async def __call__(self, *args):
        await asgi(*args)


class ClassOfWSGI:
    """PEP 3333: calling the class is calling the app."""

    def __init__(self, environ, start_response):
        self.answer = wsgi(environ, start_response)

    def __iter__(self):
        return iter(self.answer)


class ClassOfASGI2:
    """Called twice, which we do not record."""

    def __init__(self, scope):
        pass

    async def __call__(self, receive, send):
        pass


@pytest.mark.parametrize(
    ("app", "interface"),
    [
        (wsgi, "wsgi"),
        (WSGIObject(), "wsgi"),
        (WSGIObject().method, "wsgi"),
        (lambda environ, start_response, extra=None: wsgi(environ, start_response), "wsgi"),
        (functools.partial(lambda prefix, e, s: wsgi(e, s), "x"), "wsgi"),
        (asgi, "asgi"),
        (ASGIObject(), "asgi"),
        (PlainASGIObject(), "asgi"),
        (functools.partial(asgi), "asgi"),
        (lambda *args, **named: wsgi(*args, **named), "wsgi"),
        (lambda environ, *args: wsgi(environ, *args), "wsgi"),
        (lambda environ=None, start_response=None: wsgi(environ, start_response), "wsgi"),
        (lambda scope, receive, send=None, *more: asgi(scope, receive, send), "wsgi"),
        (lambda scope, receive, send, *more: asgi(scope, receive, send), "asgi"),
        (validator(wsgi), "wsgi"),
        (async_of_anything, "asgi"),
        (functools.partial(AsyncOfAnything()), "asgi"),
        (functools.wraps(asgi)(lambda *args: asgi(*args)), "asgi"),
        (ClassOfWSGI, "wsgi"),
        (ClassOfASGI2, None),
        (lambda environ, start_response, *, needed: None, None),
        (lambda one: None, None),
        (dict.fromkeys, None),
        (object(), None),
        (7, None),
    ],
)
def test_wsgi_and_asgi_are_told_apart_by_the_call(app, interface):
    assert bare.interface_of(app) == interface


def test_the_standard_librarys_validator_is_recorded_and_content(telemetry, instrumentor):
    app = functools.partial(answer_with_type)
    served = instrumentor.instrument_app(validator(app), **telemetry.providers)
    environ = {key: value for key, value in make_environ().items() if key != "HTTP_HOST"}
    assert serve_wsgi(served, environ).body == b"text"
    assert telemetry.total() == 1


def test_the_standard_librarys_validator_outside_is_content(telemetry, instrumentor):
    served = instrumentor.instrument_app(
        answer_with_type, capture_body="all", **telemetry.providers
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checked = serve_wsgi(validator(served), make_environ("POST", body=b"text"))
    assert checked.error is None
    assert checked.body == b"text"


def test_a_callable_whose_signature_cannot_be_read_is_neither():
    class Odd:
        __signature__ = "no signature"

        def __call__(self, environ, start_response):
            return []

    odd = Odd()
    Odd.__call__.__signature__ = 7
    assert bare.interface_of(odd) is None


def test_instrument_app_wraps_a_bare_app(telemetry: Telemetry, instrumentor):
    served = instrumentor.instrument_app(wsgi, **telemetry.providers)
    assert isinstance(served, ApiMetricsWSGIMiddleware)
    assert serve_wsgi(served, make_environ()).body == b"wsgi"
    served = instrumentor.instrument_app(asgi, **telemetry.providers)
    assert isinstance(served, ApiMetricsASGIMiddleware)
    assert serve_asgi(served, make_scope()).body == b"asgi"
    assert telemetry.total() == 2
    assert [s.attributes["apimetrics.exchange.framework"] for s in telemetry.server_spans] == [
        "wsgi",
        "asgi",
    ]


def test_instrument_app_twice_makes_one_record_by_the_later_options(telemetry, instrumentor):
    first = instrumentor.instrument_app(wsgi, **telemetry.providers)
    second = instrumentor.instrument_app(first, identify="client_address", **telemetry.providers)
    assert second.app is wsgi
    serve_wsgi(second, make_environ())
    assert telemetry.total() == 1
    assert "apimetrics.consumer.id" in telemetry.server_span.attributes


def test_uninstrument_app_gives_the_app_back(telemetry, instrumentor):
    for app in (wsgi, asgi):
        assert instrumentor.uninstrument_app(instrumentor.instrument_app(app)) is app


def test_what_is_no_app_is_refused_by_name(instrumentor: ApiMetricsInstrumentor):
    with pytest.raises(ConfigError, match="int is no WSGI and no ASGI app"):
        instrumentor.instrument_app(7)


def test_a_middleware_has_the_attributes_of_its_app():
    app = WSGIObject()
    app.config = {"a": 1}
    assert ApiMetricsWSGIMiddleware(app).config == {"a": 1}
    assert ApiMetricsASGIMiddleware(Starlette()).state is not None
    with pytest.raises(AttributeError):
        _ = ApiMetricsWSGIMiddleware(app).nothing


def call_wsgi(app):
    return serve_wsgi(app, make_environ()).body


def call_asgi(app):
    return serve_asgi(app, make_scope()).body


class Counting(WSGIObject):
    """An app with a state, compared by its name."""

    def __init__(self, name):
        self.name, self.notes = name, []

    def __eq__(self, other):
        return isinstance(other, type(self)) and self.name == other.name

    def __hash__(self):
        return hash(self.name)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_bare_app_is_a_recorded_copy_of_the_app(telemetry, instrumentor, duplicate):
    app = Counting("a")
    served = instrumentor.instrument_app(app, **telemetry.providers)
    made = duplicate(served)
    assert type(made.app) is Counting
    assert made.app is not app
    assert (made.app.notes is app.notes) == (duplicate is copy.copy)
    assert call_wsgi(made) == b"wsgi"
    assert telemetry.total() == 1


@pytest.mark.parametrize(("app", "call"), [(wsgi, call_wsgi), (asgi, call_asgi)])
def test_a_copy_of_a_function_is_the_function(telemetry, instrumentor, app, call):
    served = instrumentor.instrument_app(app, **telemetry.providers)
    assert copy.deepcopy(served).app is app
    assert call(copy.deepcopy(served)) == call(app)
    assert telemetry.total() == 1


@pytest.mark.parametrize(
    ("app", "call"), [(wsgi, call_wsgi), (asgi, call_asgi), (Counting("a"), call_wsgi)]
)
def test_a_bare_app_is_pickled_with_its_options(instrumentor, app, call):
    instrumentor.instrument(capture_body="all")
    served = instrumentor.instrument_app(app, identify="client_address")
    made = pickle.loads(pickle.dumps(served))
    assert made == served
    assert made._pipeline.config.capture_body == "all"
    assert made._options == served._options
    assert call(made) == call(app)


def test_an_app_whose_options_cannot_be_pickled_runs_without_us(telemetry, instrumentor, caplog):
    served = instrumentor.instrument_app(Counting("a"), **telemetry.providers)
    made = pickle.loads(pickle.dumps(served))
    assert call_wsgi(made) == b"wsgi"
    assert telemetry.total() == 0
    assert "its options could not be pickled" in caplog.text
    assert call_wsgi(pickle.loads(pickle.dumps(made))) == b"wsgi"


@pytest.mark.swallows_errors
def test_an_app_whose_options_are_refused_elsewhere_runs_without_us(
    monkeypatch, instrumentor, no_swallowed_errors
):
    pickled = pickle.dumps(instrumentor.instrument_app(wsgi, capture_body="all"))
    monkeypatch.setenv("OTEL_APIMETRICS_MAX_BODY_SIZE", "many")
    assert call_wsgi(pickle.loads(pickled)) == b"wsgi"
    assert [place for place, _ in no_swallowed_errors] == ["middleware.restore"]


def test_a_bare_app_that_has_taken_the_name_of_the_app_is_pickled_by_it(monkeypatch, instrumentor):
    served = instrumentor.instrument_app(wsgi)
    monkeypatch.setattr(sys.modules[__name__], "wsgi", served)
    assert pickle.loads(pickle.dumps(served)) is served


def test_a_bare_app_that_cannot_be_pickled_is_not(instrumentor):
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(instrumentor.instrument_app(lambda environ, start_response: []))


def test_a_bare_app_is_compared_as_the_app(instrumentor):
    served = instrumentor.instrument_app(Counting("a"))
    assert served == Counting("a")
    assert Counting("b") != served
    assert served == instrumentor.instrument_app(Counting("a"))
    assert {served: 1}[Counting("a")] == 1
    assert instrumentor.instrument_app(wsgi) == wsgi


def test_a_bare_app_is_described_as_the_app(instrumentor):
    def app(environ: dict, start_response):
        """Answers."""

    app.version = 1
    served = instrumentor.instrument_app(app)
    for name in (*functools.WRAPPER_ASSIGNMENTS, "version", "__code__"):
        if hasattr(app, name):
            assert getattr(served, name) == getattr(app, name)
    assert inspect.signature(served) == inspect.signature(app)
    served.version = 2
    assert app.version == 2
    del served.version
    assert not hasattr(app, "version")


def test_the_attributes_of_a_middleware_of_somebody_elses_are_its_own():
    class Theirs(ApiMetricsWSGIMiddleware):
        def __init__(self, app):
            self.before = 1
            super().__init__(app)
            self.after = 2

    app = WSGIObject()
    theirs = Theirs(app)
    assert (theirs.before, theirs.after, vars(app)) == (1, 2, {})
    del theirs.after
    assert not hasattr(theirs, "after")


def test_an_app_that_cannot_be_described_yet_is_recorded(telemetry, instrumentor):
    class Lazy(WSGIObject):
        @property
        def __doc__(self):
            raise RuntimeError("there is no app yet")

    assert call_wsgi(instrumentor.instrument_app(Lazy(), **telemetry.providers)) == b"wsgi"
    assert telemetry.total() == 1


def flask_app(name: str, consumer: str) -> Flask:
    app = Flask(name)

    @app.get("/items/<int:number>")
    def item(number):
        g.consumer_identifier = consumer
        return str(number)

    return app


def test_flask_inside_a_dispatcher_has_its_routes_with_the_mount(telemetry, instrumentor):
    dispatcher = DispatcherMiddleware(flask_app("a", "ca"), {"/b": flask_app("b", "cb")})
    served = instrumentor.instrument_app(dispatcher, **telemetry.providers)
    serve_wsgi(served, make_environ(path="/items/1"))
    serve_wsgi(served, make_environ(path="/b/items/1"))
    assert [s.attributes["http.route"] for s in telemetry.server_spans] == [
        "/items/<int:number>",
        "/b/items/<int:number>",
    ]
    assert [s.attributes["apimetrics.consumer.id"] for s in telemetry.server_spans] == ["ca", "cb"]
    assert telemetry.total() == 2


def test_starlette_inside_a_bare_middleware_has_its_routes(telemetry, instrumentor):
    async def item(request):
        return PlainTextResponse("x")

    inner = Starlette(routes=[Route("/items/{id}", item)])

    async def outer(scope, receive, send):
        await inner(scope, receive, send)

    served = instrumentor.instrument_app(outer, **telemetry.providers)
    serve_asgi(served, make_scope(path="/items/1"))
    assert telemetry.server_span.attributes["http.route"] == "/items/{id}"


class Wrapper:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


def test_contribs_middleware_is_found_through_a_chain_of_wrappers():
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

    assert bare.instrumented_inside(Wrapper(Wrapper(OpenTelemetryMiddleware(wsgi))))
    assert not bare.instrumented_inside(Wrapper(Wrapper(wsgi)))
    assert not bare.instrumented_inside(7)
    flask = flask_app("a", "x")
    flask._is_instrumented_by_opentelemetry = True
    assert bare.instrumented_inside(flask.wsgi_app)


def test_a_chain_that_contains_itself_ends():
    wrapper = Wrapper(None)
    wrapper.app = wrapper
    assert len(list(adapter.chain(wrapper, "app", depth=5))) == 5


def test_an_adapter_knows_nothing_by_default():
    plain = adapter.Adapter(name="x")
    assert not plain.instrumented_inside(wsgi)
    assert not plain.decides_later(wsgi)
    assert plain.routes(wsgi) == ()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("api.example", ("api.example", None)),
        ("api.example:8000", ("api.example", 8000)),
        ("[2001:db8::1]:443", ("2001:db8::1", 443)),
        ("api.example:99999", ("", None)),
        ("a b", ("", None)),
        ("", ("", None)),
        ("x" * 600, ("", None)),
    ],
)
def test_an_authority_is_split_or_refused(header, expected):
    assert authority.split_authority(header) == expected
    assert authority.split_authority(header) == expected


def test_many_authorities_do_not_grow_memory_without_bound():
    for n in range(1000):
        assert authority.split_authority(f"h{n}.example") == (f"h{n}.example", None)
    assert len(authority._KNOWN) <= authority._MAX_KNOWN


def test_a_method_is_wrapped_on_the_class_that_defines_it_and_once():
    class Base:
        def call(self):
            return "original"

    class Derived(Base):
        pass

    original = Base.call
    made = []

    def make(method):
        made.append(method)
        return lambda self: f"wrapped {method(self)}"

    wraps = MethodWraps()
    wraps.wrap(Derived, "call", make)
    wraps.wrap(Base, "call", make)
    assert made == [original]
    assert Derived().call() == "wrapped original"
    wraps.undo()
    assert vars(Base)["call"] is original
    with pytest.raises(AttributeError, match="Derived has no nothing"):
        wraps.wrap(Derived, "nothing", make)


def test_a_wrap_that_somebody_wrapped_in_turn_stays():
    class Base:
        def call(self):
            return 1

    wraps = MethodWraps()
    wraps.wrap(Base, "call", lambda original: lambda self: original(self) + 1)
    ours = Base.call
    Base.call = lambda self: ours(self) * 10
    theirs = Base.call
    wraps.undo()
    assert Base.call is theirs
    assert Base().call() == 20


def test_an_instrumented_app_can_be_collected(telemetry, instrumentor):
    import gc

    app = flask_app("gone", "x")
    instrumentor.instrument_app(app, **telemetry.providers)
    serve_wsgi(app, make_environ(path="/items/1"))
    reference = weakref.ref(app)
    del app
    gc.collect()
    assert reference() is None
