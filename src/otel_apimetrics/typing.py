"""The shapes of everything a user can plug in."""

from collections.abc import Awaitable, Mapping
from typing import Protocol, TypeAlias, runtime_checkable

from otel_apimetrics.exchange import Consumer, Exchange

Identity: TypeAlias = Consumer | str | None
"""A consumer, its id alone, or `None` for "I cannot tell"."""


@runtime_checkable
class Identify(Protocol):
    """Tells who sent a request.

    Called once a request, after the response's last byte was handed to the server, on
    the thread or in the task that served it. It must not block. It sees the exchange
    **unredacted** and must not keep it. May be `async` under ASGI: it then has a task of
    its own and five seconds. What it raises, an exit included, is swallowed and counted,
    and the exchange goes on without a consumer.
    """

    def __call__(self, exchange: Exchange, /) -> Identity | Awaitable[Identity]:
        """Return the consumer of this exchange, or `None`."""
        ...


@runtime_checkable
class Label(Protocol):
    """Gives an exchange its labels.

    Called once a request, after `Identify`, under the same rules. What it raises is
    swallowed and counted, and the exchange has no labels from it.
    """

    def __call__(
        self, exchange: Exchange, /
    ) -> Mapping[str, str] | Awaitable[Mapping[str, str] | None] | None:
        """Return low-cardinality names and values."""
        ...


@runtime_checkable
class Skip(Protocol):
    """Says whether an exchange shall leave no metric, no export and only a bare span.

    Called once a request, before `Identify`, under the same rules. What it raises is
    swallowed and counted, and the exchange is kept.
    """

    def __call__(self, exchange: Exchange, /) -> bool | Awaitable[bool]:
        """Return True to skip."""
        ...
