"""Switches our instrumentation on, for every app that a suite makes or calls.

Each record adds a byte to the file `SUITES_RECORDS`, each error that we swallow a line to
the file `SUITES_SWALLOWED`.
"""

import json
import os
import traceback
from os import write  # as it is now: Starlette's suite forbids it in an event loop later
from typing import Any

import wrapt
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsInstrumentor,
    ApiMetricsWSGIMiddleware,
    _guard,
)

# Opened once, and appended to by the children as well.
_records = os.open(os.environ["SUITES_RECORDS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
_swallowed = os.open(os.environ["SUITES_SWALLOWED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def _count(_exchange: Any) -> dict[str, str]:
    """Be the hook `label`, which is asked once a record."""
    write(_records, b".")
    return {"suite": "yes"}


def _report(place: str, error: BaseException) -> None:
    said = {
        "place": place,
        "error": "".join(traceback.format_exception(error)),
        "test": os.environ.get("PYTEST_CURRENT_TEST", "?").partition(" ")[0],
    }
    write(_swallowed, f"{json.dumps(said)}\n".encode())


def _switch_on() -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    _guard.observers.append(_report)
    ApiMetricsInstrumentor().instrument(
        identify="client_address",
        label=_count,
        capture_body="all",
        capture_headers="all",
        client_ip="full",
        metrics="all",
        tracer_provider=provider,
        meter_provider=MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False),
    )
    for module, name, wrapper in (
        # The ways into apps of no framework that we know.
        ("werkzeug.test", "run_wsgi_app", _run_wsgi_app),
        ("werkzeug.serving", "BaseWSGIServer.__init__", _serve),
        ("starlette.testclient", "_TestClientTransport.__init__", _transport),
        # Django's test client calls no WSGI handler.
        ("django.test.client", "ClientHandler.__call__", _client_handler),
    ):
        wrapt.register_post_import_hook(
            lambda found, name=name, wrapper=wrapper: wrapt.wrap_function_wrapper(
                found, name, wrapper
            ),
            module,
        )


def _pipeline() -> Any:
    return ApiMetricsInstrumentor._registry.default


def _bare_wsgi(app: Any) -> Any:
    """Wrap what no framework serves; Flask's apps are wrapped on their class."""
    return app if type(app).__module__ == "flask.app" else _wsgi(app)


def _wsgi(app: Any) -> ApiMetricsWSGIMiddleware:
    return ApiMetricsWSGIMiddleware(app, pipeline=_pipeline())


def _run_wsgi_app(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    app, *rest = args
    return wrapped(_bare_wsgi(app), *rest, **kwargs)


def _serve(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> None:
    wrapped(*args, **kwargs)
    instance.app = _bare_wsgi(instance.app)


def _transport(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> None:
    wrapped(*args, **kwargs)
    instance.app = ApiMetricsASGIMiddleware(instance.app, pipeline=_pipeline())


def _client_handler(wrapped: Any, _instance: Any, args: Any, _kwargs: Any) -> Any:
    """Call the handler as a WSGI app would be called, for what it reads and how it ends."""
    responses = []

    def app(environ: Any, start_response: Any) -> Any:
        response = wrapped(environ)
        responses.append(response)
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items()])
        return () if response.streaming else (response.content,)

    iterable = _wsgi(app)(*args, lambda _status, _headers: None)
    list(iterable)
    iterable.close()
    return responses[0]


_switch_on()
