"""The decorators that `FlaskMetrics` makes."""

from collections.abc import Callable
from typing import Any

from otel_apimetrics.prometheus.decorators import Decorator, Decorators
from otel_apimetrics.prometheus.excluded import Excluded
from otel_apimetrics.prometheus.families import Kind
from otel_apimetrics.prometheus.flask_views import Tracked, marking
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.request_marks import DO_NOT_TRACK, EXCLUDE_ALL


class FlaskDecorators(Decorators):
    """`Decorators` of Flask's views."""

    exclude_user_defaults: bool
    _excluded: Excluded
    _response_converter: Callable[[Any], Any]

    @staticmethod
    def do_not_track() -> Decorator:
        """Leave requests to a view out of the default metrics."""
        return marking(DO_NOT_TRACK)

    @staticmethod
    def exclude_all_metrics() -> Decorator:
        """Leave requests to a view out of all metrics."""
        return marking(EXCLUDE_ALL)

    def _tracking(self, instrument: Any, labels: LabelValues, kind: Kind) -> Decorator:
        return Tracked(
            instrument=instrument,
            labels=labels,
            kind=kind,
            convert=self._convert,
            is_left_out=self._leaves_out,
        ).decorator

    def _convert(self, returned: Any) -> Any:
        # Flask-RESTful's API, which converts, may be known after the decorators.
        return self._response_converter(returned)

    def _leaves_out(self, path: str) -> bool:
        return self.exclude_user_defaults and self._excluded(path)
