"""The start of a span without the SDK's look at each attribute.

It looks at each to make sure that it is one: half of what a start costs. Where neither the sampler
nor a processor reads what a span is started with, ours are put on it right after.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanProcessor, SynchronousMultiSpanProcessor, Tracer, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from otel_apimetrics import span_attributes

_Method = TypeVar("_Method", bound=Callable[..., None])
_deaf: set[Any] = {
    sampling.StaticSampler.should_sample,
    sampling.TraceIdRatioBased.should_sample,
    sampling.ParentBased.should_sample,
    SpanProcessor.on_start,
    BatchSpanProcessor.on_start,
    SimpleSpanProcessor.on_start,
}
"""Methods of samplers and processors that read no attribute of a span that starts."""
_last: tuple[Any, Any, bool] = None, None, False


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
        attributes: as `span_attributes.put` takes them.
        start_time: nanoseconds since the epoch.
    """
    server = trace.SpanKind.SERVER
    if not _reads_none(tracer):
        return tracer.start_span(name, parent, server, attributes, start_time=start_time)
    span = tracer.start_span(name, parent, server, start_time=start_time)
    if span.is_recording() and not span_attributes.put(span, attributes):
        span.set_attributes(attributes)
    return span


def _reads_none(tracer: trace.Tracer) -> bool:
    """Tell whether nobody reads the attributes with which a span of this tracer starts."""
    global _last  # noqa: PLW0603  judged once for a set of processors
    if type(tracer) is not Tracer:
        return False
    # One tuple stays until a processor is added.
    processors = getattr(tracer.span_processor, "_span_processors", None)
    sampler, judged, verdict = _last
    if judged is not processors or sampler is not tracer.sampler:
        verdict = (
            type(tracer.span_processor) is SynchronousMultiSpanProcessor
            and type(processors) is tuple
            and all(_is_deaf(processor.on_start) for processor in processors)
            and _hands_on(tracer.sampler)
        )
        _last = tracer.sampler, processors, verdict
    return verdict


def _hands_on(sampler: sampling.Sampler) -> bool:
    # Another sampler may be inside of one that asks for the parent's decision.
    return _is_deaf(sampler.should_sample) and all(
        _hands_on(inner) for inner in vars(sampler).values() if isinstance(inner, sampling.Sampler)
    )


def _is_deaf(method: Any) -> bool:
    return getattr(method, "__func__", None) in _deaf
