"""What the entry of a request must know about a framework."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from otel_apimetrics.recording import Recording


def nothing_inside(_app: Any) -> bool:
    """Tell that no other instrumentation is inside an app nobody knows anything about."""
    return False


def no_routes(_app: Any) -> Iterable[str]:
    """Give the empty route table of an app that has none."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A framework, as the entry sees it. An adapter decides nothing."""

    name: str
    """`apimetrics.exchange.framework`: the framework's name in lower case."""
    distribution: str = ""
    """Its distribution on the package index, for the version in the start-up event."""
    instrumented_inside: Callable[[Any], bool] = nothing_inside
    """Tells whether another instrumentation inside the app will make a SERVER span."""
    raises_at_lifespan: bool = False
    """Its ASGI apps serve no lifespan and raise at it."""
    decides_later: Callable[[Any], bool] = nothing_inside
    """Tells whether only a later entry can see who makes the span."""
    on_response: Callable[[Recording], None] | None = None
    """Notes route and consumer when the response starts. May raise; the caller guards."""
    routes: Callable[[Any], Iterable[str]] = no_routes
    """Gives the app's routes as "METHOD /template". May raise; the caller guards."""


def chain(app: Any, *attributes: str, depth: int = 32) -> Iterable[Any]:
    """Walk an app's wrappers from the outside in, over the attributes middlewares keep it in."""
    seen = 0
    while app is not None and seen < depth:
        yield app
        seen += 1
        held: Any = getattr(app, "__dict__", ())
        app = None
        for name in attributes:
            if name in held:
                app = held[name]
                break


def is_instrumented(app: Any, *attributes: str) -> bool:
    """Tell whether contrib instruments an app of the chain, or is a middleware in it."""
    for inner in chain(app, *attributes):
        if is_contrib_middleware(inner):
            return True
        if getattr(inner, "_is_instrumented_by_opentelemetry", False):
            return True
    return False


def is_contrib_middleware(app: Any) -> bool:
    """Tell contrib's WSGI or ASGI `OpenTelemetryMiddleware` without importing either."""
    cls = type(app)
    return cls.__name__ == "OpenTelemetryMiddleware" and cls.__module__ in {
        "opentelemetry.instrumentation.wsgi",
        "opentelemetry.instrumentation.asgi",
    }
