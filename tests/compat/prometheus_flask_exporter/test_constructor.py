"""What `PrometheusMetrics(app, ...)` takes."""

import functools
import warnings

import flask
import prometheus_client
import pytest

from otel_apimetrics.compat.prometheus_flask_exporter import NO_PREFIX, PrometheusMetrics

DURATION = "flask_http_request_duration_seconds"


@pytest.mark.row(15)
def test_the_endpoint_is_a_route_for_reading(app, make, client):
    make()
    assert client.get("/metrics").status_code == client.head("/metrics").status_code == 200
    assert {*client.options("/metrics").headers["Allow"].split(", ")} == {"GET", "HEAD", "OPTIONS"}
    assert client.post("/metrics").status_code == 405
    with app.test_request_context():
        assert flask.url_for("prometheus_metrics") == "/metrics"


@pytest.mark.row(15)
def test_the_endpoint_has_another_path_or_none(make, client, registry):
    make(path="/inner")
    assert client.get("/inner").status_code == 200
    assert client.get("/metrics").status_code == 404
    without = flask.Flask("without")
    PrometheusMetrics(without, path=None, export_defaults=False)
    assert without.test_client().get("/metrics").status_code == 404


@pytest.mark.row(16)
def test_the_defaults_may_be_left_out(make, client, scrape):
    make(export_defaults=False)
    client.get("/")
    assert scrape().text == ""


@pytest.mark.row(17)
@pytest.mark.parametrize(
    ("prefix", "shown"),
    [("www", "www_"), ("", "flask_"), (None, "flask_"), (NO_PREFIX, ""), ("a_", "a__")],
)
def test_the_defaults_have_a_prefix(make, client, scrape, prefix, shown):
    make(defaults_prefix=prefix)
    client.get("/")
    families = scrape().families
    assert f"{shown}http_request_total" in families
    assert f"{shown}exporter_info" in families
    assert all(name.startswith(shown) for name in families)
    assert NO_PREFIX == "#no_prefix"


@pytest.fixture
def grouped(make, serve, client, scrape):
    """Give the values of the durations' own label after two requests."""

    def group(by, name=None):
        make(group_by=by)
        serve("/u/<n>", lambda n: n, endpoint="u")
        client.get("/u/1")
        client.get("/nope?x=1")
        name = name or by
        return [
            dict(key[1:])[name] for key in scrape().samples if key[0] == f"{DURATION}_count"
        ], scrape().of("flask_http_request_total")

    return group


@pytest.mark.row(18)
def test_only_durations_are_grouped(grouped):
    values, totals = grouped("path")
    assert values == ["/u/1", "/nope"]
    assert not any("path" in line for line in totals)


@pytest.mark.row(19)
def test_a_request_without_an_endpoint_has_none(grouped):
    assert grouped("endpoint")[0] == ["u", "None"]


@pytest.mark.row(20)
def test_a_request_without_a_rule_has_none(grouped):
    assert grouped("url_rule")[0] == ["/u/<n>", "None"]


@pytest.mark.row(21)
def test_a_full_path_has_its_query(grouped):
    assert grouped("full_path")[0] == ["/u/1?", "/nope?x=1"]


@pytest.mark.row(22)
@pytest.mark.parametrize(
    ("attribute", "value"), [("blueprint", "None"), ("host", "localhost"), ("remote_addr", "127.0.0.1")]
)  # fmt: skip
def test_durations_are_grouped_by_any_attribute_of_the_request(grouped, attribute, value):
    assert grouped(attribute)[0] == [value, value]


@pytest.mark.row(22)
@pytest.mark.swallows_errors
def test_an_attribute_that_no_request_has_fails_no_response(make, serve, client, scrape):
    make(group_by="nothing_of_the_kind")
    serve("/", lambda: "OK")
    assert client.get("/").status_code == 200
    shown = scrape()
    assert shown[f'{DURATION}_count{{method="GET",nothing_of_the_kind="",status="200"}}'] == 1
    assert shown['flask_http_request_total{method="GET",status="200"}'] == 1


def custom_rule(request):
    return f"{request.method}::{request.path}"


@pytest.mark.row(23)
def test_durations_are_grouped_by_a_function_whose_name_is_the_label(grouped):
    assert grouped(custom_rule, "custom_rule")[0] == ["GET::/u/1", "GET::/nope"]


@pytest.mark.row(23)
def test_a_function_that_nobody_would_await_is_refused(make):
    async def rule(request):
        return request.path

    with pytest.raises(ValueError, match="group_by is a coroutine function"):
        make(group_by=rule)


@pytest.mark.row(24)
def test_a_function_without_a_name_is_refused(make):
    with pytest.raises(ValueError, match="invalid label"):
        make(group_by=lambda request: request.path)
    with pytest.raises(AttributeError, match="__name__"):
        make(group_by=functools.partial(custom_rule))


@pytest.mark.row(25)
@pytest.mark.parametrize("late", [False, True])
def test_the_former_way_to_group_by_endpoint_warns_once(make, serve, client, scrape, late):
    def group():
        if late:
            make(export_defaults=False).export_defaults(group_by_endpoint=True)
        else:
            assert make(group_by_endpoint=True).group_by == "endpoint"

    with pytest.warns(DeprecationWarning, match="group_by_endpoint") as warned:
        group()
    assert len(warned) == 1
    assert warned[0].filename == __file__ or not late
    serve("/u/<n>", lambda n: n, endpoint="u")
    client.get("/u/1")
    assert f'{DURATION}_count{{endpoint="u",method="GET",status="200"}} 1.0' in scrape().text


@pytest.mark.row(26)
def test_durations_have_the_buckets_that_were_asked_for(make, client, scrape):
    make(buckets=(0.2, 2, 4))
    client.get("/")
    found = [dict(key[1:])["le"] for key in scrape().samples if key[0] == f"{DURATION}_bucket"]
    assert found == ["0.2", "2.0", "4.0", "+Inf"]


@pytest.mark.row(26)
@pytest.mark.parametrize("buckets", [(), (2, 1), (1, 1), (float("nan"),)])
def test_buckets_that_do_not_ascend_are_refused(make, buckets):
    with pytest.raises(ValueError, match="not ascending"):
        make(buckets=buckets)


@pytest.mark.row(27)
def test_durations_may_be_a_summary(make, client, scrape):
    make(default_latency_as_histogram=False)
    client.get("/")
    shown = scrape()
    assert shown.families[DURATION] == "summary"
    assert {key[0] for key in shown.samples if key[0].startswith(DURATION)} == {
        f"{DURATION}_count",
        f"{DURATION}_sum",
        f"{DURATION}_created",
    }


@pytest.mark.row(28)
def test_default_labels_are_on_the_defaults_and_on_decorators_where_they_win(
    make, serve, client, scrape
):
    metrics = make(
        default_labels={
            "region": "eu",
            "verb": lambda: flask.request.method,
            "code": lambda response: response.status_code,
        }
    )
    count = metrics.counter("calls", "Calls", labels={"region": "us", "own": 1})
    serve("/", count(lambda: "OK"))
    metrics.info("app", "App", version=1)
    client.get("/")
    shown = scrape()
    common = 'region="eu",status="200",verb="GET"'
    assert shown[f'flask_http_request_total{{code="200",method="GET",{common}}}'] == 1
    assert shown[f'{DURATION}_count{{code="200",method="GET",path="/",{common}}}'] == 1
    assert shown['calls_total{code="200",own="1",region="eu",verb="GET"}'] == 1
    assert shown.of("app") == ['app{version="1"} 1.0']


@pytest.mark.row(28)
@pytest.mark.parametrize("label", ["method", "status", "path"])
def test_a_default_label_with_the_name_of_a_built_in_one_is_refused_at_once(make, label):
    with pytest.raises(ValueError, match=label):
        make(default_labels={label: "x"})


@pytest.mark.row(29)
def test_static_labels_are_default_labels_that_yield(make, client, scrape):
    with pytest.warns(DeprecationWarning, match="static_labels"):
        make(static_labels={"a": 1, "b": 2}, default_labels={"b": 3})
    client.get("/")
    assert scrape()['flask_http_request_total{a="1",b="3",method="GET",status="404"}'] == 1


@pytest.mark.row(30)
def test_a_converter_makes_the_response_that_labels_see(make, serve, client, scrape):
    def convert(returned):
        return flask.make_response(f"<{returned}>", 202)

    metrics = make(response_converter=convert)
    labels = {"status": lambda response: response.status_code}
    serve("/", metrics.counter("calls", "Calls", labels=labels)(lambda: "OK"))
    assert client.get("/").text == "<OK>"
    assert scrape()['calls_total{status="202"}'] == 1


@pytest.mark.row(31)
@pytest.mark.parametrize("paths", ["/exc", ["/other", "/exc"]])
def test_paths_are_excluded_whose_beginning_an_expression_matches(make, client, scrape, paths):
    assert [each.pattern for each in make(excluded_paths=paths).excluded_paths][-1] == "/exc"
    for path in ("/exc", "/excluded", "/x/exc"):
        client.get(path)
    assert scrape().of(f"{DURATION}_count") == [
        f'{DURATION}_count{{method="GET",path="/x/exc",status="404"}} 1.0'
    ]


@pytest.mark.row(31)
def test_an_exception_on_an_excluded_path_is_not_counted(make, serve, client, scrape):
    make(excluded_paths="/boom")
    serve("/boom", lambda: 1 / 0)
    assert client.get("/boom").status_code == 500
    assert not scrape().of("flask_http_request_exceptions_total")


@pytest.mark.row(32)
@pytest.mark.parametrize(("exclude", "counted"), [(True, 0), (False, 1)])
def test_decorators_leave_excluded_paths_out_unless_they_are_told_not_to(
    make, serve, client, scrape, exclude, counted
):
    metrics = make(excluded_paths="/x", exclude_user_defaults=exclude)
    serve("/x", metrics.counter("calls", "Calls")(lambda: "OK"))
    assert client.get("/x").status_code == 200
    assert scrape()["calls_total"] == counted


@pytest.mark.row(33)
def test_a_decorator_of_the_endpoint_runs_once_a_scrape_and_may_rename_it(app, make, client):
    called = []

    def decorator(view):
        def renamed():
            called.append(1)
            return view()

        return renamed

    make(metrics_decorator=decorator)
    client.get("/metrics")
    client.get("/")
    assert called == [1]
    assert "renamed" in app.view_functions


@pytest.mark.row(34)
def test_the_registry_is_the_one_of_the_moment_or_the_one_that_was_given(make, registry, client):
    assert make().registry is registry
    own = prometheus_client.CollectorRegistry()
    other = flask.Flask("other")
    assert PrometheusMetrics(other, registry=own).registry is own
    other.test_client().get("/")
    labels = {"method": "GET", "status": "404"}
    assert own.get_sample_value("flask_http_request_total", labels) == 1
    assert registry.get_sample_value("flask_http_request_total", labels) is None


@pytest.mark.row(34)
def test_what_prometheus_client_itself_measures_is_shown_too(make, registry, scrape):
    make()
    prometheus_client.Counter("own", "Own", registry=registry).inc()
    assert scrape()["own_total"] == 1
    assert b"flask_exporter_info" in prometheus_client.generate_latest(registry)


@pytest.mark.row(35)
def test_the_attributes_that_others_read_are_there(app, make, registry):
    labels = {"a": 1}
    metrics = make(buckets=(1, 2), excluded_paths="/x", default_labels=labels)
    assert (metrics.app, metrics.path, metrics.registry) == (app, "/metrics", registry)
    assert (metrics.buckets, metrics.version, metrics.group_by) == ((1, 2), "0.23.2", "path")
    assert metrics.excluded_paths[0].match("/x")
    assert metrics.exclude_user_defaults is True
    assert metrics._export_defaults is True
    assert metrics._defaults_prefix == "flask"
    assert metrics._default_labels is labels


def test_no_warning_comes_without_a_deprecated_argument(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(group_by="endpoint", default_labels={"a": 1}).export_defaults(prefix="other")


def test_an_unknown_argument_is_refused(make):
    with pytest.raises(TypeError, match="group_bye"):
        make(group_bye="path")
