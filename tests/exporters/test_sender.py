"""One HTTP sender for all backends, on a backend over loopback."""

import os
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from threading import Event, Thread

import pytest

from otel_apimetrics import _guard
from otel_apimetrics.exporters import sender as module
from otel_apimetrics.exporters.parcel import Answer, Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import Sender
from tests.exporters.sink import Reply, Sink

pytestmark = pytest.mark.usefixtures("quick")

PARCEL = Parcel("/v1/events", b'[{"a":1}]')


class Noted(Patience):
    """Notes the pauses that it is asked for, takes none, and has time for so many attempts."""

    def __init__(self, attempts: int) -> None:
        super().__init__()
        self.asked: list[float] = []
        self._attempts = attempts

    def wait(self, seconds: float) -> bool:
        self.asked.append(seconds)
        return len(self.asked) < self._attempts


def made(backend: Sink, **options) -> Sender:
    return Sender("vendor", backend.url, headers={"Authorization": "Basic a2V5Og=="}, **options)


def test_a_parcel_arrives_with_credentials_and_its_own_headers(backend):
    answer = made(backend).send(PARCEL, Patience(10))

    (request,) = backend.received
    assert answer.taken
    assert answer.body == b"{}"
    assert (request.method, request.path, request.raw) == ("POST", "/v1/events", PARCEL.body)
    assert request.headers["authorization"] == "Basic a2V5Og=="
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("otel-apimetrics/")


def test_parcels_to_one_address_have_nothing_of_each_other_nor_of_the_answers(backend):
    backend.otherwise = Reply(headers={"Set-Cookie": "route=a; Path=/"})
    sender = made(backend)

    for parcel in (Parcel("/v1/events", b"first", (("X-Kind", "a"),)), Parcel("/v1/events", b"2")):
        assert sender.send(parcel, Patience(10)).taken
    assert sender.fetch("/v1/events", Patience(10)).taken

    first, second, third = backend.received
    assert first.headers["x-kind"] == "a"
    assert (second.raw, second.headers["content-length"]) == (b"2", "1")
    assert (third.method, third.raw) == ("GET", b"")
    assert "x-kind" not in second.headers
    assert not any("cookie" in request.headers for request in backend.received)
    assert "content-type" not in third.headers


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 599])
def test_what_may_be_taken_later_is_sent_again_with_the_same_bytes(backend, status):
    backend.planned += [Reply(status), Reply(status)]
    body = b'{"id": "%s"}' % (b"x" * 2_000)

    answer = made(backend, compress=True).send(Parcel("/", body), Patience(10))

    assert answer.taken
    assert len(backend.received) == 3
    assert len({request.raw for request in backend.received}) == 1
    assert {request.body for request in backend.received} == {body}
    assert backend.received[0].headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_backend_that_stays_busy_is_told_of_once_a_minute(backend, status, caplog, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    monkeypatch.setattr(_guard, "monotonic", lambda: now[0])
    backend.planned += [Reply(status)] * 9
    sender = made(backend)

    assert sender.send(PARCEL, Noted(1)).status == status
    assert caplog.records == []
    for now[0] in (1_020.0, 1_090.0):
        assert sender.send(PARCEL, Noted(4)).status == status
    assert sender.send(PARCEL, Noted(1)).taken

    first, second = (record.getMessage() for record in caplog.records)
    assert f"{backend.url} has taken nothing" in first
    assert f"for 20 s; it answers {status}" in first
    assert ("sample_rate" in first) == (status == 429)
    assert "for 90 s" in second


def test_a_backend_that_is_busy_now_and_then_is_not_told_of(backend, caplog):
    sender = made(backend)
    for _ in range(3):
        backend.planned.append(Reply(503))
        assert sender.send(PARCEL, Patience(10)).taken
    assert caplog.records == []


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 413, 422])
def test_what_will_never_be_taken_is_sent_once_and_one_line_says_what_to_do(
    backend, status, caplog
):
    backend.otherwise = Reply(status, {"Location": f"{backend.url}/elsewhere"})
    sender = made(backend, remedies={401: "set OTEL_EXPORTER_VENDOR_API_KEY"})

    answers = [sender.send(PARCEL, Patience(10)) for _ in range(3)]

    assert all(answer.refused for answer in answers)
    assert len(backend.received) == 3
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"answered {status}" in line
    assert ("OTEL_EXPORTER_VENDOR_API_KEY" in line) == (status == 401)
    assert "a2V5" not in line


def test_a_backend_that_is_not_there_is_tried_until_the_time_is_over(backend, caplog):
    backend.close()

    answer = made(backend).send(PARCEL, Patience(0.3))

    assert answer.status is None
    assert not answer.refused
    (line,) = [record.getMessage() for record in caplog.records]
    assert backend.url in line


def test_a_backend_that_hangs_costs_the_timeout_of_an_attempt(backend):
    released = Event()
    backend.planned.append(Reply(until=released))

    answer = made(backend, timeout=1.0).send(PARCEL, Patience(10))

    released.set()
    assert answer.taken
    assert len(backend.received) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("86400", 300.0),
        ("9" * 400, 300.0),
        ("", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("1.5", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
def test_a_retry_after_is_read_as_seconds_or_a_date(value, expected):
    assert module.asked_rest(Answer(429, {"retry-after": value}, b"")) == expected


@pytest.mark.parametrize("value", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_backend_that_asks_for_no_pause_gets_the_growing_one(backend, monkeypatch, value):
    monkeypatch.setattr(module, "FIRST_PAUSE", 2.0)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 32.0)
    backend.otherwise = Reply(503, {"Retry-After": value})
    patience = Noted(10)

    made(backend).send(PARCEL, patience)

    most = [2.0, 4.0, 8.0, 16.0, 32.0, 32.0, 32.0, 32.0, 32.0, 32.0]
    assert all(least / 2 <= waited <= least for waited, least in zip(patience.asked, most))
    assert len(set(patience.asked)) == 10


def test_a_backend_that_asks_for_less_than_the_pause_waits_for_the_pause(backend, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 40.0)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 40.0)
    backend.planned += [Reply(429, {"Retry-After": "7"}), Reply(429, {"Retry-After": "70"})]
    patience = Noted(10)

    made(backend).send(PARCEL, patience)

    less, more = patience.asked
    assert 20 <= less <= 40
    assert more == 70


def test_a_retry_after_with_a_date_to_come_is_waited_for():
    date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=60), usegmt=True)
    assert 55 < module.asked_rest(Answer(429, {"retry-after": date}, b"")) <= 60


def test_a_retry_after_that_takes_longer_than_there_is_time_ends_the_delivery(backend):
    backend.planned.append(Reply(503, {"Retry-After": "120"}))

    began = time.monotonic()
    answer = made(backend).send(PARCEL, Patience(5))

    assert answer.status == 503
    assert time.monotonic() - began < 5
    assert len(backend.received) == 1


def test_who_waits_for_the_next_attempt_is_woken_when_the_process_ends(backend):
    backend.planned.append(Reply(503, {"Retry-After": "100"}))
    patience = Patience()
    answers = []
    thread = Thread(target=lambda: answers.append(made(backend).send(PARCEL, patience)))
    thread.start()
    backend.wait_for(1)

    patience.end_by(time.monotonic() + 10)
    thread.join(10)

    assert [answer.taken for answer in answers] == [True]
    assert len(backend.received) == 2


def test_a_netrc_does_not_replace_the_credentials(backend, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))

    made(backend).send(PARCEL, Patience(10))

    assert backend.received[0].headers["authorization"] == "Basic a2V5Og=="


def test_the_proxy_of_the_environment_is_used_and_left_where_no_proxy_says_so(backend, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", backend.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    elsewhere = Sender("vendor", "http://vendor.example", headers={})

    assert elsewhere.send(PARCEL, Patience(10)).taken
    assert made(backend).send(PARCEL, Patience(10)).taken

    proxied, direct = backend.received
    assert proxied.path == "http://vendor.example/v1/events"
    assert direct.path == "/v1/events"


def test_the_certificates_of_the_environment_are_those_that_are_trusted(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/own.pem")

    assert (
        Sender("vendor", "https://vendor.example", headers={})._session().verify == "/etc/own.pem"
    )


def test_a_forked_worker_has_a_connection_of_its_own(backend):
    sender = made(backend)
    sender.send(PARCEL, Patience(10))
    first = sender._session()
    child = os.fork()
    if child == 0:
        os._exit(0 if sender._session() is not first else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert sender._session() is first


def test_an_endless_answer_is_read_up_to_its_limit(backend):
    backend.otherwise = Reply(body=b"x" * 1_000_000)

    answer = made(backend).send(PARCEL, Patience(10))

    assert answer.taken
    assert len(answer.body) == 64 * 1024
    assert made(backend).send(PARCEL, Patience(10)).taken


def test_without_the_http_client_the_remedy_is_said_when_an_exporter_is_made(monkeypatch):
    import sys

    from otel_apimetrics import ConfigError

    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(ConfigError, match=r"install otel-apimetrics\[vendors\]"):
        Sender("vendor", "http://vendor.example", headers={})
