"""A FastAPI app of several processes, measured by both fronts, each of which shows all."""

import os

from fastapi import FastAPI

from otel_apimetrics.compat.prometheus_fastapi_instrumentator import Instrumentator
from otel_apimetrics.compat.starlette_exporter import PrometheusMiddleware, handle_metrics

app = FastAPI()
app.add_middleware(PrometheusMiddleware, skip_paths=["/metrics", "/also"])
app.add_route("/also", handle_metrics)
Instrumentator(
    should_instrument_requests_inprogress=True, excluded_handlers=["/metrics", "/also"]
).instrument(app).expose(app)


@app.get("/items")
async def items() -> int:
    return os.getpid()
