"""Metrics of requests under starlette_exporter's names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from prometheus_client import CollectorRegistry

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.described import Description, describe
from otel_apimetrics.prometheus.families import Kind
from otel_apimetrics.prometheus.homes import Home
from otel_apimetrics.prometheus.measures import NameTakenError
from otel_apimetrics.prometheus.tally import Values

RESPONSE_BODY: Final = "response_body_size"
"""The optional metric of what responses say in Content-Length."""
REQUEST_BODY: Final = "request_body_size"
"""The optional metric of what requests say there."""


@dataclass(slots=True)
class Measured:
    """One request that is over."""

    labels: Values
    """Method, path, status, name of the app, and those that the app asked for, in one order."""
    seconds: float
    request_bytes: int = 0
    response_bytes: int = 0
    exemplar: Mapping[str, Any] = field(default_factory=dict)
    """Labels of exemplars; empty for none."""


class StarletteMetrics:
    """Each is made when the first request needs it, and shows from then on.

    Args:
        home: makes them.
        registry: of prometheus_client, which shows them too.
        prefix: of their names, without its `_`.
        buckets: bounds of durations, in seconds; `None` for prometheus_client's.
        optional: which metrics there are besides: `RESPONSE_BODY`, `REQUEST_BODY`.
        labels: names of those that the app has asked for.

    Raises:
        ConfigError: a bound or a label cannot be.
    """

    def __init__(
        self,
        home: Home,
        registry: CollectorRegistry,
        prefix: str,
        buckets: Sequence[Any] | None,
        optional: Iterable[str],
        labels: Iterable[str] = (),
    ) -> None:
        # None is made yet; what cannot be is told before there is a request.
        name = f"{prefix}_request_duration_seconds"
        describe("histogram", name, "", labels, {"buckets": buckets})
        self._home: Final = home
        self._registry: Final = registry
        self._prefix: Final = prefix
        self._buckets: Final = buckets
        self.optional: Final = frozenset(optional)
        self.identity: Final = f"{id(home)}.{id(registry)}.{prefix}"
        """The same for all that measure with the same instruments."""
        self._made: Final[dict[str, tuple[Description, Any] | None]] = {}

    def in_progress(self, change: int, labels: Values) -> None:
        """Count requests that are being served up or down."""
        text = "Total HTTP requests currently in progress"
        found = self._metric("gauge", "requests_in_progress", text, labels)
        if found is not None:
            found[1].add(change, labels)

    def measure(self, measured: Measured) -> None:
        """Count a request and its seconds."""
        if RESPONSE_BODY in self.optional:
            text = "Total HTTP response body bytes"
            self._count("response_body_bytes", text, measured.response_bytes, measured)
        if REQUEST_BODY in self.optional:
            text = "Total HTTP request body bytes"
            self._count("request_body_bytes", text, measured.request_bytes, measured)
        self._count("requests", "Total HTTP requests", 1, measured)
        text = "HTTP request duration, in seconds"
        found = self._metric("histogram", "request_duration_seconds", text, measured.labels)
        if found is not None:
            described, histogram = found
            histogram.record(measured.seconds, measured.labels)
            self._exemplify(described, measured.seconds, measured)

    def _count(self, name: str, text: str, value: int, measured: Measured) -> None:
        found = self._metric("counter", f"{name}_total", text, measured.labels)
        if found is not None:
            described, tally = found
            tally.add(value, measured.labels)
            self._exemplify(described, value, measured)

    def _exemplify(self, described: Description, value: float, measured: Measured) -> None:
        if measured.exemplar:
            self._home.measures.reader.declared.exemplars.note(
                described.name, measured.labels, value, measured.exemplar, described.bounds
            )

    def _metric(
        self, kind: Kind, name: str, text: str, labels: Values
    ) -> tuple[Description, Any] | None:
        if name not in self._made:
            self._made[name] = self._make(kind, f"{self._prefix}_{name}", text, labels)
        return self._made[name]

    def _make(
        self, kind: Kind, name: str, text: str, labels: Values
    ) -> tuple[Description, Any] | None:
        arguments: dict[str, Any] = {}
        if kind == "gauge":
            arguments["multiprocess_mode"] = "livesum"
        if kind == "histogram":
            arguments["buckets"] = self._buckets
        described = describe(kind, name, text, labels, arguments)
        make = self._home.durations if kind == "histogram" else self._home.counts
        try:
            return described, make(described, self._registry)
        except NameTakenError:
            _guard.warn_once(
                f"prometheus.taken.{name}",
                "%s is not measured: the registry has another metric of that name, such as one of"
                " other labels. Choose another prefix or registry.",
                name,
            )
            return None
