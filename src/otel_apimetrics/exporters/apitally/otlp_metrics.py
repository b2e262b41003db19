"""Metrics of the protocol that a write token goes with: histograms by consumer, and gauges."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from math import floor, frexp, log
from typing import Final

from otel_apimetrics import semconv
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.apitally import process
from otel_apimetrics.exporters.apitally.protobuf import (
    attributes,
    double,
    fixed64,
    integer,
    message,
    packed,
    signed,
    text,
)
from otel_apimetrics.exporters.apitally.tally import Key

CONSUMER: Final = "apitally.consumer.identifier"
KEYS_A_MESSAGE: Final = 1_000
SCALE: Final = 3
_A_DOUBLING: Final = 1 << SCALE
_PER_E: Final = _A_DOUBLING / log(2)
_DELTA: Final = 1
"""`AGGREGATION_TEMPORALITY_DELTA`."""


class Histogram:
    """An exponential histogram of scale 3: eight buckets a doubling."""

    __slots__ = ("_buckets", "_count", "_highest", "_lowest", "_sum", "_zeros")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self._count = self._zeros = 0
        self._sum = 0.0
        self._lowest = float("inf")
        self._highest = 0.0

    def __len__(self) -> int:
        return self._count

    def add(self, value: float, number: int) -> None:
        """Add a value, not below 0, `number` times."""
        self._count += number
        self._sum += value * number
        self._lowest = min(self._lowest, value)
        self._highest = max(self._highest, value)
        if value > 0:
            index = bucket_of(value)
            self._buckets[index] = self._buckets.get(index, 0) + number
        else:
            self._zeros += number

    def point(self, key: bytes, start: int, end: int) -> bytes:
        """Write an `ExponentialHistogramDataPoint`.

        Args:
            key: the attributes, written.
            start: Unix nanoseconds.
            end: Unix nanoseconds.
        """
        out = key + fixed64(2, start) + fixed64(3, end) + fixed64(4, self._count)
        out += double(5, self._sum) + signed(6, SCALE)
        if self._zeros:
            out += fixed64(7, self._zeros)
        if self._buckets:
            first, last = min(self._buckets), max(self._buckets)
            counts = (self._buckets.get(index, 0) for index in range(first, last + 1))
            out += message(8, signed(1, first) + packed(2, counts))
        return out + double(12, self._lowest) + double(13, self._highest)


class Distributions:
    """The requests of one key: how long, and how large."""

    __slots__ = ("duration", "received", "sent")

    def __init__(self) -> None:
        self.duration = Histogram()
        self.received = Histogram()
        self.sent = Histogram()

    def add(self, exchange: Exchange, number: int) -> None:
        """Add an exchange that stands for `number` requests."""
        if not number:
            return
        self.duration.add(exchange.duration_ns / 1e9, number)
        # A request without a body has no size that anybody asks for.
        received = exchange.request.body.size or 0
        if received > 0:
            self.received.add(received, number)
        sent = None if exchange.response is None else exchange.response.body.size
        if sent is not None and sent >= 0:
            self.sent.add(sent, number)


def bucket_of(value: float) -> int:
    """Give the index of a bucket, whose upper bound is in it (OTLP, "Exponential Buckets")."""
    mantissa, exponent = frexp(value)
    if mantissa == 0.5:  # noqa: PLR2004  a power of two, which a logarithm may miss
        return (exponent - 1) * _A_DOUBLING - 1
    return floor(log(value) * _PER_E)


def gauges(now: int, work: float | None) -> list[bytes]:
    """Write the state of the process: its age is the heartbeat.

    Args:
        now: Unix nanoseconds.
        work: seconds of processor time a second.
    """
    share = (work or 0.0) / (os.cpu_count() or 1)
    time = fixed64(3, now)
    return [
        _gauge("process.uptime", "s", time + double(4, process.age())),
        _gauge("process.cpu.utilization", "1", time + double(4, round(share, 4))),
        _gauge("process.memory.usage", "By", time + fixed64(6, process.memory())),
    ]


def histograms(
    counted: Iterable[tuple[Key, Distributions]], start: int, end: int
) -> Iterator[list[bytes]]:
    """Write the metrics of requests, so many keys at a time as the vendor takes.

    Args:
        counted: by key.
        start: when the counting began, Unix nanoseconds.
        end: when it ended.
    """
    left = iter(counted)
    while chunk := list(islice(left, KEYS_A_MESSAGE)):
        written = [(_key(key), distributions) for key, distributions in chunk]
        parts = (
            (semconv.SERVER_DURATION, "s", [(key, each.duration) for key, each in written]),
            (semconv.SERVER_REQUEST_SIZE, "By", [(key, each.received) for key, each in written]),
            (semconv.SERVER_RESPONSE_SIZE, "By", [(key, each.sent) for key, each in written]),
        )
        metrics = []
        for name, unit, kept in parts:
            points = [each.point(key, start, end) for key, each in kept if each]
            if points:
                held = b"".join(message(1, point) for point in points) + integer(2, _DELTA)
                metrics.append(text(1, name) + text(3, unit) + message(10, held))
        yield metrics


def _key(key: Key) -> bytes:
    return attributes(
        1,
        {
            semconv.REQUEST_METHOD: key.method,
            semconv.ROUTE: key.path,
            semconv.STATUS_CODE: key.status,
            CONSUMER: key.consumer,
        },
    )


def _gauge(name: str, unit: str, point: bytes) -> bytes:
    return text(1, name) + text(3, unit) + message(5, message(1, point))
