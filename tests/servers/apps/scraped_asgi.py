"""A small app that shows what all of its workers have counted at /metrics."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import Counter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics.prometheus import PrometheusReader, ScrapeASGIApp

MINE = Counter("mine", "Of the app, by prometheus_client.")


async def item(_request: Request) -> PlainTextResponse:
    MINE.inc()
    return PlainTextResponse(str(os.getpid()))


async def held(request: Request) -> PlainTextResponse:
    """Answer once a file of that name is gone."""
    gate = Path(os.environ["GATES"]) / request.path_params["name"]
    gate.with_suffix(".pid").write_text(str(os.getpid()))
    while gate.exists():  # noqa: ASYNC110, ASYNC240  another process takes it away
        await asyncio.sleep(0.01)
    return PlainTextResponse(str(os.getpid()))


reader = PrometheusReader()
provider = MeterProvider([reader])
meter = provider.get_meter("scraped")
STARTED = meter.create_counter("started")


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    STARTED.add(1)
    yield


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/items/{number:int}", item),
        Route("/held/{name}", held),
        Mount("/metrics", ScrapeASGIApp(reader)),
    ],
)
ApiMetricsInstrumentor().instrument_app(app, meter_provider=provider, metrics="all")
meter.create_counter("loaded").add(1)
