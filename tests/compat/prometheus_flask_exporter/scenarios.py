"""What the same apps show of the same requests, with either package.

python -m tests.compat.prometheus_flask_exporter.scenarios MODULE

prints by scenario what each scrape shows. Imports nothing of ours: the environment of the package
itself runs it too.
"""

import functools
import json
import sys
from importlib import import_module

import prometheus_client
from flask import Blueprint, Flask, Response, abort, after_this_request, jsonify, request
from flask.views import MethodView
from werkzeug.exceptions import Conflict

SCENARIOS = {}


def scenario(function):
    """Note a scenario."""
    SCENARIOS[function.__name__] = function
    return function


def shown(client, *paths, accept=None):
    """Scrape."""
    headers = {"Accept": accept} if accept else {}
    return [
        [answer.status_code, answer.content_type, answer.text]
        for path in paths or ("/metrics",)
        for answer in [client.get(path, headers=headers)]
    ]


def served(app):
    """Add views that answer in many ways."""
    app.get("/u/<n>", endpoint="u")(lambda n: n)

    @app.route("/boom")
    def boom():
        raise ValueError("boom")

    @app.route("/handled")
    def handled():
        raise KeyError("handled")

    app.errorhandler(KeyError)(lambda _error: ("handled", 418, {"X-Kind": "key"}))
    app.get("/conflict", endpoint="conflict")(lambda: abort(409))
    app.get("/created", endpoint="created")(lambda: ("made", 201, {"X-Kind": "made"}))
    app.get("/json", endpoint="json")(lambda: jsonify(a=1))
    app.get("/stream", endpoint="stream")(lambda: Response(str(n) for n in range(3)))
    return app


def asked(client):
    """Send a mixture of requests."""
    for path in ("/u/1", "/u/1", "/u/2?x=1", "/nope", "/boom", "/handled", "/conflict", "/json"):
        client.get(path)
    for path in ("/created", "/stream", "/static/nothing"):
        client.get(path)
    client.post("/u/1")
    client.head("/u/1")
    client.options("/u/1")
    client.post("/metrics")
    client.options("/metrics")
    client.head("/metrics")


@scenario
def the_defaults(module):
    app = served(Flask("shop"))
    module.PrometheusMetrics(app)
    client = app.test_client()
    before = shown(client)
    asked(client)
    return [*before, *shown(client), *shown(client, accept="application/openmetrics-text")]


@scenario
def formats_and_names(module):
    app = served(Flask("shop"))
    metrics = module.PrometheusMetrics(app)
    metrics.info("app_info", "Information", version="1.0", major=1)
    client = app.test_client()
    client.get("/u/1")
    names = (
        "flask_http_request_total",
        "flask_http_request_duration_seconds_sum",
        "flask_http_request_duration_seconds",
        "flask_http_request",
        "unknown",
        "",
        "app_info",
    )
    found = shown(client, *(f"/metrics?name[]={name}" for name in names))
    found += shown(client, "/metrics?name=app_info")
    for accept in (
        "*/*",
        "text/html",
        "application/openmetrics-text;version=1.0.0",
        "application/openmetrics-text;version=0.0.1",
        "text/plain;version=1.0.0;escaping=allow-utf-8",
        "application/vnd.google.protobuf",
    ):
        found += shown(client, accept=accept)
    return found


def with_options(**options):
    """Give a scenario of the defaults with other options."""

    def run(module):
        app = served(Flask("shop"))
        module.PrometheusMetrics(app, **options)
        client = app.test_client()
        asked(client)
        return shown(client)

    return run


def custom_rule(req):
    """Group."""
    return f"{req.method}::{req.path}"


SCENARIOS |= {
    "a_prefix": with_options(defaults_prefix="www"),
    "an_underscored_prefix": with_options(defaults_prefix="a_"),
    "an_empty_prefix": with_options(defaults_prefix=""),
    "no_prefix": with_options(defaults_prefix="#no_prefix"),
    "no_defaults": with_options(export_defaults=False),
    "a_summary": with_options(default_latency_as_histogram=False),
    "buckets": with_options(buckets=(0.2, 2, 4)),
    "buckets_to_infinity": with_options(buckets=(1, float("inf"))),
    "grouped_by_endpoint": with_options(group_by="endpoint"),
    "grouped_by_rule": with_options(group_by="url_rule"),
    "grouped_by_full_path": with_options(group_by="full_path"),
    "grouped_by_host": with_options(group_by="host"),
    "grouped_by_blueprint": with_options(group_by="blueprint"),
    "grouped_by_a_function": with_options(group_by=custom_rule),
    "default_labels": with_options(
        default_labels={"a": 1, "b": lambda: request.method, "z": lambda r: r.status_code}
    ),
    "excluded_paths": with_options(excluded_paths=["/u", "/bo+m", "/x"]),
    "an_excluded_path": with_options(excluded_paths="/"),
}


def decorated(metrics, app):
    """Add views with decorators of every kind."""
    labels = {"status": lambda r: r.status_code, "path": lambda: request.path, "s": None}

    @app.route("/counted/<what>")
    @metrics.counter("counted", "Counted", labels=labels)
    def counted(what):
        if what == "boom":
            raise ValueError(what)
        if what == "handled":
            raise KeyError(what)
        return what, 201, {"X-Kind": "b"}

    @app.route("/timed")
    @metrics.histogram("timed", "Timed", labels={"k": "v"}, buckets=(1, 2), unit="seconds")
    @metrics.summary("summed", "Summed", namespace="ns", subsystem="sub")
    @metrics.counter("named_total", "Named", labels={"x": True, "y": 2})
    def timed():
        return "timed"

    @app.route("/progress")
    @metrics.gauge("progress", "Progress", labels={"path": lambda: request.path})
    def progress():
        return metrics.generate_metrics()[0]

    @app.route("/untracked")
    @metrics.do_not_track()
    @metrics.counter("untracked", "Untracked")
    def untracked():
        return {"a": 1}

    @app.route("/excluded")
    @metrics.counter("excluded_outer", "Outer")
    @metrics.exclude_all_metrics()
    @metrics.gauge("excluded_gauge", "Gauge")
    @metrics.counter("excluded_inner", "Inner")
    def excluded():
        return "excluded"

    metrics.counter("late", "Late", labels={"a": "b"}, initial_value_when_only_static_labels=False)
    metrics.summary("never", "Never", labels={"a": "b"})
    metrics.histogram("never_timed", "Never", labels={"a": lambda: 1})
    metrics.gauge("never_in", "Never", multiprocess_mode="livesum", unit="things")


def decorators_asked(client):
    """Call them."""
    for path in ("/counted/a", "/counted/b", "/counted/boom", "/counted/handled", "/timed"):
        client.get(path)
    for path in ("/untracked", "/excluded", "/progress", "/timed"):
        client.get(path)


@scenario
def decorators(module):
    app = served(Flask("shop"))
    metrics = module.PrometheusMetrics(app)
    decorated(metrics, app)
    client = app.test_client()
    before = shown(client)
    decorators_asked(client)
    return [*before, *shown(client, "/progress", "/metrics")]


@scenario
def decorators_with_default_labels(module):
    app = served(Flask("shop"))
    metrics = module.PrometheusMetrics(
        app, default_labels={"region": "eu", "k": "wins"}, excluded_paths="/timed"
    )
    decorated(metrics, app)
    client = app.test_client()
    decorators_asked(client)
    return shown(client, "/progress", "/metrics")


@scenario
def decorators_on_excluded_paths(module):
    app = served(Flask("shop"))
    metrics = module.PrometheusMetrics(app, excluded_paths=["/timed"], exclude_user_defaults=False)
    decorated(metrics, app)
    client = app.test_client()
    decorators_asked(client)
    return shown(client)


def failing(view):
    """Fail once a view is over."""

    @functools.wraps(view)
    def fail():
        view()
        raise ValueError("too late")

    return fail


def among_hooks(metrics, app):
    """Add decorated views to an app whose hooks and handlers change what goes out."""
    app.errorhandler(500)(lambda _error: ("sorry", 503))
    labels = {"status": lambda r: r.status_code, "kind": lambda r: type(r).__name__}
    returned = {
        "text": lambda: "text",
        "made": lambda: ("made", 201),
        "nothing": lambda: None,
        "number": lambda: 7,
        "stream": lambda: (str(n) for n in range(3)),
        "answer": lambda: Response("answer", 202),
        "aborted": lambda: abort(404),
        "returned": Conflict,
        "boom": lambda: 1 / 0,
        "handled": lambda: {}["missing"],
        "late": failing(lambda: ("late", 201)),
    }
    for name, view in returned.items():
        inner = view.__wrapped__ if name == "late" else view
        text = {"text": lambda r: r.is_streamed or r.get_data(as_text=True)[:9]}
        if name not in {"nothing", "number"}:
            # Of two decorators the package's outer one counts the inner one's TypeError.
            inner = metrics.summary(f"{name}_seconds", "Seconds", labels=labels)(inner)
        counted = metrics.counter(name, "Calls", labels={**labels, **text})(inner)
        app.get(f"/{name}", endpoint=f"among {name}")(
            failing(counted) if name == "late" else counted
        )

    @app.after_request
    def change(response):
        if request.path == "/hook":
            raise ValueError("in a hook")
        response.status_code = 299
        return response

    app.get("/hook", endpoint="hook")(metrics.counter("hook", "Calls", labels=labels)(lambda: "x"))
    return [f"/{name}" for name in (*returned, "hook")]


@scenario
def decorators_among_hooks(module):
    found = []
    for propagates in (False, True):
        prometheus_client.REGISTRY = prometheus_client.CollectorRegistry(auto_describe=True)
        app = Flask("shop")
        app.errorhandler(KeyError)(lambda _error: ("handled", 418, {"X-Kind": "key"}))
        app.testing = propagates
        metrics = module.PrometheusMetrics(app)
        client = app.test_client()
        for path in among_hooks(metrics, app):
            try:
                client.get(path)
            except (TypeError, ValueError, ZeroDivisionError):
                assert propagates  # noqa: PT017  the app's exceptions, not ours
        found.append([200, *metrics.generate_metrics()[::-1]])
    return found


@scenario
def user_defaults_and_an_app_factory(module):
    metrics = module.PrometheusMetrics.for_app_factory(group_by="endpoint")
    blueprint = Blueprint("b", __name__, url_prefix="/b")

    @blueprint.route("/x/<y>")
    @metrics.counter("in_blueprint", "Blueprint", labels={"y": lambda: request.view_args["y"]})
    def x(y):
        return helped(y)

    @metrics.counter("helped", "Helped", labels={"type": lambda r: type(r).__name__})
    def helped(y):
        return {"y": y}

    class Items(MethodView):
        @metrics.summary("items", "Items", labels={"code": lambda r: r.status_code})
        def get(self):
            return "items", 202

    app = served(Flask("shop"))
    app.register_blueprint(blueprint)
    app.add_url_rule("/items", view_func=Items.as_view("items"))
    metrics.init_app(app)
    metrics.register_default(
        metrics.counter("by_path", "Paths", labels={"path": lambda: request.path}),
        metrics.gauge("now", "Now"),
        app=app,
    )
    client = app.test_client()
    asked(client)
    for path in ("/b/x/1", "/items", "/b/x/1", "/b/x/2"):
        client.get(path)
    return shown(client)


@scenario
def hooks_that_a_view_asks_for_and_handlers_that_raise(module):
    app = Flask("shop")
    app.logger.disabled = True
    metrics = module.PrometheusMetrics(app)
    status = {"status": lambda response: response.status_code}

    @app.errorhandler(404)
    @app.errorhandler(LookupError)
    def broken(error):
        raise KeyError("no template")

    @app.get("/changed")
    @metrics.counter("changed", "Changed", labels=status)
    def changed():
        @after_this_request
        def change(response):
            response.status_code = 277
            return response

        return "as made"

    @app.get("/absent")
    @metrics.counter("absent", "Absent", labels=status)
    def absent():
        abort(404)

    @app.get("/broken")
    @metrics.histogram("broken", "Broken", labels=status)
    def other():
        raise IndexError("first")

    @app.get("/unhandled")
    @metrics.counter("unhandled", "Unhandled", labels={"t": lambda r: r.get_data(as_text=True)})
    def unhandled():
        abort(409)

    for path in ("/changed", "/absent", "/broken", "/unhandled"):
        app.test_client().get(path)
    return shown(app.test_client())


@scenario
def prefixes_on_one_registry(module):
    first, second = served(Flask("first")), served(Flask("second"))
    module.PrometheusMetrics(first, defaults_prefix="first")
    module.PrometheusMetrics(second, defaults_prefix="second")
    asked(first.test_client())
    asked(second.test_client())
    return shown(second.test_client())


def main(name):
    """Run all."""
    module = import_module(name)
    found = {}
    for each, run in SCENARIOS.items():
        prometheus_client.REGISTRY = prometheus_client.CollectorRegistry(auto_describe=True)
        found[each] = run(module)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
