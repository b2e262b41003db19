"""The decorators that `FlaskMetrics` makes."""

from collections.abc import Callable
from typing import Any, ClassVar

from otel_apimetrics.prometheus.decorators import Decorator, Decorators
from otel_apimetrics.prometheus.excluded import Excluded
from otel_apimetrics.prometheus.families import Kind
from otel_apimetrics.prometheus.flask_calls import Measured
from otel_apimetrics.prometheus.flask_views import Tracked, marking
from otel_apimetrics.prometheus.flask_waiting import watch
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.request_marks import DO_NOT_TRACK, EXCLUDE_ALL


class FlaskDecorators(Decorators):
    """`Decorators` of Flask's views."""

    exclude_user_defaults: bool
    _excluded: Excluded
    _response_converter: Callable[[Any], Any] | None
    _as_exporter: ClassVar[bool] = False
    """See `Measured`."""

    @staticmethod
    def do_not_track() -> Decorator:
        """Leave requests to a view out of the default metrics."""
        return marking(DO_NOT_TRACK)

    @staticmethod
    def exclude_all_metrics() -> Decorator:
        """Leave requests to a view out of all metrics."""
        return marking(EXCLUDE_ALL)

    def _tracking(self, instrument: Any, labels: LabelValues, kind: Kind) -> Decorator:
        watch(as_made=self._as_exporter)
        measured = Measured(
            instrument=instrument,
            labels=labels,
            kind=kind,
            convert=self._response_converter,
            as_exporter=self._as_exporter,
        )
        return Tracked(measured, self._leaves_out).decorator

    def _leaves_out(self, path: str) -> bool:
        return self.exclude_user_defaults and self._excluded(path)
