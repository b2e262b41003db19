"""Flask-RESTful's resources."""

import flask
import flask_restful
import pytest
from flask_restful import fields

from otel_apimetrics.compat.prometheus_flask_exporter import (
    PrometheusMetrics,
    RESTfulPrometheusMetrics,
)

LABELS = {"code": lambda response: response.status_code}


def resource(metrics):
    class Items(flask_restful.Resource):
        @metrics.summary("items", "Items", labels=LABELS)
        def get(self):
            answers = {
                "nothing": None,
                "bad": (None, 400, {"X": "1"}),
                "data": {"a": 1},
                "made": ({"a": 1}, 201),
                "whole": flask.Response("whole", 202),
            }
            return answers[flask.request.args["answer"]]

    return Items


ASKED = {"nothing": 200, "bad": 400, "data": 200, "made": 201, "whole": 202}


def counted(client):
    for answer, status in ASKED.items():
        assert client.get(f"/items?answer={answer}").status_code == status
    text = client.get("/metrics").text
    return sorted(line for line in text.splitlines() if line.startswith("items_count"))


ALL = [f'items_count{{code="{code}"}} {count}.0' for code, count in ((200, 2), (201, 1), (202, 1), (400, 1))]  # fmt: skip


@pytest.mark.row(69)
def test_what_a_resource_returns_is_read_as_its_api_reads_it(registry, app, client):
    api = flask_restful.Api(app)
    metrics = RESTfulPrometheusMetrics(app, api)
    api.add_resource(resource(metrics), "/items")
    assert counted(client) == ALL


@pytest.mark.row(69)
@pytest.mark.parametrize("late", [False, True])
def test_an_api_may_be_given_late(registry, app, client, late):
    api = flask_restful.Api(app)
    metrics = RESTfulPrometheusMetrics.for_app_factory(None if late else api)
    api.add_resource(resource(metrics), "/items")
    if late:
        metrics.init_app(app, api)
    else:
        metrics.init_app(app)
    assert counted(client) == ALL


@pytest.mark.row(69)
def test_a_converter_of_the_apps_own_stays(registry, app, client):
    api = flask_restful.Api(app)
    metrics = RESTfulPrometheusMetrics(
        app, api, response_converter=lambda returned: flask.make_response("mine", 299)
    )
    api.add_resource(resource(metrics), "/items")
    assert client.get("/items?answer=data").status_code == 299


@pytest.mark.row(69)
def test_a_method_decorator_gets_what_a_resource_returns(registry, app, client):
    api = flask_restful.Api(app, errors={"LookupError": {"status": 409}})
    metrics = RESTfulPrometheusMetrics(app, api)

    class Item(flask_restful.Resource):
        @flask_restful.marshal_with({"name": fields.String})
        @metrics.counter("items", "Items", labels=LABELS)
        def get(self):
            return {"name": "a", "secret": "b"}, 201

        @metrics.counter("failures", "Failures", labels=LABELS)
        def post(self):
            raise LookupError

    api.add_resource(Item, "/item")
    assert client.get("/item").json == {"name": "a"}
    assert client.post("/item").status_code == 409
    text = client.get("/metrics").text
    assert 'items_total{code="201"} 1.0' in text
    assert 'failures_total{code="409"} 1.0' in text
    assert "flask_http_request_exceptions_total{" not in text


@pytest.mark.row(70)
def test_a_resource_that_the_plain_class_cannot_read_still_answers(registry, app, client):
    api = flask_restful.Api(app)
    metrics = PrometheusMetrics(app)
    api.add_resource(resource(metrics), "/items")
    assert client.get("/items?answer=made").status_code == 201
    assert client.get("/items?answer=nothing").status_code == 200
    text = client.get("/metrics").text
    assert 'items_count{code="201"} 1.0' in text
    assert "items_count" in text
