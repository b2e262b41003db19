"""What fails in a worker's own statements is counted, and the next try is made."""

import os
import socket

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics import forked
from otel_apimetrics.prometheus import PrometheusReader, ScrapeServer, wire
from otel_apimetrics.prometheus.families import Family, Series
from otel_apimetrics.prometheus.member import Member
from otel_apimetrics.prometheus.place import Place
from tests.ports import free_port

pytestmark = pytest.mark.swallows_errors


class Collecting:
    """Gives one counter, and fails where it is told to."""

    def __init__(self) -> None:
        self.fails = False

    def __call__(self) -> list[Family]:
        if self.fails:
            raise ValueError("no metrics today")
        return [Family("orders", "counter", series=[Series((), 2)])]


@pytest.fixture
def collecting():
    return Collecting()


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "workers", 0)


def places_of(swallowed):
    return {place for place, _ in swallowed}


def test_a_worker_without_threads_tells_at_its_next_request(collecting, place, no_swallowed_errors):
    member = Member(place, collecting, {}, threaded=False)
    collecting.fails = True
    member.note()
    assert places_of(no_swallowed_errors) == {"prometheus.tell"}
    assert place.read(member.name) is None
    collecting.fails = False
    member.note()
    assert wire.read(place.read(member.name)).families == collecting()
    member.end()


def test_a_worker_that_cannot_answer_closes_the_connection_and_answers_the_next(
    collecting, place, no_swallowed_errors
):
    member = Member(place, collecting, {}, threaded=True)
    collecting.fails = True
    assert asked(place, member) == b""
    collecting.fails = False
    assert b"orders" in asked(place, member)
    assert "prometheus.worker_answer" in places_of(no_swallowed_errors)
    member.end()


def asked(place, member):
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection,
        place.address(member.name) as path,
    ):
        connection.settimeout(60)
        connection.connect(path)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_what_a_child_cannot_close_stops_nothing(collecting, place, no_swallowed_errors):
    member = Member(place, collecting, {}, threaded=False)
    os.close(member._held)
    member.leave()
    assert places_of(no_swallowed_errors) == {"prometheus.worker_leave"}


def test_a_child_runs_on_where_another_program_has_taken_the_port(tmp_path, no_swallowed_errors):
    reader = PrometheusReader(registry=CollectorRegistry(), directory=tmp_path / "workers")
    provider = MeterProvider([reader], shutdown_on_exit=False)
    server = ScrapeServer(reader, port=free_port())
    server.close()
    with socket.create_server(("127.0.0.1", server.port)):
        server._pid = 0  # as a child finds it
        server._begin_again()
    assert places_of(no_swallowed_errors) == {"prometheus.port"}
    assert not server.is_listening
    provider.shutdown()


def test_one_that_cannot_begin_in_a_forked_process_keeps_no_other_from_it(
    monkeypatch, no_swallowed_errors
):
    begun = []

    def fail():
        raise ValueError("not here")

    monkeypatch.setattr(forked, "at_begin", [fail, lambda: begun.append("the other")])
    forked._begin()
    assert begun == ["the other"]
    assert places_of(no_swallowed_errors) == {"forked.at_begin"}
