"""Metrics that know the consumer, recorded from exchanges: no trace sampler touches them.

Keys are fixed: every point of an instrument has the same ones, absent is `""`. One set
of keys is all that exporters with a fixed label list (Prometheus) can hold.
"""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation, get_meter

from otel_apimetrics import _guard, health, semconv, tally
from otel_apimetrics.cardinality import Attributes, Cardinality
from otel_apimetrics.exchange import Body, Exchange
from otel_apimetrics.tally import Counts
from otel_apimetrics.version import __version__

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram, UpDownCounter


recorded: list[Callable[[], None]] = []
"""Run after each exchange that was recorded, on its thread. They must not raise."""


def note_recorded() -> None:
    """Tell those who want to know that a request was counted."""
    for each in recorded:
        each()


class Metrics:
    """The instruments, made at the first record of a process.

    Nothing is created before that: what a parent process had counted before a fork would
    be counted again by every worker (the SDK keeps aggregations across a fork). Those of our
    health are made where an exporter counts first, which may be before the first request.

    Args:
        which: members of {"default", "all", "semconv"}; empty records nothing.
        provider: the meter provider, `None` for the global one at the first record.
        max_consumers: see `Cardinality`.
        labels: names of labels that become metric attributes.
    """

    def __init__(
        self,
        which: frozenset[str],
        provider: MeterProvider | None = None,
        *,
        max_consumers: int = 1_000,
        labels: tuple[str, ...] = (),
    ) -> None:
        self._which = which
        self._provider = provider
        self._cardinality = Cardinality(max_consumers, labels)
        self._instruments: _Instruments | None = None
        self._lock = Lock()
        self._health_lock = Lock()
        self._shows_health = False
        self.counts_active = "all" in which

    def record(
        self,
        exchange: Exchange,
        context: Context | None,
        *,
        alone: bool,
        raised: bool,
        done: set[object] | None = None,
    ) -> None:
        """Record one exchange.

        Args:
            exchange: needs no redaction: only method, route, status, consumer and the
                declared labels are read.
            context: holds the request's span, for exemplars.
            alone: no other instrumentation measures this request, so that the names of
                the semantic conventions are ours to use.
            raised: an exception left the app's handler.
            done: steps that an interrupted call has done; they are not done again.
        """
        if not self._which:
            return
        done = set() if done is None else done
        attributes = self._cardinality.attributes(exchange)
        instruments = self._ready()
        if exchange.websocket is None and "duration" not in done:
            seconds = exchange.duration_ns / 1e9
            instruments.duration.record(seconds, attributes, context)
            done.add("duration")
            self._record_optional(instruments, exchange, attributes, context, alone=alone)
        if "requests" not in done:
            instruments.requests.add(1, attributes, context)
            done.add("requests")
        if raised and "exceptions" not in done:
            instruments.exceptions.add(1, attributes, context)
            done.add("exceptions")
        errors = len(exchange.validation_errors)
        if errors and "validation_errors" not in done:
            instruments.validation_errors.add(errors, attributes, context)
            done.add("validation_errors")

    def active(self, change: int, method: str) -> None:
        """Count a request in (+1) or out (-1) of flight."""
        key = semconv.known_method(method)
        self._ready().active.add(change, {semconv.REQUEST_METHOD: key})

    def show_health(self) -> None:
        """Make the instruments of our own health. Once; never raises."""
        if self._shows_health or not self._which:
            return
        try:
            with self._health_lock:
                if not self._shows_health:
                    _make_health(self._meter())
                    self._shows_health = True
        except Exception as error:
            _guard.swallow("metrics.health", error)

    def _meter(self) -> Meter:
        return get_meter(semconv.SCOPE, __version__, self._provider, semconv.SCHEMA_URL)

    def _record_optional(
        self,
        instruments: "_Instruments",
        exchange: Exchange,
        attributes: Attributes,
        context: Context | None,
        *,
        alone: bool,
    ) -> None:
        response = exchange.response
        if "all" in self._which:
            _record_size(instruments.request_size, exchange.request.body, attributes, context)
            if response is not None:
                _record_size(instruments.response_size, response.body, attributes, context)
        if "semconv" in self._which:
            if not alone:
                _guard.warn_once(
                    "metrics.semconv",
                    "metrics='semconv' is off for requests that another instrumentation"
                    " measures too: %s would come from two scopes with different keys."
                    " Remove the other instrumentation, or leave 'semconv' out.",
                    semconv.SERVER_DURATION,
                )
                return
            instruments.semconv(exchange, context)

    def _ready(self) -> "_Instruments":
        instruments = self._instruments
        if instruments is None:
            with self._lock:
                instruments = self._instruments
                if instruments is None:
                    self.show_health()
                    instruments = _Instruments(self._meter(), self._which)
                    if self._shows_health:
                        instruments.requests = tally.counting(instruments.requests, instruments)
                    self._instruments = instruments
        return instruments


class _Instruments:
    def __init__(self, meter: Meter, which: frozenset[str]) -> None:
        self.requests: Counts = meter.create_counter(
            semconv.REQUESTS, "{request}", "Requests served."
        )
        self.duration = _durations(
            meter, semconv.REQUEST_DURATION, "From the request's entry to its last byte."
        )
        self.exceptions: Counter = meter.create_counter(
            semconv.EXCEPTIONS, "{exception}", "Exceptions that left the app's handlers."
        )
        self.validation_errors: Counter = meter.create_counter(
            semconv.VALIDATION_ERROR_COUNT, "{error}", "Fields that validation refused."
        )
        if "all" in which:
            self.request_size = _sizes(meter, semconv.METRIC_REQUEST_BODY_SIZE, "Request bodies.")
            self.response_size = _sizes(
                meter, semconv.METRIC_RESPONSE_BODY_SIZE, "Response bodies."
            )
            self.active: UpDownCounter = meter.create_up_down_counter(
                semconv.ACTIVE_REQUESTS, "{request}", "Requests in flight."
            )
        if "semconv" in which:
            self._server = _durations(
                meter, semconv.SERVER_DURATION, "Duration of HTTP server requests."
            )
            self._server_in = _sizes(
                meter, semconv.SERVER_REQUEST_SIZE, "Size of HTTP server request bodies."
            )
            self._server_out = _sizes(
                meter, semconv.SERVER_RESPONSE_SIZE, "Size of HTTP server response bodies."
            )

    def semconv(self, exchange: Exchange, context: Context | None) -> None:
        request, response = exchange.request, exchange.response
        attributes: Attributes = {
            semconv.REQUEST_METHOD: semconv.known_method(request.method),
            semconv.URL_SCHEME: request.scheme,
            semconv.ROUTE: request.route or "",
            semconv.STATUS_CODE: "" if response is None else response.status,
            semconv.ERROR_TYPE: exchange.error or "",
            semconv.PROTOCOL_VERSION: request.http_version,
        }
        self._server.record(exchange.duration_ns / 1e9, attributes, context)
        _record_size(self._server_in, request.body, attributes, context)
        if response is not None:
            _record_size(self._server_out, response.body, attributes, context)


def _make_health(meter: Meter) -> None:
    meter.create_observable_counter(
        semconv.INTERNAL_ERRORS, [_internal_errors], "{error}", "Errors of otel-apimetrics."
    )
    for outcome, name, description in _DELIVERIES:
        meter.create_observable_counter(
            name, [_observe(outcome)], "{exchange}", f"Exchanges {description}."
        )


def _record_size(
    sizes: "Histogram", body: Body, attributes: Attributes, context: Context | None
) -> None:
    if body.size is not None:  # one that is unknown is not one of 0
        sizes.record(body.size, attributes, context)


def _durations(meter: Meter, name: str, description: str) -> "Histogram":
    return meter.create_histogram(
        name, "s", description, explicit_bucket_boundaries_advisory=semconv.DURATION_BUCKETS
    )


def _sizes(meter: Meter, name: str, description: str) -> "Histogram":
    return meter.create_histogram(
        name, "By", description, explicit_bucket_boundaries_advisory=semconv.SIZE_BUCKETS
    )


_DELIVERIES: tuple[tuple[health.Outcome, str, str], ...] = (
    ("sent", semconv.EXPORTER_SENT, "that an exporter took"),
    ("dropped", semconv.EXPORTER_DROPPED, "that were given up before an exporter was asked"),
    ("failed", semconv.EXPORTER_FAILED, "that an exporter refused"),
)


def _observe(outcome: health.Outcome) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        return [
            Observation(number, {"exporter": exporter, "reason": reason})
            for (exporter, reason), number in health.counts(outcome).items()
        ]

    return observe


def _internal_errors(_options: CallbackOptions) -> Iterable[Observation]:
    # The SDK asks observables before it collects what counters were told.
    tally.tell_all()
    return [Observation(count, {"place": place}) for place, count in _guard.counts().items()]
