"""The classes for Flask-RESTful and for Connexion.

Their views return what Flask cannot read; labels see the responses that these make of it.
"""

from typing import TYPE_CHECKING, Any

from otel_apimetrics.compat.prometheus_flask_exporter.metrics import PrometheusMetrics
from otel_apimetrics.prometheus.decorators import Decorator

if TYPE_CHECKING:
    from typing_extensions import Self


class RESTfulPrometheusMetrics(PrometheusMetrics):
    """Measures Flask-RESTful's resources.

    Args:
        app: Flask's.
        api: Flask-RESTful's, which makes its responses without being asked to; may be `None`.
        options: those of `PrometheusMetrics`.
    """

    def __init__(
        self,
        app: Any,
        api: Any,  # noqa: ARG002  upstream's argument
        **options: Any,
    ) -> None:
        super().__init__(app, **options)

    @classmethod
    def for_app_factory(cls, api: Any = None, **options: Any) -> "Self":
        """Make one without an app; call `init_app` later."""
        return cls(app=None, api=api, **options)

    def init_app(
        self,
        app: Any,
        api: Any = None,  # noqa: ARG002  upstream's argument
    ) -> None:
        """Add the endpoint and the default metrics to an app."""
        super().init_app(app)


class ConnexionPrometheusMetrics(PrometheusMetrics):
    """Measures Connexion's handlers, in Connexion 2 or 3.

    Args:
        app: Connexion's, with Flask below.
        default_mimetype: ignored: Connexion makes its responses by the specification.
        options: those of `PrometheusMetrics`.
    """

    def __init__(
        self,
        app: Any,
        default_mimetype: str = "application/json",  # noqa: ARG002  upstream's argument
        **options: Any,
    ) -> None:
        super().__init__(app.app if app else None, **options)

    @staticmethod
    def content_type(content_type: str) -> Decorator:  # noqa: ARG004  upstream's argument
        """Leave a handler as it is: Connexion knows from the specification what it returns."""
        return lambda view: view
