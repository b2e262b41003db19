"""What is counted of exchanges between two beats: requests, errors, and who has a new name."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import random
from threading import Lock
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from otel_apimetrics import _guard
from otel_apimetrics.exchange import Consumer, Exchange

MAX_KEYS: Final = 50_000
"""Sets of consumer, method, route and status between two beats."""
MAX_ERRORS: Final = 100
"""Distinct server errors, and as many validation errors, between two beats."""
MAX_CONSUMERS: Final = 10_000
MAX_IDENTIFIER: Final = 128
MAX_MESSAGE: Final = 2_048
MAX_NAME: Final = 64
_MAX_TYPE: Final = 128
_MAX_SOURCE: Final = 32
_SERVER_ERROR: Final = 500
CUT: Final = "... (truncated)"
"""The vendor's own mark of a text that was cut."""


class Key(NamedTuple):
    """What requests are told apart by."""

    consumer: str | None
    method: str
    path: str
    status: int


class Complaint(NamedTuple):
    """A validation error."""

    method: str
    path: str
    source: str
    field: str
    message: str
    type: str


class Crash(NamedTuple):
    """An exception that became a 500."""

    method: str
    path: str
    type: str
    message: str
    stacktrace: str


class Point(Protocol):
    """Adds up the requests of one key."""

    def add(self, exchange: Exchange, number: int) -> None:
        """Add an exchange that stands for `number` requests."""
        ...


P = TypeVar("P", bound=Point)
Counts = dict[str | None, int]
"""By consumer."""


@dataclass(slots=True)
class Requests(Generic[P]):
    """The requests between two beats."""

    points: dict[Key, P] = field(default_factory=dict)
    exchanges: int = 0
    """All that came, also those that the vendor does not count."""


@dataclass(slots=True)
class Notes:
    """What came up between two beats."""

    complaints: dict[Complaint, Counts] = field(default_factory=dict)
    crashes: dict[Crash, Counts] = field(default_factory=dict)
    consumers: dict[str, Consumer] = field(default_factory=dict)


class Tally(Generic[P]):
    """Counts exchanges. Safe between threads.

    Args:
        point: makes what adds up the requests of one key.
    """

    def __init__(self, point: Callable[[], P]) -> None:
        self._point: Final = point
        self._lock: Final = Lock()
        self._requests: Requests[P] = Requests()
        self._notes = Notes()
        self._known: OrderedDict[str, Consumer] = OrderedDict()

    def add(self, exchange: Exchange) -> None:
        """Count an exchange, where the vendor counts its like.

        Args:
            exchange: redacted. Its weight is how many requests it stands for.
        """
        status = status_of(exchange)
        consumer = exchange.consumer
        with self._lock:
            self._requests.exchanges += 1
            if consumer is not None:
                self._note_consumer(consumer)
            if status is None or not is_counted(exchange):
                return
            who = None if consumer is None else identifier(consumer)
            method, path = exchange.request.method.upper(), exchange.request.route or ""
            number = _whole(exchange.weight)
            self._at(Key(who, method, path, status)).add(exchange, number)
            for complaint in _complaints(exchange, method, path):
                _count(self._notes.complaints, complaint, who, number)
            crash = _crash(exchange, method, path, status)
            if crash is not None:
                _count(self._notes.crashes, crash, who, number)

    def take_requests(self) -> Requests[P]:
        """Take out the requests, and begin anew."""
        with self._lock:
            taken, self._requests = self._requests, Requests()
        return taken

    def take_notes(self) -> Notes:
        """Take out errors and consumers, and begin anew."""
        with self._lock:
            taken, self._notes = self._notes, Notes()
        return taken

    def _at(self, key: Key) -> P:
        requests = self._requests.points
        point = requests.get(key)
        if point is None:
            if len(requests) >= MAX_KEYS and key.consumer is not None:
                _guard.warn_once(
                    "apitally.keys",
                    "More than %d sets of consumer, method, route and status came between two"
                    " messages to Apitally: further ones are counted without their consumer.",
                    MAX_KEYS,
                )
                return self._at(key._replace(consumer=None))
            point = requests[key] = self._point()
        return point

    def _note_consumer(self, consumer: Consumer) -> None:
        """Remember a name or a group that the vendor was not told, or was told otherwise."""
        if not (consumer.name or consumer.group):
            return
        key = identifier(consumer)
        if self._known.get(key) == consumer:
            self._known.move_to_end(key)
            return
        self._known[key] = self._notes.consumers[key] = consumer
        if len(self._known) > MAX_CONSUMERS:
            self._known.popitem(last=False)


def is_counted(exchange: Exchange) -> bool:
    """Tell whether the vendor counts such a request: not without a route, and no preflights."""
    return (
        exchange.direction == "incoming"
        and exchange.request.route is not None
        and exchange.websocket is None
        and exchange.request.method.upper() != "OPTIONS"
    )


def status_of(exchange: Exchange) -> int | None:
    """Give the status that the client got; `None` where it left before there was one."""
    if exchange.response is not None:
        return exchange.response.status
    return None if exchange.exception is None else _SERVER_ERROR


def identifier(consumer: Consumer) -> str:
    """Give a consumer's identifier as the vendor takes it."""
    return consumer.id.strip()[:MAX_IDENTIFIER]


def cut(text: str, longest: int = MAX_MESSAGE) -> str:
    """Cut a text from its end, with the vendor's mark."""
    return text if len(text) <= longest else text[: longest - len(CUT)] + CUT


def qualified(name: str) -> str:
    """Give an exception's type with its module, as the vendor has it."""
    return name if "." in name else f"builtins.{name}"


def _complaints(exchange: Exchange, method: str, path: str) -> Iterator[Complaint]:
    for error in exchange.validation_errors:
        yield Complaint(
            method,
            path,
            error.source[:_MAX_SOURCE],
            error.field[:MAX_MESSAGE],
            cut(error.message),
            error.type[:_MAX_TYPE],
        )


def _crash(exchange: Exchange, method: str, path: str, status: int) -> Crash | None:
    error = exchange.exception
    if error is None or status != _SERVER_ERROR:
        return None
    return Crash(method, path, qualified(error.type), cut(error.message), error.stacktrace)


E = TypeVar("E")


def _count(errors: dict[E, Counts], error: E, consumer: str | None, number: int) -> None:
    counts = errors.get(error)
    if counts is None:
        if len(errors) >= MAX_ERRORS:
            _guard.warn_once(
                "apitally.errors",
                "More than %d different errors, or validation errors, came between two messages to"
                " Apitally: it is not told of further ones, and counts their requests as before.",
                MAX_ERRORS,
            )
            return
        counts = errors[error] = {}
    counts[consumer] = counts.get(consumer, 0) + number


def _whole(weight: float) -> int:
    """Give a weight as a number of requests; over many requests nothing is lost by it."""
    number = int(weight)
    return number + (random() < weight - number)  # noqa: S311  a fraction is no secret
