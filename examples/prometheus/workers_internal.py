"""Several workers count, and each of them shows at /metrics what all have counted."""

import os
import time

from flask import Flask
from opentelemetry.sdk.metrics import MeterProvider

from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics.prometheus import PrometheusReader, add_route

app = Flask(__name__)
# The directory where the workers meet is in the environment: README.md.
reader = PrometheusReader()
ApiMetricsInstrumentor().instrument_app(app, meter_provider=MeterProvider([reader]))
add_route(app, reader)


@app.get("/cubes/<int:number>")
def get_cube(number: int) -> dict[str, int]:
    time.sleep(0.02)
    return {"cube": number**3, "worker": os.getpid()}
