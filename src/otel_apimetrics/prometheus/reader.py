"""The reader that a scrape asks."""

import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

import prometheus_client
from opentelemetry.sdk.metrics.export import MetricReader, MetricsData
from prometheus_client.registry import Collector

from otel_apimetrics import _guard, interruptions
from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus import collecting, collectors, gaps, instruments
from otel_apimetrics.prometheus.client_processes import private, would_begin_with_nothing
from otel_apimetrics.prometheus.collectors import Asked
from otel_apimetrics.prometheus.declared import Declared
from otel_apimetrics.prometheus.exposition import Scrape, expose, warn_taken
from otel_apimetrics.prometheus.families import Collection, Family, Mode
from otel_apimetrics.prometheus.registry import families_in
from otel_apimetrics.prometheus.sample_names import sample_names
from otel_apimetrics.prometheus.scopes import told_apart
from otel_apimetrics.prometheus.translation import families_of

if TYPE_CHECKING:
    from otel_apimetrics.prometheus.place import Place
    from otel_apimetrics.prometheus.workers import Workers

_Families = TypeVar("_Families", bound=list[Family])
Directory = str | os.PathLike[str]
DIRECTORIES: Final = (
    "OTEL_EXPORTER_PROMETHEUS_DIRECTORY",
    "PROMETHEUS_MULTIPROC_DIR",
    "prometheus_multiproc_dir",
)
"""The variables that name the directory: ours, and those of prometheus_client."""

_received: ContextVar[list[MetricsData]] = ContextVar("apimetrics_prometheus_received")
_is_telling: ContextVar[bool] = ContextVar("apimetrics_prometheus_is_telling", default=False)
"""A process tells the others what it has, and does not ask them."""
_numbers: set[tuple[str, int]] = set()
"""Of the readers in this process, by their directory."""


class PrometheusReader(MetricReader):
    """Collects when it is scraped, from the `MeterProvider` that it was given to.

    Safe between threads. Alone it holds nothing between scrapes.

    Args:
        scope_labels: each series has the name, version and schema of its instrumentation scope.
            Without it a name that two scopes have is told apart by `otel_scope_name` alone.
        target_info: expose the resource's attributes as the labels of `target_info`.
        registry: metrics made with prometheus_client to expose too, by default those of
            `prometheus_client.REGISTRY`: the process, the interpreter, and whatever the app made.
            A `CollectorRegistry()` of its own exposes none.
        created: expose since when a series counts, as `_created`.
        directory: where the processes of an app meet, so that a scrape of any of them shows what
            all of them have counted; by default what `OTEL_EXPORTER_PROMETHEUS_DIRECTORY` says,
            or `PROMETHEUS_MULTIPROC_DIR`. Without one a scrape shows the process that answers it.
        gauges: how the values that several processes have of one gauge become one, by the name
            that is exposed: `all` (each live process by its `pid`: the default), `sum`, `max`,
            `min`, `mostrecent`; with `live` before it, of live processes alone.

    Raises:
        ConfigError: the directory cannot be used, or a mode is none.
    """

    def __init__(
        self,
        *,
        scope_labels: bool = False,
        target_info: bool = True,
        registry: Collector | None = None,
        created: bool = True,
        directory: Directory | None = None,
        gauges: Mapping[str, Mode] | None = None,
    ) -> None:
        super().__init__()
        self._scope_labels = scope_labels
        self._target_info = target_info
        self._registry = registry
        self._created = created
        self.declared = Declared()
        self._made_in = os.getpid()
        self._gauges = _modes(gauges or {})
        self._workers: Workers | None = None
        self._workers = self._join(directory)

    @property
    def place(self) -> "Place | None":
        """Where it meets those of other processes."""
        return None if self._workers is None else self._workers.place

    def scrape(
        self, accept: str = "", accept_encoding: str = "", names: Sequence[str] = ()
    ) -> Scrape:
        """Collect, and write what was collected in the format that a client asks for.

        Observable instruments are asked on the calling thread, and where there are several
        processes in each of them. A metric that cannot be exposed is left out and counted in
        `apimetrics.internal.errors`.

        Args:
            accept: the header `Accept`.
            accept_encoding: the header `Accept-Encoding`.
            names: of families and samples to expose; empty exposes all.
        """
        if self._collect is None:
            gaps.warn_of_provider(self)
        if self._workers is None:
            gaps.warn_of_others(self._made_in, DIRECTORIES[0])
        return expose(
            self.shown(),
            self._asked().metrics if self._workers is None else [],
            accept=accept,
            accept_encoding=accept_encoding,
            names=names,
            created=self._created,
            declared=self.declared.names(),
        )

    def shown(self) -> list[Family]:
        """Give what a scrape shows, and what was declared and is not measured yet.

        Where there are several processes it is theirs, with the metrics of their registries;
        without them those are left out.
        """
        return self.declared.complete(self._told())

    def apart(self) -> Mapping[str, Family]:
        """Give the same by what declares it: several registries may have metrics of one name."""
        return self.declared.apart(self._told())

    def _told(self) -> list[Family]:
        alone = self._workers is None or _is_telling.get()
        families = self._collected() if alone or self._workers is None else self._workers.gather()
        return told_apart(families, whole=self._scope_labels)

    def families(self) -> Collection:
        """Collect in this process and translate, with the metrics of the registry."""
        families = self._collected()
        taken = {name for one in families for name in (one.name, *sample_names(one.name, one.kind))}
        # Another reader's metrics in the registry are told of this process alone, too.
        token = _is_telling.set(True)
        try:
            asked = self._asked()
            others = families_in(self._chosen_registry(), asked.metrics)
        finally:
            _is_telling.reset(token)
        families.is_whole = families.is_whole and asked.is_whole and others.is_whole
        for family in others:
            if taken.isdisjoint((family.name, *sample_names(family.name, family.kind))):
                families.append(family)
            else:
                warn_taken(family.name)
        return self._with_modes(families)

    def held(self) -> list[Family]:
        """Give what is held here of what this process has counted or inherited.

        None of the app's code runs.
        """
        data = instruments.held(self)
        families = self._translated([] if data is None else [data])
        if not would_begin_with_nothing():
            registry = self._chosen_registry()
            with self.declared.looked_at(()):
                families.extend(families_in(registry, collectors.kept(registry)))
        return self._with_modes([family for family in families if not family.is_observed])

    def _with_modes(self, families: _Families) -> _Families:
        for family in families:
            family.mode = self._gauges.get(family.name, family.mode)
        return families

    def _join(self, directory: Directory | None) -> "Workers | None":
        where = directory or named_directory()
        if where is None:
            return None
        is_ours = bool(directory or os.environ.get(DIRECTORIES[0]))
        return _meet(self, where, is_ours=is_ours)

    def _collected(self) -> Collection:
        if self._collect is None:
            return Collection()  # not given to a provider yet
        received: list[MetricsData] = []
        is_whole = True
        token = _received.set(received)
        try:
            collecting.undisturbed(self.collect)
        except BaseException as error:
            if not interruptions.is_own(error):
                raise
            # A callback of an observable is left so. What was counted is there all the same.
            _guard.swallow("prometheus.observable", error, reveal=True)
            is_whole = False
            collecting.undisturbed(lambda: received.extend(filter(None, [instruments.held(self)])))
        finally:
            _received.reset(token)
        families = self._translated(received)
        families.is_whole = is_whole
        return families

    def _translated(self, received: Iterable[MetricsData]) -> Collection:
        shared = self._workers is not None
        observed = instruments.observed(self) if shared else frozenset()
        found = [
            family
            for data in received
            for family in families_of(
                data, target_info=self._target_info, shared=shared, observed=observed
            )
        ]
        own = [family for family in self.declared.own() if family.series]
        return Collection(self.declared.dated([*found, *own]))

    def _chosen_registry(self) -> Collector:
        # Looked up now, because tests and servers of many processes replace it.
        return prometheus_client.REGISTRY if self._registry is None else self._registry

    def _asked(self) -> Asked:
        asked = Asked()
        registry = self._chosen_registry()
        # What stands there for an instrument of this reader shows nothing a second time.
        with self.declared.looked_at(()):
            # It has a lock, too, which a child would inherit.
            collecting.undisturbed(lambda: asked.ask(registry))
        return asked

    def _receive_metrics(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002  nothing is sent
        **_named: Any,
    ) -> None:
        received = _received.get(None)
        if received is not None:
            received.append(metrics_data)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002
        """Write down, where there are several processes, what this one has counted."""
        if self._workers is not None:
            self._workers.tell()
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_named: Any) -> None:  # noqa: ARG002
        """Tell other processes the last values, and meet them no more.

        Whoever scrapes later sees what was counted until then, this reader too.
        """
        if self._workers is not None and self._workers.close():
            _numbers.discard(self._workers.place.key)


def named_directory() -> str | None:
    """Give the directory that the environment names."""
    return next(filter(None, map(os.environ.get, DIRECTORIES)), None)


def can_meet() -> bool:
    """Tell whether this system has what processes meet by."""
    return hasattr(socket, "AF_UNIX") and hasattr(os, "register_at_fork")


def _modes(gauges: Mapping[str, Mode]) -> Mapping[str, Mode]:
    for name, mode in gauges.items():
        if mode not in get_args(Mode):
            raise ConfigError(f"gauges: {name}={mode!r}: use one of {', '.join(get_args(Mode))}.")
    return gauges


def _meet(reader: PrometheusReader, directory: Directory, *, is_ours: bool) -> "Workers":
    if not can_meet():
        raise ConfigError(
            "directory: there are no Unix sockets here, by which the processes of an app could"
            " meet. Push OTLP to a Collector, and let Prometheus scrape that."
        )
    from otel_apimetrics.prometheus.place import Place
    from otel_apimetrics.prometheus.workers import Workers

    path = os.path.realpath(directory)
    if not is_ours:
        path = private(path)  # prometheus_client asks nobody for a directory of the app's own
    number = next(at for at in range(len(_numbers) + 1) if (path, at) not in _numbers)
    workers = Workers(Place(path, number), reader.families, reader.held)
    _numbers.add(workers.place.key)
    return workers
