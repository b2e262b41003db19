"""The HTTP cases over real connections: every server sends the same bytes with us and without.

Each server is started once with and once without us, for all rows.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.frameworks.cases import Row, rows_for
from tests.frameworks.cases.client import responses, talk
from tests.frameworks.cases.recorded import Recorded, check, read
from tests.servers import http2
from tests.servers.commands import ASGI, HTTP2, WSGI
from tests.servers.differences import adapted, is_left_out
from tests.servers.serving import environment, serving

pytestmark = pytest.mark.e2e

SERVERS = {**dict.fromkeys(WSGI, "wsgi"), **dict.fromkeys(ASGI, "asgi")}


STREAMED, OVER_HTTP2 = "5" * 32, "2" * 32
"""Trace ids."""


def rows_on(server: str) -> list[Row]:
    rows = rows_for(SERVERS[server], on="server")
    return [adapted(row, server) for row in rows if not is_left_out(row.name, server)]


@dataclass(frozen=True)
class Talked:
    """What came over the connections to one server, by row."""

    received: dict[str, bytes]
    records: list[Recorded]
    streamed: bytes
    over_http2: dict[int, list[object]]


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    # Servers wait most of their time: several at once.
    with ThreadPoolExecutor(4) as made:
        yield made


@pytest.fixture(scope="module")
def talked(
    pool: ThreadPoolExecutor,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> dict[tuple[str, bool], Future[Talked]]:
    """What each server that is tested here said, without us and with us."""
    chosen = {
        item.callspec.params["server"]: None  # in the order of the tests
        for item in request.session.items
        if item.module is request.module
    }
    directory = tmp_path_factory.mktemp("servers")
    return {
        (server, ours): pool.submit(talk_to, server, directory, ours=ours)
        for server in chosen
        for ours in (False, True)
    }


def talk_to(server: str, directory: Path, *, ours: bool) -> Talked:
    records = directory / f"{server}.records"
    env = environment(CASES_FRAMEWORK=SERVERS[server])
    if ours:
        env["CASES_RECORDS"] = str(records)
    gate = directory / f"{server}-{ours}.gate"
    env["CASES_GATE"] = str(gate)
    over_http2: dict[int, list[object]] = {}
    log = directory / f"{server}-{ours}.log"
    with serving({**WSGI, **ASGI}[server], log, env) as process:
        received = {row.name: talk(process.address, row) for row in rows_on(server)}
        streamed = _stream(process.address, gate)
        if server in HTTP2:
            over_http2 = http2.talk(process.address, OVER_HTTP2)
    return Talked(received, read(records), streamed, over_http2)


def _stream(address: tuple[str, int], gate: Path) -> bytes:
    """Let the app go on once its first word is here; give all that it said."""
    said = b""
    with socket.create_connection(address, timeout=30) as client:
        parent = f"traceparent: 00-{STREAMED}-{1:016x}-01".encode()
        client.sendall(
            b"GET /say/gated HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + parent + b"\r\n\r\n"
        )
        while data := client.recv(65536):
            said += data
            if b"first" in said:
                gate.touch()
    return said


def _each_server() -> list[object]:
    return [
        pytest.param(name, marks=pytest.mark.needs("uwsgi") if name.startswith("uwsgi") else ())
        for name in SERVERS
    ]


@pytest.mark.parametrize("server", _each_server())
def test_a_client_gets_the_same_bytes_with_us_and_without(
    server: str, talked: dict[tuple[str, bool], Future[Talked]]
):
    without, with_us = (talked[server, ours].result().received for ours in (False, True))
    assert {name: with_us[name] for name in with_us if with_us[name] != without[name]} == {}
    assert with_us.keys() == without.keys() != set()
    assert without["http-1.0"].endswith(b"plain text")


@pytest.mark.parametrize("server", _each_server())
def test_each_request_leaves_its_one_record(
    server: str, talked: dict[tuple[str, bool], Future[Talked]], record_property
):
    said = talked[server, True].result()
    failures = {}
    for row in rows_on(server):
        got = responses(said.received[row.name], row)
        try:
            check(row, SERVERS[server], got, said.records, server)
        except AssertionError as failure:
            failures[row.name] = str(failure)
    _tell(record_property, server, failures, talked[server, False].result(), said)
    assert failures == {}
    known = {row.trace_id for row in rows_on(server)} | {STREAMED, OVER_HTTP2}
    assert {record.trace_id for record in said.records} <= known


def _tell(
    record_property: Callable[[str, object], None],
    server: str,
    failures: Mapping[str, str],
    without: Talked,
    with_us: Talked,
) -> None:
    """Count for `contract_report` the rows that were the same bytes and the right record."""
    cases: dict[int, tuple[int, int]] = {}
    for row in rows_on(server):
        same = with_us.received[row.name] == without.received[row.name]
        good = same and row.name not in failures
        passed, failed = cases.get(row.case, (0, 0))
        cases[row.case] = passed + good, failed + (not good)
    record_property("framework", SERVERS[server])
    record_property("server", server)
    record_property("cases", cases)


@pytest.mark.parametrize("server", _each_server())
def test_the_first_word_of_a_stream_is_out_before_the_app_says_more(
    server: str, talked: dict[tuple[str, bool], Future[Talked]]
):
    for ours in (False, True):
        assert b"data: last" in talked[server, ours].result().streamed
    (record,) = [r for r in talked[server, True].result().records if r.trace_id == STREAMED]
    assert "error.type" not in record.attributes


@pytest.mark.parametrize("server", HTTP2)
def test_concurrent_streams_of_http_2_are_told_the_same_and_recorded_apart(
    server: str, talked: dict[tuple[str, bool], Future[Talked]]
):
    without, with_us = (talked[server, ours].result() for ours in (False, True))
    assert with_us.over_http2 == without.over_http2

    records = {r.parent: r for r in with_us.records if r.trace_id == OVER_HTTP2}
    assert sorted(records) == sorted(without.over_http2)
    for index, (method, path, body) in enumerate(http2.REQUESTS):
        attributes = records[2 * index + 1].attributes
        assert attributes["http.request.method"] == method
        assert attributes["url.path"] == path
        assert attributes["network.protocol.version"] == "2"
        assert attributes["server.address"] == "api.example"
        assert attributes["http.request.body.size"] == len(body)
