"""The start of a span without the SDK's look at each attribute.

It looks at each to make sure that it is one: half of what a start costs. Where neither the sampler
nor a processor reads what a span is started with, ours are put on it right after.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from types import MethodType
from typing import Any, Final, TypeVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanProcessor, SynchronousMultiSpanProcessor, Tracer, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from otel_apimetrics import span_attributes
from otel_apimetrics.originals import is_original

_Method = TypeVar("_Method", bound=Callable[..., None])


def _of_sdk(cls: type, name: str) -> Any:
    """Give a method of one of the SDK's classes, `None` where somebody has put another there."""
    method: Any = getattr(cls, name)
    return method if is_original(method, cls) else None


_deaf: set[Any] = {
    _of_sdk(sampling.StaticSampler, "should_sample"),
    _of_sdk(sampling.TraceIdRatioBased, "should_sample"),
    _of_sdk(SpanProcessor, "on_start"),
    _of_sdk(BatchSpanProcessor, "on_start"),
    _of_sdk(SimpleSpanProcessor, "on_start"),
}
"""Methods of samplers and processors that read no attribute of a span that starts."""
_ASKS_ANOTHER: Final = _of_sdk(sampling.ParentBased, "should_sample")
_OTHERS: Final = (
    "_root", "_remote_parent_sampled", "_remote_parent_not_sampled",
    "_local_parent_sampled", "_local_parent_not_sampled",
)  # fmt: skip
"""The samplers that a `ParentBased` hands attributes on to."""
_START: Final = _of_sdk(Tracer, "start_span")
_TO_EACH: Final = _of_sdk(SynchronousMultiSpanProcessor, "on_start")
_ON_START: Final = attrgetter("on_start")
_PLAIN: Final = frozenset({str, int})


def reads_no_attribute(on_start: _Method) -> _Method:
    """Note of a processor's `on_start` that it reads no attribute of the span, and give it back."""
    _deaf.add(on_start)
    return on_start


def start_server(
    tracer: trace.Tracer,
    name: str,
    parent: Context,
    attributes: Mapping[str, Any],
    start_time: int,
) -> trace.Span:
    """Start a SERVER span with attributes.

    Args:
        tracer: of any provider.
        name: of the span.
        parent: the context in which it starts.
        attributes: of any value; the SDK looks at them where one is no `str` and no `int`.
        start_time: nanoseconds since the epoch.
    """
    server = trace.SpanKind.SERVER
    # What a server or a middleware says may be of any type.
    if not (_PLAIN.issuperset(map(type, attributes.values())) and _is_read_by_none(tracer)):
        # By their names: whoever wraps a tracer, or stands in for one, looks for them there.
        return tracer.start_span(
            name, context=parent, kind=server, attributes=attributes, start_time=start_time
        )
    span = tracer.start_span(name, parent, server, start_time=start_time)
    if span.is_recording() and not span_attributes.put(span, attributes):
        span.set_attributes(attributes)
    return span


def _is_read_by_none(tracer: trace.Tracer) -> bool:
    """Tell whether nobody reads the attributes with which a span of this tracer starts.

    What cannot be judged, such as a sampler that raises when it is looked at, may read them.
    """
    try:
        return _are_deaf(tracer)
    except Exception:
        return False


def _are_deaf(tracer: trace.Tracer) -> bool:
    if type(tracer) is not Tracer:
        return False
    several, sampler = tracer.span_processor, tracer.sampler
    processors = getattr(several, "_span_processors", None)
    if type(several) is not SynchronousMultiSpanProcessor or type(processors) is not tuple:
        return False
    # At each start: a method may be replaced at any time.
    for method, written in ((tracer.start_span, _START), (several.on_start, _TO_EACH)):
        if type(method) is not MethodType or method.__func__ is not written:
            return False
    for method in map(_ON_START, processors):
        if type(method) is not MethodType or method.__func__ not in _deaf:
            return False
    return _is_deaf(sampler)


def _is_deaf(sampler: Any) -> bool:
    """Tell whether neither a sampler reads attributes nor any that it asks in its place."""
    method = sampler.should_sample
    # One that hands on to another, which may be replaced, gives that other's method.
    if type(method) is not MethodType or method.__self__ is not sampler:
        return False
    if method.__func__ is _ASKS_ANOTHER:
        return all(_is_deaf(getattr(sampler, name)) for name in _OTHERS)
    return method.__func__ in _deaf
