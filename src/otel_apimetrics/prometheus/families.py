"""What is exposed, between OpenTelemetry's points and Prometheus' text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram", "summary", "info", "stateset", "unknown"]
"""The last three come from `prometheus_client` alone."""
Mode = Literal[
    "sum", "livesum", "all", "max", "livemax", "min", "livemin", "mostrecent", "livemostrecent"
]  # fmt: skip
"""What the same series of several processes becomes.

The `live` ones leave out processes that have ended. `all` shows each live process, told apart by
`pid`; `mostrecent` is the value that changed last."""
OWN_LABELS: Final[Mapping[str, str]] = {"histogram": "le", "summary": "quantile"}
"""By the kind: the label that tells its samples apart, and no label of the app's."""
Scope = tuple[str, str, str]
"""Name, version and schema of an instrumentation scope; empty where it has none."""
NO_SCOPE: Scope = ("", "", "")
Labels = tuple[tuple[str, str], ...]
"""Names and values, in the order of the names; no name comes twice."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One measurement behind a number, and the span in which it was made."""

    value: float
    seconds: float
    """Of the Unix epoch."""
    trace_id: str
    """32 hexadecimal digits, with `span_id` (16)."""
    span_id: str
    labels: Labels = ()
    """Those that an app has given it, in the place of trace and span."""


@dataclass(frozen=True, slots=True)
class Series:
    """One set of labels of a family, with what it holds."""

    labels: Labels
    value: float = 0.0
    """Of a counter or a gauge; the sum of a histogram or a summary."""
    count: int = 0
    """Measurements in a histogram or a summary."""
    buckets: tuple[int, ...] = ()
    """Of a histogram: measurements in each bucket, not cumulative, the last without a bound."""
    bounds: tuple[float, ...] = ()
    """The upper bounds of all buckets but the last, which has none."""
    created: float = 0.0
    """Seconds of the Unix epoch from which it counts, or from which a gauge has had its value;
    0 where nobody knows."""
    exemplars: tuple[Exemplar, ...] = ()
    scope: Scope = NO_SCOPE
    """Of its instrument, until it is a label or told by nothing."""


@dataclass(slots=True)
class Family:
    """All series of one name."""

    name: str
    """Without the suffix of a sample, such as `_total`."""
    kind: Kind
    help: str = ""
    unit: str = ""
    """In words, at the end of the name; empty where it has none."""
    series: list[Series] = field(default_factory=list)
    mode: Mode = "sum"
    is_observed: bool = field(default=False, compare=False)
    """Each process observes it anew, and has inherited nothing of what goes up and down."""


class Collection(list[Family]):
    """What one process has collected."""

    is_whole: bool = True
    """Nothing has failed. Otherwise what is missing may come again."""
