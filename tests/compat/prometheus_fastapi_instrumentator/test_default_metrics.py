"""The metrics of an `Instrumentator` to which nothing was added."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse

from tests.compat.asgi_apps import ask
from tests.in_process import converse, make_scope

HIGH = ["0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0", "7.5", "10.0", "30.0", "60.0", "+Inf"]  # fmt: skip


@pytest.mark.row(101)
def test_requests_are_counted_by_handler_method_and_status(app, make, scrape):
    make()
    for path in ("/items/1", "/items/2", "/nowhere"):
        ask(app, "GET", path)
    assert scrape().of("http_requests_total") == [
        'http_requests_total{handler="/items/{item}",method="GET",status="2xx"} 2.0',
        'http_requests_total{handler="none",method="GET",status="4xx"} 1.0',
    ]


@pytest.mark.row(101, 104)
def test_methods_that_nobody_has_named_are_one(app, make, scrape):
    make(should_instrument_requests_inprogress=True, inprogress_labels=True)
    for method in ("BREW", "POUR"):
        ask(app, method, "/items/1")
    shown = scrape()
    labels = 'handler="/items/{item}",method="_OTHER"'
    assert shown.of("http_requests_total") == [f'http_requests_total{{{labels},status="4xx"}} 2.0']
    assert shown[f"http_request_duration_seconds_count{{{labels}}}"] == 2
    assert shown[f"http_requests_inprogress{{{labels}}}"] == 0


@pytest.mark.row(102)
def test_sizes_are_those_that_headers_tell(app, make, scrape):
    make()
    ask(app, "GET", "/items/12", {"content-length": "7"})
    shown = scrape()
    assert shown.families["http_request_size_bytes"] == "summary"
    assert shown.families["http_response_size_bytes"] == "summary"
    assert shown['http_request_size_bytes_sum{handler="/items/{item}"}'] == 7
    assert shown['http_response_size_bytes_sum{handler="/items/{item}"}'] == len('"12"')
    assert shown['http_response_size_bytes_count{handler="/items/{item}"}'] == 1


@pytest.mark.row(102)
def test_a_length_that_is_no_number_fails_no_request(app, make, scrape):
    make()
    app.get("/odd")(lambda: PlainTextResponse("", headers={"content-length": "odd"}))
    assert ask(app, "GET", "/odd", {"content-length": "a lot"}).error is None
    shown = scrape()
    assert shown['http_request_size_bytes_sum{handler="/odd"}'] == 0
    assert shown['http_response_size_bytes_sum{handler="/odd"}'] == 0
    assert shown['http_requests_total{handler="/odd",method="GET",status="2xx"}'] == 1


@pytest.mark.row(103)
def test_durations_without_labels_have_many_bounds(app, make, scrape):
    make()
    ask(app, "GET", "/items/1")
    name = "http_request_duration_highr_seconds"
    shown = scrape()
    assert [line.split('"')[1] for line in shown.of(f"{name}_bucket")] == HIGH
    assert shown[f"{name}_count"] == 1
    assert 0 < shown[f"{name}_sum"] < 5


@pytest.mark.row(104)
def test_durations_by_handler_and_method_have_three_bounds(app, make, scrape):
    make()
    ask(app, "GET", "/items/1")
    name = "http_request_duration_seconds"
    lines = [line for line in scrape().of(f"{name}_bucket") if "/items/{item}" in line]
    assert [line.split('le="')[1].split('"')[0] for line in lines] == ["0.1", "0.5", "1.0", "+Inf"]
    assert all('method="GET"' in line for line in lines)


@pytest.mark.row(105)
def test_an_uncaught_exception_is_counted_and_goes_on(app, make, scrape):
    make()
    app.get("/boom")(lambda: 1 / 0)
    assert isinstance(ask(app, "GET", "/boom").error, ZeroDivisionError)
    assert scrape()['http_requests_total{handler="/boom",method="GET",status="5xx"}'] == 1


@pytest.mark.row(106)
def test_web_sockets_are_not_counted(app, make, scrape):
    make()

    @app.websocket("/socket")
    async def socket(websocket):
        await websocket.close()

    scope = {**make_scope(path="/socket"), "type": "websocket", "subprotocols": []}
    asyncio.run(converse(app, scope, [{"type": "websocket.connect"}]))
    assert "http_requests_total" not in scrape()
