"""A shop with consumers, errors, slow answers and streams, in which each metric has points.

Its client says who it is (header `x-client`), and that a hook of the app shall fail (query `odd`).
"""

import asyncio
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, StreamingResponse
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from pydantic import BaseModel, Field

from otel_apimetrics import ApiMetricsInstrumentor, Consumer
from otel_apimetrics.prometheus import PrometheusReader, ScrapeASGIApp

GROUPS = {"acme": "enterprise", "globex": "free"}


class Backend(SpanExporter):
    """Takes what it is given, or refuses all of it."""

    def __init__(self, result):
        self._result = result

    def export(self, spans):
        return self._result

    def shutdown(self):
        pass


class Kept(Backend):
    pass


class Refused(Backend):
    pass


class Order(BaseModel):
    item: str
    quantity: int = Field(ge=1)


def who(exchange):
    name = dict(exchange.request.headers).get("x-client")
    return Consumer(id=name, group=GROUPS.get(name)) if name else None


def share(exchange):
    if exchange.request.query == "odd":
        raise ValueError("a hook of the app fails")
    return 1.0


reader = PrometheusReader()
readers = [reader]
if "OTEL_EXPORTER_OTLP_ENDPOINT" in os.environ:
    readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=500))
app = FastAPI()


@app.post("/orders", status_code=201)
def create_order(order: Order):
    return order


@app.get("/orders/{order_id}")
def get_order(order_id: int):
    if order_id > 10:
        raise HTTPException(404, "no such order")
    return {"id": order_id, "note": "n" * 500}


@app.get("/orders")
def moved():
    return RedirectResponse("/orders/1")


@app.get("/reports/{name}")
async def report(name: str):
    await asyncio.sleep(1.2)  # longer than the time between two scrapes, so that one sees it
    return {"name": name}


@app.get("/events")
async def events():
    async def lines() -> AsyncIterator[str]:
        for number in range(3):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(lines(), media_type="text/event-stream")


@app.post("/uploads")
async def upload(request: Request):
    return {"size": len(await request.body())}


@app.get("/fail")
def fail():
    raise RuntimeError("the payment provider is down")


async def mute(scope, receive, send):
    """Answers nothing."""


app.mount("/mute", mute)
app.mount("/metrics", ScrapeASGIApp(reader))
app = ApiMetricsInstrumentor().instrument_app(
    app,
    identify=who,
    metrics="all",
    max_consumers=3,
    sample_rate=share,
    exporters=[Kept(SpanExportResult.SUCCESS), Refused(SpanExportResult.FAILURE)],
    tracer_provider=TracerProvider(),
    meter_provider=MeterProvider(
        readers, resource=Resource.create({"service.name": "shop", "service.version": "1.2.3"})
    ),
)
