"""The exporter to Metlo: its traces, what its collector refuses, its settings."""

import json
from threading import Event, Thread

import pytest

from otel_apimetrics import health
from otel_apimetrics.config import ConfigError
from otel_apimetrics.exchange import Body, Exchange, Request, Response, evolve
from otel_apimetrics.exporters.metlo import MetloSpanExporter
from otel_apimetrics.exporters.metlo.by_name import MetloByName
from otel_apimetrics.exporters.metlo.trace import UnwantedError, path_of
from otel_apimetrics.exporters.on_request import RequestDelivery
from otel_apimetrics.exporters.patience import Patience
from tests.exporters.sink import Reply

pytestmark = pytest.mark.usefixtures("quick")


def exchange(number: int = 1, **asked) -> Exchange:
    request = Request(
        **{
            "method": "GET", "host": "api.example", "port": 8000, "path": "/items/7",
            "query": "x=1&x=2&q=a%20b&empty=", "headers": (("x-number", str(number)), ("x-a", "1"), ("x-a", "2")),
            "client_address": "192.0.2.7", "client_port": 4711, "local_address": "192.0.2.1",
            "local_port": 8000, **asked,
        }
    )  # fmt: skip
    response = Response(status=200, body=Body(content="[1]"))
    return Exchange(id=f"{number:032x}", request=request, response=response, framework="flask")


@pytest.fixture
def metlo(backend):
    backend.otherwise = Reply(200, {}, b"OK")
    return MetloSpanExporter(host=f"{backend.url}/base/", api_key="metlo.key", timeout=5)


def traces(backend) -> list[dict]:
    return [
        trace
        for request in backend.received
        if request.status == 200 and "log-request" in request.path
        for trace in (request.json if isinstance(request.json, list) else [request.json])
    ]


def test_a_trace_has_what_metlos_collector_reads(backend, metlo):
    assert metlo.export_exchanges([exchange()])

    (trace,) = traces(backend)
    assert trace == {
        "request": {
            "url": {
                "host": "api.example:8000",
                "path": "/items/7",
                "parameters": [
                    {"name": "x", "value": "1"}, {"name": "x", "value": "2"},
                    {"name": "q", "value": "a b"}, {"name": "empty", "value": ""},
                ],
            },
            "headers": [
                {"name": "x-number", "value": "1"}, {"name": "x-a", "value": "1"}, {"name": "x-a", "value": "2"},
            ],
            "body": "", "method": "GET",
        },
        "response": {"url": "api.example:8000", "status": 200, "headers": [], "body": "[1]"},
        "meta": {
            "environment": "production", "incoming": True, "source": "192.0.2.7", "sourcePort": 4711,
            "destination": "192.0.2.1", "destinationPort": 8000, "metloSource": "python/flask",
        },
    }  # fmt: skip
    verify, batch = backend.received
    assert (verify.method, verify.path) == ("GET", "/base/api/v1/verify")
    assert (batch.method, batch.path) == ("POST", "/base/api/v1/log-request/batch")
    assert {r.headers["authorization"] for r in backend.received} == {"metlo.key"}


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/a%20b/%C3%BC", "/a b/ü"),
        ("/a=b&c", "/a%3Db%26c"),
        ("/a%3Fb%3Cc%5C", "/a%3Fb%3Cc%5C"),
        ("/a/", "/a/"),
        ("/", "/"),
        ("//a", "//a"),
    ],
)
def test_a_path_is_decoded_but_for_what_the_collector_refuses(raw, path):
    assert path_of(Request(method="GET", path=raw)) == path


@pytest.mark.parametrize("raw", ["*", "//a//", "///", "a"])
def test_a_path_that_it_refuses_in_any_spelling_is_unwanted(raw):
    with pytest.raises(UnwantedError):
        path_of(Request(method="GET", path=raw))


def test_what_the_collector_refuses_is_left_out_and_counted_and_sinks_no_batch(backend, metlo):
    batch = [
        exchange(1), exchange(2, path="//a//"), exchange(3, method="BREW"),
        evolve(exchange(4), response=None), exchange(5),
    ]  # fmt: skip

    assert metlo.export_exchanges(batch)

    assert [t["request"]["headers"][0]["value"] for t in traces(backend)] == ["1", "5"]
    assert health.counts("dropped") == {
        ("metlo", "path"): 1, ("metlo", "method"): 1, ("metlo", "no_response"): 1,
    }  # fmt: skip


def test_cut_and_long_bodies_are_text_that_says_so(backend, metlo):
    metlo._max_body_size = 10
    metlo.export_exchanges([exchange(body=Body(content='{"a": 1}', truncated=True)),
                            exchange(body=Body(content="x" * 20))])  # fmt: skip
    assert [t["request"]["body"] for t in traces(backend)] == [
        '{"a": 1}[TRUNCATED]', "x" * 10 + "[TRUNCATED]",
    ]  # fmt: skip


def test_one_trace_a_request_by_several_workers(backend):
    backend.otherwise = Reply(200, {}, b"OK")
    metlo = MetloSpanExporter(host=backend.url, api_key="metlo.key", mode="single", workers=3)

    assert metlo.export_exchanges([exchange(number) for number in range(20)])

    paths = {r.path for r in backend.received}
    assert paths == {"/api/v1/verify", "/api/v1/log-request/single"}
    told = sorted(int(t["request"]["headers"][0]["value"]) for t in traces(backend))
    assert told == list(range(20))
    assert health.counts("sent") == {("metlo", ""): 20}


def test_a_key_that_the_collector_does_not_know_is_told_once_at_the_beginning(
    backend, metlo, caplog
):
    backend.otherwise = Reply(401, {}, b"Client unauthorized")

    assert not metlo.export_exchanges([exchange(1)])
    assert not metlo.export_exchanges([exchange(2)])

    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "asked about the key" in line]) == 1
    assert all("OTEL_EXPORTER_METLO_API_KEY" in line for line in lines)
    assert "metlo.key" not in caplog.text
    assert health.counts("failed") == {("metlo", "refused"): 2}


def test_disabled_it_sends_nothing(backend):
    metlo = MetloSpanExporter(host=backend.url, api_key="metlo.key", disabled=True)
    assert metlo.export_exchanges([exchange()])
    assert metlo.export([]).name == "SUCCESS"
    assert backend.received == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "OTEL_EXPORTER_METLO_HOST"),
        ({"host": "https://metlo.example"}, "OTEL_EXPORTER_METLO_API_KEY"),
        ({"host": "collector.metlo.com", "api_key": "k"}, "host"),
        ({"host": "https://", "api_key": "k"}, "host"),
        ({"host": "https://a", "api_key": "k", "workers": 0}, "workers"),
        ({"host": "https://a", "api_key": "k", "workers": "many"}, "workers"),
        ({"host": "https://a", "api_key": "k", "mode": "bulk"}, "mode"),
    ],
)
def test_wrong_and_missing_settings_are_refused_by_name(options, named):
    with pytest.raises(ConfigError, match=named):
        MetloSpanExporter(**options)


def test_by_its_name_it_is_made_from_the_environment_or_off(backend, monkeypatch, caplog):
    assert MetloByName().disabled
    assert "OTEL_EXPORTER_METLO_HOST" in caplog.text
    monkeypatch.setenv("OTEL_EXPORTER_METLO_HOST", backend.url)
    monkeypatch.setenv("OTEL_EXPORTER_METLO_API_KEY", "k")
    exporter = MetloByName()
    assert not exporter.disabled
    assert exporter.export_exchanges([exchange()])
    assert json.loads(backend.received[-1].body)


def test_what_its_workers_have_in_hand_when_they_are_given_up_is_counted_once(backend):
    release = Event()
    backend.by_path["/api/v1/log-request"] = Reply(200, {}, b"OK", until=release)
    metlo = MetloSpanExporter(host=backend.url, api_key="metlo.key", mode="single", workers=3)
    outlet = RequestDelivery("metlo", metlo.export_exchanges, within=60, counts=False)
    batch = outlet._in_flight.add([exchange(number) for number in range(3)])
    delivering = Thread(target=outlet._deliver, args=(batch, Patience()))
    delivering.start()
    backend.wait_for(4)

    outlet.close(0.01)
    release.set()
    delivering.join(20)

    assert len(traces(backend)) == 3
    assert health.counts("dropped") == {("metlo", "shutdown"): 3}
    assert health.counts("sent") == {}
