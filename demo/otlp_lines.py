"""Reads files of OTLP/JSON lines and counts requests by consumer and route.

The lines are those of the Collector's file exporter and of `otel_apimetrics.gateway`.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

DELTA = 1
"""`AGGREGATION_TEMPORALITY_DELTA`."""


class Key(NamedTuple):
    """A row of the table."""

    consumer: str
    method: str
    route: str
    status: str


@dataclass
class Point:
    """A data point, or the sum of several: a count and, for a histogram, its buckets."""

    count: int = 0
    buckets: list[int] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)
    lowest: float | None = None
    highest: float | None = None
    """Seconds, where the histogram tells: the values lie between, and so the quantiles."""
    time: int = 0

    def add(self, other: "Point") -> None:
        """Add a point of another series; buckets with other bounds cannot be added."""
        if not self.buckets:
            self.buckets, self.bounds = list(other.buckets), other.bounds
        elif self.bounds == other.bounds and len(self.buckets) == len(other.buckets):
            self.buckets = [a + b for a, b in zip(self.buckets, other.buckets, strict=True)]
        self.count += other.count
        self.lowest = min((v for v in (self.lowest, other.lowest) if v is not None), default=None)
        self.highest = max(
            (v for v in (self.highest, other.highest) if v is not None), default=None
        )

    def quantile(self, q: float) -> float | None:
        """Return the q-quantile in seconds, interpolated inside its bucket."""
        if not self.bounds:
            return None
        lowest = 0.0 if self.lowest is None else self.lowest
        highest = self.bounds[-1] if self.highest is None else self.highest
        rank, below, low = q * sum(self.buckets), 0, 0.0
        for count, high in zip(self.buckets, (*self.bounds, highest), strict=False):
            if count and below + count >= rank:
                start, end = max(low, lowest), min(high, highest)
                return start + max(end - start, 0.0) * (rank - below) / count
            below, low = below + count, high
        return None


@dataclass
class Recorded:
    """All that a file has."""

    spans: list[dict[str, Any]] = field(default_factory=list)
    requests: dict[Key, Point] = field(default_factory=dict)
    durations: dict[Key, Point] = field(default_factory=dict)
    unreadable: int = 0

    @property
    def total(self) -> int:
        """Requests that the counter counted, or the histogram where there is no counter."""
        return sum(point.count for point in (self.requests or self.durations).values())


def read(path: Path) -> Recorded:
    """Read a file of OTLP/JSON lines; lines that are none are counted and left out."""
    recorded = Recorded()
    series: dict[str, dict[Any, Point]] = {
        "apimetrics.requests": {},
        "apimetrics.request.duration": {},
    }
    with path.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                request = json.loads(line)
                for spans in scoped(request, "Spans"):
                    recorded.spans += [flat(span) for span in spans.get("spans", ())]
                read_metrics(request, series)
            except (ValueError, AttributeError, TypeError, KeyError):
                recorded.unreadable += 1
    recorded.requests = summed(series["apimetrics.requests"])
    recorded.durations = summed(series["apimetrics.request.duration"])
    return recorded


def scoped(request: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    """Yield each scope's part of a request, with the resource's attributes beside."""
    for resource in request.get(f"resource{kind}", ()):
        attributes = plain_attributes(resource.get("resource", {}).get("attributes", ()))
        for scope in resource.get(f"scope{kind}", ()):
            yield {**scope, "resource": attributes}


def read_metrics(request: dict[str, Any], series: dict[str, dict[Any, Point]]) -> None:
    """Keep the last point of each cumulative series; add up delta points."""
    for scope in scoped(request, "Metrics"):
        identity = json.dumps(scope["resource"], sort_keys=True, default=str)
        for metric in scope.get("metrics", ()):
            found = series.get(metric.get("name", ""))
            data = metric.get("sum") or metric.get("histogram")
            if found is None or data is None:
                continue
            for raw in data.get("dataPoints", ()):
                attributes = plain_attributes(raw.get("attributes", ()))
                labels = json.dumps(attributes, sort_keys=True, default=str)
                # A process that starts again starts a series again: its old count stays.
                name = (identity, raw.get("startTimeUnixNano"), labels, key(attributes))
                point = data_point(raw)
                if data.get("aggregationTemporality") == DELTA:
                    found.setdefault((*name[:1], None, *name[2:]), Point()).add(point)
                elif name not in found or point.time >= found[name].time:
                    found[name] = point


def data_point(raw: dict[str, Any]) -> Point:
    """Read a point of a sum or of a histogram."""
    count = raw.get("count") or raw.get("asInt") or raw.get("asDouble") or 0
    return Point(
        count=int(count),
        buckets=[int(bucket) for bucket in raw.get("bucketCounts", ())],
        bounds=[float(bound) for bound in raw.get("explicitBounds", ())],
        lowest=raw.get("min"),
        highest=raw.get("max"),
        time=int(raw.get("timeUnixNano", 0)),
    )


def key(attributes: dict[str, Any]) -> Key:
    """Return the row that a point belongs to."""
    names = (
        "apimetrics.consumer.id",
        "http.request.method",
        "http.route",
        "http.response.status_code",
    )
    return Key(*(str(attributes.get(name, "")) for name in names))


def summed(series: dict[Any, Point]) -> dict[Key, Point]:
    """Sum the series of all service instances by row."""
    rows: dict[Key, Point] = {}
    for name, point in series.items():
        rows.setdefault(name[-1], Point()).add(point)
    return rows


def flat(span: dict[str, Any]) -> dict[str, Any]:
    """Give a span its attributes as a dict."""
    return {**span, "attributes": plain_attributes(span.get("attributes", ()))}


def plain_attributes(pairs: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Turn OTLP/JSON key-value pairs into a dict."""
    return {pair["key"]: plain(pair.get("value", {})) for pair in pairs}


def plain(value: dict[str, Any]) -> Any:
    """Turn an OTLP/JSON AnyValue into what it stands for."""
    if "arrayValue" in value:
        return [plain(item) for item in value["arrayValue"].get("values", ())]
    if "kvlistValue" in value:
        return plain_attributes(value["kvlistValue"].get("values", ()))
    if "intValue" in value:
        return int(value["intValue"])
    return next(iter(value.values()), None)
