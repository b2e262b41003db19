"""Labels see the response that Flask-RESTful makes of what a resource returns."""

from flask import Flask
from flask_restful import Api, Resource

from otel_apimetrics.compat.prometheus_flask_exporter import RESTfulPrometheusMetrics

app = Flask(__name__)
api = Api(app)
metrics = RESTfulPrometheusMetrics(app, api)

by_status = metrics.counter(
    "task_answers", "Answers by status", labels={"status": lambda response: response.status_code}
)


tasks = {1: "wash", 2: "iron"}


class Task(Resource):
    @by_status
    def get(self, number: int) -> tuple[dict[str, str], int]:
        if number not in tasks:
            return {"error": "There is no such task"}, 404
        return {"task": tasks[number]}, 200

    @by_status
    def delete(self, number: int) -> tuple[None, int]:
        tasks.pop(number, None)
        # Flask itself makes no response of None.
        return None, 204


api.add_resource(Task, "/tasks/<int:number>")
