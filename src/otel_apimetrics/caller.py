"""What the caller sent of its trace and its baggage: the parent of a request's span."""

from types import MethodType
from typing import Any

from opentelemetry import propagate
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import Getter, TextMapPropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_apimetrics.exchange import Headers
from otel_apimetrics.originals import is_original

_DEFAULT = [TraceContextTextMapPropagator, W3CBaggagePropagator]
_SENT = frozenset({"traceparent", "baggage"})
"""Headers of the default propagators; a `tracestate` alone says nothing."""
_ROOT = Context()


class HeadersGetter(Getter[Headers]):
    """Reads propagation headers from a request."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        """Return the header's lines, `None` where there is none."""
        lower = key.lower()
        return [value for name, value in carrier if name == lower] or None

    def keys(self, carrier: Headers) -> list[str]:
        """Return the names of all headers."""
        return [name for name, _ in carrier]


_GETTER = HeadersGetter()
_last: tuple[TextMapPropagator | None, list[Any], bool] = None, [], False


def sent_context(headers: Headers) -> Context | None:
    """Give the context that a request brings, the empty one where it brings none.

    Args:
        headers: of the request.

    Returns:
        `None` where no propagator is configured (`OTEL_PROPAGATORS=none`).
    """
    for name, _ in headers:
        if name in _SENT:
            return propagate.extract(headers, getter=_GETTER)
    # Most requests bring none: then there is nothing to ask the default propagators.
    return _ROOT if _are_default() else propagate.extract(headers, getter=_GETTER)


def _are_default() -> bool:
    """Tell whether the global propagators are those of OpenTelemetry's default."""
    global _last  # noqa: PLW0603  judged once a propagator
    propagator = propagate.get_global_textmap()
    inner: Any = getattr(propagator, "_propagators", ())
    judged, known, verdict = _last
    # One may have been added in place.
    if judged is not propagator or known != inner:
        known = [*inner]
        verdict = (
            type(propagator) is CompositePropagator
            and [*map(type, known)] == _DEFAULT
            and all(map(_extracts_itself, (propagator, *known)))
        )
        _last = propagator, known, verdict
    return verdict


def _extracts_itself(propagator: TextMapPropagator) -> bool:
    """Tell whether nobody has put another `extract` in the place of its class's."""
    method: Any = propagator.extract
    return type(method) is MethodType and is_original(method.__func__, type(propagator))
