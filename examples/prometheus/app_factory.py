"""The metrics are made once, and are given to every app that the factory makes."""

from flask import Flask, request
from opentelemetry.sdk.metrics import MeterProvider

from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics.prometheus import FlaskMetrics, PrometheusReader

instrumentor = ApiMetricsInstrumentor()
reader = PrometheusReader()
provider = MeterProvider([reader])
metrics = FlaskMetrics.for_app_factory(reader=reader, meter_provider=provider)

by_language = metrics.counter(
    "greetings", "Greetings by language", labels={"language": lambda: request.view_args["language"]}
)


def create_app() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/greetings/<language>", view_func=by_language(greet))
    metrics.init_app(app)
    instrumentor.instrument_app(app, meter_provider=provider)
    return app


def greet(language: str) -> dict[str, str]:
    return {"greeting": {"de": "Hallo", "fr": "Salut"}.get(language, "Hello")}
