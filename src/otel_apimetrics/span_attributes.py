"""Attributes put on a live span at once, without the SDK's look at each of them.

`Span.set_attributes` takes a microsecond or more for each value to make sure that it is one: a
fifth of what a record costs. Ours are strings, numbers, booleans and tuples of strings already.
"""

from collections.abc import Mapping
from threading import Lock
from typing import Any, TypeGuard

from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Span

_PATIENCE = 0.5
"""Seconds: the SDK holds the locks of a span for microseconds."""


def is_of_sdk(span: trace.Span) -> TypeGuard[Span]:
    """Tell a span of the SDK's class or of one below it."""
    # `isinstance` goes through the machinery of abstract classes, which takes ten times as long.
    return Span in type(span).__mro__


def put(span: trace.Span, attributes: Mapping[str, Any]) -> bool:
    """Put attributes on a span; False, and nothing is changed, where only the SDK can.

    That is a span of a foreign class, an SDK that keeps its attributes otherwise, one with a
    limit on the length of values, and a span that is full.

    Args:
        span: recording.
        attributes: as the SDK keeps them: keys are not empty; values are `str`, `int`, `float`,
            `bool` or tuples of `str`. The span keeps the values, not the mapping.
    """
    if not is_of_sdk(span):
        return False
    try:
        kept: Any = span._attributes  # noqa: SLF001  no public way
        if type(kept) is not BoundedAttributes or kept.max_value_len is not None:
            return False
        room = kept.maxlen
        with span._lock, kept._lock:  # noqa: SLF001  as `Span.set_attributes` takes them
            held = kept._dict  # noqa: SLF001
            if span.end_time is not None or kept._immutable:  # noqa: SLF001
                return False
            if room is not None and len(held) + len(attributes) > room:
                return False
            held.update(attributes)
    except AttributeError:
        return False
    return True


def says_only(span: Span, attributes: Mapping[str, Any]) -> bool:
    """Tell whether a span has these attributes and no other; False where only the SDK can tell.

    Args:
        span: of the SDK.
        attributes: as `put` takes them.
    """
    kept = getattr(span, "_attributes", None)
    return type(kept) is BoundedAttributes and getattr(kept, "_dict", None) == attributes


def free_locks(span: trace.Span) -> None:
    """Have a span wait for no lock that an interrupted step has left held. May raise.

    Args:
        span: recording.
    """
    for holder in (span, *(getattr(span, name, None) for name in ("_attributes", "_events"))):
        lock: Any = getattr(holder, "_lock", None)
        if lock is None:
            continue
        if lock.acquire(timeout=_PATIENCE):
            lock.release()
        else:
            holder._lock = Lock()  # type: ignore[union-attr] # noqa: SLF001  no public way
