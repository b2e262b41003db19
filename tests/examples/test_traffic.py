import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from examples import traffic
from examples.traffic import EVENTS, MIXTURE, PASSWORD, BrokenStreamError, Sent, send
from tests.ports import free_port


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


class Recorder:
    """An app that keeps what it was sent, and streams as many events as it is told to."""

    def __init__(self, events: int = EVENTS) -> None:
        self.events = events
        self.requests: list[tuple[str, str, str, bytes]] = []

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.requests.append(
            (
                environ.get("HTTP_X_CLIENT", ""),
                environ["REQUEST_METHOD"],
                environ["PATH_INFO"],
                body,
            )
        )
        streams = environ["PATH_INFO"].endswith("/events")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"data: x\n\n"] * (self.events if streams else 1)


@contextmanager
def serving(app) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=QuietHandler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_number_of_requests_always_gives_the_same_counts():
    with serving(Recorder()) as url:
        first, second = send(url, 37), send(url, 37)

    assert first == second
    assert first.total() == 37


def test_one_round_has_both_consumers_and_one_that_nobody_knows():
    with serving(Recorder()) as url:
        consumers = {sent.consumer for sent in send(url, len(MIXTURE))}

    assert consumers == {"", "acme", "globex"}


def test_what_is_counted_is_what_was_sent():
    app = Recorder()
    with serving(app) as url:
        sent = send(url, 4)

    assert [request[:3] for request in app.requests] == [
        ("", "GET", "/healthz"),
        ("acme", "POST", "/sessions"),
        ("acme", "POST", "/orders"),
        ("acme", "GET", "/orders/1"),
    ]
    assert json.loads(app.requests[1][3]) == {"user": "ada", "password": PASSWORD}
    assert dict(sent) == {
        Sent("GET", "/healthz", 200, ""): 1,
        Sent("POST", "/sessions", 200, "acme"): 1,
        Sent("POST", "/orders", 200, "acme"): 1,
        Sent("GET", "/orders/{id}", 200, "acme"): 1,
    }


def test_a_path_in_the_base_url_stays_before_every_path():
    app = Recorder()
    with serving(app) as url:
        send(f"{url}/shop", 1)

    assert app.requests[0][2] == "/shop/healthz"


def test_a_stream_that_is_cut_off_is_an_error():
    with serving(Recorder(events=EVENTS - 1)) as url:
        with pytest.raises(BrokenStreamError, match="4 events"):
            send(url, len(MIXTURE))


def test_the_command_prints_one_line(monkeypatch, capsys):
    with serving(Recorder()) as url:
        monkeypatch.setattr(sys, "argv", ["traffic.py", f"{url}/", "--requests", "16"])
        status = traffic.main()

    assert status == 0
    assert capsys.readouterr().out == (
        f"16 requests to {url}: acme 8, globex 7, nobody 1; 200 x 16\n"
    )


def test_an_app_that_is_not_there_is_told_in_one_line(monkeypatch, capsys):
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(sys, "argv", ["traffic.py", url])

    assert traffic.main() == 1
    assert capsys.readouterr().err.startswith(f"traffic: {url}: ")
