"""An API with something to see: fast and slow answers, refusals, exceptions, work in progress."""

import time
from itertools import count

from flask import Flask, Response, request
from opentelemetry.sdk.metrics import MeterProvider

from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics.prometheus import FlaskMetrics, PrometheusReader

SECONDS = {"small": 0.0, "large": 0.15}
"""How long the work takes, by its size."""

app = Flask(__name__)
reader = PrometheusReader()
provider = MeterProvider([reader])
ApiMetricsInstrumentor().instrument_app(app, identify="header:x-client", meter_provider=provider)
metrics = FlaskMetrics(app, reader=reader, meter_provider=provider)
metrics.info("signals_build_info", "What runs here", version="1.0")

payments = count(1)


def asked_size() -> str:
    return request.view_args["size"]


def status_of(response: Response) -> int:
    return response.status_code


@app.get("/work/<any(small, large):size>")
@metrics.gauge("signals_work_in_progress", "Work that is being done", labels={"size": asked_size})
@metrics.histogram(
    "signals_work_seconds",
    "Work by its size",
    labels={"size": asked_size},
    buckets=(0.1, 0.2, 0.5, 1),
)
def work(size: str) -> dict[str, str]:
    time.sleep(SECONDS[size])
    return {"done": size}


@app.post("/payments")
@metrics.counter("signals_payments", "Payments by status", labels={"status": status_of})
def pay() -> tuple[dict[str, str], int]:
    if next(payments) % 2 == 0:
        return {"error": "The bank does not answer"}, 503
    return {"paid": "yes"}, 201


@app.get("/reports")
def report() -> dict[str, str]:
    raise RuntimeError("The report has no data")
