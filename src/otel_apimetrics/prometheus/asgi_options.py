"""What an app may ask of the metrics of its FastAPI or Starlette app."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.decorators import Labels
from otel_apimetrics.prometheus.described import bounds_of
from otel_apimetrics.prometheus.endpoint import Authorize
from otel_apimetrics.prometheus.label_values import require_function
from otel_apimetrics.prometheus.presets import Names, checked_labels, chosen, require_names

POSSIBLE: Final[tuple[Names, ...]] = ("otel", "fastapi-instrumentator", "starlette")
BUILT_IN: Final = {
    "otel": (),
    "fastapi-instrumentator": ("handler", "le", "method", "quantile", "status"),
    "starlette": ("app_name", "le", "method", "path", "status_code"),
}
"""Labels of the default metrics, by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ASGIOptions:
    """Options of `ASGIMetrics`."""

    names: Names | None = None
    """Whose default metrics: those of the instrumentor, which are no business of this class
    ("otel"), prometheus-fastapi-instrumentator's or starlette_exporter's. `None`: what
    `OTEL_EXPORTER_PROMETHEUS_NAMES` says, by default "otel"."""
    path: str | None = "/metrics"
    """Of the endpoint in the app; `None` for none."""
    authorize: Authorize | None = None
    """Tells whether a scrape may read; without it each one may."""
    export_defaults: bool = True
    """With the default metrics of `names`."""
    prefix: str | None = None
    """Of the default metrics, without its `_`; `None` for the names as their package has them."""
    group_by: str | Callable[[Any], Any] = "template"
    """What requests are told apart by: "template" of the route, "path", or a plain function
    of Starlette's request. The label is called as the names have it."""
    buckets: Sequence[float] | None = None
    """Bounds of the durations by handler or path, in seconds; `None` for those of the names."""
    default_labels: Labels = field(default_factory=dict)
    """Of the default metrics and of all decorators."""
    response_converter: Callable[[Any], Any] | None = None
    """Makes what labels see of what views return; `None` shows them the response itself."""
    excluded_paths: str | Iterable[str] | None = None
    """Expressions that the beginning of a path matches which nothing counts."""
    exclude_user_defaults: bool = True
    """Decorators leave out the excluded paths too."""

    def __post_init__(self) -> None:
        """Refuse what is not possible."""
        bounds_of("The default metrics", self.buckets)
        checked_labels(self.default_labels)
        if self.response_converter is not None:
            require_function("response_converter", self.response_converter, 1)
        if callable(self.group_by):
            require_function("group_by", self.group_by, 1)
        require_names(
            chosen(POSSIBLE, self.names),
            "'fastapi-instrumentator' or 'starlette'",
            prefix=self.prefix is not None,
            group_by=self.group_by != "template",
            buckets=self.buckets is not None,
        )

    def group(self) -> Callable[[Any], Any] | None:
        """Give what tells requests apart; `None` for templates.

        Raises:
            ConfigError: there is nothing of that name.
        """
        if callable(self.group_by):
            return self.group_by
        if self.group_by == "path":
            return lambda request: request.url.path
        if self.group_by != "template":
            raise ConfigError(
                f"group_by={self.group_by!r}: use 'template', 'path', or a function of the request."
            )
        return None
