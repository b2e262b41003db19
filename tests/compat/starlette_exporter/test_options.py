"""The options of `PrometheusMiddleware`."""

import asyncio
import enum

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from otel_apimetrics.compat.starlette_exporter import (
    PrometheusMiddleware,
    from_header,
    from_response_header,
    optional_metrics,
)
from otel_apimetrics.prometheus import PrometheusReader
from tests.compat.asgi_apps import ask, scraped
from tests.in_process import make_scope, request_messages, serve_asgi

TOTAL = 'starlette_requests_total{app_name="starlette",method="%s",path="%s",status_code="%s"} 1.0'


@pytest.mark.row(206)
def test_names_begin_with_the_prefix_and_the_apps_name_is_a_label(make, scrape):
    make("/u/1", prefix="shop", app_name="orders")
    shown = scrape()
    labels = '{app_name="orders",method="GET",path="/u/{n}",status_code="200"}'
    assert shown[f"shop_requests_total{labels}"] == 1
    assert shown[f"shop_request_duration_seconds_count{labels}"] == 1
    assert shown['shop_requests_in_progress{app_name="orders",method="GET"}'] == 1
    assert not any(name.startswith("starlette") for name in shown.families)


@pytest.mark.row(206)
def test_the_metrics_may_be_those_of_the_apps_provider(app):
    reader = PrometheusReader(target_info=False, registry=CollectorRegistry())
    provider = MeterProvider([reader], shutdown_on_exit=False)
    app.add_middleware(PrometheusMiddleware, reader=reader, meter_provider=provider)
    ask(app, "GET", "/u/1")
    assert TOTAL % ("GET", "/u/{n}", 200) in reader.scrape().body.decode()


@pytest.mark.row(207)
def test_paths_may_be_told_apart(make, totals):
    make("/u/1", "/u/2", group_paths=False)
    assert totals() == [TOTAL % ("GET", path, 200) for path in ("/u/1", "/u/2")]


@pytest.mark.row(208)
def test_requests_that_no_route_serves_are_left_out(make, totals):
    make("/nowhere", "DELETE /u/1", "/u/1")
    assert totals() == [TOTAL % ("GET", "/u/{n}", 200)]


@pytest.mark.row(208)
def test_requests_that_no_route_serves_may_count_by_their_paths(make, totals):
    make("/nowhere", "DELETE /u/1", filter_unhandled_paths=False)
    assert totals() == [TOTAL % ("GET", "/nowhere", 404), TOTAL % ("DELETE", "/u/1", 405)]


@pytest.mark.row(209)
def test_requests_that_no_route_serves_may_be_one(make, totals):
    make(
        "/nowhere", "DELETE /u/1", "/u/1", group_unhandled_paths=True, filter_unhandled_paths=False
    )
    assert totals() == [
        TOTAL % ("GET", "__unknown__", 404),
        TOTAL % ("DELETE", "__unknown__", 405),
        TOTAL % ("GET", "/u/{n}", 200),
    ]


@pytest.mark.row(209)
def test_to_leave_out_and_to_group_them_warns_and_groups(app, make, totals):
    with pytest.warns(UserWarning, match="filter_unhandled_paths") as warned:
        make("/nowhere", group_unhandled_paths=True)
    assert len(warned) == 1
    assert totals() == [TOTAL % ("GET", "__unknown__", 404)]


@pytest.mark.row(210)
def test_whole_paths_below_the_root_are_skipped(app, make, scrape, totals):
    app.add_route("/u/1/more", lambda request: PlainTextResponse("more"))
    make("/u/1/more", "/u/12", "/u/1", skip_paths=["/u/1", "/metrics"], group_paths=False)
    serve_asgi(app, make_scope(path="/api/u/1", root_path="/api"))
    shown = scrape()
    assert totals() == [TOTAL % ("GET", path, 200) for path in ("/u/1/more", "/u/12")]
    # Not even in progress.
    assert shown['starlette_requests_in_progress{app_name="starlette",method="GET"}'] == 0


@pytest.mark.row(211)
def test_methods_are_skipped(make, scrape, totals):
    make("/u/1", "POST /u/1", skip_methods=["POST"])
    assert totals() == [TOTAL % ("GET", "/u/{n}", 200)]
    assert len(scrape().of("starlette_requests_in_progress")) == 1


@pytest.mark.row(212)
def test_sizes_are_those_that_headers_tell(app, make, scrape):
    assert optional_metrics.all_metrics == ["response_body_size", "request_body_size"]
    app.add_route("/stream", lambda request: StreamingResponse(iter("abc")))
    make("/stream", optional_metrics=optional_metrics.all_metrics)
    ask(app, "POST", "/u/1", body=b"1234")
    serve_asgi(app, make_scope("POST", "/u/1", headers=[(b"content-length", b"odd")]))
    shown = scrape()
    labels = '{app_name="starlette",method="%s",path="%s",status_code="200"}'
    for side in ("response", "request"):
        assert shown[f"starlette_{side}_body_bytes_total{labels % ('POST', '/u/{n}')}"] == 4
        assert shown[f"starlette_{side}_body_bytes_total{labels % ('GET', '/stream')}"] == 0


@pytest.mark.row(212)
@pytest.mark.parametrize("name", optional_metrics.all_metrics)
def test_sizes_are_measured_where_they_are_asked_for(make, scrape, name):
    make("/u/1", optional_metrics=[name])
    found = [each for each in scrape().families if each.endswith("bytes_total")]
    assert found == [f"starlette_{name.replace('size', 'bytes')}_total"]


@pytest.mark.row(213)
def test_labels_are_values_or_asked_of_the_request(make, scrape):
    async def awaited(request):
        return request.method.lower()

    def of_path(request):
        return len(request.url.path)

    make("/u/1", labels={"team": 1, "low": awaited, "length": of_path})
    shown = scrape()
    labels = 'app_name="starlette",length="4",low="get",method="GET"'
    assert (
        shown[f'starlette_requests_total{{{labels},path="/u/{{n}}",status_code="200",team="1"}}']
        == 1
    )
    assert shown[f'starlette_requests_in_progress{{{labels},team="1"}}'] == 0


@pytest.mark.row(213)
@pytest.mark.swallows_errors
def test_a_label_that_raises_is_empty(app, make, totals):
    async def awaited(request):
        raise ValueError("mine")

    make(labels={"a": lambda request: 1 / 0, "b": awaited})
    assert ask(app, "GET", "/u/1").status == 200
    (line,) = totals()
    assert line == (
        'starlette_requests_total{a="",app_name="starlette",b="",method="GET",path="/u/{n}",status_code="200"} 1.0'
    )


@pytest.mark.swallows_errors
@pytest.mark.parametrize("kind", [SystemExit, asyncio.CancelledError])
def test_a_label_that_wants_to_end_the_process_or_the_task_fails_no_response(
    app, make, totals, kind
):
    def raised(_about):
        raise kind

    async def awaited(_request):
        raise kind

    make(labels={"a": raised, "b": awaited}, exemplars=lambda: raised(None))
    assert ask(app, "GET", "/u/1").status == 200
    (line,) = totals()
    assert 'a="",app_name="starlette",b="",' in line


@pytest.mark.row(214)
def test_a_label_may_read_the_body_and_the_app_reads_it_too(app, make, totals):
    async def size(request):
        return len(await request.body())

    make(labels={"size": size})
    messages = request_messages(b"123", b"4567")
    assert serve_asgi(app, make_scope("POST", "/u/1"), messages).body == b"1234567"
    (line,) = totals()
    assert 'size="7"' in line


@pytest.mark.row(215)
def test_a_label_may_be_a_header_of_the_request(app, make, totals):
    make(
        labels={
            "user": from_header("X-User", allowed_values=("frank", "x")),
            "kind": from_header("x-kind"),
        }
    )
    for headers in ({"x-user": "frank", "x-kind": "a"}, {"x-user": "mallory"}, {}):
        ask(app, "GET", "/u/1", headers)
    found = [line.split('kind="')[1].split('"')[0] for line in totals()]
    assert found == ["a", ""]
    assert ['user="frank"' in line for line in totals()] == [True, False]
    assert totals()[1].endswith('user=""} 2.0')


@pytest.mark.row(216)
def test_a_label_may_be_a_header_of_the_response(app, make, totals):
    labels = {
        "kind": from_response_header("x-KIND", allowed_values=iter(["a", "b"]), default="none"),
        "type": from_response_header("Content-Type"),
        "server": from_response_header("server"),
    }

    def boom(request):
        raise ValueError("boom")

    app.add_route("/boom", boom)
    make(labels=labels)
    for kind in ("a", "b", "c"):
        ask(app, "GET", "/u/1", {"x-kind": kind})
    ask(app, "GET", "/boom")
    found = [[line.split(f'{name}="')[1].split('"')[0] for name in labels] for line in totals()]
    plain = "text/plain; charset=utf-8"
    assert found == [["a", plain, ""], ["b", plain, ""], ["none", plain, ""], ["none", "", ""]]


@pytest.mark.row(217)
def test_counters_and_buckets_have_the_exemplars_that_the_app_gives(app, make):
    make("/u/1", exemplars=lambda: {"trace_id": "abc"}, optional_metrics=["request_body_size"])
    ask(app, "POST", "/u/1", body=b"12345")
    status, kind, text = scraped(app, "/open")
    marked = [line for line in text.splitlines() if ' # {trace_id="abc"} ' in line]
    assert (
        'starlette_requests_total{app_name="starlette",method="GET",path="/u/{n}",status_code="200"} 1.0 # {trace_id="abc"} 1.0 '
        in text
    )
    assert 'method="POST",path="/u/{n}",status_code="200"} 5.0 # {trace_id="abc"} 5.0 ' in text
    assert sum(line.startswith("starlette_request_duration_seconds_bucket") for line in marked) == 2
    assert len(marked) == 2 + 2 + 2
    assert " # " not in scraped(app)[2].replace("\n# ", "\n").removeprefix("# ")


class Unspeakable:
    """Has no text."""

    def __str__(self):
        raise ValueError


def annotated(given: Request):
    """Give labels."""
    return {"path": given.url.path}


@pytest.mark.row(217)
@pytest.mark.parametrize("exemplars", [annotated, lambda request: {"path": request.url.path}])
def test_exemplars_may_be_asked_of_the_request(app, make, exemplars):
    make("/u/1", "/u/2", exemplars=exemplars)
    assert '2.0 # {path="/u/2"} 1.0 ' in scraped(app, "/open")[2]


@pytest.mark.row(217)
@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    "exemplars",
    [
        lambda: {"a": "b" * 128},
        lambda: None,
        lambda: 1 / 0,
        lambda: ["a"],
        lambda: {"a": Unspeakable()},
        *(lambda name=name: {"a": "b", name: "c"} for name in ("a-b", "", 1, "__a", "\xe9", "a\n")),
    ],
)
def test_exemplars_that_cannot_be_fail_no_request(app, make, exemplars):
    make("/u/1", exemplars=exemplars)
    assert ask(app, "GET", "/u/1").status == 200
    text = scraped(app, "/open")[2]
    ends = [line.rpartition(" ")[2] for line in text.splitlines() if "_count{" in line]
    assert ends == ["2.0"]
    assert 'path="/u/{n}",status_code="200"} 2.0\n' in text
    assert " # {" not in text


@pytest.mark.row(217)
def test_the_log_names_a_label_that_exemplars_cannot_have_once(app, make, caplog):
    make(exemplars=lambda: {"user-id": "7"})
    for _ in range(2):
        ask(app, "GET", "/u/1")
    (said,) = [
        line for line in caplog.messages if line.startswith("Exemplars of starlette_requests")
    ]
    assert "'user-id'" in said


@pytest.mark.row(217)
def test_a_metric_in_the_place_of_another_has_none_of_its_exemplars(app, make, registry):
    make("/u/1", exemplars=lambda: {"trace_id": "abc"})
    for collector in list(registry._collector_to_names):
        registry.unregister(collector)
    other = Starlette(routes=app.routes)
    other.add_middleware(PrometheusMiddleware)
    ask(other, "GET", "/u/1")
    text = scraped(other, "/open")[2]
    assert 'path="/u/{n}",status_code="200"} 1.0\n' in text
    assert "abc" not in text


class Status(enum.Enum):
    """A status as some apps give it."""

    OK = 201

    def __int__(self):
        return self.value


@pytest.mark.row(218)
@pytest.mark.parametrize(("always", "label"), [(True, "201"), (False, "Status.OK")])
def test_a_status_may_always_be_a_number(app, make, totals, always, label):
    async def odd(scope, receive, send):
        await send({"type": "http.response.start", "status": Status.OK, "headers": []})
        await send({"type": "http.response.body"})

    class Odd:
        __call__ = staticmethod(odd)

    app.add_route("/odd", Odd())
    make("/odd", always_use_int_status=always)
    assert totals() == [TOTAL % ("GET", "/odd", label)]


@pytest.mark.row(219)
def test_durations_have_the_buckets_that_were_asked_for(make, scrape):
    make("/u/1", buckets=(1, 2.5))
    lines = [
        line for line in scrape().of("starlette_request_duration_seconds_bucket") if "/u/" in line
    ]
    assert [line.split('le="')[1].split('"')[0] for line in lines] == ["1.0", "2.5", "+Inf"]


@pytest.mark.row(219)
def test_a_duration_ends_with_the_last_of_the_body(registry, make, totals):
    sent = []

    async def chunks():
        yield "a"
        sent.append("a")
        yield "b"

    app = Starlette(routes=[Route("/", lambda request: StreamingResponse(chunks()))])
    make("/", app=app)
    assert sent == ["a"]
    assert totals(app) == [TOTAL % ("GET", "/", 200)]
