"""The reader that a scrape asks."""

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any

import prometheus_client
from opentelemetry.sdk.metrics.export import MetricReader, MetricsData
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.declared import Declared
from otel_apimetrics.prometheus.exposition import Scrape, expose
from otel_apimetrics.prometheus.families import Family
from otel_apimetrics.prometheus.translation import families_of


class PrometheusReader(MetricReader):
    """Collects when it is scraped, from the `MeterProvider` that it was given to.

    Safe between threads: scrapes take turns. It holds nothing between them.

    Args:
        scope_labels: each series has the name, version and schema of its instrumentation scope.
            Without it a name that two scopes have is told apart by `otel_scope_name` alone.
        target_info: expose the resource's attributes as the labels of `target_info`.
        registry: metrics made with prometheus_client to expose too, by default those of
            `prometheus_client.REGISTRY`: the process, the interpreter, and whatever the app made.
            A `CollectorRegistry()` of its own exposes none.
        created: expose since when a series counts, as `_created`.
    """

    def __init__(
        self,
        *,
        scope_labels: bool = False,
        target_info: bool = True,
        registry: Collector | None = None,
        created: bool = True,
    ) -> None:
        super().__init__()
        self._scope_labels = scope_labels
        self._target_info = target_info
        self._registry = registry
        self._created = created
        self.declared = Declared()
        self._lock = Lock()
        self._received: list[MetricsData] = []

    def scrape(
        self, accept: str = "", accept_encoding: str = "", names: Sequence[str] = ()
    ) -> Scrape:
        """Collect, and write what was collected in the format that a client asks for.

        Observable instruments are asked on the calling thread. A metric that cannot be
        exposed is left out and counted in `apimetrics.internal.errors`.

        Args:
            accept: the header `Accept`.
            accept_encoding: the header `Accept-Encoding`.
            names: of families and samples to expose; empty exposes all.
        """
        return expose(
            self.shown(),
            self._others(),
            accept=accept,
            accept_encoding=accept_encoding,
            names=names,
            created=self._created,
        )

    def shown(self) -> list[Family]:
        """Give what a scrape shows, but for what prometheus_client measures."""
        return self.families()

    def families(self) -> list[Family]:
        """Collect and translate, and add what was declared and is not measured yet."""
        with self._lock:
            self._received.clear()
            self.collect()
            received = [*self._received]
        shown = {"scope_labels": self._scope_labels, "target_info": self._target_info}
        found = [family for data in received for family in families_of(data, **shown)]
        return self.declared.complete(found)

    def _others(self) -> Iterable[Metric]:
        # Looked up now, because tests and servers of many processes replace it.
        registry = prometheus_client.REGISTRY if self._registry is None else self._registry
        try:
            # What stands there for an instrument of this reader shows nothing a second time.
            with self.declared.looked_at(()):
                return list(registry.collect())
        except Exception as error:
            _guard.swallow("prometheus.registry", error, reveal=True)
            return []

    def _receive_metrics(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002  nothing is sent
        **_named: Any,
    ) -> None:
        self._received.append(metrics_data)

    def shutdown(self, timeout_millis: float = 30_000, **_named: Any) -> None:
        """End nothing: whoever scrapes later sees the last values."""
