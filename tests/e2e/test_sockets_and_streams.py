"""WebSockets, server-sent events and long polls on real servers, with us and without us."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.e2e.apps import streams_app
from tests.ports import free_port

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
APP = "tests.e2e.apps.streams_app:app"
SERVERS = {
    "uvicorn, websockets": ["uvicorn", APP, "--ws", "websockets-sansio", "--port", "{port}"],
    "uvicorn, wsproto": ["uvicorn", APP, "--ws", "wsproto", "--port", "{port}"],
    "hypercorn": ["hypercorn", APP, "--bind", "127.0.0.1:{port}"],
}
KINDS = ("bare", "starlette")
CROWD = 50


@contextmanager
def serving(command: list[str], log: Path, **environment: str) -> Iterator[int]:
    """Run a server; leave it the time to shut down."""
    port = free_port()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", *(part.format(port=port) for part in command)],
            cwd=ROOT,
            env={**kept, **environment},
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(port, server, log)
        yield port
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())


def talk(url: str, *said: str | bytes, hear: int = 1, **options: Any) -> list[Any]:
    """Say each message and hear what comes of it, then close."""
    heard: list[Any] = []
    try:
        with connect(url, proxy=None, **options) as client:
            heard.append((client.subprotocol, client.response.headers.get("x-room")))
            for message in said:
                client.send(message)
                heard += [client.recv(timeout=30) for _ in range(hear)]
    except ConnectionClosed as closed:
        heard.append((closed.rcvd and closed.rcvd.code, closed.rcvd and closed.rcvd.reason))
    except InvalidStatus as refused:
        response = refused.response
        heard.append((response.status_code, response.headers.get("x-room"), response.body))
    return heard


def drop(url: str) -> list[Any]:
    """Say something, then leave without a word."""
    with connect(url, proxy=None) as client:
        client.send("a")
        heard = [client.recv(timeout=30)]
        client.socket.shutdown(socket.SHUT_RDWR)
    return heard


def crowd(url: str) -> list[Any]:
    """Hold many connections at once."""
    with ExitStack() as held:
        clients = [held.enter_context(connect(url, proxy=None)) for _ in range(CROWD)]
        for index, client in enumerate(clients):
            client.send(f"hello {index}")
        return [client.recv(timeout=30) for client in clients]


def get(port: int, path: str) -> list[Any]:
    """Read what a server says before and after the app is let go on."""
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received = b""
        if path.endswith("events"):
            while b"first" not in received:
                received += client.recv(4_096)
        early = received
        let_go(port)
        while chunk := client.recv(4_096):
            received += chunk
    body = received.partition(b"\r\n\r\n")[2]
    return [b"second" in early, body.count(b"first"), body.count(b"second"), body.count(b"news")]


def let_go(port: int) -> None:
    asking = HTTPConnection("127.0.0.1", port, timeout=30)
    asking.request("GET", "/go")
    asking.getresponse().read()
    asking.close()


def whole_talk(port: int) -> dict[str, Any]:
    heard: dict[str, Any] = {}
    for kind in KINDS:
        at = f"ws://127.0.0.1:{port}/{kind}"
        heard |= {
            f"/{kind}/echo": talk(f"{at}/echo", "grüß", b"bytes", "again"),
            f"/{kind}/chat": talk(f"{at}/chat", "a", subprotocols=["chat", "mqtt"]),
            f"/{kind}/many": talk(f"{at}/many", "many", hear=101),
            f"/{kind}/close": talk(f"{at}/close", "close"),
            f"/{kind}/refuse": talk(f"{at}/refuse"),
            f"/{kind}/deny": talk(f"{at}/deny"),
            f"/{kind}/boom": talk(f"{at}/boom", "boom"),
            f"/{kind}/drop": drop(f"{at}/drop"),
            f"/{kind}/crowd": crowd(f"{at}/crowd"),
            f"/{kind}/events": get(port, f"/{kind}/events"),
            f"/{kind}/poll": get(port, f"/{kind}/poll"),
        }
    return heard


@pytest.fixture(scope="module", params=SERVERS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What clients heard without us and with us, and the spans by path."""
    directory = tmp_path_factory.mktemp("streams")
    command = SERVERS[request.param]
    with serving(command, directory / "without.log") as port:
        without = whole_talk(port)
    spans = directory / "spans.jsonl"
    with serving(command, directory / "with.log", STREAMS_SPANS=str(spans)) as port:
        heard = whole_talk(port)
        with connect(f"ws://127.0.0.1:{port}/bare/open", proxy=None) as client:
            client.send("a")
            client.recv(timeout=30)
            while_open = spans.read_text()
    by_path: dict[str, list[Any]] = {}
    for line in spans.read_text().splitlines():
        span = json.loads(line)
        by_path.setdefault(span["attributes"]["url.path"], []).append(span)
    log = (directory / "with.log").read_text()
    return without, heard, by_path, while_open, log


def attributes_of(told: Any, path: str) -> dict[str, Any]:
    (span,) = told[2][path]
    return span["attributes"]  # type: ignore[no-any-return]


def traffic(attributes: dict[str, Any]) -> tuple[Any, ...]:
    names = ("messages_received", "messages_sent", "bytes_received", "bytes_sent")
    return tuple(attributes[f"apimetrics.websocket.{name}"] for name in names)


def test_clients_hear_the_same_with_us_and_without_us(told):
    without, heard, *_ = told
    assert heard == without


def test_our_side_logs_nothing(told):
    assert "otel-apimetrics" not in told[4]


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_is_one_record_with_its_messages_and_without_their_text(told, kind):
    attributes = attributes_of(told, f"/{kind}/echo")
    assert attributes["http.response.status_code"] == 101
    assert traffic(attributes) == (3, 3, 16, 16)
    # Hypercorn tells its apps 1006 of every client that closes.
    assert attributes["apimetrics.websocket.close_code"] in {1000, 1006}
    assert "error.type" not in attributes
    assert "again" not in str(attributes).lower()
    assert attributes["apimetrics.exchange.framework"] == ("asgi" if kind == "bare" else kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_traffic_is_counted(told, kind):
    attributes = attributes_of(told, f"/{kind}/many")
    assert traffic(attributes) == (1, 101, 4, 190 + len(streams_app.LARGE))


@pytest.mark.parametrize("kind", KINDS)
def test_a_close_of_the_app_has_its_code(told, kind):
    assert told[1][f"/{kind}/close"][-1] == (4001, "over")
    assert attributes_of(told, f"/{kind}/close")["apimetrics.websocket.close_code"] == 4001


@pytest.mark.parametrize(("name", "status"), [("refuse", 403), ("deny", 401)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_denial_has_the_status_that_the_client_saw(told, kind, name, status):
    assert told[1][f"/{kind}/{name}"][0][0] == status
    attributes = attributes_of(told, f"/{kind}/{name}")
    assert attributes["http.response.status_code"] == status
    assert traffic(attributes) == (0, 0, 0, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_after_the_accept_is_recorded(told, kind):
    (span,) = told[2][f"/{kind}/boom"]
    assert span["attributes"]["error.type"] == "ValueError"
    assert span["attributes"]["http.response.status_code"] == 101
    assert [event["name"] for event in span["events"]] == ["exception"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_dropped_the_line_leaves_a_record(told, kind):
    attributes = attributes_of(told, f"/{kind}/drop")
    assert attributes["apimetrics.websocket.close_code"] in {1005, 1006}


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_many_connections_is_a_record(told, kind):
    spans = told[2][f"/{kind}/crowd"]
    assert len(spans) == CROWD
    assert {traffic(span["attributes"])[:2] for span in spans} == {(1, 1)}


def test_a_record_comes_at_the_end_of_the_connection(told):
    assert "/bare/open" not in told[3]
    assert len(told[2]["/bare/open"]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_event_is_out_before_the_app_says_the_second(told, kind):
    assert told[1][f"/{kind}/events"] == [False, 1, 1, 0]
    attributes = attributes_of(told, f"/{kind}/events")
    assert attributes["http.response.body.size"] == len("data: first\n\ndata: second\n\n")
    assert attributes["http.response.body.content"].count("data:") == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_poll_is_answered_when_the_app_answers(told, kind):
    assert told[1][f"/{kind}/poll"] == [False, 0, 0, 1]
    assert attributes_of(told, f"/{kind}/poll")["http.response.body.content"] == "news"
