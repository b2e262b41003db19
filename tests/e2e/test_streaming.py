"""Streams over a real server: what the app has said is out before it says more."""

import socket
from threading import Event, Thread

import pytest
from flask import Flask, Response
from werkzeug.serving import make_server

from otel_apimetrics import ApiMetricsInstrumentor
from tests.telemetry import Telemetry

pytestmark = pytest.mark.e2e


def test_the_first_event_reaches_the_client_while_the_app_waits_to_say_the_second(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = Flask(__name__)
    may_go_on = Event()

    @app.get("/events")
    def events() -> Response:
        def said():
            yield "data: first\n\n"
            assert may_go_on.wait(10)
            yield "data: second\n\n"

        return Response(said(), mimetype="text/event-stream")

    instrumentor.instrument_app(app, capture_body="all", **telemetry.providers)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = Thread(target=server.serve_forever)
    serving.start()
    try:
        with socket.create_connection(server.server_address) as client:
            client.settimeout(10)
            client.sendall(b"GET /events HTTP/1.0\r\n\r\n")
            received = b""
            while b"first" not in received:
                received += client.recv(4096)
            assert b"second" not in received
            assert telemetry.server_spans == []
            may_go_on.set()
            while chunk := client.recv(4096):
                received += chunk
    finally:
        server.shutdown()
        serving.join()
        server.server_close()

    assert b"data: second\n\n" in received
    assert telemetry.server_span.attributes["http.response.body.size"] == len(
        "data: first\n\ndata: second\n\n"
    )
