"""The shapes of everything a user can plug in."""

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from otel_apimetrics.exchange import Consumer, Exchange, Headers

if TYPE_CHECKING:
    from otel_apimetrics.recording import Recording

Identity: TypeAlias = Consumer | str | None
"""A consumer, its id alone, or `None` for "I cannot tell"."""


@runtime_checkable
class Identify(Protocol):
    """Tells who sent a request.

    Called once a request, after the response's last byte was handed to the server, on
    the thread or in the task that served it; where an exporter governs, a plain one is called
    before the app too, with `exchange.response` `None`. It must not block. It sees the exchange
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


class ResponseHook(Protocol):
    """Adds headers to a response: an exporter's `response_hook`, where its user has asked for it.

    Called when the response starts, on the thread or in the task that serves the request. It
    must not block. What it raises is swallowed and counted, and nothing is added.
    """

    def __call__(self, recording: "Recording", /) -> Iterable[tuple[str, str]]:
        """Return names in lower case and values, both printable ASCII.

        Args:
            recording: unredacted, with the status and the app's headers; not to be kept.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What a client gets in the place of the app's answer."""

    status: int
    """Final: 200 to 599."""
    headers: Headers
    """All but those that frame a message (RFC 9112, section 6): they are told from the body."""
    body: bytes
    blocked_by: str
    """Id of the rule: `Exchange.blocked_by`."""


class Governor(Protocol):
    """Answers in the app's place: an exporter's `governor`, where its user has asked for it.

    Asked on the thread or in the task that serves the request, before the app is called and,
    if that was not replaced, when the app's response starts. It must not block. What it raises
    is swallowed and counted, and the client gets the app's answer.
    """

    @property
    def is_active(self) -> bool:
        """False where there is nothing to ask: no consumer is looked for then."""
        ...

    @property
    def reads_body(self) -> bool:
        """True where `starting` wants what the app has read of the request's body."""
        ...

    def before(self, exchange: Exchange, /, *, identified: bool) -> Replacement | None:
        """Return an answer; the app is not called then.

        Args:
            exchange: unredacted but for the consumer, whose id is the one that is exported;
                without bodies, company and response.
            identified: `identify` was asked, so no consumer means that there is none. Else the
                app may still tell one.
        """
        ...

    def starting(self, exchange: Exchange, /) -> Replacement | Headers:
        """Return lines to add to the app's response, or an answer in its place.

        Args:
            exchange: as for `before`, with the consumer and the company that the app has told,
                and the request's body. Still without the response.
        """
        ...
