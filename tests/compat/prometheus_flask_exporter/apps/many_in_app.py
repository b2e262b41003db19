"""A Flask app that shows the metrics of all its processes itself."""

import os

from flask import Flask

from otel_apimetrics.compat.prometheus_flask_exporter.multiprocess import (
    GunicornInternalPrometheusMetrics,
)

app = Flask(__name__)
metrics = GunicornInternalPrometheusMetrics(app)
metrics.info("app_info", "The app.", version="1.2")


@app.get("/items")
@metrics.counter("items", "Items asked for.")
@metrics.gauge("busy", "Items being asked for.")
def items() -> str:
    return str(os.getpid())
