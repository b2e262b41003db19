"""The classes for servers of many processes.

Each needs the environment variable `PROMETHEUS_MULTIPROC_DIR`, which names a directory. What other
parts of an app measure with prometheus_client is shown from there too.
"""

import os
import warnings
from abc import abstractmethod
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import mark_process_dead

from otel_apimetrics.compat.prometheus_flask_exporter.metrics import PrometheusMetrics
from otel_apimetrics.prometheus.app_server import AppServer
from otel_apimetrics.prometheus.client_processes import directory
from otel_apimetrics.prometheus.endpoint import ScrapeWSGIApp

_ALL = "0.0.0.0"  # noqa: S104  as prometheus-flask-exporter has it


def _require_directory() -> None:
    named = directory()
    if named is None or not os.path.isdir(named):  # noqa: PTH112  what the variable holds
        raise ValueError(
            f"PROMETHEUS_MULTIPROC_DIR={named!r} names no directory: make one, and set the variable"
            " before the server starts."
        )


class MultiprocessPrometheusMetrics(PrometheusMetrics):
    """Metrics of all processes, on a port that one of them serves.

    A subclass tells by `should_start_http_server` which one it is.

    Args:
        app: Flask's; `None` for `init_app` later.
        options: those of `PrometheusMetrics`; `path` is ignored.

    Raises:
        ValueError: `PROMETHEUS_MULTIPROC_DIR` names no directory.
    """

    def __init__(self, app: Any = None, **options: Any) -> None:
        _require_directory()
        registry = options.pop("registry", None) or CollectorRegistry()
        options.pop("path", None)
        super().__init__(app, path=None, registry=registry, **options)

    def start_http_server(
        self,
        port: int,
        host: str = _ALL,
        endpoint: str | None = None,  # noqa: ARG002  upstream's server answers on each path
        ssl: dict[str, str] | None = None,  # noqa: ARG002  and speaks no TLS
    ) -> None:
        """Serve the metrics of all processes from this one, if it is the one that should.

        Args:
            port: to listen on.
            host: to listen on, by default on all networks.
            endpoint: ignored: each path is answered.
            ssl: ignored.

        Raises:
            ConfigError: the port is taken.
        """
        if self.should_start_http_server():
            AppServer(ScrapeWSGIApp(self), port, host)

    @abstractmethod
    def should_start_http_server(self) -> bool:
        """Tell whether this process serves the metrics: true in one alone."""


class _Internal(MultiprocessPrometheusMetrics):
    """Shows the metrics of all processes in the app.

    Args:
        app: Flask's; `None` for `init_app` later.
        path: of the endpoint.
        options: those of `PrometheusMetrics`.
    """

    def __init__(self, app: Any = None, path: str = "/metrics", **options: Any) -> None:
        super().__init__(app, **options)
        if app:
            self.register_endpoint(path)
        else:
            self.path = path

    def should_start_http_server(self) -> bool:
        """Tell that no process serves the metrics on a port: the app does."""
        return False

    @classmethod
    def start_http_server_when_ready(
        cls,
        port: int,  # noqa: ARG003  upstream's arguments
        host: str = _ALL,  # noqa: ARG003
    ) -> None:
        """Start nothing, and warn."""
        warnings.warn(
            f"{cls.__name__} shows the metrics in the app: start_http_server_when_ready starts"
            " nothing. For a port of its own take GunicornPrometheusMetrics.",
            UserWarning,
            stacklevel=2,
        )


class MultiprocessInternalPrometheusMetrics(_Internal):
    """Shows the metrics of all processes in the app."""


class UWsgiPrometheusMetrics(MultiprocessPrometheusMetrics):
    """Metrics of all processes of uWSGI, on a port that its master serves."""

    def should_start_http_server(self) -> bool:
        """Tell whether this is the master."""
        import uwsgi  # type: ignore[import-untyped,unused-ignore]

        return bool(os.getpid() == uwsgi.masterpid())


class GunicornPrometheusMetrics(MultiprocessPrometheusMetrics):
    """Metrics of all workers of Gunicorn, on a port that its master serves.

    Its hooks `when_ready` and `child_exit` call the class methods.
    """

    def should_start_http_server(self) -> bool:
        """Tell that this process serves the metrics: it is called in the master."""
        return True

    @classmethod
    def start_http_server_when_ready(cls, port: int, host: str = _ALL) -> None:
        """Serve the metrics from Gunicorn's master: for the hook `when_ready`.

        Raises:
            ConfigError: the port is taken.
            ValueError: `PROMETHEUS_MULTIPROC_DIR` names no directory.
        """
        GunicornPrometheusMetrics().start_http_server(port, host)

    @classmethod
    def mark_process_dead_on_child_exit(cls, pid: int) -> None:
        """Note that a worker has ended: for the hook `child_exit`."""
        # Ours are known to be dead without being told; prometheus_client's live gauges are not.
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


class GunicornInternalPrometheusMetrics(_Internal, GunicornPrometheusMetrics):
    """Shows the metrics of all workers of Gunicorn in the app."""
