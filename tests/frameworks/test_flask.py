"""Flask apps, in-process."""

from flask import Flask, request

from otel_apimetrics import ApiMetricsInstrumentor
from tests.telemetry import Telemetry


def make_app() -> Flask:
    app = Flask(__name__)

    @app.post("/users/<int:user>")
    def update(user: int):
        return {"id": user, "echo": request.json}

    return app


def test_a_request_becomes_one_server_span_with_route_consumer_and_redacted_bodies(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor
):
    app = make_app()
    instrumentor.instrument_app(
        app, capture_body="all", identify="header:x-client", **telemetry.providers
    )

    response = app.test_client().post(
        "/users/7?token=abc", json={"password": "hunter2"}, headers={"x-client": "acme"}
    )

    assert response.json == {"id": 7, "echo": {"password": "hunter2"}}
    span = telemetry.server_span
    assert span.name == "POST /users/<int:user>"
    assert span.attributes["http.route"] == "/users/<int:user>"
    assert span.attributes["apimetrics.consumer.id"] == "acme"
    assert span.attributes["url.query"] == "token=[REDACTED]"
    assert "hunter2" not in span.to_json()
    assert '"password": "[REDACTED]"' in span.attributes["http.request.body.content"]
    assert telemetry.total() == 1
