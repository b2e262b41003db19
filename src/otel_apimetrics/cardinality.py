"""The attribute sets of our metrics, and the bound on how many there are."""

from threading import Lock

from otel_apimetrics import _guard, semconv
from otel_apimetrics.exchange import Exchange

Attributes = dict[str, str | int]

MAX_SETS = 1_900
"""Attribute sets an instrument. SDK 1.45.2 folds what comes past 2,000 into one point
without keys, and 1.45.1 keeps everything for ever; we stay below both."""

_RESERVE = 100
"""Sets kept back for routes and statuses whose consumer became `_OTHER`."""


class Cardinality:
    """Gives each exchange its attribute set, and bounds how many there are.

    Past `max_consumers` a new consumer becomes `_OTHER` with route and status kept; past
    `MAX_SETS` every key becomes `_OTHER`. Sets are kept and handed out again, so that a
    request in a known combination builds nothing.
    """

    def __init__(self, max_consumers: int, labels: tuple[str, ...]) -> None:
        self._max_consumers = max_consumers
        self._labels = labels
        self._consumers: set[tuple[str, str]] = set()
        self._sets: dict[tuple[str | int, ...], Attributes] = {}
        self._lock = Lock()

    def attributes(self, exchange: Exchange) -> Attributes:
        """Return the set of this exchange. It is shared: the caller must not change it."""
        key = self._key(exchange)
        known = self._sets.get(key)
        if known is not None:
            return known
        with self._lock:
            return self._admit(key)

    def _key(self, exchange: Exchange) -> tuple[str | int, ...]:
        request, response, consumer = exchange.request, exchange.response, exchange.consumer
        method = semconv.known_method(request.method)
        status: str | int = "" if response is None else response.status
        who, group = ("", "") if consumer is None else (consumer.id, consumer.group or "")
        key = (method, request.route or "", status, who, group)
        if not self._labels:
            return key
        return key + tuple(exchange.labels.get(name, "") for name in self._labels)

    def _admit(self, key: tuple[str | int, ...]) -> Attributes:
        consumer = (str(key[3]), str(key[4]))
        if consumer not in self._consumers and consumer != ("", ""):
            if len(self._consumers) >= self._max_consumers:
                _guard.warn_once(
                    "metrics.consumers",
                    "More than %d consumers: further ones are counted as %s."
                    " Raise max_consumers, or identify by something coarser.",
                    self._max_consumers,
                    semconv.OTHER,
                )
                return self._keep((*key[:3], semconv.OTHER, semconv.OTHER, *key[5:]), MAX_SETS - 2)
            self._consumers.add(consumer)
        if len(self._sets) >= MAX_SETS - _RESERVE:
            return self._keep((*key[:3], semconv.OTHER, semconv.OTHER, *key[5:]), MAX_SETS - 2)
        return self._keep(key, MAX_SETS - 2)

    def _keep(self, key: tuple[str | int, ...], limit: int) -> Attributes:
        known = self._sets.get(key)
        if known is not None:
            return known
        if len(self._sets) >= limit:
            _guard.warn_once(
                "metrics.sets",
                "More than %d combinations of consumer, route and status: further requests"
                " are counted with every key %s.",
                limit,
                semconv.OTHER,
            )
            key = (semconv.OTHER,) * len(key)
            if key in self._sets:
                return self._sets[key]
        made = self._sets[key] = dict(zip(self._names(), key, strict=True))
        return made

    def _names(self) -> tuple[str, ...]:
        return (
            semconv.REQUEST_METHOD,
            semconv.ROUTE,
            semconv.STATUS_CODE,
            semconv.CONSUMER_ID,
            semconv.CONSUMER_GROUP,
            *map(semconv.label_key, self._labels),
        )
