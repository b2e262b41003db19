"""Decorators of views, and of functions that views call."""

import functools

import flask
import pytest
from flask.views import MethodView
from werkzeug.exceptions import NotFound

STATUS = {"status": lambda response: response.status_code}


@pytest.fixture(autouse=True)
def metrics(make):
    return make(export_defaults=False)


@pytest.fixture(params=["counter", "gauge", "histogram", "summary"])
def kind(request):
    return request.param


@pytest.mark.row(50)
def test_a_counter_counts_calls_and_says_total_once(metrics, serve, client, scrape):
    one, other = metrics.counter("one", "One"), metrics.counter("other_total", "Other")
    serve("/", one(other(lambda: "OK")))
    client.get("/")
    client.get("/")
    shown = scrape()
    assert shown["one_total"] == shown["other_total"] == 2
    assert shown.families["one_total"] == "counter"


@pytest.mark.row(51)
def test_a_histogram_has_the_buckets_that_were_asked_for(metrics, serve, client, scrape):
    serve("/", metrics.histogram("waits", "Waits", buckets=(60, 120))(lambda: "OK"))
    client.get("/")
    shown = scrape()
    assert [shown[f'waits_bucket{{le="{le}"}}'] for le in ("60.0", "120.0", "+Inf")] == [1, 1, 1]
    assert shown["waits_count"] == 1
    assert 0 < shown["waits_sum"] < 60


@pytest.mark.row(52)
def test_a_summary_has_a_count_and_a_sum(metrics, serve, client, scrape):
    serve("/", metrics.summary("waits", "Waits", labels=STATUS)(lambda: ("made", 201)))
    client.get("/")
    shown = scrape()
    assert shown['waits_count{status="201"}'] == 1
    assert shown['waits_sum{status="201"}'] > 0
    assert shown.families["waits"] == "summary"


@pytest.mark.row(53)
def test_a_gauge_counts_calls_in_progress(metrics, serve, client, scrape):
    inside = []
    in_progress = metrics.gauge("now", "Now", labels={"path": lambda: flask.request.path})

    def view():
        inside.append(metrics.generate_metrics()[0])
        return "OK"

    serve("/", in_progress(view))
    serve("/boom", in_progress(lambda: 1 / 0))
    client.get("/")
    client.get("/boom")
    assert 'now{path="/"} 1.0' in inside[0]
    shown = scrape()
    assert shown['now{path="/"}'] == shown['now{path="/boom"}'] == 0
    assert shown.families["now"] == "gauge"


@pytest.mark.row(53)
def test_a_gauge_asks_for_labels_before_the_call_once_and_without_a_response(
    metrics, serve, client, scrape
):
    seen = []

    def label(response):
        seen.append(response)
        return "asked"

    serve("/", metrics.gauge("now", "Now", labels={"label": label})(lambda: "OK"))
    assert client.get("/").status_code == 200
    assert seen == [None]
    assert scrape()['now{label="asked"}'] == 0


@pytest.mark.row(53)
def test_a_gauge_goes_back_when_the_process_is_told_to_end(metrics, serve, client, scrape):
    def view():
        raise SystemExit

    serve("/", metrics.gauge("now", "Now")(view))
    with pytest.raises(SystemExit):
        client.get("/")
    assert scrape()["now"] == 0


@pytest.mark.row(54)
def test_namespace_subsystem_and_unit_shape_a_name(metrics, scrape):
    metrics.histogram("h", "H", namespace="ns", subsystem="sub", unit="seconds")
    metrics.counter("cu", "Cu", unit="bytes")
    metrics.gauge("gg", "Gg", unit="things", multiprocess_mode="livesum")
    metrics.summary("s_seconds", "S", unit="seconds")
    assert {*scrape().families} >= {"ns_sub_h_seconds", "cu_bytes_total", "gg_things", "s_seconds"}


@pytest.mark.row(54)
def test_an_argument_that_the_kind_does_not_know_is_refused(metrics, kind):
    with pytest.raises(TypeError, match="colour"):
        getattr(metrics, kind)("name", "Description", colour="red")
    with pytest.raises(TypeError, match="buckets"):
        metrics.counter("name", "Description", buckets=(1, 2))
    with pytest.raises(ValueError, match="multiprocess_mode"):
        metrics.gauge("name", "Description", multiprocess_mode="median")


@pytest.mark.row(54)
@pytest.mark.parametrize("label", ["", "__own"])
def test_a_label_that_prometheus_keeps_for_itself_is_refused(metrics, kind, label):
    with pytest.raises(ValueError, match="label"):
        getattr(metrics, kind)("name", "Description", labels={label: 1})
    with pytest.raises(ValueError, match="'le'"):
        metrics.histogram("name", "Description", labels={"le": 1})
    with pytest.raises(ValueError, match="has a name"):
        getattr(metrics, kind)("", "Description")


class Labels:
    """Callables of every kind."""

    def bound(self):
        return "bound"

    def bound_one(self, response):
        return response.status_code

    def __call__(self, response):
        return response.status_code

    def __str__(self):
        return "a value"


@pytest.mark.row(55)
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        (None, "None"),
        (True, "True"),
        (7, "7"),
        (lambda: "none", "none"),
        (lambda response: response.status_code, "200"),
        (lambda response=None: response.status_code, "200"),
        (lambda *args: len(args), "0"),
        (lambda **kwargs: len(kwargs), "0"),
        (functools.partial(lambda a, response: f"{a}{response.status_code}", "p"), "p200"),
        (functools.partial(lambda a: a, "p"), "p"),
        (Labels().bound, "bound"),
        (Labels().bound_one, "200"),
        (Labels(), "200"),
        (type, "<class 'flask.wrappers.Response'>"),
        (Labels, "a value"),
    ],
)
def test_a_label_is_a_value_or_a_callable_that_gets_nothing_or_the_response(
    metrics, serve, client, scrape, value, shown
):
    serve("/", metrics.counter("calls", "Calls", labels={"label": value})(lambda: "OK"))
    assert client.get("/").status_code == 200
    assert scrape()[f'calls_total{{label="{shown}"}}'] == 1


@pytest.mark.row(55)
@pytest.mark.swallows_errors
def test_a_label_that_raises_is_empty_and_fails_no_response(
    metrics, serve, client, scrape, kind, no_swallowed_errors
):
    labels = {"bad": lambda: 1 / 0, "good": lambda: "yes"}
    serve("/", getattr(metrics, kind)("calls", "Calls", labels=labels)(lambda: "OK"))
    assert client.get("/").status_code == 200
    name = {"counter": "calls_total", "gauge": "calls"}.get(kind, "calls_count")
    assert scrape()[f'{name}{{bad="",good="yes"}}'] == (0 if kind == "gauge" else 1)
    assert {place for place, _ in no_swallowed_errors} == {"prometheus.label"}


@pytest.mark.row(56)
def test_labels_are_a_dictionary(metrics, kind):
    with pytest.raises(TypeError, match="dictionary"):
        getattr(metrics, kind)("calls", "Calls", labels=["status"])


@pytest.mark.row(57)
@pytest.mark.parametrize("labels", [None, {"a": 1, "b": "x"}])
def test_a_metric_whose_labels_are_known_shows_zero_at_once(metrics, scrape, kind, labels):
    getattr(metrics, kind)("calls", "Calls", labels=labels, **_buckets(kind))
    shown = scrape()
    end = '{a="1",b="x"}' if labels else ""
    suffixes = {"counter": ["_total"], "gauge": [""], "summary": ["_count", "_sum"]}
    for suffix in suffixes.get(kind, ["_count", "_sum"]):
        assert shown[f"calls{suffix}{end}"] == 0
    if kind == "histogram":
        assert [line.split(" ")[1] for line in shown.of("calls_bucket")] == ["0.0"] * 3


def _buckets(kind):
    return {"buckets": (1, 2)} if kind == "histogram" else {}


@pytest.mark.row(57)
def test_a_metric_shows_nothing_at_once_where_a_label_is_asked_for_or_it_is_told_so(
    metrics, serve, client, scrape, kind
):
    make = getattr(metrics, kind)
    known = make("known", "Known", labels={"a": 1}, initial_value_when_only_static_labels=False)
    asked = make("asked", "Asked", labels={"a": lambda: 1})
    bare = make("bare", "Bare", initial_value_when_only_static_labels=False)
    serve("/", known(asked(bare(lambda: "OK"))))
    before = scrape()
    assert {key[0].split("_")[0] for key in before.samples} == {"bare"}
    assert {name.split("_")[0] for name in before.families} == {"known", "asked", "bare"}
    client.get("/")
    assert {key[0].split("_")[0] for key in scrape().samples} == {"known", "asked", "bare"}


@pytest.mark.row(58)
@pytest.mark.parametrize(
    ("returned", "status", "header"),
    [
        ("x", 200, "None"),
        (("x", 201), 201, "None"),
        (("x", 201, {"X": "1"}), 201, "1"),
        (("x", {"X": "1"}), 200, "1"),
        ({"a": 1}, 200, "None"),
        ([1, 2], 200, "None"),
    ],
)
def test_labels_see_a_response_whatever_a_view_returns(
    metrics, serve, client, scrape, returned, status, header
):
    labels = {**STATUS, "header": lambda response: response.headers.get("X")}
    serve("/", metrics.counter("calls", "Calls", labels=labels)(lambda: returned))
    assert client.get("/").status_code == status
    assert scrape()[f'calls_total{{header="{header}",status="{status}"}}'] == 1


@pytest.mark.row(58)
def test_labels_see_what_another_function_returns_as_it_is(metrics, serve, client, scrape):
    @metrics.counter("calls", "Calls", labels={"type": lambda value: type(value).__name__})
    def helper():
        return 7

    serve("/", lambda: str(helper() + 1))
    assert client.get("/").text == "8"
    assert scrape()['calls_total{type="int"}'] == 1


@pytest.mark.row(58)
def test_a_view_that_returns_nothing_fails_as_without_us_and_is_not_counted(
    metrics, serve, client, scrape
):
    serve("/", metrics.counter("calls", "Calls")(lambda: None))
    assert client.get("/").status_code == 500
    assert scrape()["calls_total"] == 0


@pytest.mark.row(59)
def test_labels_see_what_an_error_handler_answers(app, metrics, serve, client, scrape):
    app.errorhandler(KeyError)(lambda _error: ("no", 400, {"X": "key"}))
    labels = {**STATUS, "header": lambda response: response.headers["X"]}
    serve("/", metrics.counter("calls", "Calls", labels=labels)(lambda: {}["missing"]))
    answer = client.get("/")
    assert (answer.status_code, answer.text, answer.headers["X"]) == (400, "no", "key")
    assert scrape()['calls_total{header="key",status="400"}'] == 1


@pytest.mark.row(59)
def test_labels_see_a_500_where_an_error_handler_raises(app, metrics, serve, client, scrape):
    @app.errorhandler(404)
    def broken(_error):
        raise KeyError("no template")

    serve("/", metrics.counter("absent", "Absent", labels=STATUS)(lambda: flask.abort(404)))
    assert client.get("/").status_code == 500
    assert scrape()['absent_total{status="500"}'] == 1


@pytest.mark.row(59)
def test_labels_see_the_exception_of_the_view_where_a_decorator_further_out_raises_another(
    metrics, serve, client, scrape
):
    absent = metrics.counter("absent", "Absent", labels=STATUS)(lambda: flask.abort(404))

    @functools.wraps(absent)
    def replaced():
        try:
            absent()
        except NotFound as error:
            raise ValueError("another") from error

    serve("/", replaced)
    assert client.get("/").status_code == 500
    assert scrape()['absent_total{status="404"}'] == 1


@pytest.mark.row(58)
def test_labels_see_the_response_before_a_hook_that_the_view_asks_for(
    metrics, serve, client, scrape
):
    def view():
        flask.after_this_request(lambda _response: flask.Response("other", 277))
        return "as made", 201

    serve("/", metrics.counter("made", "Made", labels=STATUS)(view))
    assert client.get("/").status_code == 277
    assert scrape()['made_total{status="201"}'] == 1


@pytest.mark.row(59)
@pytest.mark.parametrize("testing", [False, True])
def test_an_exception_without_a_handler_is_500_and_goes_on(
    app, metrics, serve, client, scrape, testing
):
    app.testing = testing
    serve("/", metrics.counter("calls", "Calls", labels=STATUS)(lambda: 1 / 0))
    if testing:
        with pytest.raises(ZeroDivisionError):
            client.get("/")
    else:
        assert client.get("/").status_code == 500
    assert scrape()['calls_total{status="500"}'] == 1


@pytest.mark.row(59)
def test_an_answer_that_a_view_raises_has_its_status(metrics, serve, client, scrape):
    serve("/", metrics.counter("calls", "Calls", labels=STATUS)(lambda: flask.abort(409)))
    assert client.get("/").status_code == 409
    assert scrape()['calls_total{status="409"}'] == 1


@pytest.mark.row(59)
def test_an_exception_of_another_function_reaches_its_caller(app, metrics, serve, client, scrape):
    app.errorhandler(KeyError)(lambda _error: ("no", 400))

    @metrics.counter("calls", "Calls", labels=STATUS)
    def helper(error):
        raise error

    seen = []

    def view():
        for error in (KeyError("missing"), NotFound()):
            try:
                helper(error)
            except (KeyError, NotFound) as caught:
                seen.append(caught is error)
        return "mended"

    serve("/", view)
    assert client.get("/").text == "mended"
    assert seen == [True, True]
    shown = scrape()
    assert shown['calls_total{status="500"}'] == 1
    assert shown['calls_total{status="404"}'] == 1


@pytest.mark.row(58, 59)
def test_a_decorator_further_out_sees_what_a_view_returns_and_raises(
    app, metrics, serve, client, scrape
):
    asked, seen = [], []
    app.errorhandler(KeyError)(lambda _error: asked.append(1) or ("no", 400))

    def watched(view):
        @functools.wraps(view)
        def watch():
            try:
                seen.append(view())
            except KeyError as error:
                seen.append(error.args)
                raise
            return seen[-1]

        return watch

    count = metrics.counter("calls", "Calls", labels=STATUS)
    serve("/", watched(count(lambda: ("made", 201))))
    serve("/missing", watched(count(lambda: {}["missing"])))
    assert [client.get(path).status_code for path in ("/", "/missing")] == [201, 400]
    assert seen == [("made", 201), ("missing",)]
    assert asked == [1]
    shown = scrape()
    assert shown['calls_total{status="201"}'] == shown['calls_total{status="400"}'] == 1


@pytest.mark.row(60)
@pytest.mark.parametrize("order", [1, -1])
def test_named_endpoints_and_the_order_of_decorators_change_nothing(
    metrics, serve, client, scrape, order
):
    view = lambda: ("made", 201)  # noqa: E731
    decorators = [
        metrics.counter("a", "A", labels=STATUS),
        metrics.summary("b", "B", labels=STATUS),
        metrics.do_not_track(),
        metrics.gauge("c", "C"),
    ]
    for decorator in decorators[::order]:
        view = decorator(view)
    serve("/", view, endpoint="another")
    client.get("/")
    shown = scrape()
    assert shown['a_total{status="201"}'] == shown['b_count{status="201"}'] == 1
    assert shown["c"] == 0


@pytest.fixture
def tracked(app, metrics):
    metrics.export_defaults()
    return metrics


@pytest.mark.row(61)
def test_async_views_are_measured_and_left_out_as_others(tracked, serve, client, scrape):
    async def view():
        return "async", 201

    serve("/", tracked.counter("calls", "Calls", labels=STATUS)(view))
    serve("/untracked", tracked.do_not_track()(view))
    serve("/excluded", tracked.exclude_all_metrics()(tracked.counter("never", "Never")(view)))
    for path in ("/", "/untracked", "/excluded"):
        assert client.get(path).status_code == 201
    shown = scrape()
    assert shown['calls_total{status="201"}'] == 1
    assert shown["never_total"] == 0
    assert shown['flask_http_request_total{method="GET",status="201"}'] == 1


@pytest.mark.row(61)
def test_an_exception_of_an_async_view_is_handled_as_others(app, metrics, serve, client, scrape):
    app.errorhandler(KeyError)(lambda _error: ("no", 400))

    async def view():
        raise KeyError("missing")

    serve("/", metrics.counter("calls", "Calls", labels=STATUS)(view))
    assert client.get("/").status_code == 400
    assert scrape()['calls_total{status="400"}'] == 1


@pytest.mark.row(62)
def test_outside_a_request_a_decorated_function_is_called_as_it_is(metrics, scrape, kind):
    marks = metrics.do_not_track(), metrics.exclude_all_metrics()
    function = getattr(metrics, kind)("calls", "Calls")(lambda: "OK")
    for mark in marks:
        function = mark(function)
    assert function() == "OK"
    shown = scrape()
    assert {value for key, value in shown.samples.items() if "_created" not in key[0]} == {0}


@pytest.mark.row(63)
def test_a_name_that_is_taken_is_refused(metrics, kind):
    getattr(metrics, kind)("calls", "Calls")
    with pytest.raises(ValueError, match="Duplicated"):
        getattr(metrics, kind)("calls", "Calls")


@pytest.mark.row(63)
def test_a_name_that_was_given_up_begins_anew(metrics, registry, serve, client, scrape):
    info = metrics.counter("calls", "Calls")
    serve("/", info(lambda: "OK"))
    client.get("/")
    (collector,) = registry._collector_to_names
    registry.unregister(collector)
    assert "calls_total" not in scrape()
    metrics.counter("calls", "Calls")
    assert scrape()["calls_total"] == 0


@pytest.mark.row(64)
def test_what_is_not_tracked_is_left_out_of_the_defaults_alone(tracked, serve, client, scrape):
    count = tracked.counter("calls", "Calls")
    serve("/", tracked.do_not_track()(count(lambda: "OK")))
    serve("/boom", tracked.do_not_track()(lambda: 1 / 0))
    assert client.get("/").status_code == 200
    assert client.get("/boom").status_code == 500
    shown = scrape()
    assert shown["calls_total"] == 1
    for name in ("total", "duration_seconds_count", "exceptions_total"):
        assert not shown.of(f"flask_http_request_{name}")


@pytest.mark.row(65)
@pytest.mark.parametrize("fails", [False, True])
def test_what_is_excluded_is_left_out_of_all_metrics(tracked, serve, client, scrape, fails):
    view = tracked.counter("inner", "Inner")(lambda: 1 / 0 if fails else "OK")
    view = tracked.gauge("now", "Now")(tracked.exclude_all_metrics()(view))
    view = tracked.histogram("outer", "Outer")(view)
    serve("/", view)
    assert client.get("/").status_code == (500 if fails else 200)
    shown = scrape()
    assert shown["inner_total"] == shown["outer_count"] == shown["now"] == 0
    assert not shown.of("flask_http_request_total")
    assert not shown.of("flask_http_request_exceptions_total")


@pytest.mark.row(66)
def test_information_is_a_gauge_that_may_be_set(metrics, scrape):
    metrics.info("app_info", "Information", version="1.0", major=1)
    metrics.info("ordered", "Ordered", ("b", "a"), ("x", 2))
    metrics.info("bare", "Bare")
    dynamic = metrics.info("dynamic", "Dynamic")
    dynamic.set(42.1)
    shown = scrape()
    assert shown['app_info{major="1",version="1.0"}'] == 1
    assert shown.of("ordered") == ['ordered{a="2",b="x"} 1.0']
    assert (shown["bare"], shown["dynamic"]) == (1, 42.1)
    dynamic.inc(2)
    dynamic.dec()
    assert scrape()["dynamic"] == 43.1
    dynamic.set_to_current_time()
    assert scrape()["dynamic"] > 1.7e9


@pytest.mark.row(66)
def test_information_has_its_labels_in_one_form_and_whole(metrics):
    with pytest.raises(ValueError, match="not both"):
        metrics.info("app", "App", ("a",), (1,), b=2)
    with pytest.raises(ValueError, match="value for each"):
        metrics.info("app", "App", ("a", "b"))
    with pytest.raises(ValueError, match="value for each"):
        metrics.info("app", "App", ("a", "b"), (1,))


@pytest.mark.row(67)
def test_an_app_may_set_the_marks_of_a_request_by_hand(tracked, serve, client, scrape):
    def untracked():
        flask.request.prom_do_not_track = True
        return "OK"

    def excluded():
        assert flask.request.prom_start_time > 0
        flask.request.prom_exclude_all = True
        return "OK"

    serve("/untracked", tracked.counter("one", "One")(untracked))
    serve("/excluded", tracked.counter("two", "Two")(excluded))
    assert client.get("/untracked").status_code == client.get("/excluded").status_code == 200
    shown = scrape()
    assert (shown["one_total"], shown["two_total"]) == (1, 0)
    assert not shown.of("flask_http_request_total")


@pytest.mark.row(70)
def test_one_wrapper_measures_several_functions_and_views_of_classes(
    app, metrics, serve, client, scrape
):
    count = metrics.counter("calls", "Calls", labels={**STATUS, "path": lambda: flask.request.path})

    class Items(MethodView):
        @count
        def get(self):
            return "items", 202

        def post(self):
            return str(type(self.helped()))

        @count
        def helped(self):
            return flask.Response("helped", 299)

    blueprint = flask.Blueprint("b", __name__, url_prefix="/b")
    blueprint.get("/x")(count(lambda: ("x", 201)))
    app.register_blueprint(blueprint)
    app.add_url_rule("/items", view_func=Items.as_view("items"))
    for path in ("/items", "/b/x"):
        client.get(path)
    client.head("/items")
    client.post("/items")
    shown = scrape()
    assert shown['calls_total{path="/items",status="202"}'] == 2
    assert shown['calls_total{path="/b/x",status="201"}'] == 1
    assert shown['calls_total{path="/items",status="299"}'] == 1
