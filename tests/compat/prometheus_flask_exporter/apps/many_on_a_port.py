"""A Flask app of which one process shows the metrics of all on a port of its own."""

import os

from flask import Flask

from otel_apimetrics.compat.prometheus_flask_exporter import multiprocess

IN_UWSGI = "UWSGI" in os.environ
PORT = int(os.environ["METRICS_PORT"])

app = Flask(__name__)
metrics = (
    multiprocess.UWsgiPrometheusMetrics(app)
    if IN_UWSGI
    else multiprocess.GunicornPrometheusMetrics(app)
)


@app.get("/items")
@metrics.counter("items", "Items asked for.")
def items() -> str:
    return str(os.getpid())


if IN_UWSGI:
    metrics.start_http_server(PORT, "127.0.0.1")
