"""A registry of prometheus_client, the metrics of a reader of ours among its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from otel_apimetrics.prometheus.accepting import best
from otel_apimetrics.prometheus.client_processes import directory, of_client
from otel_apimetrics.prometheus.collectors import Guarded, Restricted
from otel_apimetrics.prometheus.exposition import Collected, Scrape, as_metric, coded, encoded
from otel_apimetrics.prometheus.reader import PrometheusReader


class RegistryPage:
    """What an endpoint shows of a registry: the registry is collected, the reader once.

    Args:
        registry: shows the reader's metrics.
        reader: of metrics that the registry shows.
    """

    def __init__(self, registry: CollectorRegistry, reader: PrometheusReader) -> None:
        self._registry: Final = registry
        self._reader: Final = reader

    @contextmanager
    def collected(self) -> Iterator[Any]:
        """Give what prometheus_client's encoders take for a registry, while this is entered.

        That is all processes' where `PROMETHEUS_MULTIPROC_DIR` is set.
        """
        path = directory()
        if path is None:
            with self._reader.declared.looked_at(self._reader.apart()):
                yield Guarded(self._registry)
        else:
            shown = [as_metric(family, created=False) for family in self._reader.shown()]
            yield _All([*shown, *of_client(path)])

    def scrape(
        self,
        accept: str = "",
        accept_encoding: str = "",
        names: Sequence[str] = (),
    ) -> Scrape:
        """Write what was collected in the format that a client asks for.

        Args:
            accept: the header `Accept`.
            accept_encoding: the header `Accept-Encoding`.
            names: of samples to show; empty shows all.
        """
        encode, content_type = choose_encoder(best(accept))
        with self.collected() as registry:
            shown = registry.restricted_registry(names) if names else registry
            return coded(encoded(encode, shown.collect()), content_type, accept_encoding)


class _All(Collected):
    """Metrics that are collected already."""

    def restricted_registry(self, names: Sequence[str]) -> Restricted:
        """Give those with samples of these names alone."""
        return Restricted(self.collect(), names)
