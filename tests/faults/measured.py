"""Apps with Prometheus metrics of their own, and the requests that they get."""

from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from prometheus_client import CollectorRegistry

from otel_apimetrics.compat.prometheus_fastapi_instrumentator import Instrumentator
from otel_apimetrics.compat.starlette_exporter import PrometheusMiddleware, from_response_header
from otel_apimetrics.prometheus import ASGIMetrics, FlaskMetrics
from tests.faults import apps


def flask(tracer: trace.Tracer) -> Any:
    app = apps.flask(tracer)
    metrics = FlaskMetrics(app, registry=CollectorRegistry(), names="flask", group_by="url_rule")
    called = metrics.counter("calls", "Calls.", labels={"status": lambda r: r.status_code})

    @app.get("/told")
    @metrics.gauge("busy", "Calls in progress.")
    @called
    def told() -> Any:
        return "told", 202

    @app.get("/untold")
    @metrics.do_not_track()
    @metrics.histogram("tries_seconds", "Tries.", labels={"code": lambda r: r.status_code})
    def untold() -> Any:
        apps.fail()

    return app


def _fastapi(decorated: Callable[[Any], Callable[[Any], Any]]) -> Any:
    from fastapi import FastAPI
    from starlette.responses import StreamingResponse

    app = FastAPI()
    measured = decorated(app)

    @app.get("/told/{number}")
    @measured
    async def told(number: int) -> Any:
        return {"number": number}

    @app.get("/untold")
    @measured
    def untold() -> Any:
        apps.fail()

    @app.get("/stream")
    def stream() -> Any:
        return StreamingResponse(str(number) for number in range(3))

    return app


def decorated(_tracer: trace.Tracer) -> Any:
    def measures(app: Any) -> Callable[[Any], Any]:
        metrics = ASGIMetrics(app, registry=CollectorRegistry())
        counter = metrics.counter("calls", "Calls.", labels={"status": lambda r: r.status_code})
        busy = metrics.gauge("busy", "Calls in progress.", labels={"who": lambda: "all"})
        return lambda view: busy(counter(view))

    return _fastapi(measures)


def instrumentator(_tracer: trace.Tracer) -> Any:
    app = _fastapi(lambda _: lambda view: view)
    measures = Instrumentator(
        should_instrument_requests_inprogress=True,
        inprogress_labels=True,
        registry=CollectorRegistry(),
    )
    measures.add(_measure).instrument(app)
    return app


async def _measure(_info: Any) -> None: ...


def starlette_exporter(_tracer: trace.Tracer) -> Any:
    app = _fastapi(lambda _: lambda view: view)
    app.add_middleware(
        PrometheusMiddleware,
        registry=CollectorRegistry(),
        labels={
            "who": lambda request: request.method,
            "length": from_response_header("content-length"),
        },
        exemplars=lambda: {"trace_id": "abc"},
    )
    return app
