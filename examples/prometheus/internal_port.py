"""Scrapes have a port of their own, which need not be open to those who call the app."""

import os

from flask import Flask
from opentelemetry.sdk.metrics import MeterProvider

from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics.prometheus import PrometheusReader, ScrapeServer

app = Flask(__name__)
reader = PrometheusReader()
ApiMetricsInstrumentor().instrument_app(app, meter_provider=MeterProvider([reader]))
ScrapeServer(reader, port=int(os.environ["SCRAPE_PORT"]))


@app.get("/prices/<item>")
def get_price(item: str) -> dict[str, str | int]:
    return {"item": item, "cents": 100 * len(item)}
