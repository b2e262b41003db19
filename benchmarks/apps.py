"""The app under test, made for one variant."""

from typing import Any

from benchmarks.floor import Floor
from benchmarks.payloads import answer
from benchmarks.telemetry import Telemetry
from benchmarks.variants import Variant


def make(
    framework: str, variant: Variant, telemetry: Telemetry | None, span: dict[str, Any] | None
) -> Any:
    """Make the callable to serve.

    Args:
        framework: "flask" gives a WSGI app, "fastapi" an ASGI app.
        variant: what records.
        telemetry: where it goes; `None` for the bare app.
        span: what the floor writes, see `Floor`.
    """
    flask = framework == "flask"
    native = telemetry if variant.producer == "native" else None
    app = _flask() if flask else _fastapi(native)
    if telemetry is None:
        return app
    if variant.producer == "floor" and span is not None:
        floor = Floor(app, telemetry, span)
        return floor.wsgi if flask else floor.asgi
    if variant.producer == "contrib-floor" and span is not None:
        _add_floor(framework, app, telemetry, span)
    if variant.producer.startswith("contrib"):
        _add_contrib(framework, app, telemetry)
    if variant.options is not None:
        from otel_apimetrics import ApiMetricsInstrumentor

        ApiMetricsInstrumentor().instrument(**telemetry.providers, **variant.options)
    return app


def _add_floor(framework: str, app: Any, telemetry: Telemetry, span: dict[str, Any]) -> None:
    """Put a floor inside of contrib's instrumentation, where its span is current."""
    if framework == "flask":
        app.after_request(Floor(app, telemetry, span).adopt)
    else:
        app.add_middleware(lambda app: Floor(app, telemetry, span).asgi_adopting)


def _add_contrib(framework: str, app: Any, telemetry: Telemetry) -> None:
    if framework == "flask":
        from opentelemetry.instrumentation.flask import FlaskInstrumentor

        instrumentor: Any = FlaskInstrumentor()
        instrumentor.instrument_app(app, **telemetry.providers)
    else:
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        FastAPIInstrumentor().instrument_app(app, **telemetry.providers)


def _flask() -> Any:
    from flask import Flask, request

    app = Flask("shop")

    @app.post("/v1/shops/<int:shop>/orders")
    def place_order(shop: int) -> Any:
        return answer(shop, request.get_json()), 201, {"cache-control": "no-store"}

    return app


def _fastapi(native: Telemetry | None) -> Any:
    from fastapi import FastAPI
    from fastapi.responses import JSONResponse
    from pydantic import BaseModel

    class Order(BaseModel):
        reference: str
        customer: dict[str, Any]
        shipping: dict[str, Any]
        items: list[dict[str, Any]]
        notes: str = ""
        tags: list[str] = []
        password: str = ""

    options: dict[str, Any] = {} if native is None else {"telemetry": native.providers}
    app = FastAPI(**options)

    @app.post("/v1/shops/{shop}/orders")
    async def place_order(shop: int, order: Order) -> Any:
        return JSONResponse(
            answer(shop, order.model_dump()), 201, headers={"cache-control": "no-store"}
        )

    return app
