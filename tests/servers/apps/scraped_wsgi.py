"""A small app that shows what all of its workers have counted at /metrics."""

import os
import time
from pathlib import Path

from flask import Flask
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import Counter

from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics.prometheus import PrometheusReader, add_route

MINE = Counter("mine", "Of the app, by prometheus_client.")

app = Flask(__name__)
reader = PrometheusReader()
provider = MeterProvider([reader])
ApiMetricsInstrumentor().instrument_app(app, meter_provider=provider, metrics="all")
add_route(app, reader, path="/metrics/")

# Counted before the fork, where there is one after this.
LOADED = provider.get_meter("scraped").create_counter("loaded")
LOADED.add(1)


@app.get("/items/<int:_number>")
def item(_number: int) -> str:
    MINE.inc()
    return str(os.getpid())


@app.get("/held/<name>")
def held(name: str) -> str:
    """Answer once a file of that name is gone."""
    gate = Path(os.environ["GATES"]) / name
    gate.with_suffix(".pid").write_text(str(os.getpid()))
    while gate.exists():
        time.sleep(0.01)
    return str(os.getpid())
