"""What has left a service by OTLP, counted by process."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.collector_process import attributes
from tests.examples.running import gateway

SERVER = 2
"""`SPAN_KIND_SERVER`."""


@dataclass(frozen=True)
class Left:
    """Counts of one service."""

    spans: Counter[str]
    """Requests by instance, as the SDK's span exporter sent them."""
    exchanges: Counter[str]
    """The same, as our own queue sent them."""
    requests: Counter[str]
    """The same, as the metric counted them."""


@dataclass(frozen=True)
class Receiver:
    """Our OTLP receiver in a process of its own."""

    port: int
    file: Path

    def environment(self, service: str) -> dict[str, str]:
        """Variables with which nothing leaves a service before its end."""
        return {
            "OTEL_SERVICE_NAME": service,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_METRIC_EXPORT_INTERVAL": "600000",
            "OTEL_BSP_SCHEDULE_DELAY": "600000",
            "OTEL_APIMETRICS_EXPORTERS": "otlp_proto_http",
        }

    def left(self, service: str) -> Left:
        """Count what has arrived of a service."""
        # The SDK and our queue each send a span once, under the same id.
        seen: Counter[tuple[str, str]] = Counter()
        requests: Counter[str] = Counter()
        for line in self.file.read_text().splitlines():
            record = json.loads(line)
            for instance, scope in _of(record, "resourceSpans", "scopeSpans", service):
                seen.update(
                    (instance, span["spanId"]) for span in scope["spans"] if span["kind"] == SERVER
                )
            for instance, scope in _of(record, "resourceMetrics", "scopeMetrics", service):
                for metric in scope["metrics"]:
                    if metric["name"] == "apimetrics.requests":
                        points = metric["sum"]["dataPoints"]
                        requests[instance] = sum(int(point["asInt"]) for point in points)
        assert not seen or max(seen.values()) <= 2
        return Left(
            Counter(instance for instance, _ in seen),
            Counter(instance for (instance, _), times in seen.items() if times == 2),
            requests,
        )


def _of(
    record: dict[str, Any], resources: str, scopes: str, service: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in record.get(resources, ()):
        about = attributes(resource["resource"]["attributes"])
        if about["service.name"] == service:
            for scope in resource[scopes]:
                yield about["service.instance.id"], scope


@contextmanager
def receiver(directory: Path) -> Iterator[Receiver]:
    """Run the receiver of the READMEs on a free port."""
    with gateway(directory) as running:
        yield Receiver(running.port, running.file)
