"""The options of `Instrumentator`."""

import re
import time

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics.compat.prometheus_fastapi_instrumentator import Instrumentator
from otel_apimetrics.prometheus import PrometheusReader
from tests.compat.asgi_apps import ask, scraped

TOTAL = 'http_requests_total{handler="%s",method="GET",status="%s"}'


@pytest.mark.row(107)
def test_status_codes_may_be_single(app, make, scrape):
    make(should_group_status_codes=False)
    ask(app, "GET", "/items/1")
    assert scrape()[TOTAL % ("/items/{item}", 200)] == 1


@pytest.mark.row(108)
def test_requests_that_no_route_serves_may_have_their_path(app, make, scrape):
    make(should_group_untemplated=False)
    ask(app, "GET", "/nowhere")
    assert scrape()[TOTAL % ("/nowhere", "4xx")] == 1


@pytest.mark.row(109)
def test_requests_that_no_route_serves_may_be_left_out(app, make, scrape):
    make(should_ignore_untemplated=True)
    ask(app, "GET", "/nowhere")
    ask(app, "GET", "/items/1")
    assert scrape().of("http_requests_total") == [f"{TOTAL % ('/items/{item}', '2xx')} 1.0"]


@pytest.mark.row(110)
@pytest.mark.parametrize(("root", "begins"), [("/api/", "/api"), ("", "")])
def test_handlers_may_begin_with_the_root_path(registry, root, begins):
    app = FastAPI()
    app.root_path = root
    app.get("/items/{item}")(lambda item: item)
    Instrumentator(should_include_root_path=True).instrument(app).expose(app)
    ask(app, "GET", "/items/1")
    ask(app, "GET", "/nowhere")
    text = scraped(app)[2]
    assert f"{TOTAL % (f'{begins}/items/{{item}}', '2xx')} 1.0" in text
    assert f"{TOTAL % ('none', '4xx')} 1.0" in text


@pytest.mark.row(111)
@pytest.mark.parametrize(("decimals", "pattern"), [(4, r"\d+\.\d{1,4}"), (1, r"\d+\.\d")])
def test_durations_may_be_rounded(app, make, decimals, pattern):
    told = []
    make(told.append, should_round_latency_decimals=True, round_latency_decimals=decimals)
    ask(app, "GET", "/items/1")
    (info,) = told
    assert re.fullmatch(pattern, f"{info.modified_duration}")
    assert re.fullmatch(pattern, f"{info.modified_duration_without_streaming}")


@pytest.mark.row(112)
@pytest.mark.parametrize(
    ("value", "is_on"), [("true", 1), ("True", 1), ("1", 1), ("yes", 0), ("", 0), (None, 0)]
)
def test_a_variable_may_switch_it_on(app, make, monkeypatch, value, is_on):
    monkeypatch.delenv("SHOW", raising=False)
    if value is not None:
        monkeypatch.setenv("SHOW", value)
    make(should_respect_env_var=True, env_var_name="SHOW")
    assert len(app.user_middleware) == is_on
    assert scraped(app)[0] == (200 if is_on else 404)


@pytest.mark.row(112)
def test_the_variable_is_called_enable_metrics(app, make, monkeypatch):
    monkeypatch.setenv("ENABLE_METRICS", "true")
    make(should_respect_env_var=True)
    assert scraped(app)[0] == 200


@pytest.mark.row(113)
def test_requests_in_progress_are_counted_in_the_registry_that_was_given(app, registry):
    given = CollectorRegistry()
    seen = []

    @app.get("/now")
    async def now():
        seen.append(given.get_sample_value("http_requests_inprogress"))
        return "now"

    Instrumentator(should_instrument_requests_inprogress=True, registry=given).instrument(app)
    ask(app, "GET", "/now")
    assert seen == [1]
    assert given.get_sample_value("http_requests_inprogress") == 0
    assert registry.get_sample_value("http_requests_inprogress") is None


@pytest.mark.row(113)
def test_requests_in_progress_have_a_name_and_labels_and_leave_out_excluded_handlers(
    app, make, scrape
):
    make(
        should_instrument_requests_inprogress=True,
        inprogress_name="now",
        inprogress_labels=True,
        excluded_handlers=["/items"],
    )
    ask(app, "GET", "/items/1")
    shown = scrape()
    assert shown.of("now") == ['now{handler="/metrics",method="GET"} 1.0']
    assert shown.families["now"] == "gauge"


@pytest.mark.row(114)
@pytest.mark.parametrize("excludes", [True, False])
def test_durations_may_end_where_the_response_begins(app, make, scrape, excludes):
    make(should_exclude_streaming_duration=excludes)
    begun = []

    def stream():
        # Longer than everything before it.
        begun.append(time.perf_counter() - start)
        while time.perf_counter() - start < 2 * begun[0]:
            pass
        yield "a"

    app.get("/stream")(lambda: StreamingResponse(stream()))
    start = time.perf_counter()
    ask(app, "GET", "/stream")
    shown = scrape()
    for name in ("highr_seconds_sum", 'seconds_sum{handler="/stream",method="GET"}'):
        assert (shown[f"http_request_duration_{name}"] < begun[0]) == excludes


@pytest.mark.row(115)
def test_handlers_are_excluded_in_which_an_expression_is_found(app, make, scrape):
    make(excluded_handlers=["tems", "^/metrics$", "nowhere"])
    app.get("/x/metrics")(lambda: "seen")
    for path in ("/items/1", "/nowhere", "/x/metrics", "/metrics"):
        ask(app, "GET", path)
    assert scrape().of("http_requests_total") == [f"{TOTAL % ('/x/metrics', '2xx')} 1.0"]


@pytest.mark.row(116)
def test_bodies_are_told_of_handlers_that_ask_for_them(app, make):
    told = []
    make(told.append, body_handlers=["^/stream"])

    async def chunks():
        yield "a"
        yield "bc"

    app.get("/stream")(lambda: StreamingResponse(chunks()))
    assert ask(app, "GET", "/stream").body == b"abc"
    ask(app, "GET", "/items/1")
    assert [info.response.body for info in told] == [b"abc", b""]
    assert [info.response.headers["content-length"] for info in told] == ["3", "3"]


@pytest.mark.row(117)
def test_the_attributes_that_others_read_are_there(registry):
    given = CollectorRegistry()
    made = Instrumentator(excluded_handlers=["a"], body_handlers=["b"], registry=given)
    assert made.registry is given
    assert Instrumentator().registry is registry
    assert [pattern.pattern for pattern in (*made.excluded_handlers, *made.body_handlers)] == [
        "a",
        "b",
    ]
    assert (made.should_group_status_codes, made.should_ignore_untemplated) == (True, False)
    assert (made.should_group_untemplated, made.should_include_root_path) == (True, False)
    assert (made.should_round_latency_decimals, made.round_latency_decimals) == (False, 4)
    assert (made.should_respect_env_var, made.env_var_name) == (False, "ENABLE_METRICS")
    assert not made.should_instrument_requests_inprogress
    assert (made.inprogress_name, made.inprogress_labels) == ("http_requests_inprogress", False)
    assert not made.should_exclude_streaming_duration
    assert (made.instrumentations, made.async_instrumentations) == ([], [])


@pytest.mark.row(117)
def test_the_metrics_may_be_those_of_the_apps_provider(app):
    reader = PrometheusReader(target_info=False, registry=CollectorRegistry())
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("shop").create_counter("orders").add(2)
    made = Instrumentator(reader=reader, meter_provider=provider, custom_labels={"team": "a"})
    made.instrument(app).expose(app)
    ask(app, "GET", "/items/1")
    text = scraped(app, accept="application/openmetrics-text")[2]
    assert "orders_total 2.0" in text
    assert (
        'http_requests_total{handler="/items/{item}",method="GET",status="2xx",team="a"} 1.0'
        in text
    )
    assert text.endswith("# EOF\n")


@pytest.mark.row(118)
def test_a_directory_of_several_processes_has_to_be_there(monkeypatch, tmp_path, registry, app):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="names no directory"):
        Instrumentator()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    Instrumentator().instrument(app).expose(app)
    ask(app, "GET", "/items/1")
    shown = scraped(app)[2]
    assert f"{TOTAL % ('/items/{item}', '2xx')} 1.0" in shown
    assert "_created" not in shown


@pytest.mark.row(118)
def test_the_directorys_former_name_is_followed_and_warned_of(monkeypatch, tmp_path, registry):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "set, so that it is restored")
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    monkeypatch.setenv("prometheus_multiproc_dir", str(tmp_path / "nowhere"))
    with pytest.warns(DeprecationWarning, match="prometheus_multiproc_dir"):
        with pytest.raises(ValueError, match="names no directory"):
            Instrumentator()
