"""A Flask app behaves as without us below our decorators, and labels see what goes out."""

import contextlib
import contextvars
import functools
import inspect

import flask
import flask.views
import prometheus_client
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from werkzeug.exceptions import Conflict

from otel_apimetrics.compat.prometheus_flask_exporter import PrometheusMetrics
from otel_apimetrics.prometheus import FlaskMetrics

STATUS = {"status": lambda response: response.status_code}
KINDS = ("counter", "gauge", "histogram", "summary")


@pytest.fixture(params=[FlaskMetrics, PrometheusMetrics])
def metrics(request):
    return request.param(None, registry=prometheus_client.CollectorRegistry())


@pytest.fixture
def ours():
    return FlaskMetrics(None, registry=prometheus_client.CollectorRegistry())


@pytest.fixture
def app():
    return flask.Flask("shop")


def shown(metrics, *names):
    text, _ = metrics.generate_metrics()
    return [line for line in text.splitlines() if line.startswith(names) and "_created" not in line]


def decorated_by_all(metrics):
    """Give a decorator that is two of each kind, and one that marks."""
    decorators = [metrics.do_not_track()]
    for kind in KINDS:
        decorators += [
            getattr(metrics, kind)(f"a_{kind}", "Calls"),
            getattr(metrics, kind)(f"b_{kind}", "Calls", labels=_labels(kind)),
        ]

    def decorate(view):
        for decorator in decorators:
            view = decorator(view)
        return view

    return decorate


def _labels(kind):
    return {"a": lambda: 1} if kind == "gauge" else STATUS


def text():
    return "text"


def told():
    return "told", 201, {"X": "1"}


def data():
    return {"a": 1}


def streamed():
    yield from ("a", "b")


def answer():
    return flask.Response("answer", 202)


def nothing():
    return None  # noqa: PLR1711  what is returned is the point


def aborted():
    flask.abort(409)


def returned():
    return Conflict()


def handled():
    raise KeyError("handled")


def boom():
    raise ZeroDivisionError("boom")


async def awaited():
    return "awaited", 201


async def failing():
    raise KeyError("failing")


VIEWS = (text, told, data, streamed, answer, nothing, aborted, returned, handled, boom, awaited, failing)  # fmt: skip


def watched(seen):
    """Give a decorator as apps have them: it looks at what a view returns and raises."""

    def decorate(view):
        @functools.wraps(view)
        def look(*args, **kwargs):
            try:
                made = flask.current_app.ensure_sync(view)(*args, **kwargs)
            except Exception as error:
                seen.append(repr(error))
                raise
            seen.append(type(made) if inspect.isgenerator(made) else repr(made).split(" at ")[0])
            return made

        return look

    return decorate


def served(decorate):
    """Serve all views below such a decorator; give what they, handlers and clients saw."""
    app, seen = flask.Flask("shop"), []

    @app.errorhandler(KeyError)
    def on_key(error):
        seen.append(("handler", repr(error)))
        return "handled", 418

    @app.errorhandler(500)
    def on_500(error):
        seen.append(("500", repr(error.original_exception)))
        return "sorry", 503

    for view in VIEWS:
        app.get(f"/{view.__name__}")(watched(seen)(decorate(view)))
    for view in VIEWS:
        made = app.test_client().get(f"/{view.__name__}")
        seen.append((made.status, sorted(made.headers), made.data))
    return seen


def test_decorators_further_out_handlers_and_clients_see_what_they_see_without_us(metrics):
    assert served(decorated_by_all(metrics)) == served(lambda view: view)
    assert sorted(shown(metrics, "b_counter_total")) == sorted(
        f'b_counter_total{{status="{status}"}} {count}.0'
        for status, count in _counts(metrics).items()
    )


def _counts(metrics):
    if isinstance(metrics, PrometheusMetrics):
        # The package counts no view that returns nothing, and exceptions without a handler as 500.
        return {200: 3, 201: 2, 202: 1, 409: 2, 418: 2, 500: 1}
    return {200: 3, 201: 2, 202: 1, 409: 2, 418: 2, 503: 2}


def test_an_exception_that_a_decorator_further_out_answers_is_its_own(app, metrics):
    handled_ones = []
    app.errorhandler(KeyError)(handled_ones.append)

    def guarded(view):
        @functools.wraps(view)
        def guard():
            try:
                return view()
            except KeyError:
                return "rolled back", 409

        return guard

    app.get("/")(guarded(metrics.counter("calls", "Calls", labels=STATUS)(handled)))
    assert app.test_client().get("/").status_code == 409
    assert handled_ones == []
    assert shown(metrics, "calls_total") == ['calls_total{status="409"} 1.0']


def plain(function):
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


def renamed(function):
    def inner():
        return function()

    inner.__name__ = function.__name__
    return inner


class Held:
    def __init__(self, function):
        self.function = function

    def __call__(self):
        return self.function()


@pytest.mark.parametrize(
    "decorate",
    [plain, renamed, Held, functools.partial, lambda view: plain(Held(plain(view)))],
    ids=["plain", "renamed", "object", "partial", "several"],
)
@pytest.mark.parametrize("in_class", [False, True])
def test_labels_of_a_view_see_the_response_below_decorators_that_do_not_say_what_they_decorate(
    app, metrics, decorate, in_class
):
    counted = decorate(metrics.counter("made", "Made", labels=STATUS)(told))
    if in_class:
        kind = type("Made", (flask.views.View,), {"dispatch_request": staticmethod(counted)})
        app.add_url_rule("/", "view", kind.as_view("view"))
    else:
        app.add_url_rule("/", "view", counted)
    assert app.test_client().get("/").status_code == 201
    assert shown(metrics, "made_total") == ['made_total{status="201"} 1.0']


class Service:
    """As an app may have them in closures: callable, and each knows all others."""

    def __call__(self):
        raise AssertionError("nobody calls it")


def test_a_view_is_not_looked_for_in_all_that_an_app_knows(app, metrics):
    services = [Service() for _ in range(40)]
    for one in services:
        vars(one).update({f"service_{at}": other for at, other in enumerate(services)})
    known, called = services[0], []

    @app.get("/")
    def view(*_args, **_kwargs):
        assert known
        return called[0]()

    @metrics.counter("called", "Calls", labels={"said": str})
    def helper():
        return "helped"

    called.append(helper)
    assert app.test_client().get("/").text == "helped"
    assert shown(metrics, "called_total") == ['called_total{said="helped"} 1.0']


def test_labels_of_a_function_that_a_view_calls_see_what_it_returns(app, metrics):
    kind = {"kind": lambda returned: type(returned).__name__}
    helper = metrics.counter("helped", "Helped", labels=kind)(data)

    @app.get("/")
    def view():
        return helper()

    @app.get("/<one>")
    def of_url(one):
        return helper()

    for path in ("/", "/1"):
        app.test_client().get(path)
    assert shown(metrics, "helped_total") == ['helped_total{kind="dict"} 2.0']


def test_a_decorator_further_out_may_call_a_view_again(app, metrics):
    calls = []

    def tried_again(view):
        @functools.wraps(view)
        def retry():
            try:
                return view()
            except KeyError:
                return view()

        return retry

    def view():
        calls.append(1)
        if len(calls) == 1:
            raise KeyError("once")
        return "OK"

    app.get("/")(tried_again(metrics.counter("calls", "Calls", labels=STATUS)(view)))
    assert app.test_client().get("/").text == "OK"
    assert shown(metrics, "calls_total") == ['calls_total{status="200"} 2.0']


def test_labels_see_the_response_that_goes_out_and_the_fronts_see_the_one_that_hooks_get(
    app, metrics
):
    class Own(flask.Response):
        pass

    app.response_class = Own
    app.after_request(lambda response: Own(response.data, 299))
    labels = {**STATUS, "type": lambda response: type(response).__name__}
    app.get("/")(metrics.counter("calls", "Calls", labels=labels)(told))
    assert app.test_client().get("/").status_code == 299
    status = 201 if isinstance(metrics, PrometheusMetrics) else 299
    assert shown(metrics, "calls_total") == [f'calls_total{{status="{status}",type="Own"}} 1.0']


@pytest.mark.parametrize("propagates", [False, True])
@pytest.mark.parametrize("place", ["view", "hook", "decorator"])
def test_labels_see_a_500_where_no_handler_answers_and_the_exception_goes_on(
    app, ours, propagates, place
):
    app.testing = propagates

    def fail(view):
        @functools.wraps(view)
        def late():
            view()
            return boom()

        return late

    view = ours.counter("calls", "Calls", labels=STATUS)(boom if place == "view" else text)
    app.get("/")(fail(view) if place == "decorator" else view)
    if place == "hook":
        app.after_request(lambda _response: boom())
    if propagates:
        with pytest.raises(ZeroDivisionError):
            app.test_client().get("/")
    else:
        assert app.test_client().get("/").status_code == 500
    assert shown(ours, "calls_total") == ['calls_total{status="500"} 1.0']


def test_labels_that_need_no_response_are_asked_when_the_call_ends(app, metrics):
    tenant = contextvars.ContextVar("tenant")

    def of_a_tenant(view):
        @functools.wraps(view)
        def enter():
            token = tenant.set("ada")
            try:
                return view()
            finally:
                tenant.reset(token)

        return enter

    labels = {"tenant": lambda: tenant.get(), "kind": lambda: flask.g.kind, **STATUS}

    def view():
        flask.g.kind = "order"
        return "OK"

    app.get("/")(of_a_tenant(metrics.counter("calls", "Calls", labels=labels)(view)))
    app.test_client().get("/")
    (line,) = shown(metrics, "calls_total")
    assert line == 'calls_total{kind="order",status="200",tenant="ada"} 1.0'


def test_a_duration_has_the_span_in_which_its_call_ended(app, ours):
    tracer, spans = TracerProvider().get_tracer("shop"), []

    def traced(view):
        @functools.wraps(view)
        def enter():
            with tracer.start_as_current_span("view"):
                spans.append(trace.get_current_span().get_span_context().span_id)
                return view()

        return enter

    app.get("/")(traced(ours.histogram("waits", "Waits", labels=STATUS)(text)))
    app.test_client().get("/")
    scraped, _ = ours.generate_metrics("application/openmetrics-text")
    assert f'span_id="{spans[0]:016x}"' in scraped


def test_a_coroutine_function_stays_one_for_those_who_await_it(app, metrics):
    count = metrics.counter("calls", "Calls", labels={"told": lambda value: value})
    helper = metrics.do_not_track()(count(awaited_helper))
    assert inspect.iscoroutinefunction(helper)

    async def view():
        return await helper("x")

    app.get("/")(metrics.counter("views", "Calls", labels=STATUS)(view))
    assert app.test_client().get("/").text == "x"
    assert shown(metrics, "calls_total", "views_total") == [
        'calls_total{told="x"} 1.0',
        'views_total{status="200"} 1.0',
    ]


async def awaited_helper(value):
    return value


def test_a_stream_is_not_touched_and_its_labels_do_not_wait_for_its_end(app, metrics):
    during = []

    def view():
        yield "first"
        during.extend(shown(metrics, "calls_total"))
        yield "last"

    app.get("/")(metrics.counter("calls", "Calls", labels=STATUS)(view))
    assert app.test_client().get("/").text == "firstlast"
    assert during == ['calls_total{status="200"} 1.0']


def test_a_view_that_is_called_without_being_served_is_measured_when_its_request_ends(app, metrics):
    count = metrics.counter("calls", "Calls", labels=STATUS)
    views = [app.get(f"/{view.__name__}")(count(view)) for view in (told, aborted, boom, nothing)]
    for view in views:
        with (
            app.test_request_context(f"/{view.__name__}"),
            contextlib.suppress(Conflict, ZeroDivisionError),
        ):
            view()
    assert sorted(shown(metrics, "calls_total")) == [
        'calls_total{status="201"} 1.0',
        'calls_total{status="409"} 1.0',
        'calls_total{status="500"} 1.0',
    ]


def test_a_wsgi_app_that_a_view_returns_runs_once(app, metrics):
    runs = []

    def wsgi(environ, start_response):
        runs.append(environ["PATH_INFO"])
        if len(runs) == 2:
            raise ZeroDivisionError
        start_response("202 ACCEPTED", [])
        return [b"wsgi"]

    app.get("/")(metrics.counter("calls", "Calls", labels=STATUS)(lambda: wsgi))
    assert app.test_client().get("/").status_code == 202
    assert app.test_client().get("/").status_code == 500
    assert runs == ["/", "/"]
    assert shown(metrics, "calls_total")[0] == 'calls_total{status="202"} 1.0'


def test_a_converter_makes_what_labels_see_and_not_what_goes_out(app):
    ours = FlaskMetrics(
        None,
        registry=prometheus_client.CollectorRegistry(),
        response_converter=lambda returned: flask.make_response(f"<{returned}>", 299),
    )
    for name, view in (("plain", text), ("answered", answer), ("failed", handled)):
        app.get(f"/{name}")(ours.counter(name, "Calls", labels=STATUS)(view))
    client = app.test_client()
    assert client.get("/plain").text == "text"
    assert client.get("/answered").text == "answer"
    assert client.get("/failed").status_code == 500
    assert shown(ours, "plain_total", "answered_total", "failed_total") == [
        'plain_total{status="299"} 1.0',
        'answered_total{status="202"} 1.0',
        'failed_total{status="500"} 1.0',
    ]


@pytest.mark.swallows_errors
@pytest.mark.parametrize("front", [FlaskMetrics, PrometheusMetrics])
def test_a_converter_that_fails_leaves_labels_the_response_itself(app, front, no_swallowed_errors):
    registry = prometheus_client.CollectorRegistry()
    metrics = front(None, registry=registry, response_converter=lambda _returned: 1 / 0)
    app.get("/")(metrics.counter("calls", "Calls", labels=STATUS)(told))
    assert app.test_client().get("/").status_code == 201
    assert shown(metrics, "calls_total") == ['calls_total{status="201"} 1.0']
    assert [place for place, _ in no_swallowed_errors] == ["prometheus.convert"]


def test_a_client_within_an_exception_and_one_within_another_request_change_nothing(app, metrics):
    count = metrics.counter("calls", "Calls", labels={**STATUS, "path": lambda: flask.request.path})
    app.get("/inner")(count(told))

    def outer():
        try:
            boom()
        except ZeroDivisionError:
            return app.test_client().get("/inner").data, 202

    app.get("/outer")(count(outer))
    try:
        boom()
    except ZeroDivisionError:
        assert app.test_client().get("/outer").status_code == 202
    assert sorted(shown(metrics, "calls_total")) == [
        'calls_total{path="/inner",status="201"} 1.0',
        'calls_total{path="/outer",status="202"} 1.0',
    ]
