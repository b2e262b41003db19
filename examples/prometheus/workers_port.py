"""Several workers count, and one of them serves the scrapes of all on a port of its own."""

import os
import time

from flask import Flask
from opentelemetry.sdk.metrics import MeterProvider

from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics.prometheus import PrometheusReader, ScrapeServer

app = Flask(__name__)
# The directory where the workers meet is in the environment: README.md.
reader = PrometheusReader()
ApiMetricsInstrumentor().instrument_app(app, meter_provider=MeterProvider([reader]))
ScrapeServer(reader, port=int(os.environ["SCRAPE_PORT"]))


@app.get("/squares/<int:number>")
def get_square(number: int) -> dict[str, int]:
    time.sleep(0.02)
    return {"square": number * number, "worker": os.getpid()}
