"""The floor: what the SDK itself takes for the telemetry that full capture makes.

The span has the attributes of a real one, known in advance; nothing is read, decoded or
redacted, and the span is not made current. On contrib's span the floor is what our
adoption adds to it.
"""

from time import perf_counter
from typing import Any

from opentelemetry.trace import SpanKind, get_current_span, set_span_in_context

from benchmarks.telemetry import Telemetry
from otel_apimetrics import semconv

_KEYS = (
    semconv.REQUEST_METHOD,
    semconv.ROUTE,
    semconv.STATUS_CODE,
    semconv.CONSUMER_ID,
    semconv.CONSUMER_GROUP,
)


class Floor:
    """A middleware of bare SDK calls.

    Args:
        app: the WSGI or ASGI app.
        telemetry: where to record.
        span: "name" and "attributes" of a span that our full capture made.
    """

    def __init__(self, app: Any, telemetry: Telemetry, span: dict[str, Any]) -> None:
        self._app = app
        self._name = span["name"]
        self._method = self._name.partition(" ")[0]
        self._attributes = span["attributes"]
        self._keys = {key: self._attributes.get(key, "") for key in _KEYS}
        self._tracer = telemetry.tracer_provider.get_tracer("floor")
        meter = telemetry.meter_provider.get_meter("floor")
        self._durations = meter.create_histogram(
            semconv.REQUEST_DURATION,
            "s",
            explicit_bucket_boundaries_advisory=semconv.DURATION_BUCKETS,
        )
        self._requests = meter.create_counter(semconv.REQUESTS, "{request}")

    def wsgi(self, environ: Any, start_response: Any) -> Any:
        """Serve a request and record it."""
        started = perf_counter()
        span = self._tracer.start_span(self._method, kind=SpanKind.SERVER)
        iterable = self._app(environ, start_response)
        self._record(span, started)
        return iterable

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request and record it."""
        started = perf_counter()
        span = self._tracer.start_span(self._method, kind=SpanKind.SERVER)
        await self._app(scope, receive, send)
        self._record(span, started)

    def adopt(self, response: Any) -> Any:
        """Record a request on the span that is current, after Flask has its response."""
        self._say(get_current_span(), perf_counter())
        return response

    async def asgi_adopting(self, scope: Any, receive: Any, send: Any) -> None:
        """Record a request on the span that is current, which ends with its response; serve it."""
        self._say(get_current_span(), perf_counter())
        await self._app(scope, receive, send)

    def _record(self, span: Any, started: float) -> None:
        self._say(span, started)
        span.update_name(self._name)
        span.end()

    def _say(self, span: Any, started: float) -> None:
        # The context of the span, because ours has it: exemplars are a part of the record.
        context = set_span_in_context(span)
        self._durations.record(perf_counter() - started, self._keys, context)
        self._requests.add(1, self._keys, context)
        span.set_attributes(self._attributes)
