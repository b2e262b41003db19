"""What an app may ask of the metrics of its Flask app."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.decorators import Labels
from otel_apimetrics.prometheus.described import bounds_of
from otel_apimetrics.prometheus.flask_defaults import GroupBy, Shape
from otel_apimetrics.prometheus.label_values import require_function
from otel_apimetrics.prometheus.presets import Names, checked_labels, chosen, require_names

POSSIBLE: Final[tuple[Names, ...]] = ("otel", "flask")
NO_PREFIX: Final = "#no_prefix"
"""The default metrics' names begin with no prefix."""
_BUILT_IN: Final = ("method", "status")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaskOptions:
    """Options of `FlaskMetrics`."""

    names: Names = field(default_factory=lambda: chosen(POSSIBLE))
    """Whose default metrics: those of the instrumentor, which are no business of this class
    ("otel"), or prometheus-flask-exporter's ("flask"). By default what
    `OTEL_EXPORTER_PROMETHEUS_NAMES` says, or "otel"."""
    path: str | None = "/metrics"
    """Of the endpoint in the app; `None` for none."""
    export_defaults: bool = True
    """With the default metrics of `names`."""
    prefix: str = "flask"
    """Of the default metrics; `NO_PREFIX` for none."""
    group_by: GroupBy = "path"
    """What the duration is told apart by: an attribute of Flask's request, or a plain function of
    it that has a name. The label has the same."""
    buckets: Sequence[float] | None = None
    """Bounds of the duration, in seconds; `None` for prometheus_client's."""
    latency_as_histogram: bool = True
    """False: the duration is a summary."""
    default_labels: Labels = field(default_factory=dict)
    """Of the default metrics and of all decorators."""
    response_converter: Callable[[Any], Any] | None = None
    """Makes what labels see of what views return; `None` shows them the response itself."""
    excluded_paths: str | Iterable[str] | None = None
    """Expressions that the beginning of a path matches which nothing counts."""
    exclude_user_defaults: bool = True
    """Decorators leave out the excluded paths too."""
    metrics_decorator: Callable[[Callable[[], Any]], Callable[..., Any]] | None = None
    """Of the endpoint's view, such as one that asks for a login."""

    def __post_init__(self) -> None:
        """Refuse what is not possible."""
        chosen(POSSIBLE, self.names)
        bounds_of("The default metrics", self.buckets)
        checked_labels(self.default_labels)
        if self.response_converter is not None:
            require_function("response_converter", self.response_converter, 1)
        require_names(
            self.names,
            "'flask'",
            prefix=self.prefix != "flask",
            group_by=self.group_by != "path",
            buckets=self.buckets is not None,
            latency_as_histogram=not self.latency_as_histogram,
        )


def shape_of(options: FlaskOptions, labels: tuple[str, ...]) -> Shape:
    """Name and label the default metrics.

    Args:
        options: those of the default metrics.
        labels: names of the default labels.

    Raises:
        AttributeError: `group_by` is a callable without a name.
        ConfigError: `group_by` is a lambda or a coroutine function, or a default label has a
            built-in one's name.
    """
    group_by, prefix = options.group_by, options.prefix
    if callable(group_by):
        require_function("group_by", group_by, 1)
    group = group_by.__name__ if callable(group_by) else str(group_by)
    if group == "<lambda>":
        raise ConfigError(
            "group_by=lambda gives an invalid label: the label has the function's name. Give a"
            " function that has one."
        )
    clash = sorted({*_BUILT_IN, group}.intersection(labels))
    if clash:
        raise ConfigError(
            f"default_labels: {', '.join(clash)} is a label of the default metrics already. Choose"
            " another name."
        )
    return Shape(
        prefix="" if prefix == NO_PREFIX else f"{prefix}_",
        group=group,
        labels=labels,
        buckets=None if options.buckets is None else tuple(options.buckets),
        as_histogram=options.latency_as_histogram,
    )
