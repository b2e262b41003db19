"""From a finished exchange to metrics, span attributes and deliveries.

skip ▸ identify ▸ label ▸ record ▸ redact ▸ encode. This is the only room that sees an
exchange both before and after its redaction.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from otel_apimetrics import _guard, judging, semconv, span_lock, spans
from otel_apimetrics.attributes import Attributes, Said, encode
from otel_apimetrics.config import Config
from otel_apimetrics.content import MOST_TEXT
from otel_apimetrics.exchange import Exchange, Request
from otel_apimetrics.identity import (
    IP_HEADERS,
    ClientAddress,
    IpMode,
    mask_ip,
    mask_ip_header,
)
from otel_apimetrics.masking import Masking
from otel_apimetrics.metrics import Metrics, note_recorded
from otel_apimetrics.redaction import Addresses, Redactor
from otel_apimetrics.shortening import shortened
from otel_apimetrics.typing import Governor, ResponseHook
from otel_apimetrics.version import __version__

_SERVER_ERROR = 500
_NOTHING: Mapping[str, Any] = {}


class Outlet(Protocol):
    """Takes redacted exchanges."""

    max_body_size: int
    """Bytes of each body that it is shown at most."""

    def accept(self, exchange: Exchange, /) -> None:
        """Queue an exchange for delivery.

        Called on the thread or in the task that served the request; must not block and
        must not raise.
        """
        ...

    def flush(self, timeout: float, /) -> object:
        """Hand on what was accepted, within `timeout` seconds. May block, must not raise."""
        ...


class Pipeline:
    """Everything that one configuration makes of an exchange. Safe to share by threads."""

    def __init__(
        self,
        config: Config,
        metrics: Metrics,
        outlets: tuple[Outlet, ...] = (),
        response_hooks: tuple[ResponseHook, ...] = (),
        governors: tuple[Governor, ...] = (),
    ) -> None:
        self.config = config
        self.redactor = Redactor(config.redaction, _addresses(config.client_ip))
        self.masking = Masking(config, self.redactor)
        self.addresses = ClientAddress(config.trusted_proxies, config.client_ip)
        self.metrics = metrics
        self.outlets = outlets
        self.response_hooks = response_hooks
        """What may add headers to a response: nothing, unless an exporter was asked to."""
        self.governors = governors
        """What may answer in the app's place: nothing, unless an exporter was asked to."""
        self.early_identity = judging.early_identity(config) if governors else None
        self._tracer: tuple[trace.TracerProvider | None, trace.Tracer | None] = None, None
        self._shown_bytes = min(config.max_body_size, MOST_TEXT)
        self._wanted_bytes = max((self._shown_bytes, *(one.max_body_size for one in outlets)))
        self.text_bytes = max(MOST_TEXT, self._wanted_bytes)
        """Bytes of each body's text, content coding removed, that are read and redacted."""
        most = max(config.max_body_size, self._wanted_bytes)
        self.kept_bytes = 0 if config.capture_body == "off" else most
        """Bytes of each body that a recording keeps."""
        named = {semconv.GRAPHQL_NAME, semconv.GRAPHQL_TYPE}.intersection(config.metric_labels)
        named_bytes = config.max_body_size if named else 0
        self.kept_request_bytes = max(named_bytes, self.kept_bytes)
        """The same of a request's: what it asks of GraphQL may be read and not recorded."""
        self.has_async_hooks = config.has_async_hooks
        self.questions = judging.questions(config)

    def tracer_provider(self) -> trace.TracerProvider:
        """Give the provider that spans come from: the configured one, or the global one."""
        provider: trace.TracerProvider | None = self.config.tracer_provider
        return trace.get_tracer_provider() if provider is None else provider

    def tracer(self) -> trace.Tracer:
        """Give our tracer. Kept per provider: a global one may be set after the first request."""
        provider = self.tracer_provider()
        kept, tracer = self._tracer
        if tracer is None or kept is not provider:
            tracer = provider.get_tracer(semconv.SCOPE, __version__, semconv.SCHEMA_URL)
            self._tracer = provider, tracer
        return tracer

    def wants_content(self, status: int | None, *, raised: bool) -> bool:
        """Tell whether the bodies of an exchange with this outcome are recorded."""
        mode = self.config.capture_body
        if mode == "errors":
            return raised or status is None or status >= 400  # noqa: PLR2004  RFC 9110 15.5
        return mode != "off"

    def conclude(
        self,
        exchange: Exchange,
        span: trace.Span | None,
        *,
        context: Context | None,
        owned: bool,
        given: Attributes | None = None,
        safe_line: Request | None = None,
        done: set[object] | None = None,
    ) -> None:
        """Record the metrics, write the redacted exchange onto the span, hand it to outlets.

        Args:
            exchange: judged, not redacted.
            span: the request's SERVER span, `None` where there is none to write on.
            context: holds the span, for exemplars.
            owned: the span is ours, and no other instrumentation measures this request.
            given: the attributes that a span of ours was started with.
            safe_line: the request as `Masking.redact_line` gave it at the start, if it was asked.
            done: steps that an interrupted call has done; they are not done again.
        """
        done = set() if done is None else done
        exchange = self.masking.redact_keys(exchange)
        try:
            self.metrics.record(
                exchange,
                context,
                alone=owned,
                raised=exchange.exception is not None,
                done=done,
            )
        except Exception as error:
            _guard.swallow("pipeline.metrics", error)
        live = span if span is not None and span.is_recording() else None
        if live is not None or self.outlets:
            safe = self.masking.redact(exchange, safe_line)
            if live is not None:
                shown = self._shown(safe, self._shown_bytes)
                _write(live, shown, given, owned=owned, environment=self.config.environment)
            self._hand_on(safe, done)
        if "noted" not in done:
            # Last, and once: they write files, and where that is interrupted all else is done.
            done.add("noted")
            note_recorded()

    def _hand_on(self, safe: Exchange, done: set[object]) -> None:
        for outlet in self.outlets:
            if outlet not in done:
                outlet.accept(self._shown(safe, outlet.max_body_size))
                done.add(outlet)

    def _shown(self, safe: Exchange, most: int) -> Exchange:
        """Give of a redacted exchange what one reader is shown, where another wants more."""
        return safe if most >= self._wanted_bytes else shortened(safe, most)


def _addresses(mode: IpMode) -> Addresses | None:
    """Give the way client addresses are told on spans, ours and others'."""
    if mode == "full":
        return None
    return Addresses(
        one=lambda value: mask_ip(value, mode) or "",
        header=lambda name, value: mask_ip_header(name, value, mode),
        headers=IP_HEADERS,
    )


def _write(
    span: trace.Span,
    exchange: Exchange,
    given: Attributes | None,
    *,
    owned: bool,
    environment: str | None,
) -> None:
    """Put a redacted exchange on a live span."""
    room, longest = spans.limits(span)
    present = (span.attributes or _NOTHING) if isinstance(span, ReadableSpan) else _NOTHING
    attributes = encode(exchange, room=room, longest=longest, said=_said(present, given))
    if len(present) + len(attributes) > room:
        # Near the span's limit the oldest attributes may be gone: everything is said again.
        attributes = encode(exchange, room=room, longest=longest)
        foreign = len(set(present).difference(attributes))
        attributes = encode(exchange, room=max(room - foreign, 0), longest=longest)
    if environment is not None and not spans.has_resource_attribute(span, semconv.ENVIRONMENT):
        attributes[semconv.ENVIRONMENT] = environment
    clean = attributes if given is None else {**given, **attributes}
    span_lock.write(span, attributes, clean, exchange.request.client_address)
    if exchange.exception is not None and not spans.has_event(span, semconv.EXCEPTION_EVENT):
        span.add_event(
            semconv.EXCEPTION_EVENT,
            {
                semconv.EXCEPTION_TYPE: exchange.exception.type,
                semconv.EXCEPTION_MESSAGE: exchange.exception.message,
                semconv.EXCEPTION_STACKTRACE: exchange.exception.stacktrace,
            },
        )
    if owned:
        span.update_name(_name(exchange.request))
    elif exchange.request.route is not None:
        # FastAPI writes its own idea at the end, which knows no routes of a mounted app.
        span_lock.insist(span, semconv.ROUTE, exchange.request.route)
    if _has_failed(exchange) and spans.is_status_unset(span):
        span.set_status(StatusCode.ERROR)


def _said(present: Mapping[str, Any], given: Attributes | None) -> Said:
    """Tell what the span says already: ours from its start, or contrib's in its own way."""
    if given is not None:
        return Said.START
    if semconv.REQUEST_METHOD in present or "http.method" in present:
        return Said.LINE
    return Said.NOTHING


def _has_failed(exchange: Exchange) -> bool:
    """Tell whether the server failed; a 4xx is the client's doing (HTTP spans, "Status")."""
    response = exchange.response
    return exchange.exception is not None or (
        response is not None and response.status >= _SERVER_ERROR
    )


def _name(request: Request) -> str:
    method = request.method if request.method in semconv.KNOWN_METHODS else "HTTP"
    return method if request.route is None else f"{method} {request.route}"
