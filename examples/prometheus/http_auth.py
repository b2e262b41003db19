"""Scrapes need a password: the endpoint asks `may_scrape` before it shows anything."""

import hmac
import os
from base64 import b64encode
from collections.abc import Mapping

from flask import Flask
from opentelemetry.sdk.metrics import MeterProvider

from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics.prometheus import PrometheusReader, add_route

EXPECTED = "Basic " + b64encode(f"prometheus:{os.environ['SCRAPE_PASSWORD']}".encode()).decode()


def may_scrape(headers: Mapping[str, str]) -> bool:
    # Takes as long for a guess that is nearly right as for any other.
    return hmac.compare_digest(headers.get("authorization", "").encode(), EXPECTED.encode())


app = Flask(__name__)
reader = PrometheusReader()
ApiMetricsInstrumentor().instrument_app(app, meter_provider=MeterProvider([reader]))
add_route(app, reader, authorize=may_scrape)


@app.get("/notes/<int:number>")
def get_note(number: int) -> dict[str, int]:
    return {"note": number}
